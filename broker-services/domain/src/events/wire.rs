//! Events as CloudEvents 1.0 in JSON: written and read here, and nowhere else.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::kinds::MAX_SHOWN_CHARS;
use super::{
    DepositEvent, DepositKind, Event, EventData, EventKind, ItemEvent, ItemKind, OrderEvent, OrderKind,
};
use crate::ids::{Customer, ItemId, OrderId};
use crate::json;
use crate::objects::{Account, Disowned, Item, Order, Payment};
use crate::time::Timestamp;

/// What the CloudEvents type of each event of this system begins with; its kind follows.
pub const TYPE_PREFIX: &str = "skstore.";

/// Why a text is not one of our events.
#[derive(Debug, thiserror::Error)]
pub enum BadEvent {
    /// It is not JSON, lacks an attribute or has one of a wrong type.
    #[error("not an event of this system: {0}")]
    NotAnEvent(serde_json::Error),
    /// It is of a kind that this version does not know. A newer one may tell it: whoever does not know a kind has no use for it.
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
    /// It says of itself that it is about something else than what it carries.
    #[error("the {attribute} of an event '{kind}' is '{said}', but it carries '{carried}'")]
    Contradiction {
        /// What kind it says it is.
        kind: EventKind,
        /// Which attribute.
        attribute: &'static str,
        /// What stands there.
        said: String,
        /// What belongs there.
        carried: String,
    },
}

/// The attributes. `correlationid` and `revision` are extensions, whose names CloudEvents limits to lower-case letters and
/// digits.
#[derive(Serialize, Deserialize)]
struct CloudEvent<'a> {
    #[serde(borrow)]
    specversion: Cow<'a, str>,
    #[serde(borrow)]
    id: Cow<'a, str>,
    #[serde(borrow)]
    source: Cow<'a, str>,
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    subject: Cow<'a, str>,
    time: Timestamp,
    #[serde(default, borrow)]
    datacontenttype: Cow<'a, str>,
    revision: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    correlationid: Option<Cow<'a, OrderId>>,
    #[serde(default, skip_serializing_if = "Option::is_none", borrow)]
    traceparent: Option<Cow<'a, str>>,
    data: Carried<'a>,
}

/// The objects in `data`; which ones are there depends on the kind.
#[derive(Default, Serialize, Deserialize)]
struct Carried<'a> {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order: Option<Cow<'a, Order>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    payment: Option<Cow<'a, Payment>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    account: Option<Cow<'a, Account>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    item: Option<Cow<'a, Item>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    order_id: Option<Cow<'a, OrderId>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    customer: Option<Cow<'a, Customer>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    item_id: Option<Cow<'a, ItemId>>,
}

impl Event {
    /// As CloudEvents 1.0 JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        let kind = self.kind();
        json::text(&CloudEvent {
            specversion: "1.0".into(),
            id: self.id().into(),
            source: format!("/skstore/{}", kind.source()).into(),
            kind: format!("{TYPE_PREFIX}{}", kind.word()).into(),
            subject: self.subject().into(),
            time: self.time,
            datacontenttype: "application/json".into(),
            revision: self.revision,
            correlationid: self.order_id().map(Cow::Borrowed),
            traceparent: self.traceparent.as_deref().map(Into::into),
            data: Carried::of(&self.data),
        })
    }

    /// Reads what [`to_json`](Self::to_json) wrote; attributes it does not know are ignored.
    ///
    /// # Errors
    /// [`BadEvent`] says what is wrong with it.
    pub fn from_json(json: &str) -> Result<Self, BadEvent> {
        let wire: CloudEvent<'_> = serde_json::from_str(json).map_err(BadEvent::NotAnEvent)?;
        let kind = kind_of(&wire.kind)
            .ok_or_else(|| BadEvent::UnknownType(wire.kind.chars().take(MAX_SHOWN_CHARS).collect()))?;
        let event = Self {
            data: wire.data.into_data(kind)?,
            revision: wire.revision,
            time: wire.time,
            traceparent: wire.traceparent.map(Cow::into_owned),
        };
        let contradiction = |attribute, said: &str, carried: &str| BadEvent::Contradiction {
            kind,
            attribute,
            said: said.chars().take(MAX_SHOWN_CHARS).collect(),
            carried: carried.to_owned(),
        };
        if *wire.subject != *event.subject() {
            return Err(contradiction("subject", &wire.subject, event.subject()));
        }
        match (wire.correlationid.as_deref(), event.order_id()) {
            (Some(said), Some(order)) if said != order => {
                Err(contradiction("correlationid", said.as_str(), order.as_str()))
            }
            _ => Ok(event),
        }
    }
}

/// The kind that the CloudEvents type `of_type` stands for, if this version knows it.
#[must_use]
pub fn kind_of(of_type: &str) -> Option<EventKind> {
    of_type.strip_prefix(TYPE_PREFIX).and_then(EventKind::from_word)
}

impl<'a> Carried<'a> {
    fn of(data: &'a EventData) -> Self {
        let mut carried = Self::default();
        match data {
            EventData::Order(OrderEvent::CancelNoted(order_id)) => {
                carried.order_id = Some(Cow::Borrowed(order_id));
            }
            EventData::Order(OrderEvent::Disowned(order_id, Disowned { customer, item_id }, order)) => {
                carried.order = order.as_ref().map(Cow::Borrowed);
                carried.order_id = Some(Cow::Borrowed(order_id));
                carried.customer = customer.as_ref().map(Cow::Borrowed);
                carried.item_id = item_id.as_ref().map(Cow::Borrowed);
            }
            EventData::Order(event) => carried.order = event.order().map(Cow::Borrowed),
            EventData::Deposit(event) => {
                carried.payment = event.payment().map(Cow::Borrowed);
                carried.account = event.account().map(Cow::Borrowed);
            }
            EventData::Item(event) => {
                carried.item = event.item().map(Cow::Borrowed);
                carried.order_id = event.order_id().map(Cow::Borrowed);
            }
        }
        carried
    }

    fn into_data(self, kind: EventKind) -> Result<EventData, BadEvent> {
        Ok(match kind {
            EventKind::Order(kind) => self.into_order_event(kind)?.into(),
            EventKind::Deposit(kind) => self.into_deposit_event(kind)?.into(),
            EventKind::Item(kind) => self.into_item_event(kind)?.into(),
        })
    }

    fn into_order_event(self, kind: OrderKind) -> Result<OrderEvent, BadEvent> {
        let of = match kind {
            OrderKind::Paying => OrderEvent::Paying,
            OrderKind::CancelRequested => OrderEvent::CancelRequested,
            OrderKind::Placed => OrderEvent::Placed,
            OrderKind::Delivering => OrderEvent::Delivering,
            OrderKind::Rejected => OrderEvent::Rejected,
            OrderKind::Cancelled => OrderEvent::Cancelled,
            OrderKind::Noted if self.order.is_none() => {
                let missing = "an order, or the id of one that was never placed";
                return there(self.order_id, kind, missing).map(OrderEvent::CancelNoted);
            }
            OrderKind::Noted => OrderEvent::Noted,
            OrderKind::Disowned => {
                let (customer, item_id) =
                    (self.customer.map(Cow::into_owned), self.item_id.map(Cow::into_owned));
                let order_id = there(self.order_id, kind, "the id of an order")?;
                let order = self.order.map(Cow::into_owned);
                return Ok(OrderEvent::Disowned(order_id, Disowned { customer, item_id }, order));
            }
        };
        there(self.order, kind, "an order").map(of)
    }

    fn into_deposit_event(self, kind: DepositKind) -> Result<DepositEvent, BadEvent> {
        let account = there(self.account, kind, "an account");
        let payment = there(self.payment, kind, "a payment");
        Ok(match kind {
            DepositKind::Paid => DepositEvent::Paid { account: account?, payment: payment? },
            DepositKind::Refunded => DepositEvent::Refunded { account: account?, payment: payment? },
            DepositKind::Declined => DepositEvent::Declined(payment?),
            DepositKind::Voided => DepositEvent::Voided(payment?),
            DepositKind::ToppedUp => DepositEvent::ToppedUp(account?),
        })
    }

    fn into_item_event(self, kind: ItemKind) -> Result<ItemEvent, BadEvent> {
        let item = there(self.item, kind, "an item");
        let order_id = there(self.order_id, kind, "an order id");
        Ok(match kind {
            ItemKind::Listed => ItemEvent::Listed(item?),
            ItemKind::Restocked => ItemEvent::Restocked(item?),
            ItemKind::DeliveryStarted => ItemEvent::DeliveryStarted { item: item?, order_id: order_id? },
            ItemKind::SoldOut => ItemEvent::SoldOut { item: item?, order_id: order_id? },
            ItemKind::DeliveryCancelled => {
                ItemEvent::DeliveryCancelled { item: item.ok(), order_id: order_id? }
            }
        })
    }
}

fn there<T: Clone>(
    object: Option<Cow<'_, T>>,
    kind: impl Into<EventKind>,
    missing: &'static str,
) -> Result<T, BadEvent> {
    object.map(Cow::into_owned).ok_or_else(|| BadEvent::Missing { kind: kind.into(), missing })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::Customer;
    use crate::money::Won;

    #[test]
    fn an_event_survives_its_wire_form() {
        let customer = Customer::new("kim \"the\" lee").unwrap();
        let event = Event {
            traceparent: Some("00-aa-bb-01".into()),
            ..Event::new(
                DepositEvent::ToppedUp(Account { customer, balance: Won(5), revision: 7 }),
                7,
                Timestamp(1_790_000_000_123),
            )
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

    #[test]
    fn an_event_that_contradicts_what_it_carries_is_refused() {
        let event = Event::new(OrderEvent::CancelNoted(OrderId::new("a").unwrap()), 1, Timestamp(1));
        let json = event.to_json();
        assert_eq!(Event::from_json(&json).unwrap(), event);
        for (attribute, forged) in [
            ("subject", json.replace(r#""subject":"a""#, r#""subject":"b""#)),
            ("correlationid", json.replace(r#""correlationid":"a""#, r#""correlationid":"b""#)),
        ] {
            let told = Event::from_json(&forged).unwrap_err().to_string();
            assert_eq!(told, format!("the {attribute} of an event 'order.noted' is 'b', but it carries 'a'"));
        }
    }
}
