//! The JSON that scripts read, by shape.

use serde_json::Value;
use skstore_domain::breaker::{BreakerMode, BreakerSnapshot, BreakerState};
use skstore_domain::events::{EventKind, OrderKind, Source};
use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::money::Won;
use skstore_domain::objects::{DeliveryStatus, PaymentStatus};
use skstore_domain::signals::Service;
use skstore_domain::time::Timestamp;

use skstore_domain::objects::Payment;

use super::*;

const AT: Timestamp = Timestamp(1_790_000_000_123);

/// What is written as JSON, line by line.
fn written(write: impl FnOnce(&mut Output<&mut Vec<u8>>) -> Result<(), Failure>) -> Vec<Value> {
    let mut bytes = Vec::new();
    write(&mut Output::new(&mut bytes, true, Language::Korean)).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    assert!(text.is_empty() || text.ends_with('\n'), "the last line has no end: {text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn a_row(id: &str, deposit_says: Option<PaymentStatus>) -> OrderRow {
    let order = Order {
        order_id: OrderId::new(id).unwrap(),
        customer: Customer::new("kim").unwrap(),
        item_id: ItemId::new("10").unwrap(),
        item_name: "사과".into(),
        qty: 1,
        unit_price: Won(1000),
        amount: Won(1000),
        status: OrderStatus::Placed,
        reason: None,
        cancel_requested: false,
        payment: PaymentStatus::Paid,
        delivery: DeliveryStatus::None,
        placed_at: AT,
        updated_at: AT,
        revision: 2,
    };
    let payment = deposit_says.map(|status| Payment {
        order_id: order.order_id.clone(),
        customer: order.customer.clone(),
        amount: order.amount,
        status,
        reason: None,
        updated_at: AT,
        revision: 2,
    });
    OrderRow { order, payment }
}

#[test]
fn a_list_is_one_bare_object_a_line() {
    let rows = [a_row("a-1", None), a_row("b-2", Some(PaymentStatus::Refunded))];
    let lines = written(|out| out.orders(&rows, &[]));
    assert_eq!(lines.len(), 2);
    assert_eq!((&lines[0]["order_id"], &lines[0]["amount"]), (&json!("a-1"), &json!(1000)));
    assert_eq!(lines[0]["payment"], "paid", "what Order knows, until the view has heard Deposit");
    assert_eq!(lines[1]["payment"], "refunded", "the payment is what Deposit says");
    assert_eq!(written(|out| out.orders(&[], &[])), Vec::<Value>::new(), "an empty list is no line");
}

#[test]
fn an_order_of_the_view_is_flat_and_has_its_timeline() {
    let step = Step {
        source: Source::Order,
        revision: 1,
        kind: EventKind::Order(OrderKind::Paying),
        at: AT,
        reason: None,
        told_again: 0,
    };
    let again = Step { revision: 2, told_again: 3, ..step.clone() };
    let detail = OrderDetail { row: a_row("a-1", None), timeline: vec![step, again] };
    let lines = written(|out| out.order_detail(&detail, &[]));
    assert_eq!(lines.len(), 1);
    assert_eq!(lines[0]["order_id"], "a-1");
    assert_eq!(lines[0]["timeline"][0]["kind"], "order.paying");
    let told_again = |at: usize| lines[0]["timeline"][at].get("told_again");
    assert_eq!((told_again(0), told_again(1)), (None, Some(&json!(3))));
}

#[test]
fn the_status_counts_orders_by_their_words() {
    let counts = Counts { orders: [1, 2, 3, 4, 5], accounts: 7, items: 12, balances: Won(9) };
    let lines = written(|out| out.status(&counts, &[], &[]));
    let orders = json!({"paying": 1, "placed": 2, "delivering": 3, "cancelled": 4, "rejected": 5});
    assert_eq!(lines[0]["counts"]["orders"], orders);
    assert_eq!(lines[0]["services"], json!([]));
}

#[test]
fn a_breaker_names_its_instance() {
    let beat = Beat {
        service: Service::Order,
        instance: "order-1".into(),
        version: "0".into(),
        started_at: AT,
        at: AT,
        number: 0,
        clock_ahead_ms: None,
        ready: true,
        last_error: None,
        handled: 0,
        per_second: 0,
        in_flight: 0,
        unsent: 0,
        fault: None,
        fault_left_ms: None,
        takes_faults: true,
        breaker: Some(BreakerSnapshot {
            state: Some(BreakerState::HalfOpen),
            mode: Some(BreakerMode::Auto),
            ..BreakerSnapshot::default()
        }),
        rebuilding: None,
        unheard: Vec::new(),
        answers: None,
        books: None,
        log: None,
        warnings: Vec::new(),
        past: Vec::new(),
        waits: Vec::new(),
        calls: None,
    };
    let other = Beat { service: Service::Item, breaker: None, ..beat.clone() };
    let lines = written(|out| out.breakers(&[beat, other]));
    assert_eq!(lines.len(), 1, "only Order has a breaker");
    assert_eq!((&lines[0]["instance"], &lines[0]["state"]), (&json!("order-1"), &json!("half_open")));
}

#[test]
fn a_failure_is_an_object_for_programs_and_nothing_for_people() {
    let failure = Failure::NotFound("no order".into());
    assert_eq!(written(|out| out.failure(&failure))[0]["error"]["code"], "not_found");
    let mut bytes = Vec::new();
    Output::new(&mut bytes, false, Language::English).failure(&failure).unwrap();
    assert!(bytes.is_empty(), "people read it on stderr");
}

#[test]
fn the_status_names_queues_that_are_not_read_by_those_who_should() {
    let found = |service, why, queues: &[&str]| Found {
        service,
        why,
        queues: queues.iter().map(ToString::to_string).collect(),
    };
    let unattended = [
        found(Service::Deposit, Unattended::NoWorker, &["deposit.commands", "deposit.events"]),
        found(Service::Item, Unattended::Others { readers: 2, workers: 1 }, &["item.events"]),
        found(Service::Order, Unattended::NoReader, &["order.events"]),
    ];
    let lines = written(|out| out.status(&Counts::default(), &[], &unattended));
    let expected = json!([
        {"queues": ["deposit.commands", "deposit.events"], "service": "deposit", "readers": 0},
        {"queues": ["item.events"], "service": "item", "readers": 2, "workers": 1},
        {"queues": ["order.events"], "service": "order", "readers": 0},
    ]);
    assert_eq!(lines[0]["unattended"], expected);
    for (language, expected) in [
        (
            Language::English,
            [
                "nobody reads deposit.commands, deposit.events: start a worker, skstore-worker deposit",
                "readers of item.events: 2, workers of item that are heard of: 1. Somebody else takes messages there",
                "nobody reads order.events, though a worker of order is heard of",
            ],
        ),
        (
            Language::Korean,
            [
                "deposit.commands, deposit.events을(를) 읽는 소비자가 없습니다. 워커를 시작하세요: skstore-worker deposit",
                "item.events의 소비자 2, 소식이 있는 상품 워커 1. ",
                "order.events을(를) 읽는 소비자가 없습니다. 주문 워커의 소식은 있으니",
            ],
        ),
    ] {
        let mut bytes = Vec::new();
        Output::new(&mut bytes, false, language).status(&Counts::default(), &[], &unattended).unwrap();
        let text = String::from_utf8(bytes).unwrap();
        for part in expected {
            assert!(text.contains(part), "{part} is missing:\n{text}");
        }
    }
}
