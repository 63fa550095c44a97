//! What has happened, as [CloudEvents](https://cloudevents.io) in JSON.
//!
//! An [`Event`] tells one transition of one aggregate. Its `data` holds the objects as they are after it, each
//! with its own revision, so that nobody has to ask back and the order of arrival does not matter.

use serde::{Deserialize, Serialize};

use crate::ids::OrderId;
use crate::json;
use crate::objects::{Account, Item, Order, Payment, words};
use crate::time::Timestamp;

words! {
    /// The services whose stores have event logs.
    Source {
        /// Orders and their outcomes.
        Order = "order",
        /// Payments and accounts.
        Deposit = "deposit",
        /// Stock and deliveries.
        Item = "item",
    }
}

words! {
    /// Every event there is. The word is its routing key on `skstore.events`; its CloudEvents type is that
    /// with `skstore.` in front.
    EventKind {
        /// An order was accepted for payment.
        OrderPaying = "order.paying",
        /// Its customer wants it cancelled as soon as its payment is known.
        OrderCancelRequested = "order.cancel_requested",
        /// It is paid.
        OrderPlaced = "order.placed",
        /// It is on its way.
        OrderDelivering = "order.delivering",
        /// It never came about.
        OrderRejected = "order.rejected",
        /// It was taken back.
        OrderCancelled = "order.cancelled",
        /// Order has learnt of a refund or a delivery of an order that had ended; or of a cancel that came
        /// before its order.
        OrderNoted = "order.noted",
        /// The amount was taken.
        DepositPaid = "deposit.paid",
        /// The account did not cover it.
        DepositDeclined = "deposit.declined",
        /// The amount was given back.
        DepositRefunded = "deposit.refunded",
        /// Nothing was taken, and nothing will be.
        DepositVoided = "deposit.voided",
        /// An account was topped up.
        DepositToppedUp = "deposit.topped_up",
        /// An item's name or price is new.
        ItemListed = "item.listed",
        /// An item's stock was filled up.
        ItemRestocked = "item.restocked",
        /// Units were reserved and are on their way.
        ItemDeliveryStarted = "item.delivery_started",
        /// Units are back in stock, or will not be taken.
        ItemDeliveryCancelled = "item.delivery_cancelled",
        /// The stock did not suffice.
        ItemSoldOut = "item.sold_out",
    }
}

impl EventKind {
    /// The service that tells it.
    #[must_use]
    pub const fn source(self) -> Source {
        match self {
            Self::OrderPaying
            | Self::OrderCancelRequested
            | Self::OrderPlaced
            | Self::OrderDelivering
            | Self::OrderRejected
            | Self::OrderCancelled
            | Self::OrderNoted => Source::Order,
            Self::DepositPaid
            | Self::DepositDeclined
            | Self::DepositRefunded
            | Self::DepositVoided
            | Self::DepositToppedUp => Source::Deposit,
            Self::ItemListed
            | Self::ItemRestocked
            | Self::ItemDeliveryStarted
            | Self::ItemDeliveryCancelled
            | Self::ItemSoldOut => Source::Item,
        }
    }

    /// Whether the next event of the same aggregate says all that this one says, so that it need not be
    /// published once that one is committed.
    #[must_use]
    pub const fn is_superseded_by_next(self) -> bool {
        matches!(self, Self::OrderPaying)
    }
}

/// One transition of one aggregate, with the objects as they are after it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// What happened.
    pub kind: EventKind,
    /// The aggregate's id: the order's for orders, payments and deliveries; the customer for top-ups; the
    /// item for listings and restocks.
    pub subject: String,
    /// The aggregate's revision after it.
    pub revision: u64,
    /// When it was decided.
    pub time: Timestamp,
    /// The order it belongs to, if any: the correlation id.
    pub order_id: Option<OrderId>,
    /// W3C trace context of the message that caused it.
    pub traceparent: Option<String>,
    /// The objects after it.
    pub data: EventData,
}

/// The objects an event carries; which ones depends on its kind.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventData {
    /// All `order.*` but the note of a cancel that came before its order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<Order>,
    /// All `deposit.*` but `topped_up`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment: Option<Payment>,
    /// Those `deposit.*` that changed a balance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<Account>,
    /// All `item.*`, but not of an item that was never listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub item: Option<Item>,
    /// Deliveries, and the note of a cancel that came before its order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order_id: Option<OrderId>,
}

impl Event {
    /// What makes it unique: `order/0193…/2`. The same transition told again has the same id.
    #[must_use]
    pub fn id(&self) -> String {
        format!("{}/{}/{}", self.aggregate_kind(), self.subject, self.revision)
    }

    /// The kind of aggregate that `subject` and `revision` belong to: the `kind` column of the stores.
    #[must_use]
    pub const fn aggregate_kind(&self) -> &'static str {
        match self.kind {
            EventKind::OrderPaying
            | EventKind::OrderCancelRequested
            | EventKind::OrderPlaced
            | EventKind::OrderDelivering
            | EventKind::OrderRejected
            | EventKind::OrderCancelled
            | EventKind::OrderNoted => "order",
            EventKind::DepositPaid
            | EventKind::DepositDeclined
            | EventKind::DepositRefunded
            | EventKind::DepositVoided => "payment",
            EventKind::DepositToppedUp => "account",
            EventKind::ItemListed | EventKind::ItemRestocked => "item",
            EventKind::ItemDeliveryStarted | EventKind::ItemDeliveryCancelled | EventKind::ItemSoldOut => {
                "delivery"
            }
        }
    }

    /// As CloudEvents 1.0 JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let source = match self.kind.source() {
            Source::Order => "/skstore/order",
            Source::Deposit => "/skstore/deposit",
            Source::Item => "/skstore/item",
        };
        let event = CloudEvent {
            specversion: "1.0".into(),
            id: self.id().into(),
            source: source.into(),
            kind: format!("skstore.{}", self.kind.word()).into(),
            subject: self.subject.as_str().into(),
            time: self.time,
            datacontenttype: "application/json".into(),
            revision: self.revision,
            correlationid: self.order_id.clone(),
            traceparent: self.traceparent.as_deref().map(Into::into),
            data: std::borrow::Cow::Borrowed(&self.data),
        };
        json::text(&event)
    }

    /// Reads what [`to_json`](Self::to_json) wrote; attributes it does not know are ignored.
    ///
    /// # Errors
    /// [`BadEvent`] says what is wrong with it.
    pub fn from_json(json: &str) -> Result<Self, BadEvent> {
        let event: CloudEvent<'_> = serde_json::from_str(json).map_err(BadEvent::NotAnEvent)?;
        let kind = event
            .kind
            .strip_prefix("skstore.")
            .and_then(EventKind::from_word)
            .ok_or_else(|| BadEvent::UnknownType(event.kind.chars().take(100).collect()))?;
        Ok(Self {
            kind,
            subject: event.subject.into_owned(),
            revision: event.revision,
            time: event.time,
            order_id: event.correlationid,
            traceparent: event.traceparent.map(std::borrow::Cow::into_owned),
            data: event.data.into_owned(),
        })
    }
}

/// Why a text is not one of our events.
#[derive(Debug, thiserror::Error)]
pub enum BadEvent {
    /// It is not JSON, lacks an attribute or has one of a wrong type.
    #[error("not an event of this system: {0}")]
    NotAnEvent(serde_json::Error),
    /// A CloudEvent of a type that nobody here tells.
    #[error("unknown event type '{0}'")]
    UnknownType(String),
    /// The objects that its kind promises are missing.
    #[error("an event '{kind}' must carry {missing}")]
    Missing {
        /// What kind it says it is.
        kind: EventKind,
        /// What it lacks.
        missing: &'static str,
    },
}

/// The wire form. `correlationid` and `revision` are extension attributes, whose names CloudEvents limits to
/// lower-case letters and digits.
#[derive(Serialize, Deserialize)]
struct CloudEvent<'a> {
    #[serde(borrow)]
    specversion: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    id: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    source: std::borrow::Cow<'a, str>,
    #[serde(rename = "type", borrow)]
    kind: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    subject: std::borrow::Cow<'a, str>,
    time: Timestamp,
    #[serde(default, borrow)]
    datacontenttype: std::borrow::Cow<'a, str>,
    revision: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    correlationid: Option<OrderId>,
    #[serde(default, skip_serializing_if = "Option::is_none", borrow)]
    traceparent: Option<std::borrow::Cow<'a, str>>,
    data: std::borrow::Cow<'a, EventData>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Customer;
    use crate::money::Won;

    #[test]
    fn an_event_survives_its_wire_form() {
        let event = Event {
            kind: EventKind::DepositToppedUp,
            subject: "kim \"the\" lee".into(),
            revision: 7,
            time: Timestamp(1_790_000_000_123),
            order_id: None,
            traceparent: Some("00-aa-bb-01".into()),
            data: EventData {
                account: Some(Account {
                    customer: Customer::new("kim \"the\" lee").unwrap(),
                    balance: Won(5),
                    revision: 7,
                }),
                ..EventData::default()
            },
        };
        assert_eq!(Event::from_json(&event.to_json()).unwrap(), event);
        assert_eq!(event.id(), "account/kim \"the\" lee/7");
    }

    #[test]
    fn an_unknown_type_is_named() {
        let json = r#"{"specversion":"1.0","id":"1","source":"x","type":"skstore.order.lost","subject":"a",
            "time":"2026-01-01T00:00:00Z","revision":1,"data":{}}"#;
        assert_eq!(
            Event::from_json(json).unwrap_err().to_string(),
            "unknown event type 'skstore.order.lost'"
        );
    }
}
