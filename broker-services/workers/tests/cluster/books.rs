//! Whether the promises hold, as the services themselves answer when they are asked for every order, payment, account
//! and item, and as the view shows it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use skstore_domain::ids::OrderId;
use skstore_domain::signals::Service;
use skstore_workers::view::View;
use skstore_workers::view::redis::RedisView;
use tokio::time::{Instant, sleep, timeout};

use crate::buyers::{Buyer, code, until};
use crate::workers::{At, LOOK_EVERY, PATIENCE};

/// What the catalogue opens kim's account with, in won.
const BALANCE: i64 = 500_000_000;
/// The promise: so soon after the traffic stops the view is what the services say.
const CONVERGES_WITHIN: Duration = Duration::from_secs(2);
/// The promise: so soon after the last loss every order has ended, and the view is what the services say.
pub(crate) const RECOVERS_WITHIN: Duration = Duration::from_secs(60);

/// What became of a set of orders of kim's for one item.
pub(crate) struct Books {
    /// As Order answers, by id; without those that never came about.
    pub(crate) orders: BTreeMap<String, Value>,
    /// As Deposit answers.
    payments: BTreeMap<String, Value>,
    balance: i64,
    stock: i64,
}

impl Books {
    /// Waits until every order has ended with its payment final, and holds what is then there against the promises;
    /// `stock` is what there was of the item. These must be all orders of kim's and of that item.
    pub(crate) async fn close(at: &At, ids: &[String], item: &str, stock: i64) -> Self {
        let books = Self::ended(at, ids, item).await;
        books.hold(stock);
        let view = books.view(at);
        // A view that was lost takes its time to come back; what is promised is that of one that is there.
        until("the view is rebuilt", async || {
            let beats = view.health().await.map(|health| health.services).unwrap_or_default();
            // Those that were killed are remembered for some time, with what they said last.
            let keepers = beats.iter().filter(|beat| beat.service == Service::MyInfo);
            keepers.max_by_key(|beat| beat.at).is_some_and(|beat| beat.rebuilding.is_none())
        })
        .await;
        books.are_shown(&view, Instant::now(), CONVERGES_WITHIN).await;
        books
    }

    /// The same after messages were lost, the last one `since` then: every order ends and is shown as it is soon enough
    /// after that, whoever has to be told again and whatever has to be asked for. How long either took, too, with
    /// what it takes to look at all of them.
    pub(crate) async fn close_after_losses(
        at: &At,
        ids: &[String],
        item: &str,
        stock: i64,
        since: Instant,
    ) -> (Self, [Duration; 2]) {
        let books = Self::ended(at, ids, item).await;
        let ended = since.elapsed();
        assert!(ended <= RECOVERS_WITHIN, "every order has ended only {ended:?} after the last loss");
        books.hold(stock);
        books.are_shown(&books.view(at), since, RECOVERS_WITHIN).await;
        (books, [ended, since.elapsed()])
    }

    async fn ended(at: &At, ids: &[String], item: &str) -> Self {
        let mut buyer = Buyer::new(&at.bus);
        let mut asked = None;
        let ended = async {
            while !asked.as_ref().is_some_and(Self::have_ended) {
                sleep(LOOK_EVERY).await;
                asked = Self::ask(&mut buyer, ids, item).await.or(asked.take());
            }
        };
        let is_in_time = timeout(PATIENCE, ended).await.is_ok();
        let open = asked.as_ref().and_then(Self::open);
        assert!(is_in_time, "not within {PATIENCE:?}: every order ends with its payment final; {open:?}");
        asked.expect("they have ended")
    }

    fn view(&self, at: &At) -> View {
        View::Redis(RedisView::new(&at.view, self.payments.len() * 2 + 1_000).expect("a URL"))
    }

    async fn are_shown(&self, view: &View, since: Instant, within: Duration) {
        loop {
            let looked = since.elapsed();
            let Some(difference) = self.differs(view).await else { return };
            assert!(looked <= within, "not within {within:?}, but after {looked:?}: {difference}");
            sleep(LOOK_EVERY).await;
        }
    }

    async fn ask(buyer: &mut Buyer, ids: &[String], item: &str) -> Option<Self> {
        let of_all = |key: &'static str| -> Vec<(&str, Value)> {
            ids.iter().map(|id| (key, json!({ "order_id": id }))).collect()
        };
        let orders = buyer.ask_all(&of_all("order.query")).await?;
        let payments = buyer.ask_all(&of_all("deposit.query")).await?;
        let by_id = |answers: Vec<Value>, member: &str| {
            let found = ids.iter().cloned().zip(answers).filter(|(_, answer)| code(answer) == "ok");
            found.map(|(id, answer)| (id, answer[member].clone())).collect()
        };
        let account = buyer.ask("deposit.query", &json!({ "customer": "kim" })).await?;
        let item = buyer.ask("item.query", &json!({ "item_id": item })).await?;
        Some(Self {
            orders: by_id(orders, "order"),
            payments: by_id(payments, "payment"),
            balance: account["account"]["balance"].as_i64()?,
            stock: item["item"]["stock"].as_i64()?,
        })
    }

    fn payment(&self, id: &str) -> &str {
        self.payments[id]["status"].as_str().unwrap_or_default()
    }

    fn have_ended(&self) -> bool {
        self.open().is_none()
    }

    /// The first order that has not ended.
    fn open(&self) -> Option<String> {
        let has_ended = |id: &str, order: &Value| match order["status"].as_str() {
            Some("delivering") => true,
            Some("cancelled" | "rejected") => matches!(self.payment(id), "refunded" | "voided" | "declined"),
            _ => false,
        };
        let open = self.orders.iter().find(|(id, order)| !has_ended(id, order));
        open.map(|(id, order)| format!("{order} is paid for by {:?}", self.payments.get(id)))
    }

    /// Whether no unpaid order is delivered, money is conserved and given back, and each unit went to one order.
    fn hold(&self, stock: i64) {
        let (mut paid, mut units) = (0, 0);
        for (id, order) in &self.orders {
            if order["status"] == "delivering" {
                assert_eq!(self.payment(id), "paid", "{order}");
                assert_eq!(self.payments[id]["amount"], order["amount"], "{order}");
                paid += order["amount"].as_i64().expect("an amount");
                units += order["qty"].as_i64().expect("a quantity");
            }
        }
        for (id, payment) in &self.payments {
            let is_known = self.orders.contains_key(id);
            assert!(is_known || payment["status"] != "paid", "paid, but there is no such order: {payment}");
        }
        assert_eq!(self.balance, BALANCE - paid, "opening balance = balance + charges not refunded");
        assert_eq!(self.stock, stock - units, "opening stock = stock + units of live orders");
    }

    /// The first order that the view shows otherwise.
    async fn differs(&self, view: &View) -> Option<String> {
        for (id, order) in &self.orders {
            let shown = view.order(&OrderId::new(id).expect("an id")).await.ok().flatten();
            let shown = shown.map(|shown| {
                let payment = shown.row.payment.map(|payment| payment.status.word());
                (shown.row.order.status.word(), payment)
            });
            if shown != Some((order["status"].as_str().unwrap_or_default(), Some(self.payment(id)))) {
                return Some(format!(
                    "{id} is shown as {shown:?}, but is {order} with {}",
                    self.payments[id]
                ));
            }
        }
        None
    }

    /// Orders of this status.
    pub(crate) fn count(&self, status: &str) -> usize {
        self.orders.values().filter(|order| order["status"] == status).count()
    }
}
