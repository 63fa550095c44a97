//! What people read, by example.

use std::time::Duration;

use skstore::text::times::UTC;
use skstore_domain::breaker::{BreakerMode, BreakerSnapshot, BreakerState};
use skstore_domain::events::{DepositKind, EventKind, OrderKind, Source};
use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::objects::{DeliveryStatus, OrderReason, PaymentStatus};
use skstore_domain::order::Awaited;
use skstore_domain::signals::{Past, Service, Wait};

use super::*;

const AT: Timestamp = Timestamp(1_790_000_000_123);

fn an_order(id: &str, customer: &str) -> Order {
    Order {
        order_id: OrderId::new(id).unwrap(),
        customer: Customer::new(customer).unwrap(),
        item_id: ItemId::new("10").unwrap(),
        item_name: "사과".into(),
        qty: 5,
        unit_price: Won(1000),
        amount: Won(5000),
        status: OrderStatus::Cancelled,
        reason: Some(OrderReason::Customer),
        cancel_requested: true,
        payment: PaymentStatus::Refunded,
        delivery: DeliveryStatus::None,
        placed_at: AT,
        updated_at: AT,
        revision: 3,
    }
}

fn a_beat(service: Service, breaker: Option<BreakerSnapshot>) -> Beat {
    Beat {
        service,
        instance: format!("{service}-1"),
        version: "0".into(),
        started_at: AT,
        at: AT,
        number: 0,
        clock_ahead_ms: None,
        ready: breaker.is_some(),
        last_error: Some("disk\u{1b}[2J full".into()),
        handled: 7,
        per_second: 1,
        in_flight: 0,
        unsent: 2,
        fault: None,
        fault_left_ms: None,
        takes_faults: true,
        rebuilding: None,
        unheard: Vec::new(),
        answers: None,
        books: None,
        log: None,
        warnings: Vec::new(),
        past: Vec::new(),
        waits: Vec::new(),
        calls: None,
        breaker,
    }
}

fn a_wait() -> Wait {
    let since = AT.before(Duration::from_secs(45));
    Wait { what: Awaited::Delivery, count: 12, since, told_again: 4 }
}

#[test]
fn orders_that_wait_for_long_are_told_in_both_languages() {
    let beat = Beat { ready: true, waits: vec![a_wait()], ..a_beat(Service::Order, None) };
    let text = services(Language::Korean, &[beat], AT);
    let told = "배송(상품)을 기다리는 주문 12건, 가장 오래된 것 45초째, 다시 알림 (4번째)";
    assert!(text.contains(told), "{text}");
}

/// Whether every line's columns begin where the first line's do, for a text at the start of one of them.
fn column_of(line: &str, text: &str) -> usize {
    let at = line.find(text).unwrap_or_else(|| panic!("'{text}' is not in: {line}"));
    skstore::text::fit::width(&line[..at])
}

#[test]
fn an_order_is_told_with_its_money_in_both_languages() {
    let order = an_order("a-1", "김철수");
    for (language, amount, status) in
        [(Language::Korean, "금액", "상태"), (Language::English, "amount", "status")]
    {
        let text = super::order(language, &UTC, &[], &order);
        for part in [amount, status, "5,000", "5 x 1,000", "김철수", "10 사과", "2026-09-21 14:13:20 UTC"]
        {
            assert!(text.contains(part), "{part} is missing:\n{text}");
        }
        let columns: Vec<_> = ["김철수", "10 사과", "5,000"]
            .map(|value| text.lines().find(|line| line.ends_with(value)).map(|line| column_of(line, value)))
            .into();
        assert!(
            columns.windows(2).all(|pair| pair[0] == pair[1]),
            "values do not line up: {columns:?}\n{text}"
        );
    }
}

#[test]
fn rows_line_up_whatever_the_width_of_names() {
    let text = orders(Language::English, &UTC, &[], &[an_order("a-1", "김철수"), an_order("b-2", "kim")]);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert_eq!(column_of(lines[1], "사과"), column_of(lines[2], "사과"), "{text}");
    assert_eq!(column_of(lines[0], "item"), column_of(lines[1], "사과"), "{text}");
}

#[test]
fn an_item_has_the_readers_name() {
    let item = Item {
        item_id: ItemId::new("10").unwrap(),
        name: "사과".into(),
        name_en: Some("Apple".into()),
        unit_price: Won(1000),
        stock: 1_234_567,
        revision: 1,
    };
    assert!(items(Language::Korean, std::slice::from_ref(&item)).contains("사과"));
    let english = items(Language::English, std::slice::from_ref(&item));
    assert!(english.contains("Apple") && english.contains("1,234,567"), "{english}");
    let (known, order) = (std::slice::from_ref(&item), an_order("a-1", "kim"));
    for (language, name) in [(Language::Korean, "사과"), (Language::English, "Apple")] {
        assert!(super::order(language, &UTC, known, &order).contains(&format!("10 {name}\n")), "{name}");
        let listed = orders(language, &UTC, known, std::slice::from_ref(&order));
        assert!(listed.contains(&format!("  {name}  ")), "{listed}");
    }
    let unnamed = Item { name_en: None, ..item };
    assert!(
        super::order(Language::English, &UTC, std::slice::from_ref(&unnamed), &order).contains("10 사과")
    );
    assert!(
        items(Language::English, &[unnamed]).contains("사과"),
        "an item without an English name has its own"
    );
}

#[test]
fn a_payment_that_there_is_not_is_told_as_such() {
    let none = PaymentAnswer::none(OrderId::new("a-1").unwrap());
    let text = payment(Language::English, &UTC, &none);
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.starts_with("order    a-1\npayment  "), "{text}");
}

#[test]
fn the_status_has_counts_services_and_breakers() {
    let breaker = BreakerSnapshot {
        state: Some(BreakerState::Open),
        mode: Some(BreakerMode::Auto),
        in_flight: 3,
        max_in_flight: 512,
        ..BreakerSnapshot::default()
    };
    let beats = [a_beat(Service::Order, Some(breaker)), a_beat(Service::Item, None)];
    let counts = Counts { orders: [1, 2, 3, 4, 5], accounts: 7, items: 12, balances: Won(1_000_000) };
    let text = status(Language::English, &counts, &beats, AT);
    for part in ["accounts  7", "1,000,000", "order-1", "item-1", "not ready", "3/512", "disk[2J full"] {
        assert!(text.contains(part), "{part} is missing:\n{text}");
    }
    assert!(!text.contains('\u{1b}'), "an escape reached the terminal: {text:?}");
    let breakers = breakers(Language::English, &beats, AT);
    assert_eq!(breakers.lines().count(), 2, "only Order has a breaker:\n{breakers}");
}

#[test]
fn a_breaker_of_one_who_is_silent_is_none_beside_those_who_are_heard() {
    let open = BreakerSnapshot { state: Some(BreakerState::Open), ..BreakerSnapshot::default() };
    let closed = BreakerSnapshot { state: Some(BreakerState::Closed), ..BreakerSnapshot::default() };
    let dead = Beat { instance: "order-dead".into(), ..a_beat(Service::Order, Some(open)) };
    let later = dead.at.after(SILENT_AFTER + Duration::from_secs(1));
    let lives = Beat { instance: "order-lives".into(), at: later, ..a_beat(Service::Order, Some(closed)) };
    let told = breakers(Language::English, &[dead.clone(), lives], later);
    assert!(told.contains("order-lives") && !told.contains("order-dead"), "{told}");
    let alone = breakers(Language::English, &[dead], later);
    assert!(alone.contains("order-dead"), "the last that is known of it: {alone}");
}

/// What is and what was are told apart, and nobody is ready who says nothing.
#[test]
fn a_state_is_what_is_now_and_the_rest_is_history_with_its_time() {
    let (well, now) = (
        Beat { ready: true, last_error: None, ..a_beat(Service::Order, None) },
        AT.after(Duration::from_millis(900)),
    );
    let past =
        |secs| vec![Past { at: AT.before(Duration::from_secs(secs)), what: "Connection refused".into() }];
    let lost = Beat { ready: false, last_error: Some("no broker".into()), ..well.clone() };
    let table = [
        (well.clone(), now, "ready", ""),
        (Beat { past: past(180), ..well.clone() }, now, "ready", "was, 3m ago: Connection refused"),
        (
            Beat { last_error: Some("of an older version".into()), ..well.clone() },
            now,
            "ready",
            "was: of an older",
        ),
        (
            Beat { past: past(180), ..lost.clone() },
            now,
            "not ready",
            "no broker; was, 3m ago: Connection refused",
        ),
        (Beat { warnings: vec!["a policy".into()], ..well.clone() }, now, "ready", "to put right: a policy"),
        (
            Beat { waits: vec![a_wait()], ..well.clone() },
            now,
            "ready",
            "orders that wait for their delivery (item): 12, the oldest for 45s, told again (4th time)",
        ),
        (well.clone(), AT.after(Duration::from_secs(9)), "silent for 9s", ""),
        (lost.clone(), AT.after(Duration::from_secs(9)), "silent for 9s", "no broker"),
        (Beat { past: past(52), ..well }, AT.after(Duration::from_secs(9)), "silent for 9s", "was, 1m ago"),
    ];
    for (beat, now, state, note) in table {
        let text = services(Language::English, std::slice::from_ref(&beat), now);
        let line = text.lines().nth(1).unwrap();
        assert!(line.contains(&format!("  {state}  ")) && line.contains(note), "{state}, {note}:\n{text}");
        assert!(!note.is_empty() || !line.contains("was"), "{text}");
    }
}

#[test]
fn events_line_up_without_knowing_each_other() {
    let long = FeedEntry {
        id: "order/x/1".into(),
        kind: EventKind::Order(OrderKind::Placed),
        subject: "01a202ca-1892-74cf-b513-240f6a5f5787".into(),
        at: AT,
        customer: Some(Customer::new("김철수").unwrap()),
        amount: Some(Won(5000)),
        reason: None,
    };
    let short = FeedEntry { subject: "10".into(), customer: None, amount: Some(Won(7)), ..long.clone() };
    let (long, short) = (event(Language::English, &UTC, &long), event(Language::English, &UTC, &short));
    assert_eq!(column_of(&long, "5,000") + "5,000".len(), column_of(&short, "7\n") + 1, "{long}{short}");
    assert_eq!(long.lines().count(), 1);
}

#[test]
fn a_timeline_names_who_did_what() {
    let step = Step {
        source: Source::Deposit,
        revision: 2,
        kind: EventKind::Deposit(DepositKind::Refunded),
        at: AT,
        reason: Some("order_cancelled".into()),
        told_again: 0,
    };
    let unknown = Step { reason: Some("of_a_newer_version".into()), ..step.clone() };
    let text = timeline(Language::English, &UTC, &[step, unknown]);
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines.len(), 3, "{text}");
    assert!(
        lines[1].starts_with("2026-09-21 14:13:20 UTC") && lines[1].ends_with("order cancelled"),
        "{text}"
    );
    assert!(lines[2].ends_with("of_a_newer_version"), "a reason that we have no word for is shown: {text}");
}

#[test]
fn a_timeline_says_what_was_told_again_and_of_nothing_else_that_it_was() {
    let step = |revision, kind, told_again| Step {
        source: Source::Order,
        revision,
        kind: EventKind::Order(kind),
        at: AT,
        reason: None,
        told_again,
    };
    let steps = [step(1, OrderKind::Paying, 0), step(2, OrderKind::Placed, 3)];
    let texts = [Language::English, Language::Korean].map(|language| timeline(language, &UTC, &steps));
    let marked = ["placed, told again (3rd time)", "주문완료, 다시 알림 (3번째)"];
    for (text, marked) in texts.iter().zip(marked) {
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[2].contains(marked), "{text}");
        assert!(
            lines[1].trim_end().ends_with(if text.contains("time") { "paying" } else { "결제중" }),
            "{text}"
        );
    }
}
