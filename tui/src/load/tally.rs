//! Counts what is answered, and how long it took. What it needs does not grow with the orders.

use std::collections::BTreeMap;
use std::time::Duration;

use hdrhistogram::Histogram;
use skstore_domain::answers::ErrorCode;

/// The longest time that is told apart, an hour: far beyond what anybody waits. What took longer counts as this.
const LONGEST_US: u64 = 3_600_000_000;
/// Digits of a time that can be relied upon: to a thousandth.
const DIGITS: u8 = 3;
/// Most seconds that are told of one by one: an hour.
pub const MAX_SECONDS: usize = 3600;

/// What became of an order when it was placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Accepted and paid.
    Ok,
    /// Refused, which is an answer.
    Refused(ErrorCode),
    /// No answer, or a wrong one: its word.
    Failed(&'static str),
}

/// How long things took, in microseconds.
#[derive(Debug, Clone)]
pub struct Times(Option<Histogram<u32>>);

impl Default for Times {
    fn default() -> Self {
        // With these bounds there always is one.
        Self(Histogram::new_with_bounds(1, LONGEST_US, DIGITS).ok())
    }
}

impl Times {
    fn record(&mut self, took: Duration) {
        if let Some(times) = &mut self.0 {
            times.saturating_record(u64::try_from(took.as_micros()).unwrap_or(u64::MAX).max(1));
        }
    }

    fn reset(&mut self) {
        if let Some(times) = &mut self.0 {
            times.reset();
        }
    }

    /// The time within which `percent` of them were done; none if there was nothing.
    #[must_use]
    pub fn percentile(&self, percent: f64) -> Option<u64> {
        self.known().map(|times| times.value_at_percentile(percent))
    }

    /// The shortest.
    #[must_use]
    pub fn min(&self) -> Option<u64> {
        self.known().map(Histogram::min)
    }

    /// The longest.
    #[must_use]
    pub fn max(&self) -> Option<u64> {
        self.known().map(Histogram::max)
    }

    /// The mean.
    #[must_use]
    pub fn mean(&self) -> Option<f64> {
        self.known().map(Histogram::mean)
    }

    fn known(&self) -> Option<&Histogram<u32>> {
        self.0.as_ref().filter(|times| !times.is_empty())
    }
}

/// How often something was done, and how it went.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sent.
    pub sent: u64,
    /// Answered with yes.
    pub ok: u64,
    /// Answered with no.
    pub refused: u64,
    /// Not answered, or not as it must be.
    pub failed: u64,
    /// Those that were refused, by code.
    pub refusals: BTreeMap<&'static str, u64>,
    /// Those that failed, by what went wrong.
    pub failures: BTreeMap<&'static str, u64>,
}

impl Counts {
    /// Counts what was sent, as it went.
    pub fn record(&mut self, verdict: Verdict) {
        match verdict {
            Verdict::Ok => self.ok += 1,
            Verdict::Refused(code) => {
                self.refused += 1;
                *self.refusals.entry(code.word()).or_default() += 1;
            }
            Verdict::Failed(word) => {
                self.failed += 1;
                *self.failures.entry(word).or_default() += 1;
            }
        }
    }

    /// Answered, with yes or no.
    #[must_use]
    pub const fn answered(&self) -> u64 {
        self.ok + self.refused
    }

    /// How many there are of which it is known how they went.
    #[must_use]
    pub const fn done(&self) -> u64 {
        self.answered() + self.failed
    }
}

/// A second of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Second {
    /// When it ended, in whole seconds since the run began.
    pub at_s: u64,
    /// Accepted in it.
    pub ok: u64,
    /// Refused in it.
    pub refused: u64,
    /// Failed in it.
    pub failed: u64,
    /// The middle of its times, in microseconds, if anything was done.
    pub p50_us: Option<u64>,
    /// What one of a hundred was above.
    pub p99_us: Option<u64>,
    /// The longest.
    pub max_us: Option<u64>,
}

/// How a run went.
#[derive(Debug, Clone, Default)]
pub struct Tally {
    /// The orders.
    pub orders: Counts,
    /// Those that were cancelled afterwards.
    pub cancels: Counts,
    /// Those that were sent once more.
    pub repeats: Counts,
    /// How long it took from when an order was due, of all.
    pub all: Times,
    /// Of those accepted.
    pub ok: Times,
    /// Of those refused.
    pub refused: Times,
    /// Of those that failed.
    pub failed: Times,
    /// Of those refused, by code: who is told to try later hears it at once, who waits for a payment does not.
    pub refused_as: BTreeMap<&'static str, Times>,
    /// How long orders were on their way, all together.
    pub busy: Duration,
    /// Its seconds, the first ones.
    pub seconds: Vec<Second>,
    /// How many further seconds there were.
    pub seconds_left_out: u64,
    /// What this second has so far.
    now: Second,
    now_times: Times,
}

impl Tally {
    /// An order was done with, `took` after it was due and `on_its_way` after it was sent.
    pub fn record(&mut self, verdict: Verdict, took: Duration, on_its_way: Duration) {
        self.orders.record(verdict);
        self.busy += on_its_way;
        let (times, count) = match verdict {
            Verdict::Ok => (&mut self.ok, &mut self.now.ok),
            Verdict::Refused(_) => (&mut self.refused, &mut self.now.refused),
            Verdict::Failed(_) => (&mut self.failed, &mut self.now.failed),
        };
        *count += 1;
        for times in [times, &mut self.all, &mut self.now_times] {
            times.record(took);
        }
        if let Verdict::Refused(code) = verdict {
            self.refused_as.entry(code.word()).or_default().record(took);
        }
    }

    /// The second that ends `at_s` seconds after the run began is over.
    pub fn end_second(&mut self, at_s: u64) -> Second {
        let times = &self.now_times;
        let second = Second {
            at_s,
            p50_us: times.percentile(50.0),
            p99_us: times.percentile(99.0),
            max_us: times.max(),
            ..self.now
        };
        if self.seconds.len() < MAX_SECONDS {
            self.seconds.push(second);
        } else {
            self.seconds_left_out += 1;
        }
        self.now = Second::default();
        self.now_times.reset();
        second
    }

    /// The last second, if anything was done in it.
    pub fn end_last_second(&mut self, at_s: u64) {
        if self.now != Second::default() {
            self.end_second(at_s);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MILLI: Duration = Duration::from_millis(1);

    #[test]
    fn refusals_and_failures_are_counted_apart_with_times_of_their_own() {
        let mut tally = Tally::default();
        tally.record(Verdict::Ok, MILLI, MILLI);
        tally.record(Verdict::Refused(ErrorCode::TryLater), 10 * MILLI, MILLI);
        tally.record(Verdict::Failed("no_answer"), 5000 * MILLI, MILLI);
        tally.record(Verdict::Refused(ErrorCode::TryLater), 10 * MILLI, MILLI);
        let orders = &tally.orders;
        assert_eq!((orders.ok, orders.refused, orders.failed, orders.answered()), (1, 2, 1, 3));
        assert_eq!(orders.refusals, BTreeMap::from([("try_later", 2)]));
        assert_eq!(orders.failures, BTreeMap::from([("no_answer", 1)]));
        let table =
            [(&tally.ok, 1000), (&tally.refused, 10_000), (&tally.failed, 5_000_000), (&tally.all, 10_000)];
        for (times, median) in table {
            let found = times.percentile(50.0).unwrap();
            assert!(found.abs_diff(median) * 1000 <= median, "{found} is not {median} to a thousandth");
        }
        let by_code: Vec<_> = tally.refused_as.iter().map(|(code, times)| (*code, times.min())).collect();
        assert_eq!(by_code, [("try_later", tally.refused.min())]);
        assert_eq!(Times::default().percentile(50.0), None, "of nothing there is no middle");
        let second = tally.end_second(1);
        assert_eq!((second.ok, second.refused, second.failed), (1, 2, 1));
        assert_eq!(tally.end_second(2), Second { at_s: 2, ..Second::default() }, "each second is its own");
    }

    #[test]
    fn seconds_are_told_up_to_a_bound_and_then_counted() {
        let mut tally = Tally::default();
        for at_s in 1..=4000 {
            tally.end_second(at_s);
        }
        assert_eq!((tally.seconds.len(), tally.seconds_left_out), (MAX_SECONDS, 400));
        tally.record(Verdict::Ok, Duration::MAX, MILLI);
        assert!(tally.all.max().unwrap() >= LONGEST_US, "an absurd time has a place");
    }
}
