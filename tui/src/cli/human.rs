//! The objects as people read them.

use skstore::dashboard::state::{SILENT_AFTER, with_breakers};
use skstore::text::breaker::waits_for_words;
use skstore::text::faults::beat_fault_words;
use skstore::text::fit::Side::{Left, Right};
use skstore::text::fit::{clean, fit, shorten};
use skstore::text::names::{Names, name_of};
use skstore::text::times::{Zone, age, dated};
use skstore::text::waits::wait_words;
use skstore::text::words::{Worded, reason_word, told_again_words};
use skstore::text::{Language, Text};
use skstore_domain::answers::PaymentAnswer;
use skstore_domain::money::Won;
use skstore_domain::myinfo::{FeedEntry, Step};
use skstore_domain::objects::{Account, Item, Order, OrderStatus, PaymentStatus};
use skstore_domain::signals::Beat;
use skstore_domain::time::Timestamp;
use skstore_workers::desk::view::Counts;

use super::columns::{fields, table};
use super::labels;

fn word(language: Language, thing: &impl Worded) -> String {
    language.get(thing.text()).to_owned()
}

fn words(language: Language, thing: Option<&impl Worded>) -> String {
    thing.map(|thing| word(language, thing)).unwrap_or_default()
}

/// A reason of an event: its word where it is one of ours.
fn reason(language: Language, reason: Option<&str>) -> String {
    let reason = reason.unwrap_or_default();
    reason_word(reason).map_or(reason, |text| language.get(text)).to_owned()
}

/// Where an order stands; of one that is to be cancelled once its payment is known also that.
fn status_of(language: Language, order: &Order) -> String {
    let status = word(language, &order.status);
    if order.cancel_requested && !order.status.is_ended() {
        return format!("{status}, {}", language.get(Text::CancelRequested));
    }
    status
}

/// Where its payment stands: of an order that is taken back what was paid is on its way back, until Deposit has said so.
fn payment_of(language: Language, order: &Order) -> String {
    let is_taken_back = matches!(order.status, OrderStatus::Cancelled | OrderStatus::Rejected);
    if is_taken_back && order.payment == PaymentStatus::Paid {
        return language.get(Text::PaymentRefunding).to_owned();
    }
    word(language, &order.payment)
}

/// One order with all its fields; `items` are those whose names are known, by id.
pub(crate) fn order(language: Language, zone: &Zone, items: &[Item], order: &Order) -> String {
    let item = Names::new(language, items).of_order(order);
    fields(
        language,
        &[
            (labels::ORDER, order.order_id.to_string()),
            (labels::STATUS, status_of(language, order)),
            (labels::REASON, words(language, order.reason.as_ref())),
            (labels::CUSTOMER, order.customer.to_string()),
            (labels::ITEM, format!("{} {item}", order.item_id)),
            (labels::QTY, format!("{} x {}", order.qty, order.unit_price)),
            (labels::AMOUNT, order.amount.to_string()),
            (labels::PAYMENT, payment_of(language, order)),
            (labels::DELIVERY, word(language, &order.delivery)),
            (labels::PLACED_AT, dated(order.placed_at, zone)),
            (labels::UPDATED_AT, dated(order.updated_at, zone)),
        ],
    )
}

/// What happened to an order, step by step, and what of it had to be told again.
pub(crate) fn timeline(language: Language, zone: &Zone, steps: &[Step]) -> String {
    let headings =
        [(labels::AT, Left), (labels::SERVICE, Left), (labels::WHAT, Left), (labels::REASON, Left)];
    let row = |step: &Step| {
        let reason = reason(language, step.reason.as_deref());
        let what = match step.told_again {
            0 => word(language, &step.kind),
            times => format!("{}, {}", word(language, &step.kind), told_again_words(language, times)),
        };
        [dated(step.at, zone), word(language, &step.source), what, reason]
    };
    table(language, headings, steps.iter().map(row))
}

/// Orders, one a line; `items` as of [`order`].
pub(crate) fn orders(language: Language, zone: &Zone, items: &[Item], orders: &[Order]) -> String {
    let names = Names::new(language, items);
    let headings = [
        (labels::ORDER, Left),
        (labels::PLACED_AT, Left),
        (labels::CUSTOMER, Left),
        (labels::ITEM, Left),
        (labels::QTY, Right),
        (labels::AMOUNT, Right),
        (labels::STATUS, Left),
        (labels::PAYMENT, Left),
        (labels::REASON, Left),
    ];
    let row = |order: &Order| {
        [
            order.order_id.to_string(),
            dated(order.placed_at, zone),
            order.customer.to_string(),
            names.of_order(order).to_owned(),
            order.qty.to_string(),
            order.amount.to_string(),
            word(language, &order.status),
            word(language, &order.payment),
            words(language, order.reason.as_ref()),
        ]
    };
    table(language, headings, orders.iter().map(row))
}

/// A payment, or that there is none.
pub(crate) fn payment(language: Language, zone: &Zone, payment: &PaymentAnswer) -> String {
    match payment {
        PaymentAnswer::Known(payment) => fields(
            language,
            &[
                (labels::ORDER, payment.order_id.to_string()),
                (labels::PAYMENT, word(language, &payment.status)),
                (labels::REASON, words(language, payment.reason.as_ref())),
                (labels::CUSTOMER, payment.customer.to_string()),
                (labels::AMOUNT, payment.amount.to_string()),
                (labels::UPDATED_AT, dated(payment.updated_at, zone)),
            ],
        ),
        PaymentAnswer::Unknown { order_id, status } => fields(
            language,
            &[(labels::ORDER, order_id.to_string()), (labels::PAYMENT, word(language, status))],
        ),
    }
}

/// Accounts, one a line.
pub(crate) fn accounts(language: Language, accounts: &[Account]) -> String {
    let headings = [(labels::CUSTOMER, Left), (labels::BALANCE, Right)];
    let row = |account: &Account| [account.customer.to_string(), account.balance.to_string()];
    table(language, headings, accounts.iter().map(row))
}

/// Items, one a line.
pub(crate) fn items(language: Language, items: &[Item]) -> String {
    let headings =
        [(labels::ITEM, Left), (labels::NAME, Left), (labels::PRICE, Right), (labels::STOCK, Right)];
    let row = |item: &Item| {
        let stock = Won(i64::try_from(item.stock).unwrap_or(i64::MAX)).to_string();
        [item.item_id.to_string(), name_of(item, language).to_owned(), item.unit_price.to_string(), stock]
    };
    table(language, headings, items.iter().map(row))
}

/// Counts, services and breakers.
pub(crate) fn status(language: Language, counts: &Counts, services: &[Beat], now: Timestamp) -> String {
    let by_status = OrderStatus::ALL.iter().zip(counts.orders);
    let orders: Vec<_> =
        by_status.map(|(status, count)| format!("{} {count}", word(language, status))).collect();
    let counts = fields(
        language,
        &[
            (labels::ORDERS, orders.join(", ")),
            (labels::ACCOUNTS, counts.accounts.to_string()),
            (labels::BALANCES, counts.balances.to_string()),
            (labels::ITEMS, counts.items.to_string()),
        ],
    );
    format!("{counts}\n{}\n{}", self::services(language, services, now), breakers(language, services, now))
}

fn services(language: Language, services: &[Beat], now: Timestamp) -> String {
    let headings = [
        (labels::SERVICE, Left),
        (labels::INSTANCE, Left),
        (labels::STATE, Left),
        (labels::HANDLED, Right),
        (labels::PER_SECOND, Right),
        (labels::IN_FLIGHT, Right),
        (labels::UNSENT, Right),
        (labels::NOTE, Left),
    ];
    let row = |beat: &Beat| {
        [
            word(language, &beat.service),
            beat.instance.clone(),
            state(language, beat, now),
            beat.handled.to_string(),
            beat.per_second.to_string(),
            beat.in_flight.to_string(),
            beat.unsent.to_string(),
            notes(language, beat, now).join("; "),
        ]
    };
    table(language, headings, services.iter().map(row))
}

/// What a worker does now: one that has been silent for long is not what it was when it spoke last.
fn state(language: Language, beat: &Beat, now: Timestamp) -> String {
    let silent = now.since(beat.at);
    if silent > SILENT_AFTER {
        return language.fill(Text::SilentFor, &[&age(language, silent)]);
    }
    let label = if beat.ready { labels::READY } else { labels::NOT_READY };
    label.of(language).to_owned()
}

/// What is wrong with a worker, what has to be put right, who waits for long, and last what was wrong lately.
fn notes(language: Language, beat: &Beat, now: Timestamp) -> Vec<String> {
    let fill = |text: Text, what: &str| language.fill(text, &[&what]);
    // A ready one of an older version tells of what is over as if it were now.
    let error = beat
        .last_error
        .iter()
        .map(|error| if beat.ready { fill(Text::WasWrong, error) } else { error.clone() });
    let warnings = beat.warnings.iter().map(|what| fill(Text::PutRight, what));
    let past = beat.past.last().map(|past| {
        language.fill(Text::WasWrongAgo, &[&past.what, &age(language, now.max(beat.at).since(past.at))])
    });
    let waits = beat.waits.iter().map(|wait| wait_words(language, wait, now.max(beat.at)));
    let fault = beat_fault_words(language, beat, now.max(beat.at));
    fault.into_iter().chain(error).chain(warnings).chain(waits).chain(past).collect()
}

/// Who misbehaves on purpose, and for how long still, one a line.
pub(crate) fn faults(language: Language, faulty: &[Beat], now: Timestamp) -> String {
    if faulty.is_empty() {
        return format!("{}\n", language.get(Text::NoFaults));
    }
    let headings = [(labels::SERVICE, Left), (labels::INSTANCE, Left), (labels::FAULT, Left)];
    let row = |beat: &Beat| {
        let fault = beat_fault_words(language, beat, now.max(beat.at)).unwrap_or_default();
        [word(language, &beat.service), beat.instance.clone(), fault]
    };
    table(language, headings, faulty.iter().map(row))
}

/// The breaker of each instance of Order, one a line, and what each waits for.
pub(crate) fn breakers(language: Language, services: &[Beat], now: Timestamp) -> String {
    let headings = [
        (labels::INSTANCE, Left),
        (labels::BREAKER, Left),
        (labels::MODE, Left),
        (labels::IN_FLIGHT, Right),
        (labels::CHARGES, Right),
        (labels::FAILED, Right),
        (labels::SLOW, Right),
        (labels::REFUSED, Right),
    ];
    let row = |beat: &Beat| {
        let breaker = beat.breaker.as_ref()?;
        let window = breaker.window;
        Some([
            beat.instance.clone(),
            words(language, breaker.state.as_ref()),
            words(language, breaker.mode.as_ref()),
            format!("{}/{}", breaker.in_flight, breaker.max_in_flight),
            window.ok.saturating_add(window.failed).to_string(),
            window.failed.to_string(),
            window.slow.to_string(),
            window.refused.to_string(),
        ])
    };
    let table = table(language, headings, with_breakers(services, now).filter_map(row));
    let waits = with_breakers(services, now).filter_map(|beat| {
        let waits = beat.breaker.as_ref()?.waits_for(now.since(beat.at))?;
        Some(format!("{}: {}\n", clean(&beat.instance), waits_for_words(language, waits)))
    });
    std::iter::once(table).chain(waits).collect()
}

/// One event on one line, in columns that do not depend on the events around it.
pub(crate) fn event(language: Language, zone: &Zone, event: &FeedEntry) -> String {
    const TIME: usize = 26;
    const SERVICE: usize = 8;
    const EVENT: usize = 20;
    const SUBJECT: usize = 36;
    const CUSTOMER: usize = 12;
    const AMOUNT: usize = 15;
    let customer = event.customer.as_ref().map(ToString::to_string).unwrap_or_default();
    let amount = event.amount.map(|amount| amount.to_string()).unwrap_or_default();
    let line = [
        fit(&dated(event.at, zone), TIME, Left, ""),
        fit(&word(language, &event.kind.source()), SERVICE, Left, ""),
        fit(&word(language, &event.kind), EVENT, Left, ""),
        fit(&event.subject, SUBJECT, Left, ""),
        fit(&customer, CUSTOMER, Left, ""),
        fit(&amount, AMOUNT, Right, ""),
        shorten(&reason(language, event.reason.as_deref()), SUBJECT, ""),
    ];
    format!("{}\n", line.join(" ").trim_end())
}

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod tests;
