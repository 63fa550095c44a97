//! The books: what a service's own event log says of the promises that it alone can check, kept up entry by entry.
//!
//! - Deposit: the sum of all top-ups = the sum of all balances + all charges that were not refunded; no balance is
//!   below zero.
//! - Item: stock changes only by what was restocked, reserved or put back, and is never below zero.
//! - Order: no order waits for its payment or its delivery for too long.
//!
//! A [`Ledger`] is handed every entry of one log in the order of the log, [`Ledger::enter`]; [`Ledger::books`] tells
//! at any time what they come to. It shares no rule with the services: it looks only at what they wrote.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::events::{DepositKind, EventKind, ItemKind, OrderKind, Source, kind_of};
use crate::ids::MAX_ID_CHARS;
use crate::money::Won;
use crate::objects::{MAX_QTY, words};
use crate::time::Timestamp;

/// An order that is paying for longer is stuck: the payment call takes a second at most, and what is left of it is
/// aborted after some fifteen.
pub const STUCK_PAYING: Duration = Duration::from_secs(30);
/// An order that is placed for longer is stuck: once nothing is broken any more it has to end within a minute. While
/// Item is down, orders do wait longer, and that is what an operator should see.
pub const STUCK_PLACED: Duration = Duration::from_secs(60);
/// Logs that can lack entries of so many aggregates before it is given up to read them again: entries of a commit
/// that came late are there the second time.
const MISSED: usize = 64;

words! {
    /// What is wrong with the books.
    BreachKind {
        /// An account changed by another amount than was charged, refunded or topped up.
        Unbalanced = "unbalanced",
        /// A balance is below zero.
        Overdrawn = "overdrawn",
        /// A stock changed by what was neither restocked, reserved nor put back.
        StockChanged = "stock_changed",
        /// A stock is below zero.
        NegativeStock = "negative_stock",
        /// An order waits for the outcome of its payment for too long.
        StuckPaying = "stuck_paying",
        /// An order waits for its delivery for too long.
        StuckPlaced = "stuck_placed",
        /// The log lacks an entry.
        Missing = "missing",
        /// The log has an entry that cannot be read.
        Unreadable = "unreadable",
    }
}

/// Something that is wrong with the books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Breach {
    /// What is wrong.
    pub kind: BreachKind,
    /// The order, customer or item that it was noticed at.
    pub id: String,
    /// Since when.
    pub at: Timestamp,
}

/// What a log comes to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum Sums {
    /// Order's log.
    Orders {
        /// Orders ever taken.
        orders: u64,
        /// Orders that have not ended.
        live: u64,
        /// Those of them that wait for too long.
        stuck: u64,
    },
    /// Deposit's log.
    Money {
        /// All top-ups, opening balances included.
        topped_up: Won,
        /// All balances.
        balances: Won,
        /// All charges that were not refunded.
        charged: Won,
    },
    /// Item's log.
    Stock {
        /// Items ever listed.
        items: u64,
        /// Units of all of them.
        units: u64,
    },
}

/// What a service tells of its books.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Books {
    /// When the log was last looked at.
    pub at: Timestamp,
    /// The number of the last entry that was read.
    pub read: i64,
    /// The number of the last entry there was.
    pub last: i64,
    /// What the entries that were read come to.
    pub sums: Sums,
    /// What is wrong, the first of it. What is wrong with money or stock stays so; an order is stuck only until it
    /// ends.
    pub breach: Option<Breach>,
}

/// What has to be done after an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// Enter the next one.
    GoOn,
    /// Entries before it are missing, which a commit that took long may have added by now: the ledger is empty
    /// again; enter all from the first on.
    StartOver,
}

/// The books of one service while they are kept.
#[derive(Debug, Clone)]
pub struct Ledger {
    of: Accounts,
    breach: Option<Breach>,
    /// Aggregates with missing entries, for which everything was read again once.
    missed: BTreeSet<String>,
}

#[derive(Debug, Clone)]
enum Accounts {
    Orders(Orders),
    Money(Money),
    Stock(Stock),
}

#[derive(Debug, Clone, Default)]
struct Orders {
    taken: u64,
    live: BTreeMap<String, Live>,
}

#[derive(Debug, Clone, Default)]
struct Money {
    /// Revision and balance by customer.
    accounts: BTreeMap<String, (u64, i64)>,
    topped_up: i128,
    balances: i128,
    charged: i128,
}

#[derive(Debug, Clone, Default)]
struct Stock {
    /// Revision and stock by item.
    items: BTreeMap<String, (u64, i64)>,
    units: i128,
}

/// An order that has not ended.
#[derive(Debug, Clone, Copy)]
struct Live {
    is_paid: bool,
    since: Timestamp,
}

/// What is wrong with an entry.
enum Wrong {
    Missing(String),
    Breach(BreachKind, String),
}

impl Ledger {
    /// The empty books of one service.
    #[must_use]
    pub fn of(source: Source) -> Self {
        Self { of: Accounts::empty(source), breach: None, missed: BTreeSet::new() }
    }

    /// Enters the next event of the log.
    pub fn enter(&mut self, event: &str) -> Then {
        let Ok(entry) = serde_json::from_str::<Entry<'_>>(event) else {
            let id = event.chars().take(MAX_ID_CHARS).collect();
            self.note(BreachKind::Unreadable, id, Timestamp::default());
            return Then::GoOn;
        };
        match self.of.enter(&entry) {
            Ok(()) => Then::GoOn,
            Err(Wrong::Breach(kind, id)) => {
                self.note(kind, id, entry.time);
                Then::GoOn
            }
            Err(Wrong::Missing(id)) if self.missed.len() >= MISSED || self.missed.contains(&id) => {
                self.note(BreachKind::Missing, id, entry.time);
                Then::GoOn
            }
            Err(Wrong::Missing(id)) => {
                self.missed.insert(id);
                self.of = Accounts::empty(self.of.source());
                self.breach = None;
                Then::StartOver
            }
        }
    }

    /// What the entries come to `now`: the last one read had the number `read`, of `last`.
    #[must_use]
    pub fn books(&self, now: Timestamp, read: i64, last: i64) -> Books {
        let (sums, stuck) = match &self.of {
            Accounts::Orders(orders) => orders.told(now),
            Accounts::Money(money) => (money.told(), None),
            Accounts::Stock(stock) => (stock.told(), None),
        };
        Books { at: now, read, last, sums, breach: self.breach.clone().or(stuck) }
    }

    /// Only the first breach is kept: what comes after it may follow from it.
    fn note(&mut self, kind: BreachKind, id: String, at: Timestamp) {
        self.breach.get_or_insert(Breach { kind, id, at });
    }
}

impl Accounts {
    fn empty(source: Source) -> Self {
        match source {
            Source::Order => Self::Orders(Orders::default()),
            Source::Deposit => Self::Money(Money::default()),
            Source::Item => Self::Stock(Stock::default()),
        }
    }

    const fn source(&self) -> Source {
        match self {
            Self::Orders(_) => Source::Order,
            Self::Money(_) => Source::Deposit,
            Self::Stock(_) => Source::Item,
        }
    }

    /// An entry of a kind that this version does not know is left out: should it have changed what is counted here, its
    /// successor shows that.
    fn enter(&mut self, entry: &Entry<'_>) -> Result<(), Wrong> {
        let Some(kind) = kind_of(&entry.kind) else { return Ok(()) };
        match (self, kind) {
            (Self::Orders(orders), EventKind::Order(kind)) => {
                orders.enter(kind, entry);
                Ok(())
            }
            (Self::Money(money), EventKind::Deposit(kind)) => money.enter(kind, entry),
            (Self::Stock(stock), EventKind::Item(kind)) => stock.enter(kind, entry),
            (Self::Orders(_) | Self::Money(_) | Self::Stock(_), _) => {
                Err(Wrong::Breach(BreachKind::Unreadable, entry.subject.to_string()))
            }
        }
    }
}

impl Orders {
    fn enter(&mut self, kind: OrderKind, entry: &Entry<'_>) {
        let id = entry.subject.as_ref();
        match kind {
            OrderKind::Paying => {
                self.taken += 1;
                self.live.insert(id.to_owned(), Live { is_paid: false, since: entry.time });
            }
            OrderKind::Placed => {
                self.live.insert(id.to_owned(), Live { is_paid: true, since: entry.time });
            }
            // It was refused without ever having been paying.
            OrderKind::Rejected if entry.revision == 1 => self.taken += 1,
            OrderKind::Delivering | OrderKind::Rejected | OrderKind::Cancelled => {
                self.live.remove(id);
            }
            // It goes on waiting for what it waits for, or had ended.
            OrderKind::CancelRequested | OrderKind::Noted => {}
        }
    }

    /// The sums, and the order that is stuck for longest.
    fn told(&self, now: Timestamp) -> (Sums, Option<Breach>) {
        let stuck = || self.live.iter().filter(|(_, order)| order.is_stuck(now));
        let breach = stuck().min_by_key(|(_, order)| order.since).map(|(id, order)| Breach {
            kind: if order.is_paid { BreachKind::StuckPlaced } else { BreachKind::StuckPaying },
            id: id.clone(),
            at: order.since,
        });
        let (live, stuck) = (self.live.len() as u64, stuck().count() as u64);
        (Sums::Orders { orders: self.taken, live, stuck }, breach)
    }
}

impl Live {
    fn is_stuck(&self, now: Timestamp) -> bool {
        now.since(self.since) > if self.is_paid { STUCK_PLACED } else { STUCK_PAYING }
    }
}

impl Money {
    fn enter(&mut self, kind: DepositKind, entry: &Entry<'_>) -> Result<(), Wrong> {
        let Some(account) = &entry.data.account else { return Ok(()) };
        let customer = || account.customer.to_string();
        let amount = entry.data.payment.as_ref().map_or(0, |payment| i128::from(payment.amount));
        let last = self.accounts.insert(customer(), (account.revision, account.balance));
        let (revision, before) = last.unwrap_or_default();
        let change = i128::from(account.balance) - i128::from(before);
        self.balances += change;
        let is_expected = match kind {
            DepositKind::ToppedUp => {
                self.topped_up += change;
                change >= 0
            }
            DepositKind::Paid => {
                self.charged += amount;
                change == -amount
            }
            DepositKind::Refunded => {
                self.charged -= amount;
                change == amount
            }
            // They leave the account as it was, if they carry it.
            DepositKind::Declined | DepositKind::Voided => change == 0,
        };
        if account.revision != revision + 1 {
            return Err(Wrong::Missing(customer()));
        }
        if account.balance < 0 {
            return Err(Wrong::Breach(BreachKind::Overdrawn, customer()));
        }
        if is_expected && self.topped_up == self.balances + self.charged {
            return Ok(());
        }
        Err(Wrong::Breach(BreachKind::Unbalanced, entry.subject.to_string()))
    }

    fn told(&self) -> Sums {
        let [topped_up, balances, charged] = [self.topped_up, self.balances, self.charged].map(won);
        Sums::Money { topped_up, balances, charged }
    }
}

impl Stock {
    fn enter(&mut self, kind: ItemKind, entry: &Entry<'_>) -> Result<(), Wrong> {
        let Some(item) = &entry.data.item else { return Ok(()) };
        let id = || item.item_id.to_string();
        let last = self.items.insert(id(), (item.revision, item.stock));
        let (revision, before) = last.unwrap_or_default();
        let change = i128::from(item.stock) - i128::from(before);
        self.units += change;
        let is_next = item.revision == revision + 1;
        if !is_next && item.revision != revision {
            return Err(Wrong::Missing(id()));
        }
        if item.stock < 0 {
            return Err(Wrong::Breach(BreachKind::NegativeStock, id()));
        }
        let is_same = !is_next && change == 0;
        let of_an_order = 1..=i128::from(MAX_QTY);
        let is_expected = match kind {
            ItemKind::Listed => is_next && change == 0,
            ItemKind::Restocked => is_next && change >= 0,
            ItemKind::DeliveryStarted => is_next && of_an_order.contains(&-change),
            // Units that were never taken are not put back.
            ItemKind::DeliveryCancelled => is_same || (is_next && of_an_order.contains(&change)),
            ItemKind::SoldOut => is_same,
        };
        if is_expected { Ok(()) } else { Err(Wrong::Breach(BreachKind::StockChanged, id())) }
    }

    fn told(&self) -> Sums {
        let units = u64::try_from(self.units).unwrap_or(0);
        Sums::Stock { items: self.items.len() as u64, units }
    }
}

/// A sum as it is told. Sums of real money fit; others stop at the end.
fn won(sum: i128) -> Won {
    Won(i64::try_from(sum).unwrap_or(if sum < 0 { i64::MIN } else { i64::MAX }))
}

/// The parts of an event that the books need, read without the rest of it. Numbers are read with a sign, so that
/// one below zero is found and not merely unreadable.
#[derive(Deserialize)]
struct Entry<'a> {
    #[serde(rename = "type", borrow)]
    kind: Cow<'a, str>,
    #[serde(borrow)]
    subject: Cow<'a, str>,
    time: Timestamp,
    revision: u64,
    #[serde(borrow)]
    data: Carried<'a>,
}

#[derive(Deserialize)]
struct Carried<'a> {
    #[serde(default)]
    payment: Option<CarriedPayment>,
    #[serde(default, borrow)]
    account: Option<CarriedAccount<'a>>,
    #[serde(default, borrow)]
    item: Option<CarriedItem<'a>>,
}

#[derive(Deserialize)]
struct CarriedPayment {
    amount: i64,
}

#[derive(Deserialize)]
struct CarriedAccount<'a> {
    #[serde(borrow)]
    customer: Cow<'a, str>,
    balance: i64,
    revision: u64,
}

#[derive(Deserialize)]
struct CarriedItem<'a> {
    #[serde(borrow)]
    item_id: Cow<'a, str>,
    stock: i64,
    revision: u64,
}
