//! What a service's own log tells of an order, payment or delivery, against the state that is stored.

use skstore_domain::ledger::follows;

use super::report::{Finding, Findings, Promise};
use super::shapes::{Delivery, Event, Order, OrderRecord, Payment, Tombstone, quote, read, say_the_same};
use super::tables::{Entry, History, State};

/// What Order has under an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Known {
    Order(Box<Order>),
    /// It was never placed.
    Tombstone(Tombstone),
}

/// What Order's state says, and the object in it.
pub(super) fn known(state: &State) -> Result<(Known, &str), String> {
    Ok(match read::<OrderRecord<'_>>(&state.body)? {
        OrderRecord::Order(order) => (Known::Order(Box::new(read(order.get())?)), order.get()),
        OrderRecord::Tombstone(tombstone) => (Known::Tombstone(read(tombstone.get())?), tombstone.get()),
    })
}

/// One log and its state while they are held against each other.
struct Check<'a, 'f> {
    of: &'static str,
    /// What it breaks when log and state differ.
    promise: Promise,
    history: &'a History,
    findings: &'a mut Findings<'f>,
}

impl<'a, 'f> Check<'a, 'f> {
    /// Begins with the revisions: gaps in the log, and a state that is not where the log ends.
    fn of(of: &'static str, promise: Promise, history: &'a History, findings: &'a mut Findings<'f>) -> Self {
        let mut check = Self { of, promise, history, findings };
        let mut last = 0;
        for entry in &history.entries {
            if follows(last, entry.revision).is_err() {
                check.violated(
                    Promise::P5,
                    format!("its log goes from revision {last} to {}", entry.revision),
                );
            }
            last = entry.revision;
        }
        match &history.state {
            None => {
                check
                    .violated(Promise::P5, format!("its log tells of revision {last}, but it is not stored"));
            }
            Some(State { revision, .. }) if *revision != last => {
                let message = format!("it is stored at revision {revision}, but its log ends at {last}");
                check.violated(Promise::P5, message);
            }
            Some(_) => {}
        }
        check
    }

    fn violated(&mut self, promise: Promise, message: String) {
        self.findings.violated(&Finding::new(promise, self.of, &self.history.id, message));
    }

    fn is_wrong(&mut self, entry: &Entry, promise: Promise, why: &str) {
        self.violated(promise, format!("entry {} of the log, '{}': {why}", entry.seq, quote(&entry.what)));
    }

    /// What `read` makes of the state, if there is one that can be read.
    fn state<T>(&mut self, read: impl FnOnce(&'a State) -> Result<T, String>) -> Option<T> {
        read(self.history.state.as_ref()?).map_err(|why| self.violated(Promise::P5, why)).ok()
    }

    /// Holds what is `stored` against what the log told last. There is nothing to hold it against without a log.
    fn end(&mut self, is_told: bool, stored: &str, told: Option<&str>) {
        if !is_told && !self.history.entries.is_empty() {
            let told = quote(told.unwrap_or("nothing"));
            let message = format!("it is stored as {}, but its log ends with {told}", quote(stored));
            self.violated(self.promise, message);
        }
    }
}

pub(super) fn order(history: &History, findings: &mut Findings<'_>) -> Option<Known> {
    let mut check = Check::of("order", Promise::P5, history, findings);
    let (mut before, mut last) = (None, None);
    for entry in &history.entries {
        match told(entry) {
            Ok((now, text)) => {
                if let Err((promise, why)) = step(before.as_ref(), &now, &entry.what) {
                    check.is_wrong(entry, promise, &why);
                }
                (before, last) = (Some(now), text);
            }
            Err(why) => check.is_wrong(entry, Promise::P5, &why),
        }
    }
    let (known, text) = check.state(known)?;
    let is_told = match (&known, last) {
        (Known::Order(_), Some(last)) => say_the_same(last, text),
        (Known::Tombstone(_), last) => last.is_none(),
        (Known::Order(_), None) => false,
    };
    check.end(is_told, text, last);
    Some(known)
}

/// The order as an entry has it, and as it was written there.
fn told(entry: &Entry) -> Result<(Known, Option<&str>), String> {
    match object(entry, |event| event.data.order)? {
        Some(text) => Ok((Known::Order(Box::new(read(text)?)), Some(text))),
        None => Ok((Known::Tombstone(Tombstone { revision: entry.revision, disowned: None }), None)),
    }
}

/// Whether an order may go from `before` to `now` with the entry `what`.
fn step(before: Option<&Known>, now: &Known, what: &str) -> Result<(), (Promise, String)> {
    let Known::Order(now) = now else {
        return match (before, what) {
            (None, "order.noted") | (None | Some(Known::Tombstone(_)), "order.disowned") => Ok(()),
            _ => Err((Promise::P5, "it carries no order".to_owned())),
        };
    };
    if now.unit_price.checked_mul(now.qty) != Some(now.amount) {
        let message = format!("{} won for {} at {} won", now.amount, now.qty, now.unit_price);
        return Err((Promise::P1, message));
    }
    let from = match before {
        None => "nothing",
        Some(Known::Tombstone(_)) => "tombstone",
        Some(Known::Order(before)) => {
            let same = (&before.customer, &before.item_id, before.qty, before.amount)
                == (&now.customer, &now.item_id, now.qty, now.amount);
            if !same {
                return Err((Promise::P1, "its customer, item, quantity or amount is another".to_owned()));
            }
            before.status.as_str()
        }
    };
    let is_possible = matches!(
        (from, what, now.status.as_str()),
        ("nothing", "order.paying", "paying")
            | ("nothing" | "paying", "order.rejected", "rejected")
            | ("tombstone" | "paying" | "placed" | "delivering" | "rejected", "order.cancelled", "cancelled")
            | ("paying", "order.cancel_requested", "paying")
            | ("paying", "order.placed", "placed")
            | ("placed", "order.delivering", "delivering")
            | ("rejected" | "cancelled", "order.disowned", "cancelled")
            | ("cancelled", "order.noted", "cancelled")
            | ("rejected", "order.noted", "rejected")
    );
    if is_possible {
        return Ok(());
    }
    let promise = if matches!(from, "cancelled" | "rejected") { Promise::P9 } else { Promise::P5 };
    Err((promise, format!("it goes from {from} to {}", quote(&now.status))))
}

pub(super) fn payment(history: &History, findings: &mut Findings<'_>) -> Option<Payment> {
    let mut check = Check::of("payment", Promise::P2, history, findings);
    let (mut status, mut last) = ("none", None);
    for entry in &history.entries {
        let (next, wrong) = match (status, entry.what.as_str()) {
            ("none", "deposit.paid") => ("paid", None),
            ("none", "deposit.declined") => ("declined", None),
            // Its order ended without having heard that it was declined.
            ("none" | "declined", "deposit.voided") => ("voided", None),
            ("paid", "deposit.refunded") => ("refunded", None),
            (_, "deposit.paid") => ("paid", Some((Promise::P1, "it is charged a second time"))),
            ("refunded", "deposit.refunded") => {
                ("refunded", Some((Promise::P3, "it is refunded a second time")))
            }
            (_, "deposit.refunded") => ("refunded", Some((Promise::P3, "it was never charged"))),
            (status, _) => (status, Some((Promise::P3, "this cannot follow"))),
        };
        if let Some((promise, why)) = wrong {
            check.is_wrong(entry, promise, why);
        }
        status = next;
        match object(entry, |event| event.data.payment) {
            Ok(text) => last = text,
            Err(why) => check.is_wrong(entry, Promise::P5, &why),
        }
    }
    let (payment, text) = check.state(|state| Ok((read::<Payment>(&state.body)?, &state.body)))?;
    let is_told = last.is_some_and(|last| say_the_same(last, text)) && payment.status == status;
    check.end(is_told, text, last);
    Some(payment)
}

pub(super) fn delivery(history: &History, findings: &mut Findings<'_>) -> Option<Delivery> {
    let mut check = Check::of("delivery", Promise::P4, history, findings);
    let mut status = "none";
    for entry in &history.entries {
        let (next, wrong) = match (status, entry.what.as_str()) {
            ("none", "item.delivery_started") => ("started", None),
            ("none", "item.sold_out") => ("sold_out", None),
            ("none" | "started", "item.delivery_cancelled") => ("cancelled", None),
            (_, "item.delivery_started") => ("started", Some("its units are taken a second time")),
            (_, "item.delivery_cancelled") => ("cancelled", Some("its units are given back a second time")),
            (status, _) => (status, Some("this cannot follow")),
        };
        if let Some(why) = wrong {
            check.is_wrong(entry, Promise::P4, why);
        }
        status = next;
    }
    let (delivery, text) = check.state(|state| Ok((read::<Delivery>(&state.body)?, &state.body)))?;
    check.end(delivery.status == status, text, Some(status));
    Some(delivery)
}

/// The object of `entry` that `pick` takes, as it was written.
fn object<'a>(
    entry: &'a Entry,
    pick: impl FnOnce(Event<'a>) -> Option<&'a serde_json::value::RawValue>,
) -> Result<Option<&'a str>, String> {
    let event: Event<'a> = read(&entry.body)?;
    Ok(pick(event).map(serde_json::value::RawValue::get))
}
