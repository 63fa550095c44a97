//! The view against the stores: every order with its payment, every account, every item.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use serde::Serialize;
use serde_json::Value;
use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::myinfo::OrderRow;
use skstore_domain::objects::OrderStatus;

use super::history::{Known, known};
use super::report::{AuditError, Finding, Findings, Promise};
use super::shapes::quote;
use super::suspects::{Shown, Suspects};
use super::tables::{State, Stores, Tables};
use crate::view::{Counts, OrderFilter, View, ViewError};

/// Rows of the view that are read at once.
const PAGE: usize = 500;

/// Compares all of it, and the view's counts with its rows. What differs becomes suspicious.
pub(super) async fn all(
    view: &View,
    stores: &Stores,
    keep_orders: usize,
    findings: &mut Findings<'_>,
    suspects: &mut Suspects,
) -> Result<(), AuditError> {
    let tally = orders(view, stores, keep_orders, findings, suspects).await?;
    let accounts = all_accounts(view).await?;
    let items = all_items(view).await?;
    findings.report.shown += (accounts.len() + items.len()) as u64;
    let differing = objects(&stores.deposit, "account", &accounts, Shown::Account)?
        .into_iter()
        .chain(objects(&stores.item, "item", &items, Shown::Item)?);
    for (shown, how) in differing {
        suspect(shown, &how, findings, suspects);
    }
    if let Some(how) = miscounted(tally, &accounts, &items, &view.counts().await?) {
        suspect(Shown::Counts, &how, findings, suspects);
    }
    Ok(())
}

/// How the view's own counts differ from the rows that it has.
async fn recount(view: &View) -> Result<Option<String>, AuditError> {
    let orders = walk(view, |_| Ok(())).await?;
    let (accounts, items) = (all_accounts(view).await?, all_items(view).await?);
    Ok(miscounted(orders, &accounts, &items, &view.counts().await?))
}

/// What a walk through all orders has met.
#[derive(Debug, Default)]
struct Tally {
    /// Orders by status, in the order of [`OrderStatus::ALL`].
    orders: [u64; OrderStatus::ALL.len()],
    /// Members of the index that are no orders.
    strays: usize,
}

/// Shows `each` of the view's orders, and counts them.
async fn walk(
    view: &View,
    mut each: impl FnMut(&OrderRow) -> Result<(), AuditError>,
) -> Result<Tally, AuditError> {
    let (mut after, mut tally) = (None, Tally::default());
    loop {
        let page = view.orders(&OrderFilter::default(), after.as_ref(), PAGE).await?;
        tally.strays += page.strays;
        for row in &page.rows {
            let counts = tally.orders.iter_mut().zip(OrderStatus::ALL);
            counts.filter(|(_, status)| **status == row.order.status).for_each(|(count, _)| *count += 1);
            each(row)?;
        }
        after = page.next;
        if after.is_none() {
            return Ok(tally);
        }
    }
}

fn miscounted(
    Tally { orders, strays }: Tally,
    accounts: &BTreeMap<String, Value>,
    items: &BTreeMap<String, Value>,
    told: &Counts,
) -> Option<String> {
    let balances = accounts.values().filter_map(|account| account["balance"].as_i64()).map(i128::from);
    // Where 64 bits do not hold the sum, the view does not claim to have it.
    let balances = i64::try_from(balances.sum::<i128>()).unwrap_or(told.balances.0);
    let statuses = OrderStatus::ALL.iter().zip(orders).zip(told.orders);
    let mut rows: Vec<(String, i64, i64)> = statuses
        .map(|((status, there), told)| (format!("{status} orders"), signed(there), signed(told)))
        .collect();
    rows.push(("accounts".to_owned(), signed(accounts.len() as u64), signed(told.accounts)));
    rows.push(("items".to_owned(), signed(items.len() as u64), signed(told.items)));
    rows.push(("won in all accounts".to_owned(), balances, told.balances.0));
    let strays = (strays > 0).then(|| format!("its list of orders has {strays} members that are none"));
    let differing: Vec<String> = rows
        .iter()
        .filter(|(_, there, told)| there != told)
        .map(|(what, there, told)| format!("it counts {told} {what} and has {there}"))
        .chain(strays)
        .collect();
    (!differing.is_empty()).then(|| differing.join("; "))
}

fn signed(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

fn suspect(shown: Shown, how: &str, findings: &mut Findings<'_>, suspects: &mut Suspects) {
    if let Err(shown) = suspects.add_shown(shown) {
        findings.violated(&Finding::new(Promise::P6, shown.of(), shown.id(), how));
    }
}

async fn orders(
    view: &View,
    stores: &Stores,
    keep_orders: usize,
    findings: &mut Findings<'_>,
    suspects: &mut Suspects,
) -> Result<Tally, AuditError> {
    let mut there = BTreeSet::new();
    let counted = walk(view, |row| {
        let id = row.order.order_id.as_str();
        findings.report.shown += 1;
        let how = order(stores, id, Some(row))?;
        if how.as_deref() != Some(EXTRA) {
            there.insert(hashed(id));
        }
        if let Some(how) = how {
            suspect(Shown::Order(id.to_owned()), &how, findings, suspects);
        }
        Ok(())
    })
    .await?;
    let may_forget = suspects.placed > keep_orders as u64;
    if may_forget {
        findings
            .note(format!("the view keeps {keep_orders} orders: older ones that have ended may be missing"));
    }
    if there.len() as u64 >= suspects.placed && !may_forget {
        // As many as there are, and each of them is known to Order: all of them.
        return Ok(counted);
    }
    for state in stores.order.states("order") {
        let state = state?;
        let Ok((Known::Order(order), _)) = known(&state) else { continue };
        let has_ended = matches!(order.status.as_str(), "delivering" | "cancelled" | "rejected");
        let is_excused = may_forget && has_ended;
        if !is_excused && !there.contains(&hashed(&state.id)) {
            suspect(Shown::Order(state.id), MISSING, findings, suspects);
        }
    }
    Ok(counted)
}

/// A number instead of an id: a million of them in some 20 MiB. Of a million orders, one that is missing hides
/// behind another's number once in ten thousand billion times.
fn hashed(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}

/// What is wrong with a row of which no store knows.
const EXTRA: &str = "the view has it, and its service does not";

/// What is wrong where there is none.
const MISSING: &str = "the view does not have it";

/// How the view differs about order `id`.
fn order(stores: &Stores, id: &str, row: Option<&OrderRow>) -> Result<Option<String>, AuditError> {
    let stored = stores.order.state("order", id)?;
    let recorded = stored.as_ref().and_then(|state| match known(state) {
        Ok((Known::Order(_), text)) => serde_json::from_str::<Value>(text).ok(),
        // One that cannot be read is told elsewhere.
        Ok((Known::Tombstone(_), _)) | Err(_) => None,
    });
    let shown = row.map(|row| json(&row.order));
    if let Some(how) = compare(recorded.as_ref(), shown.as_ref()) {
        return Ok(Some(how));
    }
    let Some(row) = row else { return Ok(None) };
    let payment = stores.deposit.state("payment", id)?;
    let payment = payment.map(|state| serde_json::from_str(&state.body).unwrap_or(Value::Null));
    let shown = row.payment.as_ref().map(json);
    Ok(compare(payment.as_ref(), shown.as_ref()).map(|how| format!("its payment: {how}")))
}

fn json(object: &impl Serialize) -> Value {
    serde_json::to_value(object).unwrap_or(Value::Null)
}

/// How what is shown of one object differs from what its service has recorded.
fn compare(recorded: Option<&Value>, shown: Option<&Value>) -> Option<String> {
    match (recorded, shown) {
        (Some(recorded), Some(shown)) => differs(recorded, shown),
        (Some(_), None) => Some(MISSING.to_owned()),
        (None, Some(_)) => Some(EXTRA.to_owned()),
        (None, None) => None,
    }
}

fn differs(recorded: &Value, shown: &Value) -> Option<String> {
    let (Value::Object(recorded), Value::Object(shown)) = (recorded, shown) else {
        return (recorded != shown).then(|| {
            format!("recorded is {}, shown is {}", quote(&recorded.to_string()), quote(&shown.to_string()))
        });
    };
    let names: BTreeSet<&String> = recorded.keys().chain(shown.keys()).collect();
    let differing: Vec<String> = names
        .into_iter()
        .map(|name| {
            (name, recorded.get(name).unwrap_or(&Value::Null), shown.get(name).unwrap_or(&Value::Null))
        })
        .filter(|(_, recorded, shown)| recorded != shown)
        .map(|(name, recorded, shown)| format!("its {name} is {recorded}, but the view shows {shown}"))
        .collect();
    (!differing.is_empty()).then(|| quote(&differing.join("; ")).into_owned())
}

async fn all_accounts(view: &View) -> Result<BTreeMap<String, Value>, AuditError> {
    let read = async |after: Option<Customer>| view.accounts(after.as_ref(), PAGE).await;
    by_name(read, |account| &account.customer).await
}

async fn all_items(view: &View) -> Result<BTreeMap<String, Value>, AuditError> {
    let read = async |after: Option<ItemId>| view.items(after.as_ref(), PAGE).await;
    by_name(read, |item| &item.item_id).await
}

/// All objects of one kind, by their names: `read` reads the page after a name.
async fn by_name<K: Clone + ToString, T: Serialize>(
    read: impl AsyncFn(Option<K>) -> Result<Vec<T>, ViewError>,
    name: impl Fn(&T) -> &K,
) -> Result<BTreeMap<String, Value>, AuditError> {
    let mut all = BTreeMap::new();
    let mut last = None;
    loop {
        let page = read(last).await?;
        let ended = page.len() < PAGE;
        last = page.last().map(|object| name(object).clone());
        all.extend(page.iter().map(|object| (name(object).to_string(), json(object))));
        if ended {
            return Ok(all);
        }
    }
}

/// How the view differs about the objects of one kind.
fn objects(
    tables: &Tables,
    kind: &'static str,
    shown: &BTreeMap<String, Value>,
    named: fn(String) -> Shown,
) -> Result<BTreeMap<Shown, String>, AuditError> {
    let mut differing = BTreeMap::new();
    let mut extra: BTreeSet<&String> = shown.keys().collect();
    for state in tables.states(kind) {
        let State { id, body, .. } = state?;
        extra.remove(&id);
        let recorded = serde_json::from_str::<Value>(&body).unwrap_or(Value::Null);
        if let Some(how) = compare(Some(&recorded), shown.get(&id)) {
            differing.insert(named(id), how);
        }
    }
    let extra = extra.into_iter().map(|id| (named(id.clone()), EXTRA.to_owned()));
    differing.extend(extra);
    Ok(differing)
}

/// Which of `suspects` differ now, and how.
pub(super) async fn again<'a>(
    view: &View,
    stores: &Stores,
    suspects: impl Iterator<Item = &'a Shown>,
) -> Result<BTreeMap<Shown, String>, AuditError> {
    let mut differing = BTreeMap::new();
    let (mut accounts, mut items) = (false, false);
    for shown in suspects {
        match shown {
            Shown::Account(_) => accounts = true,
            Shown::Item(_) => items = true,
            Shown::Counts => {
                if let Some(how) = recount(view).await? {
                    differing.insert(Shown::Counts, how);
                }
            }
            Shown::Order(id) => {
                let Ok(order_id) = OrderId::new(id) else {
                    differing.insert(shown.clone(), "its id is none that a view can have".to_owned());
                    continue;
                };
                // The view first: it has nothing that the stores do not have then.
                let detail = view.order(&order_id).await?;
                if let Some(how) = order(stores, id, detail.as_ref().map(|detail| &detail.row))? {
                    differing.insert(shown.clone(), how);
                }
            }
        }
    }
    if accounts {
        let shown = all_accounts(view).await?;
        differing.extend(objects(&stores.deposit, "account", &shown, Shown::Account)?);
    }
    if items {
        let shown = all_items(view).await?;
        differing.extend(objects(&stores.item, "item", &shown, Shown::Item)?);
    }
    Ok(differing)
}
