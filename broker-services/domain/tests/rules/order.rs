//! Every input is answered in every state, and once answered, it is answered the same way again.

use std::time::Duration;

use skstore_domain::charges::{NoAnswer, PaymentOutcome};
use skstore_domain::commands::Settle;
use skstore_domain::events::{Event, EventData};
use skstore_domain::ids::OrderId;
use skstore_domain::objects::{DeliveryStatus, Disowned, Order, OrderReason, OrderStatus, PaymentStatus};
use skstore_domain::order::{
    Admission, Decision, Input, OrderRecord, PaymentStep, PlaceRequest, Price, Quote, Reply, Then, Tombstone,
    decide,
};
use skstore_domain::time::Timestamp;

use crate::build::{self, HIGH, LOW};

/// Every record that its types allow, also those that no history leads to.
fn records() -> Vec<Option<OrderRecord>> {
    let tombstone =
        |disowned| Tombstone { order_id: build::order_id("a"), at: Timestamp(1), revision: 1, disowned };
    let paid = Disowned { customer: Some(build::request(1).customer), item_id: None };
    let mut records: Vec<_> = [None, Some(Disowned { customer: None, item_id: None }), Some(paid)]
        .map(|disowned| Some(OrderRecord::Tombstone(tombstone(disowned))))
        .into();
    records.push(None);
    let reasons: Vec<_> = OrderReason::ALL.iter().copied().map(Some).chain([None]).collect();
    for &status in OrderStatus::ALL {
        for &payment in PaymentStatus::ALL {
            for &delivery in DeliveryStatus::ALL {
                for &reason in &reasons {
                    for cancel_requested in [false, true] {
                        let order = Order {
                            status,
                            reason,
                            cancel_requested,
                            payment,
                            delivery,
                            ..build::order("a", 1)
                        };
                        records.push(Some(OrderRecord::Order(order)));
                    }
                }
            }
        }
    }
    records
}

/// What inputs borrow from.
struct Parts {
    id: OrderId,
    requests: [PlaceRequest; 4],
    price: Price,
    settles: [Settle; 2],
}

impl Parts {
    fn new() -> Self {
        let same = build::request(1);
        let requests = [
            PlaceRequest { unit_price: Some(LOW), ..same.clone() },
            PlaceRequest { unit_price: Some(HIGH), ..same.clone() },
            PlaceRequest { qty: 2, ..same.clone() },
            same,
        ];
        let settle = Settle { order_id: build::order_id("a"), customer: None, item_id: None };
        let (customer, item_id) = (Some(build::request(1).customer), Some(build::request(1).item_id));
        let settles = [settle.clone(), Settle { customer, item_id, ..settle }];
        Self { id: build::order_id("a"), requests, price: build::price(LOW), settles }
    }

    fn inputs(&self) -> Vec<Input<'_>> {
        let mut inputs = vec![Input::Cancel(&self.id)];
        let refused = Admission::Refused { retry_after: Duration::from_secs(5) };
        for request in &self.requests {
            for quote in [Quote::Listed(&self.price), Quote::Unknown, Quote::NoCatalogue] {
                for admission in [Admission::Granted, Admission::Join, refused] {
                    for answerable in [true, false] {
                        inputs.push(Input::Place { request, quote, admission, answerable });
                    }
                }
            }
        }
        for settle in &self.settles {
            inputs.extend(
                [Admission::Granted, Admission::Join, refused]
                    .map(|admission| Input::Settle { settle, admission }),
            );
        }
        inputs.extend([PaymentOutcome::Paid, PaymentOutcome::Declined].map(Input::Payment));
        inputs.extend(NoAnswer::ALL.iter().map(|why| Input::Payment(PaymentOutcome::NoAnswer(*why))));
        inputs.extend(PaymentStatus::ALL.iter().map(|status| Input::Released(*status)));
        inputs.extend(DeliveryStatus::ALL.iter().map(|status| Input::Delivery(*status)));
        inputs
    }
}

/// The order that an event of Order tells of.
fn told(event: &Event) -> Option<&Order> {
    match &event.data {
        EventData::Order(told) => told.order(),
        EventData::Deposit(_) | EventData::Item(_) => panic!("Order tells {}", event.kind()),
    }
}

#[test]
fn a_change_is_one_revision_and_its_event_tells_it() {
    let parts = Parts::new();
    let mut changes = 0;
    for record in records() {
        for input in parts.inputs() {
            let Ok(Decision { change: Some((next, event)), .. }) =
                decide(record.as_ref(), input, Timestamp(9))
            else {
                continue;
            };
            changes += 1;
            let at = format!("{input:?} to {record:?}");
            assert_eq!(next.revision(), record.as_ref().map_or(0, OrderRecord::revision) + 1, "{at}");
            assert_eq!((event.revision, event.time), (next.revision(), Timestamp(9)), "{at}");
            match &next {
                OrderRecord::Order(order) => {
                    assert_eq!(told(&event), Some(order), "{at}");
                    assert_eq!(order.updated_at, Timestamp(9), "{at}");
                    let before = record.as_ref().is_some_and(|before| match before {
                        OrderRecord::Order(before) => before.amount != order.amount,
                        OrderRecord::Tombstone(_) => false,
                    });
                    assert!(!before, "an amount changed: {at}");
                }
                OrderRecord::Tombstone(_) => assert_eq!(told(&event), None, "{at}"),
            }
        }
    }
    assert!(changes > 1_000, "only {changes} changes were seen");
}

#[test]
fn a_repeated_input_changes_nothing_and_is_answered_as_before() {
    let parts = Parts::new();
    for record in records() {
        for input in parts.inputs() {
            let Ok(first) = decide(record.as_ref(), input, Timestamp(9)) else { continue };
            let Some((next, _)) = first.change else { continue };
            let again = decide(Some(&next), input, Timestamp(10)).unwrap();
            assert_eq!(again.change, None, "{input:?} again, after {record:?} became {next:?}");
            if matches!(first.then, Then::Answer(_) | Then::Pay(_)) {
                assert_eq!(again.then, first.then, "{input:?} again, after {record:?} became {next:?}");
            }
        }
    }
}

#[test]
fn an_ended_order_stays_as_it_ended() {
    let parts = Parts::new();
    for record in records() {
        let Some(OrderRecord::Order(order)) = &record else { continue };
        if !matches!(order.status, OrderStatus::Cancelled | OrderStatus::Rejected) {
            continue;
        }
        for input in parts.inputs() {
            // Item holds units for it: it had not ended as Order remembers.
            if let Input::Settle { settle, .. } = input
                && settle.item_id.is_some()
            {
                continue;
            }
            let Ok(decision) = decide(record.as_ref(), input, Timestamp(9)) else { continue };
            assert!(
                !matches!(decision.then, Then::Pay(PaymentStep::Charge(_) | PaymentStep::Join(_))),
                "{input:?} to {order:?}: {decision:?}"
            );
            if let Some((OrderRecord::Order(next), _)) = decision.change {
                assert_eq!((next.status, next.reason), (order.status, order.reason), "{input:?}");
            }
        }
    }
}

#[test]
fn nothing_but_paid_makes_an_order_placed() {
    let parts = Parts::new();
    for record in records() {
        for input in parts.inputs() {
            let Ok(decision) = decide(record.as_ref(), input, Timestamp(9)) else { continue };
            if let Some((OrderRecord::Order(next), _)) = &decision.change
                && next.status == OrderStatus::Placed
            {
                assert_eq!(input, Input::Payment(PaymentOutcome::Paid), "from {record:?}");
                assert!(!next.cancel_requested, "its customer wanted it cancelled: {next:?}");
            }
        }
    }
}

#[test]
fn another_order_under_the_same_id_is_a_conflict() {
    let parts = Parts::new();
    for record in records() {
        if !matches!(record, Some(OrderRecord::Order(_))) {
            continue;
        }
        for input in parts.inputs() {
            let Input::Place { request, .. } = input else { continue };
            let is_other = request.qty != 1 || request.unit_price == Some(HIGH);
            let decision = decide(record.as_ref(), input, Timestamp(9)).unwrap();
            let is_conflict = matches!(&decision.then, Then::Answer(reply)
                if matches!(**reply, Reply::Refused { error: skstore_domain::answers::AnswerError { code: skstore_domain::answers::ErrorCode::Conflict, .. }, .. }));
            assert_eq!(is_conflict, is_other, "{input:?} to {record:?}");
            assert!(!is_other || decision.change.is_none(), "{input:?} to {record:?}");
        }
    }
}
