//! The books: what a service's own event log says of what the [`ledger`](crate::ledger) states, kept up entry by entry.
//!
//! [`LiveBooks`] are handed every entry of one log in the order of the log, [`LiveBooks::enter`], and tell at any time
//! what they come to. They share no rule with the services: they look only at what those wrote.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::events::{DepositKind, EventKind, ItemKind, OrderKind, Source, kind_of};
use crate::ids::MAX_ID_CHARS;
use crate::ledger::{ENDS_WITHIN, Effect, Ledger, PAID_WITHIN, Posting, Violation, follows, is_stuck};
use crate::money::Won;
use crate::objects::MAX_QTY;
use crate::time::Timestamp;
use crate::words::words;

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
    /// Entries before it are missing, which a commit that took long may have added by now: the books are empty again;
    /// enter all from the first on.
    StartOver,
}

/// The books of one service while they are kept.
#[derive(Debug, Clone)]
pub struct LiveBooks {
    source: Source,
    of: Accounts,
    breach: Option<Breach>,
    /// Aggregates with missing entries, for which everything was read again once.
    missed: BTreeSet<String>,
}

#[derive(Debug, Clone)]
enum Accounts {
    Orders(Orders),
    Money(Ledger),
    Stock(Ledger),
}

#[derive(Debug, Clone, Default)]
struct Orders {
    taken: u64,
    live: BTreeMap<String, Live>,
}

/// An order that has not ended.
#[derive(Debug, Clone, Copy)]
struct Live {
    is_paid: bool,
    since: Timestamp,
}

impl LiveBooks {
    /// The empty books of one service.
    #[must_use]
    pub fn of(source: Source) -> Self {
        Self { source, of: Accounts::empty(source), breach: None, missed: BTreeSet::new() }
    }

    /// Enters the next event of the log.
    pub fn enter(&mut self, event: &str) -> Then {
        let Ok(entry) = serde_json::from_str::<Entry<'_>>(event) else {
            let id = event.chars().take(MAX_ID_CHARS).collect();
            self.note(BreachKind::Unreadable, id, Timestamp::default());
            return Then::GoOn;
        };
        let Err((kind, id)) = self.of.enter(&entry) else { return Then::GoOn };
        if kind == BreachKind::Missing && self.missed.len() < MISSED && self.missed.insert(id.to_owned()) {
            self.of = Accounts::empty(self.source);
            self.breach = None;
            return Then::StartOver;
        }
        self.note(kind, id.to_owned(), entry.time);
        Then::GoOn
    }

    /// What the entries come to `now`: the last one read had the number `read`, of `last`.
    #[must_use]
    pub fn books(&self, now: Timestamp, read: i64, last: i64) -> Books {
        let (sums, stuck) = match &self.of {
            Accounts::Orders(orders) => orders.told(now),
            Accounts::Money(ledger) => {
                let [topped_up, balances, charged] =
                    [ledger.totals.added, ledger.totals.there, ledger.totals.out].map(won);
                (Sums::Money { topped_up, balances, charged }, None)
            }
            Accounts::Stock(ledger) => {
                let units = u64::try_from(ledger.totals.there).unwrap_or(0);
                (Sums::Stock { items: ledger.books.len() as u64, units }, None)
            }
        };
        Books { at: now, read, last, sums, breach: self.breach.clone().or(stuck) }
    }

    /// Only the first breach is kept: what comes after it may follow from it.
    fn note(&mut self, kind: BreachKind, id: String, at: Timestamp) {
        self.breach.get_or_insert(Breach { kind, id, at });
    }
}

/// What is wrong with an entry, and which order, customer or item it was noticed at.
type Wrong<'a> = (BreachKind, &'a str);

impl Accounts {
    fn empty(source: Source) -> Self {
        match source {
            Source::Order => Self::Orders(Orders::default()),
            Source::Deposit => Self::Money(Ledger::default()),
            Source::Item => Self::Stock(Ledger::default()),
        }
    }

    /// An entry of a kind that this version does not know is left out: should it have changed what is counted here, its
    /// successor shows that.
    fn enter<'a>(&mut self, entry: &'a Entry<'_>) -> Result<(), Wrong<'a>> {
        let Some(kind) = kind_of(&entry.kind) else { return Ok(()) };
        match (self, kind) {
            (Self::Orders(orders), EventKind::Order(kind)) => {
                orders.enter(kind, entry);
                Ok(())
            }
            (Self::Money(ledger), EventKind::Deposit(kind)) => post_account(ledger, kind, entry),
            (Self::Stock(ledger), EventKind::Item(kind)) => post_item(ledger, kind, entry),
            (Self::Orders(_) | Self::Money(_) | Self::Stock(_), _) => {
                Err((BreachKind::Unreadable, &entry.subject))
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
            // It goes on waiting for what it waits for, had ended, or never was.
            OrderKind::CancelRequested | OrderKind::Noted | OrderKind::Disowned => {}
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
        is_stuck(self.since, if self.is_paid { ENDS_WITHIN } else { PAID_WITHIN }, now)
    }
}

fn post_account<'a>(ledger: &mut Ledger, kind: DepositKind, entry: &'a Entry<'_>) -> Result<(), Wrong<'a>> {
    let Some(CarriedAccount { customer, balance, revision }) = &entry.data.account else { return Ok(()) };
    let effect = Effect::on_account(kind);
    let by = match (effect, &entry.data.payment) {
        // It carries the account after it, and not by how much it was topped up.
        (Effect::Adds, _) => 0..=i64::MAX,
        (_, payment) => {
            let amount = payment.as_ref().map_or(0, |payment| payment.amount);
            amount..=amount
        }
    };
    let found = ledger.post(customer, &Posting { effect, by, now: *balance, revision: *revision });
    match found.into_iter().min() {
        Some(Violation::Revision { .. }) => Err((BreachKind::Missing, customer)),
        Some(Violation::Negative { .. }) => Err((BreachKind::Overdrawn, customer)),
        None if ledger.totals.are_balanced() => Ok(()),
        Some(Violation::Amount { .. }) | None => Err((BreachKind::Unbalanced, &entry.subject)),
    }
}

fn post_item<'a>(ledger: &mut Ledger, kind: ItemKind, entry: &'a Entry<'_>) -> Result<(), Wrong<'a>> {
    let Some(CarriedItem { item_id, stock, revision }) = &entry.data.item else { return Ok(()) };
    let effect = Effect::on_item(kind, entry.revision);
    let by = match effect {
        Effect::Adds => 0..=i64::MAX,
        // It carries the item, and not how much of it was ordered.
        Effect::Takes | Effect::PutsBack | Effect::Keeps | Effect::Carries => 1..=i64::from(MAX_QTY),
    };
    let found = ledger.post(item_id, &Posting { effect, by, now: *stock, revision: *revision });
    let kind = match found.into_iter().min() {
        None => return Ok(()),
        // With the last revision or the next one nothing is missing before it.
        Some(Violation::Revision { last, found, .. }) if found == last || follows(last, found).is_ok() => {
            BreachKind::StockChanged
        }
        Some(Violation::Revision { .. }) => BreachKind::Missing,
        Some(Violation::Negative { .. }) => BreachKind::NegativeStock,
        Some(Violation::Amount { .. }) => BreachKind::StockChanged,
    };
    Err((kind, item_id))
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
    revision: i64,
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
    revision: i64,
}

#[derive(Deserialize)]
struct CarriedItem<'a> {
    #[serde(borrow)]
    item_id: Cow<'a, str>,
    stock: i64,
    revision: i64,
}
