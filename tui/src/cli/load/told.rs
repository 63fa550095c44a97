//! What people are told of a run: before it, and at its end in siege's terms.

use std::collections::BTreeMap;

use skstore::load::report::Report;
use skstore::load::runner::Limits;
use skstore::load::supply::Supplied;
use skstore::load::tally::{Counts, Times};
use skstore::text::numbers::millis;
use skstore::text::{Language, Text};

use super::super::columns::fields;
use super::super::labels::{self, Label};

/// What begins, and what should be known before.
pub(super) fn beginning(supplied: &Supplied, limits: &Limits, rate: Option<f64>, way: &str) -> String {
    let Supplied { plan, notes, .. } = supplied;
    let pace = rate.map_or("as fast as they are answered".to_owned(), |rate| format!("at {rate} a second"));
    let orders = limits.orders.map(|orders| format!("{orders} orders"));
    let time = limits.time.map(|time| format!("{} s", time.as_secs_f64()));
    let until: Vec<String> = [orders, time].into_iter().flatten().collect();
    let begins = format!(
        "skstore: run {}, seed {}: {} clients, {pace}, for {} ({way}); Ctrl-C ends it in good order",
        plan.run,
        plan.seed,
        limits.clients,
        until.join(" or ")
    );
    let notes = notes.iter().map(|note| format!("\nskstore: {note}"));
    std::iter::once(begins).chain(notes).collect()
}

/// The report: how it went, how long it took, and what became of the orders.
pub(super) fn report(language: Language, report: &Report) -> String {
    let parts = [counted(language, report), timed(language, report), ended(language, report)];
    fields(language, &parts.concat())
}

fn counted(language: Language, report: &Report) -> Vec<(Label, String)> {
    let orders = &report.tally.orders;
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a mean of whole microseconds"
    )]
    let mean = report.tally.all.mean().map(|us| us.round() as u64);
    let fill = |text: Text, number: f64| language.fill(text, &[&format!("{number:.2}")]);
    vec![
        (labels::RUN, report.run.clone()),
        (labels::SEED, report.seed.to_string()),
        (labels::TRANSACTIONS, orders.sent.to_string()),
        (labels::AVAILABILITY, format!("{:.2} %", report.availability_percent())),
        (labels::ELAPSED_TIME, fill(Text::MeasuredSeconds, report.elapsed.as_secs_f64())),
        (labels::RESPONSE_TIME, mean.map_or(String::new(), |us| millis(language, us))),
        (labels::TRANSACTION_RATE, fill(Text::MeasuredPerSecond, report.per_second())),
        (labels::CONCURRENCY, format!("{:.2}", report.concurrency())),
        (labels::SUCCESSFUL_TRANSACTIONS, orders.ok.to_string()),
        (labels::REFUSED_TRANSACTIONS, by_word(orders.refused, &orders.refusals)),
        (labels::FAILED_TRANSACTIONS, by_word(orders.failed, &orders.failures)),
    ]
}

fn timed(language: Language, report: &Report) -> Vec<(Label, String)> {
    let all = &report.tally.all;
    let took = |us: Option<u64>| us.map_or(String::new(), |us| millis(language, us));
    let percentile = |percent: f64| took(all.percentile(percent));
    vec![
        (labels::LONGEST_TRANSACTION, took(all.max())),
        (labels::SHORTEST_TRANSACTION, took(all.min())),
        (Label::same("p50"), percentile(50.0)),
        (Label::same("p90"), percentile(90.0)),
        (Label::same("p99"), percentile(99.0)),
        (Label::same("p99.9"), percentile(99.9)),
        (labels::WHEN_REFUSED, apart(language, &report.tally.refused)),
        (labels::WHEN_FAILED, apart(language, &report.tally.failed)),
    ]
}

fn ended(language: Language, report: &Report) -> Vec<(Label, String)> {
    let became = &report.became;
    // Of what nobody waited for it is not known whether it has ended.
    let (open, open_orders) = if report.is_followed {
        (labels::OPEN, labels::OPEN_ORDERS)
    } else {
        (labels::NOT_FOLLOWED, labels::NOT_FOLLOWED)
    };
    let fates = [
        (labels::DELIVERING, became.delivering),
        (labels::CANCELLED, became.cancelled),
        (labels::REJECTED, became.rejected),
        (labels::NOT_PLACED, became.not_placed),
        (open, became.open),
    ];
    let shown = fates.into_iter().filter(|(_, count)| *count > 0);
    let fates: Vec<String> = shown.map(|(label, count)| format!("{} {count}", label.of(language))).collect();
    let named: Vec<String> = report.open_orders.iter().map(ToString::to_string).collect();
    vec![
        (labels::CANCELS, further(&report.tally.cancels)),
        (labels::REPEATS, further(&report.tally.repeats)),
        (labels::NEVER_SENT, if report.unsent > 0 { report.unsent.to_string() } else { String::new() }),
        (labels::BECAME, fates.join(", ")),
        (open_orders, named.join(" ")),
    ]
}

/// `3 (declined 1, try_later 2)`.
fn by_word(count: u64, words: &BTreeMap<&'static str, u64>) -> String {
    let parts: Vec<String> = words.iter().map(|(word, count)| format!("{word} {count}")).collect();
    if parts.is_empty() { count.to_string() } else { format!("{count} ({})", parts.join(", ")) }
}

/// What was asked beside the orders; nothing if nothing was.
fn further(counts: &Counts) -> String {
    let no: BTreeMap<&'static str, u64> =
        counts.refusals.iter().chain(&counts.failures).map(|(word, count)| (*word, *count)).collect();
    let words = by_word(counts.sent, &no);
    if counts.sent == 0 { String::new() } else { words }
}

fn apart(language: Language, times: &Times) -> String {
    let percentile = |percent: f64| times.percentile(percent).map(|us| millis(language, us));
    match (percentile(50.0), percentile(99.0)) {
        (Some(p50), Some(p99)) => format!("p50 {p50}, p99 {p99}"),
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_and_failures_are_named() {
        assert_eq!(by_word(0, &BTreeMap::new()), "0");
        assert_eq!(
            by_word(3, &BTreeMap::from([("declined", 1), ("try_later", 2)])),
            "3 (declined 1, try_later 2)"
        );
        assert_eq!(further(&Counts::default()), "", "what was not asked for is not told of");
        assert_eq!(apart(Language::English, &Times::default()), "");
    }
}
