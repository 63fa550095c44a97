//! Objects as the fields of a hash and back: the names and values of their JSON, '' where there is none.

use redis::Cmd;
use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::money::Won;
use skstore_domain::myinfo::{FeedEntry, OrderRow};
use skstore_domain::objects::{
    Account, DeliveryStatus, Item, Order, OrderReason, OrderStatus, Payment, PaymentReason, PaymentStatus,
};
use skstore_domain::signals::{Beat, BreakerChanged, Service};
use skstore_domain::time::Timestamp;

/// Names of the fields that [`add_order`] gives values for. The scripts are told once, not with every write: most
/// of what a write costs is what it says.
pub(super) const ORDER: [&str; 15] = [
    "order_id",
    "customer",
    "item_id",
    "item_name",
    "qty",
    "unit_price",
    "amount",
    "status",
    "reason",
    "cancel_requested",
    "payment",
    "delivery",
    "placed_at",
    "updated_at",
    "revision",
];
/// Likewise, of [`add_payment`]. They stand in its order's hash.
pub(super) const PAYMENT: [&str; 6] = [
    "payment.customer",
    "payment.amount",
    "payment.status",
    "payment.reason",
    "payment.updated_at",
    "payment.revision",
];
/// Likewise, of [`add_item`].
const ITEM: [&str; 6] = ["item_id", "name", "name_en", "unit_price", "stock", "revision"];

/// In the JSON of a step of which the feed has not told: another event of its order brought it along, or a log told it.
pub(super) const UNTOLD: &str = ",\"untold\":true";

/// The names as a script's first lines.
pub(super) fn names() -> String {
    let table = |name: &str, fields: &[&str]| format!("local {name} = {{ '{}' }}\n", fields.join("', '"));
    let untold = format!("local UNTOLD = '{UNTOLD}'\n");
    [table("ORDER", &ORDER), table("PAYMENT", &PAYMENT), table("ITEM", &ITEM), untold].concat()
}

/// Adds the values of an order's fields, in the order of [`ORDER`].
pub(super) fn add_order(to: &mut Cmd, order: &Order) {
    to.arg(order.order_id.as_str())
        .arg(order.customer.as_str())
        .arg(order.item_id.as_str())
        .arg(order.item_name.as_str())
        .arg(order.qty)
        .arg(order.unit_price.0)
        .arg(order.amount.0)
        .arg(order.status.word())
        .arg(order.reason.map_or("", OrderReason::word))
        .arg(if order.cancel_requested { "true" } else { "false" })
        .arg(order.payment.word())
        .arg(order.delivery.word())
        .arg(order.placed_at.text())
        .arg(order.updated_at.text())
        .arg(order.revision);
}

/// Adds the values of a payment's fields, in the order of [`PAYMENT`].
pub(super) fn add_payment(to: &mut Cmd, payment: &Payment) {
    to.arg(payment.customer.as_str())
        .arg(payment.amount.0)
        .arg(payment.status.word())
        .arg(payment.reason.map_or("", PaymentReason::word))
        .arg(payment.updated_at.text())
        .arg(payment.revision);
}

/// Adds the values of an item's fields, in the order of [`ITEM`].
pub(super) fn add_item(to: &mut Cmd, item: &Item) {
    to.arg(item.item_id.as_str())
        .arg(item.name.as_str())
        .arg(item.name_en.as_deref().unwrap_or_default())
        .arg(item.unit_price.0)
        .arg(item.stock)
        .arg(item.revision);
}

/// Adds a heartbeat's fields.
pub(super) fn add_beat(to: &mut Cmd, beat: &Beat) {
    fn json<T: serde::Serialize>(told: Option<&T>) -> String {
        told.and_then(|told| serde_json::to_string(told).ok()).unwrap_or_default()
    }
    to.arg(("service", beat.service.word()))
        .arg(("instance", beat.instance.as_str()))
        .arg(("version", beat.version.as_str()))
        .arg(("started_at", beat.started_at.text()))
        .arg(("at", beat.at.text()))
        .arg(("number", beat.number))
        .arg(("clock_ahead_ms", beat.clock_ahead_ms.map(|ahead| ahead.to_string()).unwrap_or_default()))
        .arg(("ready", if beat.ready { "true" } else { "false" }))
        .arg(("last_error", beat.last_error.as_deref().unwrap_or_default()))
        .arg(("handled", beat.handled))
        .arg(("per_second", beat.per_second))
        .arg(("in_flight", beat.in_flight))
        .arg(("unsent", beat.unsent))
        .arg(("fault", beat.fault.as_deref().unwrap_or_default()))
        .arg(("fault_left_ms", beat.fault_left_ms.map(|left| left.to_string()).unwrap_or_default()))
        .arg(("takes_faults", beat.takes_faults.to_string()))
        .arg(("breaker", json(beat.breaker.as_ref())))
        .arg(("rebuilding", beat.rebuilding.map(|percent| percent.to_string()).unwrap_or_default()))
        .arg(("unheard", json(Some(&beat.unheard))))
        .arg(("answers", json(beat.answers.as_ref())))
        .arg(("books", json(beat.books.as_ref())))
        .arg(("log", json(beat.log.as_ref())))
        .arg(("warnings", json(Some(&beat.warnings).filter(|warnings| !warnings.is_empty()))))
        .arg(("past", json(Some(&beat.past).filter(|past| !past.is_empty()))))
        .arg(("waits", json(Some(&beat.waits).filter(|waits| !waits.is_empty()))))
        .arg(("calls", json(beat.calls.as_ref())));
}

/// Adds the fields that a breaker's hash shows of its last change.
pub(super) fn add_change(to: &mut Cmd, change: &BreakerChanged) {
    to.arg(("instance", change.instance.as_str()))
        .arg(("at", change.at.text()))
        .arg(("from", change.from.word()))
        .arg(("to", change.to.word()))
        .arg(("why", change.why.as_str()));
}

/// A hash as it was read: fields and values in turn.
#[derive(Debug)]
pub(super) struct Hash(Vec<String>);

impl Hash {
    pub(super) const fn new(fields: Vec<String>) -> Self {
        Self(fields)
    }

    pub(super) fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.chunks_exact(2).map(|pair| (pair[0].as_str(), pair[1].as_str()))
    }

    fn get(&self, field: &str) -> Option<&str> {
        self.pairs().find(|(name, _)| *name == field).map(|(_, value)| value)
    }

    fn text(&self, field: &str) -> Option<String> {
        self.get(field).filter(|value| !value.is_empty()).map(str::to_owned)
    }

    fn number<T: std::str::FromStr>(&self, field: &str) -> Option<T> {
        self.get(field)?.parse().ok()
    }

    fn json<T: serde::de::DeserializeOwned>(&self, field: &str) -> Option<T> {
        self.get(field).and_then(|json| serde_json::from_str(json).ok())
    }

    fn won(&self, field: &str) -> Option<Won> {
        self.number(field).map(Won)
    }

    fn time(&self, field: &str) -> Option<Timestamp> {
        serde_json::from_value(self.get(field)?.into()).ok()
    }

    fn customer(&self, field: &str) -> Option<Customer> {
        Customer::kept(self.get(field)?).ok()
    }

    /// The order as it is shown. None if it is not there, or is no order because somebody else wrote here.
    pub(super) fn row(&self) -> Option<OrderRow> {
        let order = self.order()?;
        let payment = self.payment(&order.order_id);
        Some(OrderRow { order, payment })
    }

    fn order(&self) -> Option<Order> {
        Some(Order {
            order_id: OrderId::new(self.get("order_id")?).ok()?,
            customer: self.customer("customer")?,
            item_id: ItemId::kept(self.get("item_id")?).ok()?,
            item_name: self.get("item_name")?.to_owned(),
            qty: self.number("qty")?,
            unit_price: self.won("unit_price")?,
            amount: self.won("amount")?,
            status: OrderStatus::from_word(self.get("status")?)?,
            reason: OrderReason::from_word(self.get("reason")?),
            cancel_requested: self.get("cancel_requested")? == "true",
            payment: PaymentStatus::from_word(self.get("payment")?)?,
            delivery: DeliveryStatus::from_word(self.get("delivery")?)?,
            placed_at: self.time("placed_at")?,
            updated_at: self.time("updated_at")?,
            revision: self.number("revision")?,
        })
    }

    fn payment(&self, order_id: &OrderId) -> Option<Payment> {
        Some(Payment {
            order_id: order_id.clone(),
            customer: self.customer("payment.customer")?,
            amount: self.won("payment.amount")?,
            status: PaymentStatus::from_word(self.get("payment.status")?)?,
            reason: PaymentReason::from_word(self.get("payment.reason")?),
            updated_at: self.time("payment.updated_at")?,
            revision: self.number("payment.revision")?,
        })
    }

    pub(super) fn account(&self) -> Option<Account> {
        Some(Account {
            customer: self.customer("customer")?,
            balance: self.won("balance")?,
            revision: self.number("revision")?,
        })
    }

    pub(super) fn item(&self) -> Option<Item> {
        Some(Item {
            item_id: ItemId::kept(self.get("item_id")?).ok()?,
            name: self.get("name")?.to_owned(),
            name_en: self.text("name_en"),
            unit_price: self.won("unit_price")?,
            stock: self.number("stock")?,
            revision: self.number("revision")?,
        })
    }

    pub(super) fn feed_entries(&self) -> Vec<FeedEntry> {
        let events = self.pairs().filter(|(field, _)| *field == "event");
        events.filter_map(|(_, json)| serde_json::from_str(json).ok()).collect()
    }

    pub(super) fn beat(&self) -> Option<Beat> {
        Some(Beat {
            service: Service::from_word(self.get("service")?)?,
            instance: self.get("instance")?.to_owned(),
            version: self.get("version")?.to_owned(),
            started_at: self.time("started_at")?,
            at: self.time("at")?,
            number: self.number("number").unwrap_or_default(),
            clock_ahead_ms: self.number("clock_ahead_ms"),
            ready: self.get("ready")? == "true",
            last_error: self.text("last_error"),
            handled: self.number("handled")?,
            per_second: self.number("per_second")?,
            in_flight: self.number("in_flight")?,
            unsent: self.number("unsent")?,
            fault: self.text("fault"),
            fault_left_ms: self.number("fault_left_ms"),
            // Versions that did not tell it took them.
            takes_faults: self.get("takes_faults").is_none_or(|told| told != "false"),
            breaker: self.json("breaker"),
            rebuilding: self.number("rebuilding"),
            unheard: self.json("unheard").unwrap_or_default(),
            answers: self.json("answers"),
            books: self.json("books"),
            log: self.json("log"),
            warnings: self.json("warnings").unwrap_or_default(),
            past: self.json("past").unwrap_or_default(),
            waits: self.json("waits").unwrap_or_default(),
            calls: self.json("calls"),
        })
    }
}
