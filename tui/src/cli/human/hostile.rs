//! A hundred thousand hostile texts, in every place where the command line shows a foreign one.

use serde_json::json;
use skstore::text::times::UTC;
use skstore_domain::breaker::{BreakerSnapshot, BreakerState};
use skstore_domain::events::{DepositKind, EventKind, OrderKind, Source};
use skstore_domain::ids::{Customer, ItemId, OrderId, is_unsafe_to_show};
use skstore_domain::objects::{DeliveryStatus, PaymentStatus};
use skstore_domain::signals::{Past, Service};

use super::*;
use crate::cli::failure::Failure;
use crate::cli::output::Output;

#[path = "../../../tests/dashboard/hostile/strings.rs"]
mod strings;

use strings::{Hostile, STRINGS};

const AT: Timestamp = Timestamp(1_790_000_000_123);

/// As much of a hostile text as a store may have kept as a name.
fn name(hostile: &mut Hostile) -> String {
    let kept = |c: &char| Customer::kept(&format!("a{c}")).is_ok();
    let text: String = hostile.string().chars().filter(kept).take(64).collect();
    if text.trim().is_empty() { "?".to_owned() } else { text }
}

fn an_order(hostile: &mut Hostile) -> Order {
    Order {
        order_id: OrderId::new("a-1").unwrap(),
        customer: Customer::kept(&name(hostile)).unwrap(),
        item_id: ItemId::kept(&name(hostile)).unwrap(),
        item_name: hostile.string(),
        qty: 5,
        unit_price: Won(1000),
        amount: Won(5000),
        status: OrderStatus::Cancelled,
        reason: None,
        cancel_requested: true,
        payment: PaymentStatus::Refunded,
        delivery: DeliveryStatus::None,
        placed_at: AT,
        updated_at: AT,
        revision: 3,
    }
}

fn a_beat(hostile: &mut Hostile) -> Beat {
    Beat {
        service: Service::Order,
        instance: hostile.string(),
        version: hostile.string(),
        started_at: AT,
        at: AT,
        number: 0,
        clock_ahead_ms: None,
        ready: false,
        last_error: Some(hostile.string()),
        handled: 7,
        per_second: 1,
        in_flight: 0,
        unsent: 2,
        fault: Some(hostile.string()),
        fault_left_ms: Some(1_000),
        takes_faults: true,
        breaker: Some(BreakerSnapshot { state: Some(BreakerState::Open), ..BreakerSnapshot::default() }),
        rebuilding: None,
        unheard: Vec::new(),
        answers: None,
        books: None,
        log: None,
        warnings: vec![hostile.string()],
        past: vec![Past { at: AT, what: hostile.string() }],
        waits: Vec::new(),
        calls: None,
    }
}

/// Everything that people read, with other texts each time.
fn everything(hostile: &mut Hostile, language: Language) -> String {
    let orders: Vec<Order> = (0..20).map(|_| an_order(hostile)).collect();
    let beats: Vec<Beat> = (0..4).map(|_| a_beat(hostile)).collect();
    let steps: Vec<Step> = (1..6)
        .map(|revision| Step {
            source: Source::Order,
            revision,
            kind: EventKind::Order(OrderKind::Cancelled),
            at: AT,
            reason: Some(hostile.string()),
            told_again: 0,
        })
        .collect();
    let event = FeedEntry {
        id: hostile.string(),
        kind: EventKind::Deposit(DepositKind::Paid),
        subject: hostile.string(),
        at: AT,
        customer: Customer::kept(&name(hostile)).ok(),
        amount: None,
        reason: Some(hostile.string()),
    };
    let items = [Item {
        item_id: orders[0].item_id.clone(),
        name: hostile.string(),
        name_en: Some(hostile.string()),
        unit_price: Won(1),
        stock: 1,
        revision: 1,
    }];
    let accounts = [Account { customer: orders[0].customer.clone(), balance: Won(1), revision: 1 }];
    [
        super::order(language, &UTC, &items, &orders[0]),
        super::orders(language, &UTC, &items, &orders),
        timeline(language, &UTC, &steps),
        self::accounts(language, &accounts),
        self::items(language, &items),
        status(language, &Counts::default(), &beats, AT),
        self::event(language, &UTC, &event),
        Failure::Unreachable(hostile.string()).to_text(),
    ]
    .concat()
}

#[test]
fn of_a_hundred_thousand_hostile_texts_people_get_only_what_can_be_read() {
    let mut hostile = Hostile::seeded(7);
    while hostile.made() < STRINGS {
        for language in Language::ALL {
            let seen = hostile.made();
            let text = everything(&mut hostile, *language);
            let harmful = text.chars().find(|c| *c != '\n' && is_unsafe_to_show(*c));
            assert_eq!(harmful, None, "in {language:?}, strings from {seen}");
        }
    }
}

#[test]
fn json_says_the_same_without_a_byte_that_repaints_a_terminal() {
    let mut hostile = Hostile::seeded(8);
    for _ in 0..STRINGS / 20 {
        let text = hostile.string();
        let mut bytes = Vec::new();
        Output::new(&mut bytes, true, Language::English).failure(&Failure::Usage(text.clone())).unwrap();
        let line = String::from_utf8(bytes).unwrap();
        let harmful = line.trim_end_matches('\n').chars().find(|c| is_unsafe_to_show(*c));
        assert_eq!(harmful, None, "{line}");
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(read["error"]["message"], json!(text));
    }
}
