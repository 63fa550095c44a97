//! Order by order: each service's log against its state, and the services against each other.

use super::report::{AuditError, Finding, Findings, Promise};
use super::shapes::{Delivery, Event, Order, OrderRecord, Payment, quote, read, say_the_same};
use super::suspects::Suspects;
use super::tables::{Entry, Histories, History, State, Stores};

/// What Order has under an id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Known {
    Order(Box<Order>),
    /// It was cancelled before it was placed.
    Tombstone,
}

/// What the three services say of one order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Trio {
    pub(super) order: Option<Known>,
    pub(super) payment: Option<Payment>,
    pub(super) delivery: Option<Delivery>,
}

/// A difference between services.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Difference {
    pub(super) finding: Finding,
    /// Whether a message that is still on its way may mend it.
    pub(super) may_mend: bool,
}

/// Every order, payment and delivery. What is wrong within a service is told; what is wrong between them becomes
/// suspicious.
pub(super) fn all(
    stores: &Stores,
    findings: &mut Findings<'_>,
    suspects: &mut Suspects,
) -> Result<(), AuditError> {
    let mut orders = Histories::new(stores.order.histories("order"), stores.order.states("order")).peekable();
    let mut payments =
        Histories::new(stores.deposit.histories("payment"), stores.deposit.states("payment")).peekable();
    let mut deliveries =
        Histories::new(stores.item.histories("delivery"), stores.item.states("delivery")).peekable();
    loop {
        let ids = [next_id(&mut orders)?, next_id(&mut payments)?, next_id(&mut deliveries)?];
        let Some(id) = ids.into_iter().flatten().min() else { return Ok(()) };
        let of =
            |history: &Result<History, AuditError>| history.as_ref().is_ok_and(|history| history.id == id);
        let mut trio = Trio::default();
        if let Some(history) = orders.next_if(of).transpose()? {
            findings.report.orders += 1;
            findings.report.events += history.entries.len() as u64;
            trio.order = order(&history, findings);
            match &trio.order {
                Some(Known::Order(_)) => suspects.placed += 1,
                Some(Known::Tombstone) | None => {}
            }
        }
        if let Some(history) = payments.next_if(of).transpose()? {
            trio.payment = payment(&history, findings);
        }
        if let Some(history) = deliveries.next_if(of).transpose()? {
            trio.delivery = delivery(&history, findings);
        }
        let differences = trio.differences(&id);
        if !differences.is_empty() && !suspects.add(&id) {
            differences.iter().for_each(|difference| findings.violated(&difference.finding));
        }
    }
}

/// The next one's id; an error stops it all.
fn next_id<I: Iterator<Item = Result<History, AuditError>>>(
    histories: &mut std::iter::Peekable<I>,
) -> Result<Option<String>, AuditError> {
    match histories.peek() {
        None => Ok(None),
        Some(Ok(history)) => Ok(Some(history.id.clone())),
        Some(Err(_)) => match histories.next() {
            Some(Err(error)) => Err(error),
            Some(Ok(_)) | None => Ok(None),
        },
    }
}

/// What the stores say of order `id` now, unless Order has moved while they were asked.
pub(super) fn look(stores: &Stores, id: &str) -> Result<Option<Trio>, AuditError> {
    let before = stores.order.state("order", id)?;
    let trio = Trio {
        order: before.as_ref().and_then(|state| known(state).ok()).map(|(known, _)| known),
        payment: stores.deposit.state("payment", id)?.and_then(|state| read(&state.body).ok()),
        delivery: stores.item.state("delivery", id)?.and_then(|state| read(&state.body).ok()),
    };
    let after = stores.order.state("order", id)?;
    let revision = |state: &Option<State>| state.as_ref().map(|state| state.revision);
    Ok((revision(&before) == revision(&after)).then_some(trio))
}

/// What Order's state says, and the object in it.
pub(super) fn known(state: &State) -> Result<(Known, &str), String> {
    Ok(match read::<OrderRecord<'_>>(&state.body)? {
        OrderRecord::Order(order) => (Known::Order(Box::new(read(order.get())?)), order.get()),
        OrderRecord::Tombstone(tombstone) => (Known::Tombstone, tombstone.get()),
    })
}

/// The words for one kind of aggregate.
struct Words {
    of: &'static str,
    /// What it breaks when log and state differ.
    promise: Promise,
}

const ORDER: Words = Words { of: "order", promise: Promise::P5 };
const PAYMENT: Words = Words { of: "payment", promise: Promise::P2 };
const DELIVERY: Words = Words { of: "delivery", promise: Promise::P4 };

/// Finds gaps in the log, and a state that is not where the log ends.
fn revisions(words: &Words, history: &History, findings: &mut Findings<'_>) {
    let mut lost = |message: String| {
        findings.violated(&Finding::new(Promise::P5, words.of, &history.id, message));
    };
    let mut expected = 1;
    for entry in &history.entries {
        if entry.revision != expected {
            lost(format!("its log goes from revision {} to {}", expected - 1, entry.revision));
        }
        expected = entry.revision + 1;
    }
    let told = expected - 1;
    match &history.state {
        None => lost(format!("its log tells of revision {told}, but it is not stored")),
        Some(state) if state.revision != told => {
            lost(format!("it is stored at revision {}, but its log ends at {told}", state.revision));
        }
        Some(_) => {}
    }
}

/// The object of `entry` that `pick` takes, as it was written.
fn object<'a>(
    entry: &'a Entry,
    pick: impl FnOnce(Event<'a>) -> Option<&'a serde_json::value::RawValue>,
) -> Result<Option<&'a str>, String> {
    let event: Event<'a> = read(&entry.body)?;
    Ok(pick(event).map(serde_json::value::RawValue::get))
}

fn bad_entry(words: &Words, entry: &Entry, why: &str, findings: &mut Findings<'_>) {
    let message = format!("entry {} of the log, '{}': {why}", entry.seq, quote(&entry.what));
    findings.violated(&Finding::new(Promise::P5, words.of, &entry.aggregate_id, message));
}

fn order(history: &History, findings: &mut Findings<'_>) -> Option<Known> {
    revisions(&ORDER, history, findings);
    let mut before: Option<Known> = None;
    let mut last = None;
    for entry in &history.entries {
        match told(entry) {
            Ok((now, text)) => {
                if let Err((promise, why)) = step(before.as_ref(), &now, &entry.what) {
                    let message = format!("entry {} of the log, '{}': {why}", entry.seq, quote(&entry.what));
                    findings.violated(&Finding::new(promise, "order", &history.id, message));
                }
                before = Some(now);
                last = text;
            }
            Err(why) => bad_entry(&ORDER, entry, &why, findings),
        }
    }
    let state = history.state.as_ref()?;
    match known(state) {
        Ok((known, text)) => {
            let is_told = match (&known, last) {
                (Known::Order(_), Some(last)) => say_the_same(last, text),
                (Known::Tombstone, last) => last.is_none(),
                (Known::Order(_), None) => false,
            };
            if !is_told && !history.entries.is_empty() {
                findings.violated(&differs(&ORDER, &history.id, text, last));
            }
            Some(known)
        }
        Err(why) => {
            findings.violated(&Finding::new(Promise::P5, "order", &history.id, why));
            None
        }
    }
}

/// The order as an entry has it, and as it was written there.
fn told(entry: &Entry) -> Result<(Known, Option<&str>), String> {
    match object(entry, |event| event.data.order)? {
        Some(text) => Ok((Known::Order(Box::new(read(text)?)), Some(text))),
        None => Ok((Known::Tombstone, None)),
    }
}

fn differs(words: &Words, id: &str, stored: &str, told: Option<&str>) -> Finding {
    let told = told.unwrap_or("nothing");
    let message = format!("it is stored as {}, but its log ends with {}", quote(stored), quote(told));
    Finding::new(words.promise, words.of, id, message)
}

/// Whether an order may go from `before` to `now` with the entry `what`.
fn step(before: Option<&Known>, now: &Known, what: &str) -> Result<(), (Promise, String)> {
    let Known::Order(now) = now else {
        return match (before, what) {
            (None, "order.noted") => Ok(()),
            _ => Err((Promise::P5, "it carries no order".to_owned())),
        };
    };
    if now.unit_price.checked_mul(now.qty) != Some(now.amount) {
        let message = format!("{} won for {} at {} won", now.amount, now.qty, now.unit_price);
        return Err((Promise::P1, message));
    }
    let from = match before {
        None => "nothing",
        Some(Known::Tombstone) => "tombstone",
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
            | ("tombstone" | "paying" | "placed" | "delivering", "order.cancelled", "cancelled")
            | ("paying", "order.cancel_requested", "paying")
            | ("paying", "order.placed", "placed")
            | ("placed", "order.delivering", "delivering")
            | ("cancelled", "order.noted", "cancelled")
            | ("rejected", "order.noted", "rejected")
    );
    if is_possible {
        return Ok(());
    }
    let promise = if matches!(from, "cancelled" | "rejected") { Promise::P9 } else { Promise::P5 };
    Err((promise, format!("it goes from {from} to {}", quote(&now.status))))
}

fn payment(history: &History, findings: &mut Findings<'_>) -> Option<Payment> {
    revisions(&PAYMENT, history, findings);
    let mut status = "none";
    let mut last = None;
    for entry in &history.entries {
        let (next, wrong) = match (status, entry.what.as_str()) {
            ("none", "deposit.paid") => ("paid", None),
            ("none", "deposit.declined") => ("declined", None),
            ("none", "deposit.voided") => ("voided", None),
            ("paid", "deposit.refunded") => ("refunded", None),
            (_, "deposit.paid") => ("paid", Some((Promise::P1, "it is charged a second time"))),
            ("refunded", "deposit.refunded") => {
                ("refunded", Some((Promise::P3, "it is refunded a second time")))
            }
            (_, "deposit.refunded") => ("refunded", Some((Promise::P3, "it was never charged"))),
            (status, _) => (status, Some((Promise::P3, "this cannot follow"))),
        };
        if let Some((promise, why)) = wrong {
            let message = format!("entry {} of the log, '{}': {why}", entry.seq, quote(&entry.what));
            findings.violated(&Finding::new(promise, "payment", &history.id, message));
        }
        status = next;
        match object(entry, |event| event.data.payment) {
            Ok(text) => last = text,
            Err(why) => bad_entry(&PAYMENT, entry, &why, findings),
        }
    }
    let state = history.state.as_ref()?;
    match read::<Payment>(&state.body) {
        Ok(payment) => {
            let is_told = last.is_some_and(|last| say_the_same(last, &state.body));
            if !history.entries.is_empty() && (!is_told || payment.status != status) {
                findings.violated(&differs(&PAYMENT, &history.id, &state.body, last));
            }
            Some(payment)
        }
        Err(why) => {
            findings.violated(&Finding::new(Promise::P5, "payment", &history.id, why));
            None
        }
    }
}

fn delivery(history: &History, findings: &mut Findings<'_>) -> Option<Delivery> {
    revisions(&DELIVERY, history, findings);
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
            let message = format!("entry {} of the log, '{}': {why}", entry.seq, quote(&entry.what));
            findings.violated(&Finding::new(Promise::P4, "delivery", &history.id, message));
        }
        status = next;
    }
    let state = history.state.as_ref()?;
    match read::<Delivery>(&state.body) {
        Ok(delivery) => {
            if !history.entries.is_empty() && delivery.status != status {
                findings.violated(&differs(&DELIVERY, &history.id, &state.body, Some(status)));
            }
            Some(delivery)
        }
        Err(why) => {
            findings.violated(&Finding::new(Promise::P5, "delivery", &history.id, why));
            None
        }
    }
}

impl Trio {
    /// How often each service has changed it.
    pub(super) fn revisions(&self) -> [i64; 3] {
        let of_order = match &self.order {
            Some(Known::Order(order)) => order.revision,
            Some(Known::Tombstone) => 1,
            None => 0,
        };
        let of_payment = self.payment.as_ref().map_or(0, |payment| payment.revision);
        [of_order, of_payment, self.delivery.as_ref().map_or(0, |delivery| delivery.revision)]
    }

    /// What does not fit together.
    pub(super) fn differences(&self, id: &str) -> Vec<Difference> {
        let mut found = Vec::new();
        let mut add = |promise, may_mend, message: String| {
            found.push(Difference { finding: Finding::new(promise, "order", id, message), may_mend });
        };
        let Some(Known::Order(order)) = &self.order else {
            let is_buried = self.order.is_some();
            let why = if is_buried { "was cancelled before it was placed" } else { "is not known to Order" };
            if let Some(payment) = &self.payment {
                add(Promise::P1, false, format!("it {why}, but its payment is {}", quote(&payment.status)));
            }
            if let Some(delivery) = &self.delivery {
                add(Promise::P4, false, format!("it {why}, but its delivery is {}", quote(&delivery.status)));
            }
            return found;
        };
        if order.order_id != id {
            add(Promise::P5, false, format!("it calls itself {}", quote(&order.order_id)));
        }
        self.money(order, &mut add);
        self.units(order, &mut add);
        if matches!(order.status.as_str(), "paying" | "placed") {
            let message =
                format!("it is {} since {} and has not ended", order.status, quote(&order.updated_at));
            add(Promise::P9, true, message);
        }
        found
    }

    fn money(&self, order: &Order, add: &mut impl FnMut(Promise, bool, String)) {
        use Promise::{P1, P3, P5};
        let Order { status, amount, customer, .. } = order;
        let is_live = matches!(status.as_str(), "placed" | "delivering");
        let has_ended = matches!(status.as_str(), "cancelled" | "rejected");
        let Some(payment) = &self.payment else {
            if is_live || matches!(order.payment.as_str(), "paid" | "declined") {
                add(P1, false, format!("it is {status} for {amount} won, but Deposit has never charged it"));
            }
            if has_ended {
                add(P3, true, format!("it is {status}, but Deposit has not closed its payment"));
            }
            return;
        };
        if payment.amount != *amount || payment.customer != *customer {
            let Payment { amount: charged, customer: of, .. } = payment;
            let message = format!(
                "it costs {customer} {amount} won, but Deposit has {charged} won of {} for it",
                quote(of)
            );
            add(P1, false, message);
        }
        match payment.status.as_str() {
            "paid" if has_ended => {
                add(P3, true, format!("it is {status}, but its {amount} won are not given back"));
            }
            "paid" => {}
            "declined" if is_live || matches!(order.payment.as_str(), "paid" | "refunded") => {
                add(P1, false, format!("it is {status}, but its payment was declined"));
            }
            "declined" => {}
            "refunded" | "voided" if !has_ended => {
                let promise = if payment.status == "voided" && is_live { P1 } else { P3 };
                add(promise, false, format!("it is {status}, but its payment is {}", payment.status));
            }
            "refunded" | "voided" if order.payment != payment.status => {
                add(P5, true, format!("its payment is {}, of which Order has not heard", payment.status));
            }
            "refunded" | "voided" => {}
            other => add(P1, false, format!("its payment is '{}', which none can be", quote(other))),
        }
    }

    fn units(&self, order: &Order, add: &mut impl FnMut(Promise, bool, String)) {
        use Promise::{P4, P5};
        let Order { status, qty, item_id, .. } = order;
        let Some(delivery) = &self.delivery else {
            match status.as_str() {
                "delivering" => add(P4, false, format!("it is {status}, but Item has taken no units for it")),
                "cancelled" => add(P5, true, format!("it is {status}, but Item has not heard of it")),
                _ => {}
            }
            return;
        };
        if delivery.qty != *qty || delivery.item_id != *item_id {
            let Delivery { qty: taken, item_id: of, .. } = delivery;
            let message =
                format!("it is for {qty} of item {item_id}, but Item has {taken} of {} for it", quote(of));
            add(P4, false, message);
        }
        match (status.as_str(), delivery.status.as_str()) {
            ("placed", "started" | "sold_out") | ("delivering", "started") => {}
            ("cancelled", "started") => {
                add(P4, true, format!("it is {status}, but its {qty} units are not back in stock"));
            }
            ("cancelled", told) if order.delivery != told => {
                add(P5, true, format!("its delivery is {}, of which Order has not heard", quote(told)));
            }
            ("cancelled", "cancelled" | "sold_out") => {}
            (_, other) => add(P4, false, format!("it is {status}, but its delivery is {}", quote(other))),
        }
    }
}
