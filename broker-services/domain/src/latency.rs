//! How fast answers come: the answers of the last seconds by how long they took, in buckets of a few percent.

use std::time::Duration;

/// How far back it looks: long enough for a percentile of an idle desk to rest on some answers, short enough to
/// follow a change.
pub const ANSWER_WINDOW: Duration = Duration::from_secs(10);

/// Seconds that are kept apart.
const SECONDS: usize = 10;
/// Parts of each power of two, so that a bucket is at most a sixteenth (6 %) wide.
const PARTS: u64 = 16;
const PARTS_BITS: u32 = PARTS.trailing_zeros();
/// Buckets from a microsecond up to 134 s, far beyond what any caller waits. What takes longer is in the last one.
const BUCKETS: usize = 384;

/// A sliding window of answer times. Call [`record`](Self::record) for every answer; the clock is passed in, as time
/// since a fixed point, and never goes back.
#[derive(Debug, Clone)]
pub struct AnswerTimes {
    /// A ring of seconds, each with the number of the second that it holds.
    seconds: Vec<(u64, Vec<u32>)>,
    answered: u64,
    refused: u64,
}

impl Default for AnswerTimes {
    fn default() -> Self {
        Self { seconds: vec![(0, vec![0; BUCKETS]); SECONDS], answered: 0, refused: 0 }
    }
}

impl AnswerTimes {
    /// An answer was given at `now`, `took` after it was asked for.
    pub fn record(&mut self, took: Duration, is_refusal: bool, now: Duration) {
        self.answered += 1;
        self.refused += u64::from(is_refusal);
        let second = now.as_secs();
        let slot = usize::try_from(second).unwrap_or(0) % SECONDS;
        let (held, counts) = &mut self.seconds[slot];
        if *held != second {
            counts.fill(0);
            *held = second;
        }
        counts[bucket(took)] += 1;
    }

    /// Answers since the beginning.
    #[must_use]
    pub const fn answered(&self) -> u64 {
        self.answered
    }

    /// Those among them that said no.
    #[must_use]
    pub const fn refused(&self) -> u64 {
        self.refused
    }

    /// How long the slowest of the fastest `percent` of the answers of the window before `now` took; none if there
    /// was no answer. Never too small, and at most a sixteenth too large.
    #[must_use]
    pub fn percentile(&self, percent: u32, now: Duration) -> Option<Duration> {
        let newest = now.as_secs();
        let oldest = (newest + 1).saturating_sub(ANSWER_WINDOW.as_secs());
        let mut counts = [0_u64; BUCKETS];
        for (_, second) in self.seconds.iter().filter(|(held, _)| (oldest..=newest).contains(held)) {
            counts.iter_mut().zip(second).for_each(|(sum, count)| *sum += u64::from(*count));
        }
        let all: u64 = counts.iter().sum();
        let rank = (all * u64::from(percent)).div_ceil(100).max(1);
        let mut seen = 0;
        let at = counts.iter().position(|count| {
            seen += count;
            seen >= rank
        });
        at.map(upper_end)
    }
}

/// The bucket of a duration: its own below [`PARTS`] µs, then [`PARTS`] for each power of two.
fn bucket(took: Duration) -> usize {
    let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
    if micros < PARTS {
        return usize::try_from(micros).unwrap_or(0);
    }
    let shift = micros.ilog2() - PARTS_BITS;
    let part = (micros >> shift) - PARTS;
    let at = (u64::from(shift) + 1) * PARTS + part;
    usize::try_from(at).unwrap_or(BUCKETS).min(BUCKETS - 1)
}

/// The longest duration of a bucket.
fn upper_end(bucket: usize) -> Duration {
    let bucket = u64::try_from(bucket).unwrap_or(u64::MAX);
    if bucket < PARTS {
        return Duration::from_micros(bucket);
    }
    let shift = bucket / PARTS - 1;
    Duration::from_micros(((PARTS + bucket % PARTS + 1) << shift) - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_bucket_holds_what_is_at_most_a_sixteenth_smaller_than_its_end() {
        for micros in (0..2000).chain((11..27).map(|power| (1 << power) + power * 37)) {
            let took = Duration::from_micros(micros);
            let end = upper_end(bucket(took));
            assert!(end >= took, "{took:?} ends at {end:?}");
            assert!(end.as_micros() <= u128::from(micros + micros / 16), "{took:?} ends at {end:?}");
        }
        assert_eq!(bucket(seconds(1_000_000)), BUCKETS - 1, "an absurd time has a place");
    }

    #[test]
    fn percentiles_are_those_of_the_answers() {
        let mut times = AnswerTimes::default();
        assert_eq!(times.percentile(50, seconds(0)), None, "no answer, no time");
        for millis in 1..=100 {
            times.record(Duration::from_millis(millis), millis > 90, seconds(3));
        }
        for (percent, millis) in [(0, 1), (50, 50), (99, 99), (100, 100)] {
            let told = times.percentile(percent, seconds(3)).unwrap();
            let range = Duration::from_millis(millis)..=Duration::from_micros(millis * 1063);
            assert!(range.contains(&told), "{percent} %: {told:?}");
        }
        assert_eq!((times.answered(), times.refused()), (100, 10));
    }

    #[test]
    fn what_is_older_than_the_window_is_forgotten() {
        let mut times = AnswerTimes::default();
        times.record(seconds(2), false, seconds(0));
        times.record(Duration::from_millis(1), false, seconds(9));
        assert!(times.percentile(100, seconds(9)).unwrap() >= seconds(2), "9 s ago is within the window");
        assert!(times.percentile(100, seconds(10)).unwrap() < seconds(1), "10 s ago is not");
        assert_eq!(times.percentile(100, seconds(19)), None);
        // The slot of second 0 is used again, and holds only what is new.
        times.record(Duration::from_millis(1), false, seconds(20));
        assert!(times.percentile(100, seconds(20)).unwrap() < seconds(1));
        assert_eq!(times.answered(), 3, "the totals go on");
    }
}
