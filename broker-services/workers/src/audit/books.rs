//! Each store against itself: money and units, entry by entry in the order of the log, and added up.
//!
//! What an entry has to do is the domain's [`ledger`](skstore_domain::ledger); how it is read and what is said of it
//! is the audit's own.

use std::collections::BTreeMap;

use skstore_domain::events::{DepositKind, ItemKind};
use skstore_domain::ledger::{Book, Effect, Ledger, Posting, Totals, Violation, is_covered};

use super::report::{AuditError, Finding, Findings, Promise};
use super::shapes::{Account, Delivery, Event, Item, Payment, Restock, TopUp, quote, read};
use super::tables::{Entry, State, Tables};

/// An account or an item as it is stored.
struct Stored {
    id: String,
    now: i64,
    revision: i64,
}

/// What an entry carries, and what the ledger is to make of it.
type Carried = Option<(String, Posting)>;

/// The books of one store, and the words for them.
struct Books<'a, 'f> {
    promise: Promise,
    of: &'static str,
    /// What there is of it.
    now: &'static str,
    /// What the log tells.
    ledger: Ledger,
    /// What the stored states of other kinds come to, by account or item.
    recorded: BTreeMap<String, Totals>,
    findings: &'a mut Findings<'f>,
}

/// Deposit's store.
pub(super) fn deposit(store: &Tables, findings: &mut Findings<'_>) -> Result<(), AuditError> {
    let mut books = Books::of(Promise::P2, "account", "balance", findings);
    for entry in store.log() {
        let entry = entry?;
        books.post(&entry, money(&entry));
    }
    for state in store.states("topup") {
        let state = state?;
        match read::<TopUp>(&state.body) {
            Ok(top_up) if top_up.account.customer == top_up.customer => {
                books.recorded.entry(top_up.customer).or_default().added += i128::from(top_up.amount);
            }
            Ok(TopUp { customer, account, .. }) => {
                let message = format!("it is for {customer} and went to {}", account.customer);
                books.violated(Promise::P2, "topup", &state.id, message);
            }
            Err(why) => books.violated(Promise::P5, "topup", &state.id, why),
        }
    }
    for state in store.states("payment") {
        books.findings.report.payments += 1;
        // One that cannot be read is found where the orders are looked at.
        if let Ok(payment) = read::<Payment>(&state?.body)
            && payment.status == "paid"
        {
            books.recorded.entry(payment.customer).or_default().out += i128::from(payment.amount);
        }
    }
    for state in store.states("account") {
        let state = state?;
        books.findings.report.accounts += 1;
        let stored = read(&state.body).map(|Account { customer, balance, revision }| Stored {
            id: customer,
            now: balance,
            revision,
        });
        books.close(&state, stored);
    }
    books.left_over();
    Ok(())
}

/// Item's store.
pub(super) fn item(store: &Tables, findings: &mut Findings<'_>) -> Result<(), AuditError> {
    let mut books = Books::of(Promise::P4, "item", "stock", findings);
    for entry in store.log() {
        let entry = entry?;
        let delivery = match entry.kind.as_str() {
            "delivery" => store.state("delivery", &entry.aggregate_id)?,
            _ => None,
        };
        books.post(&entry, units(&entry, delivery.as_ref()));
    }
    for state in store.states("restock") {
        let state = state?;
        match read::<Restock>(&state.body) {
            Ok(restock) => {
                books.recorded.entry(restock.item.item_id).or_default().added += i128::from(restock.qty);
            }
            Err(why) => books.violated(Promise::P5, "restock", &state.id, why),
        }
    }
    for state in store.states("delivery") {
        books.findings.report.deliveries += 1;
        if let Ok(delivery) = read::<Delivery>(&state?.body)
            && delivery.status == "started"
        {
            books.recorded.entry(delivery.item_id).or_default().out += i128::from(delivery.qty);
        }
    }
    for state in store.states("item") {
        let state = state?;
        books.findings.report.items += 1;
        let stored = read(&state.body).map(|Item { item_id, stock, revision }| Stored {
            id: item_id,
            now: stock,
            revision,
        });
        books.close(&state, stored);
    }
    books.left_over();
    Ok(())
}

/// What an entry of Deposit's log does to which account.
fn money(entry: &Entry) -> Result<Carried, String> {
    let event: Event<'_> = read(&entry.body)?;
    let amount = match event.data.payment {
        Some(payment) => read::<Payment>(payment.get())?.amount,
        None => 0,
    };
    let kind = DepositKind::from_word(&entry.what)
        .ok_or_else(|| format!("Deposit tells no '{}'", quote(&entry.what)))?;
    let effect = Effect::on_account(kind);
    let by = match effect {
        Effect::Adds => 1..=i64::MAX,
        Effect::Carries => return Ok(None),
        Effect::Takes | Effect::PutsBack | Effect::Keeps => amount..=amount,
    };
    let account = event.data.account.ok_or("it carries no account")?;
    let Account { customer, balance, revision } = read(account.get())?;
    Ok(Some((customer, Posting { effect, by, now: balance, revision })))
}

/// What an entry of Item's log does to which item.
fn units(entry: &Entry, delivery: Option<&State>) -> Result<Carried, String> {
    let event: Event<'_> = read(&entry.body)?;
    let kind =
        ItemKind::from_word(&entry.what).ok_or_else(|| format!("Item tells no '{}'", quote(&entry.what)))?;
    let effect = Effect::on_item(kind, entry.revision);
    let by = match effect {
        Effect::Adds => 1..=i64::MAX,
        Effect::Takes | Effect::PutsBack => {
            let delivery = delivery.ok_or("there is no such delivery")?;
            let qty = read::<Delivery>(&delivery.body)?.qty;
            qty..=qty
        }
        Effect::Keeps | Effect::Carries => 0..=0,
    };
    let Some(item) = event.data.item else {
        return if effect == Effect::Carries { Ok(None) } else { Err("it carries no item".to_owned()) };
    };
    let Item { item_id, stock, revision } = read(item.get())?;
    Ok(Some((item_id, Posting { effect, by, now: stock, revision })))
}

impl<'a, 'f> Books<'a, 'f> {
    fn of(promise: Promise, of: &'static str, now: &'static str, findings: &'a mut Findings<'f>) -> Self {
        Self { promise, of, now, ledger: Ledger::default(), recorded: BTreeMap::new(), findings }
    }

    fn violated(&mut self, promise: Promise, of: &'static str, id: &str, message: impl Into<String>) {
        self.findings.violated(&Finding::new(promise, of, id, message));
    }

    /// Enters one entry, and says what is wrong with it.
    fn post(&mut self, entry: &Entry, carried: Result<Carried, String>) {
        self.findings.report.events += 1;
        match carried {
            Ok(None) => {}
            Ok(Some((id, posting))) => {
                for violation in self.ledger.post(&id, &posting) {
                    self.post_violated(entry, &id, &posting, violation);
                }
            }
            Err(why) => {
                let of = match entry.kind.as_str() {
                    "payment" => "payment",
                    "account" => "account",
                    "delivery" => "delivery",
                    "item" => "item",
                    _ => "order",
                };
                let message = format!("entry {} of the log, '{}': {why}", entry.seq, quote(&entry.what));
                self.violated(Promise::P5, of, &entry.aggregate_id, message);
            }
        }
    }

    fn post_violated(&mut self, entry: &Entry, id: &str, posting: &Posting, violation: Violation) {
        let told = format!("entry {} of the log, '{}' of {}", entry.seq, entry.what, entry.aggregate_id);
        let what = self.now;
        let (promise, message) = match violation {
            Violation::Revision { due, found, .. } => (
                Promise::P5,
                format!(
                    "{told}, has it at revision {found} where {due} must follow: an entry is missing, or there twice"
                ),
            ),
            Violation::Amount { before, now } => {
                let by = match posting.effect {
                    Effect::Adds => ", which is no more".to_owned(),
                    Effect::Takes => {
                        format!(", which does not differ by {}", -i128::from(*posting.by.start()))
                    }
                    Effect::PutsBack => format!(", which does not differ by {}", posting.by.start()),
                    Effect::Keeps | Effect::Carries => ", which must be the same".to_owned(),
                };
                (self.promise, format!("{told}, takes its {what} from {before} to {now}{by}"))
            }
            Violation::Negative { now } => (self.promise, format!("{told}, leaves a {what} of {now}")),
        };
        self.violated(promise, self.of, id, message);
    }

    /// Compares a stored account or item with what the log tells of it, and with what is recorded beside it.
    fn close(&mut self, state: &State, stored: Result<Stored, String>) {
        let book = self.ledger.books.remove(&state.id);
        let recorded = self.recorded.remove(&state.id).unwrap_or_default();
        let wrong = match stored {
            Ok(stored) if stored.id == state.id => {
                let revision = (state.revision != stored.revision).then(|| {
                    format!("it is stored at revision {}, and says {}", state.revision, stored.revision)
                });
                let differences = self.differences(&stored, book, recorded).into_iter();
                differences
                    .map(|message| (self.promise, message))
                    .chain(revision.map(|message| (Promise::P5, message)))
                    .collect()
            }
            Ok(stored) => vec![(self.promise, format!("it calls itself {}", stored.id))],
            Err(why) => vec![(Promise::P5, why)],
        };
        wrong.into_iter().for_each(|(promise, message)| self.violated(promise, self.of, &state.id, message));
    }

    fn differences(&self, stored: &Stored, book: Option<Book>, recorded: Totals) -> Vec<String> {
        let (what, Stored { now, revision, .. }) = (self.now, stored);
        let totals = Totals { there: i128::from(*now), ..recorded };
        let Totals { added, out, .. } = totals;
        let below = is_covered(*now).is_err().then(|| format!("its {what} is {now}"));
        let unbalanced = (!totals.are_balanced()).then(|| {
            let due = totals.due();
            format!("its {what} is {now}, but {added} were added and {out} are out, which leaves {due}")
        });
        let Some(book) = book else {
            let untold = Some("no entry of the log tells of it".to_owned());
            return [below, unbalanced, untold].into_iter().flatten().collect();
        };
        let other = ((book.now, book.revision) != (*now, *revision)).then(|| {
            format!(
                "its {what} is {now} at revision {revision}, but the log leaves {} at revision {}",
                book.now, book.revision
            )
        });
        let other_sum = (book.added != added)
            .then(|| format!("its log adds {}, but what is recorded adds {added}", book.added));
        [below, unbalanced, other, other_sum].into_iter().flatten().collect()
    }

    /// Says what is told or recorded of accounts or items that are not there.
    fn left_over(self) {
        let Self { promise, of, now, ledger, recorded, findings } = self;
        for (id, book) in &ledger.books {
            let message = format!("it is not stored; the log leaves it a {now} of {}", book.now);
            findings.violated(&Finding::new(Promise::P5, of, id, message));
        }
        for (id, Totals { added, out, .. }) in recorded {
            if !ledger.books.contains_key(&id) {
                let message = format!("it is not there, but {added} were added and {out} are out");
                findings.violated(&Finding::new(promise, of, &id, message));
            }
        }
    }
}
