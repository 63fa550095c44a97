//! Every kind of event is described as it is written.

use serde_json::Value;
use skstore_domain::events::{
    DepositEvent, DepositKind, Event, EventData, EventKind, ItemEvent, ItemKind, OrderEvent, OrderKind,
};
use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::money::Won;
use skstore_domain::objects::{
    Account, DeliveryStatus, Disowned, Item, MAX_QTY, Order, OrderReason, OrderStatus, Payment,
    PaymentReason, PaymentStatus,
};
use skstore_domain::time::Timestamp;

use crate::document;

const AT: Timestamp = Timestamp(1_790_000_000_123);

fn order_id() -> OrderId {
    OrderId::new("a-1").unwrap()
}

fn order() -> Order {
    Order {
        order_id: order_id(),
        customer: Customer::new("김").unwrap(),
        item_id: ItemId::new("10").unwrap(),
        item_name: "사과".into(),
        qty: MAX_QTY,
        unit_price: Won(0),
        amount: Won::MAX_INPUT,
        status: OrderStatus::Rejected,
        reason: Some(OrderReason::Declined),
        cancel_requested: true,
        payment: PaymentStatus::None,
        delivery: DeliveryStatus::SoldOut,
        placed_at: AT,
        updated_at: AT,
        revision: 3,
    }
}

fn payment() -> Payment {
    let Order { order_id, customer, amount, .. } = order();
    let (status, reason) = (PaymentStatus::Declined, Some(PaymentReason::InsufficientBalance));
    Payment { order_id, customer, amount, status, reason, updated_at: AT, revision: 1 }
}

fn account() -> Account {
    Account { customer: order().customer, balance: Won(0), revision: 2 }
}

fn item() -> Item {
    let item_id = order().item_id;
    Item {
        item_id,
        name: "사과".into(),
        name_en: Some("Apple".into()),
        unit_price: Won(5),
        stock: 0,
        revision: 1,
    }
}

/// An event of each kind; several where they carry different things.
fn told(kind: EventKind) -> Vec<EventData> {
    let (order_id, order) = (order_id(), order());
    match kind {
        EventKind::Order(OrderKind::Paying) => vec![OrderEvent::Paying(order).into()],
        EventKind::Order(OrderKind::CancelRequested) => vec![OrderEvent::CancelRequested(order).into()],
        EventKind::Order(OrderKind::Placed) => vec![OrderEvent::Placed(order).into()],
        EventKind::Order(OrderKind::Delivering) => vec![OrderEvent::Delivering(order).into()],
        EventKind::Order(OrderKind::Rejected) => vec![OrderEvent::Rejected(order).into()],
        EventKind::Order(OrderKind::Cancelled) => vec![OrderEvent::Cancelled(order).into()],
        EventKind::Order(OrderKind::Noted) => {
            vec![OrderEvent::Noted(order).into(), OrderEvent::CancelNoted(order_id).into()]
        }
        EventKind::Order(OrderKind::Disowned) => {
            let nothing = Disowned { customer: None, item_id: None };
            let both =
                Disowned { customer: Some(order.customer.clone()), item_id: Some(order.item_id.clone()) };
            vec![
                OrderEvent::Disowned(order_id.clone(), nothing, None).into(),
                OrderEvent::Disowned(order_id, both, Some(order)).into(),
            ]
        }
        EventKind::Deposit(DepositKind::Paid) => {
            vec![DepositEvent::Paid { payment: payment(), account: account() }.into()]
        }
        EventKind::Deposit(DepositKind::Refunded) => {
            vec![DepositEvent::Refunded { payment: payment(), account: account() }.into()]
        }
        EventKind::Deposit(DepositKind::Declined) => vec![DepositEvent::Declined(payment()).into()],
        EventKind::Deposit(DepositKind::Voided) => vec![DepositEvent::Voided(payment()).into()],
        EventKind::Deposit(DepositKind::ToppedUp) => vec![DepositEvent::ToppedUp(account()).into()],
        EventKind::Item(ItemKind::Listed) => vec![ItemEvent::Listed(item()).into()],
        EventKind::Item(ItemKind::Restocked) => vec![ItemEvent::Restocked(item()).into()],
        EventKind::Item(ItemKind::DeliveryStarted) => {
            vec![ItemEvent::DeliveryStarted { order_id, item: item() }.into()]
        }
        EventKind::Item(ItemKind::SoldOut) => vec![ItemEvent::SoldOut { order_id, item: item() }.into()],
        EventKind::Item(ItemKind::DeliveryCancelled) => vec![
            ItemEvent::DeliveryCancelled { order_id: order_id.clone(), item: None }.into(),
            ItemEvent::DeliveryCancelled { order_id, item: Some(item()) }.into(),
        ],
    }
}

#[test]
fn every_kind_of_event_is_as_described_and_not_without_what_it_carries() {
    let document = document();
    for kind in EventKind::all() {
        for data in told(kind) {
            let event = Event { traceparent: Some("00-aa-bb-01".into()), ..Event::new(data, 3, AT) };
            let mut value: Value = serde_json::from_str(&event.to_json()).unwrap();
            assert_eq!(document.check_message(kind.word(), &value, true), Ok(()), "{value}");
            let several = Value::Array(vec![value.clone(), value.clone()]);
            let batch = format!("{}.batch", kind.word());
            assert_eq!(document.check_message(&batch, &several, true), Ok(()));
            value["data"] = serde_json::json!({});
            assert!(Event::from_json(&value.to_string()).is_err(), "{value}");
            assert!(document.check_message(kind.word(), &value, false).is_err(), "{value}");
        }
    }
}
