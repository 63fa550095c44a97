//! What one seed came to, in words for the person who has to find out why.

use std::collections::BTreeSet;

use skstore_workers::probe::Bug;

use super::books::Broken;
use super::trace::Trace;
use super::world::Totals;

/// More orders than any simulation has.
const MAX_ORDERS: usize = 10_000;

/// What one seed came to.
pub(crate) struct Report {
    pub(crate) seed: u64,
    pub(crate) bugs: BTreeSet<Bug>,
    pub(crate) broken: Vec<Broken>,
    pub(crate) trace: Trace,
    pub(crate) totals: Totals,
}

impl Report {
    /// Whether every promise holds, and how to repeat it if one does not.
    pub(crate) fn verdict(&self) -> String {
        let Self { seed, broken, totals, .. } = self;
        let bugs: String = self.bugs.iter().map(|bug| format!(" --bug {bug:?}")).collect();
        if broken.is_empty() {
            return format!("seed {seed}{bugs}: every promise holds: {totals}");
        }
        let broken = broken.join("\n  ");
        format!("seed {seed}{bugs} breaks\n  {broken}\nrepeat it with: cargo xtask simulate {seed}{bugs}")
    }

    /// The verdict, and the trace of the order concerned: all of it if no order is named.
    pub(crate) fn story(&self) -> String {
        let concerned = (0..MAX_ORDERS)
            .map(|order| format!("order-{order}"))
            .find(|order| self.broken.first().is_some_and(|broken| names(broken, order)));
        let trace = concerned.map_or_else(|| self.trace.text(), |order| self.trace.about(&order));
        format!("{}\n{trace}", self.verdict())
    }
}

fn names(text: &str, order: &str) -> bool {
    text.match_indices(order)
        .any(|(at, _)| !text[at + order.len()..].starts_with(|c: char| c.is_ascii_digit()))
}
