//! A desk on a temporary directory, and what a test asks of it.

use std::time::Duration;

use skstore_domain::answers::Answer;
use skstore_domain::commands::Place;
use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::objects::{Item, Order, OrderStatus, PaymentStatus};
use skstore_domain::signals::Beat;
use skstore_workers::bus::{Bus, Subscription};
use skstore_workers::config::{Config, Sources};
use skstore_workers::desk::Desk;
use skstore_workers::process::Process;
use skstore_workers::topology;
use skstore_workers::view::OrderDetail;
use tempfile::TempDir;

/// How long a test waits for something that must happen: far beyond what it takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked whether it has happened.
const LOOK_EVERY: Duration = Duration::from_millis(5);

pub(crate) struct TestDesk {
    pub(crate) desk: Desk,
    process: Process,
    data: TempDir,
}

pub(crate) fn config(data: &std::path::Path, settings: &[(&str, &str)]) -> Config {
    let mut flags = vec![("data_dir".to_owned(), data.display().to_string())];
    flags.extend(settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())));
    Config::load(&Sources { flags, ..Sources::default() }).expect("a configuration")
}

pub(crate) fn order_id(id: &str) -> OrderId {
    OrderId::new(id).expect("an order id")
}

impl TestDesk {
    pub(crate) async fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_on(tempfile::tempdir().expect("a directory"), settings).await
    }

    pub(crate) async fn start_on(data: TempDir, settings: &[(&str, &str)]) -> Self {
        let process = Process::start(&config(data.path(), settings)).expect("the workers start");
        let desk = process.desk().await.expect("a desk");
        process.ready().await;
        process.settle().await;
        Self { desk, process, data }
    }

    pub(crate) fn bus(&self) -> &Bus {
        self.process.bus().expect("its own workers")
    }

    /// Takes a message from `queue` and acks it, in the place of whoever it is for.
    pub(crate) async fn steal_one(&self, queue: &str) {
        let queue = topology::queues().into_iter().find(|spec| spec.name == queue).expect("a queue of ours");
        let subscription = Subscription { queue, prefetch: 1 };
        let mut thief = self.bus().consumer(vec![subscription]).await.expect("a consumer");
        let stolen = tokio::time::timeout(PATIENCE, thief.receive(1)).await.expect("a message comes");
        stolen.expect("the bus").into_iter().for_each(|delivery| delivery.unacked.ack());
    }

    pub(crate) async fn restart(self, settings: &[(&str, &str)]) -> Self {
        Self::start_on(self.stop(), settings).await
    }

    /// Ends it. Everything is in the directory then.
    pub(crate) fn stop(self) -> TempDir {
        self.process.stop().expect("a clean stop");
        self.data
    }

    pub(crate) async fn settle(&self) {
        tokio::time::timeout(PATIENCE, self.process.settle()).await.expect("everything settles");
    }

    pub(crate) async fn until(&self, what: &str, condition: impl AsyncFn() -> bool) {
        let met = async {
            let mut look = tokio::time::interval(LOOK_EVERY);
            while !condition().await {
                look.tick().await;
            }
        };
        assert!(tokio::time::timeout(PATIENCE, met).await.is_ok(), "not within {PATIENCE:?}: {what}");
    }

    pub(crate) async fn until_status(&self, id: &str, status: OrderStatus) {
        self.until(&format!("{id} is shown as {status}"), async || {
            let detail = self.desk.view().order(&order_id(id)).await.expect("the view");
            detail.is_some_and(|detail| detail.row.order.status == status)
        })
        .await;
    }

    pub(crate) async fn until_asked(&self, id: &str, status: OrderStatus) {
        self.until(&format!("Order says that {id} is {status}"), async || {
            self.ask(id).await.order.is_some_and(|order| order.status == status)
        })
        .await;
    }

    /// What the workers last said of themselves.
    pub(crate) async fn health(&self) -> Vec<Beat> {
        self.desk.view().health().await.expect("the view").services
    }

    pub(crate) async fn place(&self, id: &str, item: &str, qty: u32, customer: &str) -> Answer {
        let place = Place {
            item_id: ItemId::new(item).expect("an item id"),
            qty,
            customer: Some(Customer::new(customer).expect("a customer")),
            order_id: Some(order_id(id)),
            unit_price: None,
        };
        self.desk.place(&place).await.expect("an answer")
    }

    pub(crate) async fn cancel(&self, id: &str) -> Answer {
        self.desk.cancel(&order_id(id)).await.expect("an answer")
    }

    pub(crate) async fn ask(&self, id: &str) -> Answer {
        self.desk.order(&order_id(id)).await.expect("an answer")
    }

    pub(crate) async fn asked(&self, id: &str) -> Order {
        self.ask(id).await.order.expect("the order exists")
    }

    /// The payment as Deposit itself tells it.
    pub(crate) async fn payment(&self, id: &str) -> PaymentStatus {
        let answer = self.desk.payment(&order_id(id)).await.expect("an answer");
        answer.payment.expect("a payment").status()
    }

    pub(crate) async fn balance(&self, customer: &str) -> i64 {
        let customer = Customer::new(customer).expect("a customer");
        let answer = self.desk.account(&customer).await.expect("an answer");
        answer.account.expect("an account").balance.0
    }

    pub(crate) async fn stock(&self, item: &str) -> i64 {
        let answer = self.desk.item(&ItemId::new(item).expect("an item id")).await.expect("an answer");
        i64::try_from(answer.item.expect("an item").stock).expect("a stock")
    }

    pub(crate) async fn scarce_item(&self) -> Item {
        let items = self.desk.view().items(None, 1_000).await.expect("the view");
        items.into_iter().min_by_key(|item| item.stock).expect("a catalogue")
    }

    pub(crate) async fn detail(&self, id: &str) -> OrderDetail {
        self.desk.view().order(&order_id(id)).await.expect("the view").expect("the order is shown")
    }

    /// The order as the view shows it.
    pub(crate) async fn shown(&self, id: &str) -> Order {
        self.detail(id).await.row.order
    }
}
