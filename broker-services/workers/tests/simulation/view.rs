//! P6: at rest, the view equals what the services' own records say.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use skstore_domain::ids::OrderId;
use skstore_workers::store::Store;
use skstore_workers::view::View;

use super::books::{Broken, all};

/// More than any simulation has.
const EVERYTHING: usize = 10_000;

/// Compares every order, payment, account and item.
pub(crate) async fn agrees(view: &View, order: &Store, deposit: &Store, item: &Store) -> Vec<Broken> {
    let mut broken = Vec::new();
    let mut differ = |what: &str, id: &str, recorded: &Value, shown: &Value| {
        if recorded != shown {
            broken.push(format!("P6: {what} {id}: recorded {recorded}, shown {shown}"));
        }
    };
    let payments = all(deposit, "payment").await;
    let buried = buried(order).await;
    for (id, record) in all(order, "order").await {
        let Some(recorded) = record.get("order") else { continue };
        let detail = view.order(&OrderId::new(&id).expect("an id")).await.expect("a view in memory");
        let shown = detail.as_ref().map(|detail| json(&detail.row.order)).unwrap_or_default();
        differ("order", &id, recorded, &shown);
        let payment = payments.iter().find(|(of, _)| *of == id).map(|(_, payment)| payment.clone());
        let shown = detail.as_ref().and_then(|detail| detail.row.payment.as_ref()).map(json);
        differ("payment of order", &id, &payment.unwrap_or_default(), &shown.unwrap_or_default());
        if let Some(detail) = &detail {
            let revisions =
                detail.timeline.iter().filter(|step| step.source.word() == "order").count() as u64;
            let mut buried = buried.get(&id).copied().unwrap_or_default();
            // It was paid before Order was made to forget it: the view takes it for one that was paying.
            buried -= u64::from(buried > 0 && recorded["payment"] == "refunded");
            differ("steps of order", &id, &json(&(detail.row.order.revision - buried)), &json(&revisions));
        }
    }
    let accounts = view.accounts(None, EVERYTHING).await.expect("a view in memory");
    let accounts = accounts.iter().map(|account| (account.customer.to_string(), json(account))).collect();
    let items = view.items(None, EVERYTHING).await.expect("a view in memory");
    let items = items.iter().map(|item| (item.item_id.to_string(), json(item))).collect();
    for (what, recorded, shown) in
        [("account", all(deposit, "account").await, accounts), ("item", all(item, "item").await, items)]
    {
        let recorded: BTreeMap<String, Value> = recorded.into_iter().collect();
        let shown: BTreeMap<String, Value> = shown;
        // Also what only one of them has.
        for id in recorded.keys().chain(shown.keys()).collect::<BTreeSet<_>>() {
            let of = |objects: &BTreeMap<String, Value>| objects.get(id).cloned().unwrap_or_default();
            differ(what, id, &of(&recorded), &of(&shown));
        }
    }
    broken
}

/// How often each order was buried before it was an order: of that the view shows no steps.
async fn buried(order: &Store) -> BTreeMap<String, u64> {
    let log = order.log(0..=i64::MAX, usize::MAX, usize::MAX).await.expect("a log in memory");
    let mut buried = BTreeMap::new();
    for body in log.bodies {
        let event: Value = serde_json::from_str(&body).expect("an event of the log");
        if event["data"]["order"].is_null() {
            *buried.entry(event["subject"].as_str().expect("an order").to_owned()).or_default() += 1;
        }
    }
    buried
}

fn json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).expect("JSON")
}
