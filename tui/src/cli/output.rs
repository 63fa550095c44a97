//! Puts what was found on stdout: as JSON, one object a line, or as people read it.

use std::borrow::Cow;
use std::io::Write;

use serde::Serialize;
use serde_json::json;
use skstore::text::Language;
use skstore::text::attendance::unattended_words;
use skstore::text::times::{UTC, Zone};
use skstore_domain::answers::PaymentAnswer;
use skstore_domain::attendance::{Found, Unattended};
use skstore_domain::ids::is_unsafe_to_show;
use skstore_domain::myinfo::{FeedEntry, OrderRow, Step};
use skstore_domain::objects::{Account, Item, Order, OrderStatus};
use skstore_domain::signals::Beat;
use skstore_workers::desk::clock::Clock;
use skstore_workers::desk::view::{Counts, OrderDetail};

use super::failure::Failure;
use super::human;

/// Writes what was found. Every method writes all of its part and flushes it.
#[derive(Debug)]
pub(crate) struct Output<W> {
    to: W,
    json: bool,
    language: Language,
    /// Whose clocks people read times by.
    zone: Zone,
}

/// An order with its timeline, flat.
#[derive(Serialize)]
struct OrderWithTimeline<'a> {
    #[serde(flatten)]
    order: &'a Order,
    timeline: &'a [Step],
}

/// A fault that another one takes the place of: a worker has one at a time.
#[derive(Debug)]
pub(crate) struct Replaced {
    /// Of which worker.
    pub(crate) instance: String,
    /// The fault that is over.
    pub(crate) fault: String,
}

impl Replaced {
    /// What `fault` takes the place of at the worker of `beat`, if that has another one.
    pub(crate) fn by(fault: &str, beat: &Beat) -> Option<Self> {
        let before = beat.fault.as_ref().filter(|before| *before != fault)?;
        Some(Self { instance: beat.instance.clone(), fault: before.clone() })
    }
}

/// The order of a row. Its payment is what Deposit says, where the view has heard it.
fn order_of(row: &OrderRow) -> Order {
    let mut order = row.order.clone();
    if let Some(payment) = &row.payment {
        order.payment = payment.status;
    }
    order
}

/// How many orders there are of each status: `{"paying":1,…}`.
pub(crate) fn by_status(counts: &Counts) -> serde_json::Value {
    OrderStatus::ALL.iter().map(|status| status.word()).zip(counts.orders).collect()
}

/// A worker without its newest calls, of which there may be a thousand: whoever wants them records them.
fn without_calls(beat: &Beat) -> Beat {
    Beat { calls: None, ..beat.clone() }
}

/// Queues that are not read by those who should be reading them.
fn unread(found: &Found) -> serde_json::Value {
    let (readers, workers) = match found.why {
        Unattended::NoWorker | Unattended::NoReader => (0, None),
        Unattended::Others { readers, workers } => (readers, Some(workers)),
    };
    let mut object = json!({ "queues": found.queues, "service": found.service, "readers": readers });
    if let Some(workers) = workers {
        object["workers"] = json!(workers);
    }
    object
}

impl<W: Write> Output<W> {
    /// Writes to `to`.
    pub(crate) fn new(to: W, json: bool, language: Language) -> Self {
        Self { to, json, language, zone: UTC.clone() }
    }

    /// Writes times for people by the clocks of `zone`, not in UTC.
    pub(crate) fn in_zone(self, zone: Zone) -> Self {
        Self { zone, ..self }
    }

    /// Whether the items of orders are called by other names than those that the orders carry.
    pub(crate) fn looks_up_names(&self) -> bool {
        !self.json && self.language == Language::English
    }

    /// Whose clocks people read times by.
    pub(crate) fn zone(&self) -> Zone {
        self.zone.clone()
    }

    /// An order as Order tells it; for people its item is called as `items`, by id, have it.
    pub(crate) fn order(&mut self, order: &Order, items: &[Item]) -> Result<(), Failure> {
        let zone = self.zone();
        self.one(order, |language| human::order(language, &zone, items, order))
    }

    /// An order as the view has it; `items` as of [`Output::order`].
    pub(crate) fn order_detail(&mut self, detail: &OrderDetail, items: &[Item]) -> Result<(), Failure> {
        let order = order_of(&detail.row);
        let with_timeline = OrderWithTimeline { order: &order, timeline: &detail.timeline };
        let zone = self.zone();
        self.one(&with_timeline, |language| {
            let timeline = human::timeline(language, &zone, &detail.timeline);
            format!("{}\n{timeline}", human::order(language, &zone, items, &order))
        })
    }

    /// Orders as the view has them; `items` as of [`Output::order`].
    pub(crate) fn orders(&mut self, rows: &[OrderRow], items: &[Item]) -> Result<(), Failure> {
        let orders: Vec<_> = rows.iter().map(order_of).collect();
        let zone = self.zone();
        self.list(&orders, |language, orders| human::orders(language, &zone, items, orders))
    }

    /// A payment as Deposit tells it.
    pub(crate) fn payment(&mut self, payment: &PaymentAnswer) -> Result<(), Failure> {
        let zone = self.zone();
        self.one(payment, |language| human::payment(language, &zone, payment))
    }

    /// An account as Deposit tells it.
    pub(crate) fn account(&mut self, account: &Account) -> Result<(), Failure> {
        self.one(account, |language| human::accounts(language, std::slice::from_ref(account)))
    }

    /// Accounts.
    pub(crate) fn accounts(&mut self, accounts: &[Account]) -> Result<(), Failure> {
        self.list(accounts, human::accounts)
    }

    /// An item as Item tells it.
    pub(crate) fn item(&mut self, item: &Item) -> Result<(), Failure> {
        self.one(item, |language| human::items(language, std::slice::from_ref(item)))
    }

    /// Items.
    pub(crate) fn items(&mut self, items: &[Item]) -> Result<(), Failure> {
        self.list(items, human::items)
    }

    /// Counts, services, and queues that are not read by those who should:
    /// `{"counts":{"orders":{…},"accounts","items","balances"},"services":[…],"unattended":[{"queues","service","readers","workers"?}]}`.
    pub(crate) fn status(
        &mut self,
        counts: &Counts,
        services: &[Beat],
        unattended: &[Found],
    ) -> Result<(), Failure> {
        let object = json!({
            "counts": {
                "orders": by_status(counts),
                "accounts": counts.accounts,
                "items": counts.items,
                "balances": counts.balances,
            },
            "services": services.iter().map(without_calls).collect::<Vec<_>>(),
            "unattended": unattended.iter().map(unread).collect::<Vec<_>>(),
        });
        let now = Clock::System.now();
        self.one(&object, |language| {
            let sentences = unattended.iter().map(|found| unattended_words(language, found));
            let sentences: String = sentences.map(|words| format!("\n{words}\n")).collect();
            human::status(language, counts, services, now) + &sentences
        })
    }

    /// Who misbehaves on purpose: `{"service","instance","fault","left_ms","replaced"?}`, with the fault that this one has taken
    /// the place of.
    pub(crate) fn faults(&mut self, faulty: &[Beat], replaced: &[Replaced]) -> Result<(), Failure> {
        let objects: Vec<_> = faulty
            .iter()
            .map(|beat| {
                let Beat { service, instance, fault, fault_left_ms, .. } = beat;
                let mut object =
                    json!({ "service": service, "instance": instance, "fault": fault, "left_ms": fault_left_ms });
                if let Some(before) = replaced.iter().find(|before| before.instance == *instance) {
                    object["replaced"] = json!(before.fault);
                }
                object
            })
            .collect();
        let now = Clock::System.now();
        self.list(&objects, |language, _| human::faults(language, faulty, now))
    }

    /// The breaker of each instance of Order.
    pub(crate) fn breakers(&mut self, services: &[Beat]) -> Result<(), Failure> {
        if !self.json {
            return self.text(&human::breakers(self.language, services, Clock::System.now()));
        }
        for beat in services {
            if let Some(breaker) = &beat.breaker {
                let mut object = json!(breaker);
                object["instance"] = json!(beat.instance);
                object["waits_for"] = json!(breaker.waits_for(std::time::Duration::ZERO));
                self.line(&object)?;
            }
        }
        self.flush()
    }

    /// An event of the feed.
    pub(crate) fn event(&mut self, event: &FeedEntry) -> Result<(), Failure> {
        let zone = self.zone();
        self.one(event, |language| human::event(language, &zone, event))
    }

    /// Why a command was not done, for programs. For people it goes to stderr.
    pub(crate) fn failure(&mut self, failure: &Failure) -> Result<(), Failure> {
        if !self.json || failure.is_reported() {
            return Ok(());
        }
        self.line(&failure.to_json())?;
        self.flush()
    }

    /// One object: as JSON, or as `human` tells it.
    pub(crate) fn one(
        &mut self,
        object: &impl Serialize,
        human: impl FnOnce(Language) -> String,
    ) -> Result<(), Failure> {
        if self.json {
            self.line(object)?;
            return self.flush();
        }
        self.text(&human(self.language))
    }

    /// Objects: as JSON, one a line, or as `human` tells them.
    pub(crate) fn list<T: Serialize>(
        &mut self,
        all: &[T],
        human: impl FnOnce(Language, &[T]) -> String,
    ) -> Result<(), Failure> {
        if self.json {
            all.iter().try_for_each(|one| self.line(one))?;
            return self.flush();
        }
        self.text(&human(self.language, all))
    }

    fn line(&mut self, object: &impl Serialize) -> Result<(), Failure> {
        let line = serde_json::to_string(object).map_err(std::io::Error::from)?;
        Ok(writeln!(self.to, "{}", harmless(&line))?)
    }

    fn text(&mut self, text: &str) -> Result<(), Failure> {
        self.to.write_all(text.as_bytes())?;
        self.flush()
    }

    fn flush(&mut self) -> Result<(), Failure> {
        Ok(self.to.flush()?)
    }
}

/// JSON that a terminal can be shown: what could repaint it stands in escapes, which mean the same. Such characters
/// can only stand within strings.
fn harmless(json: &str) -> Cow<'_, str> {
    if !json.chars().any(is_unsafe_to_show) {
        return Cow::Borrowed(json);
    }
    let mut escaped = String::with_capacity(json.len() + 64);
    for c in json.chars() {
        if is_unsafe_to_show(c) {
            c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| escaped.push_str(&format!("\\u{unit:04x}")));
        } else {
            escaped.push(c);
        }
    }
    Cow::Owned(escaped)
}

#[cfg(test)]
mod tests;
