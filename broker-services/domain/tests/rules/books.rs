//! The books are right about what the rules write, whatever they are asked, and notice what the rules never write.

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use serde_json::Value;
use skstore_domain::books::{BreachKind, LiveBooks, Sums, Then};
use skstore_domain::commands::ListItem;
use skstore_domain::deposit::{self, ToppedUp};
use skstore_domain::events::{Event, OrderEvent, Source};
use skstore_domain::item::{self, Restocked};
use skstore_domain::ledger::{ENDS_WITHIN, PAID_WITHIN};
use skstore_domain::money::Won;
use skstore_domain::objects::{Account, Item, Order, Payment, PaymentReason};
use skstore_domain::time::Timestamp;

use crate::build;

const NOW: Timestamp = Timestamp(1_790_000_000_000);
const ORDERS: [&str; 4] = ["a", "b", "c", "d"];
const CUSTOMERS: [&str; 2] = ["kim", "lee"];

#[derive(Debug, Clone, Copy)]
enum Asked {
    TopUp { customer: usize, amount: i64 },
    Charge { order: usize, customer: usize, amount: i64 },
    Release { order: usize },
}

fn asked() -> impl Strategy<Value = Asked> {
    let (customer, order) = (0..CUSTOMERS.len(), 0..ORDERS.len());
    prop_oneof![
        (customer.clone(), 0..500_i64).prop_map(|(customer, amount)| Asked::TopUp { customer, amount }),
        (order.clone(), customer, 0..300_i64).prop_map(|(order, customer, amount)| Asked::Charge {
            order,
            customer,
            amount
        }),
        order.prop_map(|order| Asked::Release { order }),
    ]
}

/// What Deposit writes when it is asked all of that, and the balances at the end.
fn deposit_log(asked: &[Asked]) -> (Vec<String>, i64) {
    let mut accounts: BTreeMap<String, Account> = BTreeMap::new();
    let mut payments: BTreeMap<usize, Payment> = BTreeMap::new();
    let mut log = Vec::new();
    for (n, asked) in asked.iter().enumerate() {
        let changed = match *asked {
            Asked::TopUp { customer, amount } => {
                let customer = build::customer(CUSTOMERS[customer]);
                let account = accounts.get(customer.as_str());
                let done = deposit::top_up(None, account, &n.to_string(), &customer, Won(amount), NOW)
                    .expect("a top-up");
                let ToppedUp::Done(done) = done else { panic!("{done:?}") };
                Some((None, Some(done.0.account), done.1))
            }
            Asked::Charge { order, customer, amount } => {
                let charge = build::charge(ORDERS[order], CUSTOMERS[customer], Won(amount));
                let account = accounts.get(CUSTOMERS[customer]);
                let charged =
                    deposit::charge(payments.get(&order), account, &charge, false, NOW).expect("a charge");
                charged.change.map(|(payment, account, event)| (Some((order, payment)), account, event))
            }
            Asked::Release { order } => {
                let payment = payments.get(&order);
                let account = payment.and_then(|payment| accounts.get(payment.customer.as_str()));
                let of = build::order(ORDERS[order], 1);
                let released = deposit::release(payment, account, &of, PaymentReason::OrderCancelled, NOW);
                released
                    .expect("a release")
                    .changes()
                    .map(|(payment, account, event)| (Some((order, payment)), account, event))
            }
        };
        if let Some((payment, account, event)) = changed {
            payments.extend(payment);
            accounts.extend(account.map(|account| (account.customer.to_string(), account)));
            log.push(event.to_json());
        }
    }
    (log, accounts.values().map(|account| account.balance.0).sum())
}

/// Enters `log`, from its beginning again when that is wanted. Whether it was.
fn enter(books: &mut LiveBooks, log: &[String]) -> bool {
    let mut from_the_first = false;
    let mut at = 0;
    while at < log.len() {
        match books.enter(&log[at]) {
            Then::GoOn => at += 1,
            Then::StartOver => (at, from_the_first) = (0, true),
        }
    }
    from_the_first
}

proptest! {
    #[test]
    fn what_deposit_writes_balances(asked in proptest::collection::vec(asked(), 0..60)) {
        let (log, balances) = deposit_log(&asked);
        let mut books = LiveBooks::of(Source::Deposit);
        prop_assert!(!enter(&mut books, &log));
        let books = books.books(NOW, 0, 0);
        prop_assert_eq!(&books.breach, &None);
        let Sums::Money { topped_up, balances: told, charged } = books.sums else { panic!("{books:?}") };
        prop_assert_eq!(told.0, balances);
        prop_assert_eq!(topped_up.0, told.0 + charged.0);
    }

    #[test]
    fn a_single_won_that_appears_or_is_lost_is_noticed(
        asked in proptest::collection::vec(asked(), 1..40),
        at in any::<proptest::sample::Index>(),
        by in prop_oneof![-5..0_i64, 1..5_i64],
    ) {
        let (mut log, _) = deposit_log(&asked);
        let charges: Vec<usize> = (0..log.len())
            .filter(|n| log[*n].contains("deposit.paid") || log[*n].contains("deposit.refunded"))
            .collect();
        if charges.is_empty() {
            return Ok(());
        }
        let at = charges[at.index(charges.len())];
        let mut event: Value = serde_json::from_str(&log[at]).expect("JSON");
        let balance = event["data"]["account"]["balance"].as_i64().expect("a balance");
        event["data"]["account"]["balance"] = Value::from(balance + by);
        log[at] = event.to_string();
        let mut books = LiveBooks::of(Source::Deposit);
        enter(&mut books, &log);
        let breach = books.books(NOW, 0, 0).breach.expect("a breach");
        let kinds = [BreachKind::Unbalanced, BreachKind::Overdrawn];
        prop_assert!(kinds.contains(&breach.kind), "{:?}", breach);
        prop_assert!(ORDERS.contains(&breach.id.as_str()) || CUSTOMERS.contains(&breach.id.as_str()));
    }
}

#[test]
fn an_entry_that_comes_late_has_all_read_again_and_one_that_never_comes_is_told() {
    let asked: Vec<Asked> = (1..5).map(|amount| Asked::TopUp { customer: 0, amount }).collect();
    let (log, _) = deposit_log(&asked);
    let without_second: Vec<String> = [&log[..1], &log[2..]].concat();
    let mut books = LiveBooks::of(Source::Deposit);
    assert_eq!(books.enter(&without_second[0]), Then::GoOn);
    assert_eq!(books.enter(&without_second[1]), Then::StartOver);
    assert!(!enter(&mut books, &log), "it is there now, and nothing is missing");
    assert_eq!(books.books(NOW, 0, 0).breach, None);

    let mut books = LiveBooks::of(Source::Deposit);
    assert!(enter(&mut books, &without_second));
    let breach = books.books(NOW, 0, 0).breach.expect("a breach");
    assert_eq!((breach.kind, breach.id.as_str()), (BreachKind::Missing, "kim"));
}

/// Item's log: listed, restocked by 10, an order of 4 started and cancelled, one of 99 sold out, one cancelled early.
fn item_log() -> Vec<Event> {
    let listing =
        ListItem { item_id: build::item_id(), name: "apple".into(), name_en: None, unit_price: Won(1) };
    let (item, listed) = item::list(None, &listing, NOW).expect("it is new");
    let Restocked::Done(done) = item::restock(None, Some(&item), "r", &item.item_id, 10, NOW) else {
        panic!("no restock")
    };
    let item = done.0.item.clone();
    let (order, large, early) = (build::order("a", 4), build::order("b", 99), build::order("c", 1));
    let (delivery, stocked, started) = item::start(None, Some(&item), &order, NOW)
        .expect("it is possible")
        .changes()
        .expect("something changes");
    let stocked: Item = stocked.expect("units were taken");
    let sold_out = item::start(None, Some(&stocked), &large, NOW)
        .expect("it is possible")
        .changes()
        .expect("something changes")
        .2;
    let buried = item::cancel(None, Some(&stocked), &early, NOW)
        .expect("it is possible")
        .changes()
        .expect("something changes")
        .2;
    let cancelled = item::cancel(Some(&delivery), Some(&stocked), &order, NOW)
        .expect("it is possible")
        .changes()
        .expect("something changes")
        .2;
    vec![listed, done.1, started, sold_out, buried, cancelled]
}

#[test]
fn what_item_writes_adds_up_and_a_stock_that_changes_by_itself_does_not() {
    let log = item_log();
    let mut books = LiveBooks::of(Source::Item);
    log.iter().for_each(|event| assert_eq!(books.enter(&event.to_json()), Then::GoOn, "{event:?}"));
    let books = books.books(NOW, 0, 0);
    assert_eq!((books.sums, books.breach), (Sums::Stock { items: 1, units: 10 }, None));

    for (at, stock, kind) in [
        (2, 10, BreachKind::StockChanged),
        (2, -4, BreachKind::NegativeStock),
        (3, 5, BreachKind::StockChanged),
        (5, 6, BreachKind::StockChanged),
    ] {
        let mut changed: Vec<String> = log.iter().map(Event::to_json).collect();
        let mut event: Value = serde_json::from_str(&changed[at]).unwrap();
        event["data"]["item"]["stock"] = Value::from(stock);
        changed[at] = event.to_string();
        let mut books = LiveBooks::of(Source::Item);
        enter(&mut books, &changed);
        let breach = books.books(NOW, 0, 0).breach.unwrap_or_else(|| panic!("stock {stock} in entry {at}"));
        assert_eq!((breach.kind, breach.id.as_str()), (kind, "10"), "stock {stock} in entry {at}");
    }
}

fn order_event(tell: fn(Order) -> OrderEvent, id: &str, revision: u64, at: Timestamp) -> String {
    Event::new(tell(build::order(id, 1)), revision, at).to_json()
}

#[test]
fn an_order_is_stuck_once_it_has_waited_too_long_and_until_it_ends() {
    let mut books = LiveBooks::of(Source::Order);
    let mut tell = |kind, id, revision, at| {
        assert_eq!(books.enter(&order_event(kind, id, revision, at)), Then::GoOn);
        books.clone()
    };
    tell(OrderEvent::Rejected, "refused", 1, NOW);
    tell(OrderEvent::Paying, "a", 1, NOW);
    tell(OrderEvent::Paying, "b", 1, NOW.after(Duration::from_secs(1)));
    let books = tell(OrderEvent::Placed, "b", 2, NOW.after(Duration::from_secs(2)));
    let told = |books: &LiveBooks, after: Duration| {
        let books = books.books(NOW.after(after), 0, 0);
        let Sums::Orders { orders, live, stuck } = books.sums else { panic!("{books:?}") };
        (orders, live, stuck, books.breach.map(|breach| (breach.kind, breach.id)))
    };
    let second = Duration::from_secs(1);
    assert_eq!(told(&books, PAID_WITHIN), (3, 2, 0, None), "not yet");
    let paying = Some((BreachKind::StuckPaying, "a".to_owned()));
    assert_eq!(told(&books, PAID_WITHIN + second), (3, 2, 1, paying.clone()));
    assert_eq!(told(&books, ENDS_WITHIN + 3 * second), (3, 2, 2, paying), "the one that waits longest");
    let books = tell(OrderEvent::Rejected, "a", 2, NOW);
    let placed = Some((BreachKind::StuckPlaced, "b".to_owned()));
    assert_eq!(told(&books, ENDS_WITHIN + 3 * second), (3, 1, 1, placed));
    let books = tell(OrderEvent::Delivering, "b", 3, NOW);
    assert_eq!(told(&books, ENDS_WITHIN * 9), (3, 0, 0, None));
}

#[test]
fn what_is_no_entry_of_this_log_is_told() {
    let foreign = item_log()[0].to_json();
    for entry in ["", "{}", "\u{1b}[2J", &foreign] {
        let mut books = LiveBooks::of(Source::Order);
        assert_eq!(books.enter(entry), Then::GoOn);
        let breach = books.books(NOW, 0, 0).breach.unwrap_or_else(|| panic!("{entry:?} was taken"));
        assert_eq!(breach.kind, BreachKind::Unreadable, "{entry:?}");
    }
}
