//! Orders, payments and whole histories to write, and ways to see all of a view.

use std::collections::BTreeMap;

use skstore_domain::events::{DepositKind, EventKind, ItemKind, OrderKind, Source};
use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::money::Won;
use skstore_domain::myinfo::{FeedEntry, OrderRow, Step, ViewWrite};
use skstore_domain::objects::{
    Account, DeliveryStatus, Item, Order, OrderReason, OrderStatus, Payment, PaymentReason, PaymentStatus,
};
use skstore_domain::time::Timestamp;
use skstore_workers::view::{Counts, Cursor, OrderDetail, OrderFilter, Swept, View};

/// More than any test but those of the bound has orders.
pub(crate) const PLENTY: usize = 1_000_000;

pub(crate) fn order_id(id: &str) -> OrderId {
    OrderId::new(id).unwrap()
}

pub(crate) fn customer(name: &str) -> Customer {
    Customer::new(name).unwrap()
}

pub(crate) fn item_id(id: &str) -> ItemId {
    ItemId::new(id).unwrap()
}

/// A first revision, placed at `at` and being paid for.
pub(crate) fn order(id: &str, at: i64) -> Order {
    Order {
        order_id: order_id(id),
        customer: customer("kim"),
        item_id: item_id("10"),
        item_name: "사과 Apple".to_owned(),
        qty: 2,
        unit_price: Won(500),
        amount: Won(1000),
        status: OrderStatus::Paying,
        reason: None,
        cancel_requested: false,
        payment: PaymentStatus::None,
        delivery: DeliveryStatus::None,
        placed_at: Timestamp(at),
        updated_at: Timestamp(at),
        revision: 1,
    }
}

/// The same order one revision on, in `status`.
pub(crate) fn then(order: &Order, status: OrderStatus) -> Order {
    let updated_at = Timestamp(order.updated_at.0 + 1);
    Order { status, updated_at, revision: order.revision + 1, ..order.clone() }
}

pub(crate) fn delivering(id: &str, at: i64) -> Order {
    then(&order(id, at), OrderStatus::Delivering)
}

pub(crate) fn payment(id: &str, revision: u64) -> Payment {
    Payment {
        order_id: order_id(id),
        customer: customer("kim"),
        amount: Won(1000),
        status: if revision == 1 { PaymentStatus::Paid } else { PaymentStatus::Refunded },
        reason: (revision > 1).then_some(PaymentReason::OrderCancelled),
        updated_at: Timestamp(i64::try_from(revision).unwrap()),
        revision,
    }
}

pub(crate) fn account(name: &str, balance: i64, revision: u64) -> Account {
    Account { customer: customer(name), balance: Won(balance), revision }
}

pub(crate) fn item(id: &str, stock: u64, revision: u64) -> Item {
    let name = "사과".to_owned();
    Item { item_id: item_id(id), name, name_en: None, unit_price: Won(500), stock, revision }
}

pub(crate) fn step(kind: EventKind, revision: u64, at: i64) -> Step {
    Step { source: kind.source(), revision, kind, at: Timestamp(at), reason: None, told_again: 0 }
}

pub(crate) fn feed(id: &str) -> FeedEntry {
    FeedEntry {
        id: id.to_owned(),
        kind: EventKind::Order(OrderKind::Placed),
        subject: id.to_owned(),
        at: Timestamp(1),
        customer: None,
        amount: None,
        reason: None,
    }
}

/// Writes of `count` orders with all that belongs to them, each order somewhere in its life. Many share a
/// millisecond, a customer, an item or the beginning of an id.
pub(crate) fn histories(rng: &mut fastrand::Rng, count: usize) -> Vec<ViewWrite> {
    let mut writes = Vec::new();
    for n in 0..count {
        let start = rng.choice(["", "a", "ab", "0193"]).unwrap();
        let text = format!("{start}{:x}-{n}", rng.u8(..));
        let uuid = format!("0193{:02x}aa-0000-7000-8000-{n:012x}", rng.u8(..));
        let id = if rng.bool() { text } else { uuid };
        history(rng, &id, &mut writes);
    }
    for n in 0..5 {
        let name = format!("c{n}");
        writes.extend((1..=4).map(|revision| ViewWrite::Account(account(&name, rng.i64(0..99), revision))));
        writes.extend((1..=4).map(|revision| ViewWrite::Item(item(&name, rng.u64(0..99), revision))));
    }
    writes
}

fn history(rng: &mut fastrand::Rng, id: &str, writes: &mut Vec<ViewWrite>) {
    let at = 1000 + rng.i64(0..6);
    let mut now = Order {
        customer: customer(rng.choice(["kim", "Lee", "박지민"]).unwrap()),
        item_id: item_id(rng.choice(["10", "pear", "사과"]).unwrap()),
        item_name: rng.choice(["Red 사과", "Pear", "배"]).unwrap().to_owned(),
        ..order(id, at)
    };
    let lives: [&[(OrderStatus, EventKind, Option<EventKind>)]; 4] = [
        &[
            (
                OrderStatus::Placed,
                EventKind::Order(OrderKind::Placed),
                Some(EventKind::Deposit(DepositKind::Paid)),
            ),
            (
                OrderStatus::Delivering,
                EventKind::Order(OrderKind::Delivering),
                Some(EventKind::Item(ItemKind::DeliveryStarted)),
            ),
            (OrderStatus::Cancelled, EventKind::Order(OrderKind::Cancelled), None),
            (
                OrderStatus::Cancelled,
                EventKind::Order(OrderKind::Noted),
                Some(EventKind::Deposit(DepositKind::Refunded)),
            ),
        ],
        &[(
            OrderStatus::Rejected,
            EventKind::Order(OrderKind::Rejected),
            Some(EventKind::Deposit(DepositKind::Declined)),
        )],
        &[(
            OrderStatus::Cancelled,
            EventKind::Order(OrderKind::Cancelled),
            Some(EventKind::Item(ItemKind::SoldOut)),
        )],
        &[(OrderStatus::Paying, EventKind::Order(OrderKind::CancelRequested), None)],
    ];
    let life = rng.choice(lives).unwrap();
    tell(writes, &now, EventKind::Order(OrderKind::Paying));
    let (mut payments, mut deliveries) = (0, 0);
    for (status, kind, cause) in &life[..rng.usize(0..=life.len())] {
        if let Some(cause) = cause {
            let revision = match cause.source() {
                Source::Deposit => {
                    payments += 1;
                    writes.push(ViewWrite::Payment(Payment {
                        customer: now.customer.clone(),
                        ..payment(id, payments)
                    }));
                    payments
                }
                _ => {
                    deliveries += 1;
                    deliveries
                }
            };
            let reason = rng.bool().then(|| "insufficient_balance".to_owned());
            let step = Step { reason, ..step(*cause, revision, now.updated_at.0) };
            writes.push(ViewWrite::Step(now.order_id.clone(), step));
        }
        now = then(&now, *status);
        now.reason = match status {
            OrderStatus::Cancelled => Some(OrderReason::SoldOut),
            OrderStatus::Rejected => Some(OrderReason::Declined),
            _ => None,
        };
        tell(writes, &now, *kind);
    }
}

fn tell(writes: &mut Vec<ViewWrite>, order: &Order, kind: EventKind) {
    writes.push(ViewWrite::Order(order.clone()));
    let step = step(kind, order.revision, order.updated_at.0);
    let entry = FeedEntry { kind, ..feed(&format!("{}/{}", order.order_id, order.revision)) };
    writes.push(ViewWrite::Happened(order.order_id.clone(), step, entry));
}

/// Applies `writes` in batches of random sizes.
pub(crate) async fn apply(view: &View, rng: &mut fastrand::Rng, mut writes: &[ViewWrite]) {
    while !writes.is_empty() {
        let (batch, rest) = writes.split_at(rng.usize(1..=writes.len().min(20)));
        view.apply(batch).await.unwrap();
        writes = rest;
    }
}

/// Applies orders, in batches.
pub(crate) async fn place(view: &View, orders: impl IntoIterator<Item = Order>) {
    let writes: Vec<ViewWrite> = orders.into_iter().map(ViewWrite::Order).collect();
    for batch in writes.chunks(256) {
        view.apply(batch).await.unwrap();
    }
}

/// Every order that matches, page by page until there is no next one.
pub(crate) async fn all(view: &View, filter: &OrderFilter, page: usize) -> Vec<OrderRow> {
    let mut rows = Vec::new();
    let mut after: Option<Cursor> = None;
    loop {
        let found = view.orders(filter, after.as_ref(), page).await.unwrap();
        assert!(found.rows.len() <= page, "a page of {page} has {} rows", found.rows.len());
        rows.extend(found.rows);
        if found.next.is_none() {
            return rows;
        }
        assert_ne!(found.next, after, "the next page of {filter:?} starts where this one did");
        after = found.next;
    }
}

pub(crate) async fn ids(view: &View, filter: &OrderFilter) -> Vec<String> {
    all(view, filter, 50).await.into_iter().map(|row| row.order.order_id.to_string()).collect()
}

/// All that a view shows, but health, and the feed's ids without their order.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Everything {
    pub(crate) orders: Vec<OrderDetail>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) items: Vec<Item>,
    pub(crate) counts: Counts,
    pub(crate) feed: Vec<String>,
}

pub(crate) async fn everything(view: &View) -> Everything {
    let mut orders = Vec::new();
    for row in all(view, &OrderFilter::default(), 7).await {
        let detail = view.order(&row.order.order_id).await.unwrap().expect("an order that a page shows");
        assert_eq!(detail.row, row, "page and detail show the same order");
        orders.push(detail);
    }
    let (entries, _) = view.feed(0, usize::MAX).await.unwrap();
    let mut feed: Vec<String> = entries.into_iter().map(|entry| entry.id).collect();
    feed.sort();
    Everything {
        orders,
        accounts: view.accounts(None, usize::MAX).await.unwrap(),
        items: view.items(None, usize::MAX).await.unwrap(),
        counts: view.counts().await.unwrap(),
        feed,
    }
}

/// What a view of `writes` must show, worked out the slow way.
pub(crate) fn expected(writes: &[ViewWrite]) -> Everything {
    let mut details: BTreeMap<OrderId, OrderDetail> = BTreeMap::new();
    let (mut accounts, mut items) = (BTreeMap::new(), BTreeMap::new());
    let mut feed: Vec<String> = Vec::new();
    for write in writes {
        match write {
            ViewWrite::Order(order) => {
                let row = OrderRow { order: order.clone(), payment: None };
                let fresh = OrderDetail { row, timeline: Vec::new() };
                let detail = details.entry(order.order_id.clone()).or_insert(fresh);
                if detail.row.order.revision < order.revision {
                    detail.row.order = order.clone();
                }
            }
            ViewWrite::Account(account) => newer(&mut accounts, &account.customer, account, |a| a.revision),
            ViewWrite::Item(item) => newer(&mut items, &item.item_id, item, |i| i.revision),
            ViewWrite::Feed(entry) | ViewWrite::Happened(_, _, entry) if !feed.contains(&entry.id) => {
                feed.push(entry.id.clone());
            }
            ViewWrite::Feed(_) | ViewWrite::Happened(..) | ViewWrite::Payment(_) | ViewWrite::Step(..) => {}
        }
    }
    for write in writes {
        match write {
            ViewWrite::Payment(payment) => {
                let shown = &mut details.get_mut(&payment.order_id).unwrap().row.payment;
                if shown.as_ref().is_none_or(|shown| shown.revision < payment.revision) {
                    *shown = Some(payment.clone());
                }
            }
            ViewWrite::Step(id, step) | ViewWrite::Happened(id, step, _) => {
                let timeline = &mut details.get_mut(id).unwrap().timeline;
                if !timeline.contains(step) {
                    timeline.push(step.clone());
                }
            }
            _ => {}
        }
    }
    let mut orders: Vec<OrderDetail> = details.into_values().collect();
    orders.sort_by_key(|detail| {
        let order = &detail.row.order;
        std::cmp::Reverse((order.placed_at, order.order_id.clone()))
    });
    for detail in &mut orders {
        detail.timeline.sort_by_key(|step| (step.at, cause(step.kind), step.revision));
    }
    feed.sort();
    let accounts: Vec<Account> = accounts.into_values().collect();
    let items: Vec<Item> = items.into_values().collect();
    let counts = counted(&orders, &accounts, &items);
    Everything { orders, accounts, items, counts, feed }
}

fn newer<K: Ord + Clone, T: Clone>(kept: &mut BTreeMap<K, T>, key: &K, new: &T, revision: fn(&T) -> u64) {
    if kept.get(key).is_none_or(|old| revision(old) < revision(new)) {
        kept.insert(key.clone(), new.clone());
    }
}

/// The order in which steps of one instant are told, for the kinds that [`histories`] has.
fn cause(kind: EventKind) -> usize {
    let chain = [
        EventKind::Order(OrderKind::Paying),
        EventKind::Order(OrderKind::CancelRequested),
        EventKind::Deposit(DepositKind::Declined),
        EventKind::Deposit(DepositKind::Paid),
        EventKind::Order(OrderKind::Placed),
        EventKind::Item(ItemKind::SoldOut),
        EventKind::Item(ItemKind::DeliveryStarted),
        EventKind::Order(OrderKind::Delivering),
        EventKind::Order(OrderKind::Rejected),
        EventKind::Order(OrderKind::Cancelled),
        EventKind::Deposit(DepositKind::Refunded),
        EventKind::Order(OrderKind::Noted),
    ];
    chain.iter().position(|other| *other == kind).unwrap()
}

pub(crate) fn counted(orders: &[OrderDetail], accounts: &[Account], items: &[Item]) -> Counts {
    let mut counts = Counts {
        accounts: accounts.len() as u64,
        items: items.len() as u64,
        balances: Won(accounts.iter().map(|account| account.balance.0).sum()),
        ..Counts::default()
    };
    for detail in orders {
        counts.orders[detail.row.order.status as usize] += 1;
    }
    counts
}

/// Ends the rebuild that runs, with nothing in dispute.
pub(crate) async fn finish(view: &View) {
    let running = view.rebuilds().await.unwrap().last;
    assert_eq!(view.finish_rebuild(running).await.unwrap(), Swept::Whole);
}
