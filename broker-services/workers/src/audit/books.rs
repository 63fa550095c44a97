//! Each store against itself: money and units, entry by entry in the order of the log, and added up.

use std::collections::BTreeMap;

use super::report::{AuditError, Finding, Findings, Promise};
use super::shapes::{Account, Delivery, Event, Item, Payment, Restock, TopUp, quote, read};
use super::tables::{Entry, State, Tables};

/// What the log has told of one account or item.
#[derive(Debug, Default)]
struct Book {
    /// The balance, or the stock.
    now: i64,
    revision: i64,
    /// What its top-ups or restocks add up to, as the log has them.
    added: i128,
}

/// What the stored states say of one account or item.
#[derive(Debug, Default)]
struct Sums {
    /// Top-ups, or restocks.
    added: i128,
    /// Charges that were not refunded, or units on their way.
    out: i128,
}

/// An account or an item, as an entry carries it after it.
struct After {
    id: String,
    now: i64,
    revision: i64,
}

/// What an entry must do to it.
enum Change {
    /// By exactly this much, as its next transition.
    By(i64),
    /// It grows, as its next transition.
    Grows,
    /// Its next transition does not touch it.
    Nothing,
    /// No transition: it is carried along as it is.
    None,
}

/// The words for one kind of books.
struct Words {
    promise: Promise,
    of: &'static str,
    /// What `now` is of it.
    now: &'static str,
}

const MONEY: Words = Words { promise: Promise::P2, of: "account", now: "balance" };
const UNITS: Words = Words { promise: Promise::P4, of: "item", now: "stock" };

impl Words {
    fn finding(&self, id: &str, message: impl Into<String>) -> Finding {
        Finding::new(self.promise, self.of, id, message)
    }
}

/// Deposit's store.
pub(super) fn deposit(store: &Tables, findings: &mut Findings<'_>) -> Result<(), AuditError> {
    let mut books = BTreeMap::new();
    for entry in store.log() {
        let entry = entry?;
        findings.report.events += 1;
        match money(&entry) {
            Ok(Some((after, change))) => post(&MONEY, &mut books, &entry, &after, &change, findings),
            Ok(None) => {}
            Err(why) => findings.violated(&unreadable(&entry, &why)),
        }
    }
    let mut sums: BTreeMap<String, Sums> = BTreeMap::new();
    for state in store.states("topup") {
        let state = state?;
        match read::<TopUp>(&state.body) {
            Ok(top_up) if top_up.account.customer == top_up.customer => {
                sums.entry(top_up.customer).or_default().added += i128::from(top_up.amount);
            }
            Ok(top_up) => findings.violated(&Finding::new(
                Promise::P2,
                "topup",
                &state.id,
                format!("it is for {} and went to {}", top_up.customer, top_up.account.customer),
            )),
            Err(why) => findings.violated(&Finding::new(Promise::P5, "topup", &state.id, why)),
        }
    }
    for state in store.states("payment") {
        let state = state?;
        findings.report.payments += 1;
        // One that cannot be read is found where the orders are looked at.
        if let Ok(payment) = read::<Payment>(&state.body)
            && payment.status == "paid"
        {
            sums.entry(payment.customer).or_default().out += i128::from(payment.amount);
        }
    }
    for state in store.states("account") {
        let state = state?;
        findings.report.accounts += 1;
        let account = read::<Account>(&state.body).map(|account| After {
            id: account.customer,
            now: account.balance,
            revision: account.revision,
        });
        close(&MONEY, &state, account, &mut books, &mut sums, findings);
    }
    left_over(&MONEY, &books, &sums, findings);
    Ok(())
}

/// Item's store.
pub(super) fn item(store: &Tables, findings: &mut Findings<'_>) -> Result<(), AuditError> {
    let mut books = BTreeMap::new();
    for entry in store.log() {
        let entry = entry?;
        findings.report.events += 1;
        let delivery = match entry.kind.as_str() {
            "delivery" => store.state("delivery", &entry.aggregate_id)?,
            _ => None,
        };
        match units(&entry, delivery.as_ref()) {
            Ok(Some((after, change))) => post(&UNITS, &mut books, &entry, &after, &change, findings),
            Ok(None) => {}
            Err(why) => findings.violated(&unreadable(&entry, &why)),
        }
    }
    let mut sums: BTreeMap<String, Sums> = BTreeMap::new();
    for state in store.states("restock") {
        let state = state?;
        match read::<Restock>(&state.body) {
            Ok(restock) => {
                sums.entry(restock.item.item_id).or_default().added += i128::from(restock.qty);
            }
            Err(why) => findings.violated(&Finding::new(Promise::P5, "restock", &state.id, why)),
        }
    }
    for state in store.states("delivery") {
        let state = state?;
        findings.report.deliveries += 1;
        if let Ok(delivery) = read::<Delivery>(&state.body)
            && delivery.status == "started"
        {
            sums.entry(delivery.item_id).or_default().out += i128::from(delivery.qty);
        }
    }
    for state in store.states("item") {
        let state = state?;
        findings.report.items += 1;
        let item = read::<Item>(&state.body).map(|item| After {
            id: item.item_id,
            now: item.stock,
            revision: item.revision,
        });
        close(&UNITS, &state, item, &mut books, &mut sums, findings);
    }
    left_over(&UNITS, &books, &sums, findings);
    Ok(())
}

fn unreadable(entry: &Entry, why: &str) -> Finding {
    let of = match entry.kind.as_str() {
        "payment" => "payment",
        "account" => "account",
        "delivery" => "delivery",
        "item" => "item",
        _ => "order",
    };
    let Entry { seq, what, aggregate_id, .. } = entry;
    Finding::new(Promise::P5, of, aggregate_id, format!("entry {seq} of the log, '{}': {why}", quote(what)))
}

/// What an entry of Deposit's log does to which account.
fn money(entry: &Entry) -> Result<Option<(After, Change)>, String> {
    let event: Event<'_> = read(&entry.body)?;
    let amount = match event.data.payment {
        Some(payment) => read::<Payment>(payment.get())?.amount,
        None => 0,
    };
    let change = match entry.what.as_str() {
        "deposit.paid" => Change::By(-amount),
        "deposit.refunded" => Change::By(amount),
        "deposit.topped_up" => Change::Grows,
        "deposit.declined" | "deposit.voided" => return Ok(None),
        other => return Err(format!("Deposit tells no '{}'", quote(other))),
    };
    let account = event.data.account.ok_or("it carries no account")?;
    let account: Account = read(account.get())?;
    let after = After { id: account.customer, now: account.balance, revision: account.revision };
    Ok(Some((after, change)))
}

/// What an entry of Item's log does to which item.
fn units(entry: &Entry, delivery: Option<&State>) -> Result<Option<(After, Change)>, String> {
    let event: Event<'_> = read(&entry.body)?;
    let qty = || -> Result<i64, String> {
        let delivery = delivery.ok_or("there is no such delivery")?;
        Ok(read::<Delivery>(&delivery.body)?.qty)
    };
    let change = match (entry.what.as_str(), entry.revision) {
        ("item.listed", _) => Change::Nothing,
        ("item.restocked", _) => Change::Grows,
        ("item.delivery_started", _) => Change::By(-qty()?),
        // A cancel that overtook its order: nothing had been taken.
        ("item.delivery_cancelled", 1) | ("item.sold_out", _) => Change::None,
        ("item.delivery_cancelled", _) => Change::By(qty()?),
        (other, _) => return Err(format!("Item tells no '{}'", quote(other))),
    };
    let Some(item) = event.data.item else {
        return match change {
            Change::None => Ok(None),
            Change::By(_) | Change::Grows | Change::Nothing => Err("it carries no item".to_owned()),
        };
    };
    let item: Item = read(item.get())?;
    Ok(Some((After { id: item.item_id, now: item.stock, revision: item.revision }, change)))
}

/// Enters one entry, and says what is wrong with it.
fn post(
    words: &Words,
    books: &mut BTreeMap<String, Book>,
    entry: &Entry,
    after: &After,
    change: &Change,
    findings: &mut Findings<'_>,
) {
    let book = books.entry(after.id.clone()).or_default();
    let next = match change {
        Change::None => book.revision,
        Change::By(_) | Change::Grows | Change::Nothing => book.revision + 1,
    };
    let told = format!("entry {} of the log, '{}' of {}", entry.seq, entry.what, entry.aggregate_id);
    if after.revision != next {
        let message = format!(
            "{told}, has it at revision {} where {next} must follow: an entry is missing, or there twice",
            after.revision
        );
        findings.violated(&Finding::new(Promise::P5, words.of, &after.id, message));
    } else {
        let is_right = match change {
            Change::By(by) => book.now.checked_add(*by) == Some(after.now),
            Change::Grows => after.now > book.now,
            Change::Nothing | Change::None => after.now == book.now,
        };
        if !is_right {
            let by = match change {
                Change::By(by) => format!(", which does not differ by {by}"),
                Change::Grows => ", which is no more".to_owned(),
                Change::Nothing | Change::None => ", which must be the same".to_owned(),
            };
            let message = format!("{told}, takes its {} from {} to {}{by}", words.now, book.now, after.now);
            findings.violated(&words.finding(&after.id, message));
        }
    }
    if after.now < 0 {
        findings
            .violated(&words.finding(&after.id, format!("{told}, leaves a {} of {}", words.now, after.now)));
    }
    if matches!(change, Change::Grows) {
        book.added += i128::from(after.now) - i128::from(book.now);
    }
    (book.now, book.revision) = (after.now, after.revision);
}

/// Compares a stored account or item with what the log tells of it, and with the sums.
fn close(
    words: &Words,
    state: &State,
    stored: Result<After, String>,
    books: &mut BTreeMap<String, Book>,
    sums: &mut BTreeMap<String, Sums>,
    findings: &mut Findings<'_>,
) {
    let (book, sum) = (books.remove(&state.id), sums.remove(&state.id).unwrap_or_default());
    let stored = match stored {
        Ok(stored) if stored.id == state.id => stored,
        Ok(stored) => {
            return findings.violated(&words.finding(&state.id, format!("it calls itself {}", stored.id)));
        }
        Err(why) => return findings.violated(&Finding::new(Promise::P5, words.of, &state.id, why)),
    };
    let mut wrong = |message: String| findings.violated(&words.finding(&state.id, message));
    if stored.now < 0 {
        wrong(format!("its {} is {}", words.now, stored.now));
    }
    let due = sum.added - sum.out;
    if i128::from(stored.now) != due {
        wrong(format!(
            "its {} is {}, but {} were added and {} are out, which leaves {due}",
            words.now, stored.now, sum.added, sum.out
        ));
    }
    match book {
        None => wrong("no entry of the log tells of it".to_owned()),
        Some(book) => {
            if (book.now, book.revision) != (stored.now, stored.revision) {
                wrong(format!(
                    "its {} is {} at revision {}, but the log leaves {} at revision {}",
                    words.now, stored.now, stored.revision, book.now, book.revision
                ));
            }
            if book.added != sum.added {
                wrong(format!("its log adds {}, but what is recorded adds {}", book.added, sum.added));
            }
        }
    }
    if state.revision != stored.revision {
        let message = format!("it is stored at revision {}, and says {}", state.revision, stored.revision);
        findings.violated(&Finding::new(Promise::P5, words.of, &state.id, message));
    }
}

/// What is told or added up of accounts or items that are not there.
fn left_over(
    words: &Words,
    books: &BTreeMap<String, Book>,
    sums: &BTreeMap<String, Sums>,
    findings: &mut Findings<'_>,
) {
    for (id, book) in books {
        let message = format!("it is not stored; the log leaves it a {} of {}", words.now, book.now);
        findings.violated(&Finding::new(Promise::P5, words.of, id, message));
    }
    for (id, sum) in sums.iter().filter(|(id, _)| !books.contains_key(*id)) {
        let message = format!("it is not there, but {} were added and {} are out", sum.added, sum.out);
        findings.violated(&words.finding(id, message));
    }
}
