//! Whether the promises hold, as the services themselves answer when they are asked for every order, payment, account
//! and item, and as the view shows it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use skstore_domain::ids::OrderId;
use skstore_domain::signals::Service;
use skstore_workers::view::View;
use skstore_workers::view::redis::RedisView;
use tokio::time::{Instant, sleep};

use crate::buyers::{Buyer, code, until};
use crate::workers::{At, LOOK_EVERY};

/// What the catalogue opens kim's account with, in won.
const BALANCE: i64 = 500_000_000;
/// The promise: so soon after the traffic stops the view is what the services say.
const CONVERGES_WITHIN: Duration = Duration::from_secs(2);

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
        let mut buyer = Buyer::new(&at.bus);
        let mut books = None;
        until("every order has ended, with its payment final", async || {
            books = Self::ask(&mut buyer, ids, item).await.filter(Self::have_ended);
            books.is_some()
        })
        .await;
        let books = books.expect("they have ended");
        books.hold(stock);
        let view = View::Redis(RedisView::new(&at.view, ids.len() * 2 + 1_000).expect("a URL"));
        // A view that was lost takes its time to come back; what is promised is that of one that is there.
        until("the view is rebuilt", async || {
            let beats = view.health().await.map(|health| health.services).unwrap_or_default();
            // Those that were killed are remembered for some time, with what they said last.
            let keepers = beats.iter().filter(|beat| beat.service == Service::MyInfo);
            keepers.max_by_key(|beat| beat.at).is_some_and(|beat| beat.rebuilding.is_none())
        })
        .await;
        let stopped = Instant::now();
        loop {
            let looked = stopped.elapsed();
            let Some(difference) = books.differs(&view).await else { break };
            assert!(looked <= CONVERGES_WITHIN, "{looked:?} after all has ended {difference}");
            sleep(LOOK_EVERY).await;
        }
        books
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
        self.orders.iter().all(|(id, order)| match order["status"].as_str() {
            Some("delivering") => true,
            Some("cancelled" | "rejected") => matches!(self.payment(id), "refunded" | "voided" | "declined"),
            _ => false,
        })
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
