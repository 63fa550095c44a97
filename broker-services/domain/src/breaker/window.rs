//! The sliding window: what became of the charges of the last seconds, in buckets that expire one by one.

use std::time::Duration;

use super::{BreakerSettings, Counts};

/// Counts of the last `buckets × width`, give or take the newest bucket, which is still filling.
#[derive(Debug, Clone)]
pub(super) struct Window {
    /// A ring; the bucket after `newest` is the oldest.
    ring: Vec<Counts>,
    newest: usize,
    newest_ends: Duration,
    width: Duration,
    /// Sum of the ring, kept so that judging costs the same for any number of buckets.
    total: Counts,
}

impl Window {
    pub(super) fn new(settings: &BreakerSettings, now: Duration) -> Self {
        let buckets = settings.buckets.max(1);
        let width = (settings.window / buckets).max(Duration::from_nanos(1));
        Self {
            ring: vec![Counts::default(); usize::try_from(buckets).unwrap_or(1)],
            newest: 0,
            newest_ends: now.saturating_add(width),
            width,
            total: Counts::default(),
        }
    }

    /// Forgets what has become too old. A `now` that lies behind is taken for the newest one known.
    pub(super) fn slide(&mut self, now: Duration) {
        if now >= self.newest_ends {
            self.start_buckets(now);
        }
    }

    #[cold]
    fn start_buckets(&mut self, now: Duration) {
        let late = now.saturating_sub(self.newest_ends);
        let width = self.width.as_nanos();
        let steps = usize::try_from(late.as_nanos() / width).unwrap_or(usize::MAX).saturating_add(1);
        if steps >= self.ring.len() {
            self.clear();
        } else {
            for _ in 0..steps {
                self.newest = (self.newest + 1) % self.ring.len();
                let expired = std::mem::take(&mut self.ring[self.newest]);
                self.total = self.total.minus(&expired);
            }
        }
        // The rest is below a bucket's width, and that below 584 years.
        let into_bucket = Duration::from_nanos(u64::try_from(late.as_nanos() % width).unwrap_or(0));
        self.newest_ends = now.saturating_sub(into_bucket).saturating_add(self.width);
    }

    pub(super) fn clear(&mut self) {
        self.ring.fill(Counts::default());
        self.total = Counts::default();
    }

    pub(super) fn add(&mut self, counts: &Counts) {
        let newest = &mut self.ring[self.newest];
        *newest = newest.plus(counts);
        self.total = self.total.plus(counts);
    }

    /// As it was once: its buckets, oldest first, and when the newest of them ends. Those of a window of another shape go where
    /// their middle lies.
    pub(super) fn of(
        settings: &BreakerSettings,
        buckets: &[Counts],
        newest_ends: Duration,
        width: Duration,
    ) -> Self {
        let mut window = Self::new(settings, Duration::ZERO);
        if (window.ring.len(), window.width) == (buckets.len(), width) {
            window.ring.copy_from_slice(buckets);
            window.newest = buckets.len().saturating_sub(1);
            window.newest_ends = newest_ends;
            window.total = buckets.iter().fold(Counts::default(), |sum, bucket| sum.plus(bucket));
            return window;
        }
        let mut middle = newest_ends.saturating_sub(width / 2);
        let middles = buckets.iter().rev().map(|bucket| {
            let at = middle;
            middle = middle.saturating_sub(width);
            (at, bucket)
        });
        let middles: Vec<_> = middles.collect();
        let first = middles.last().map_or(newest_ends, |(at, _)| *at);
        window = Self::new(settings, first);
        for (at, bucket) in middles.into_iter().rev() {
            window.slide(at);
            window.add(bucket);
        }
        window
    }

    /// When its newest bucket ends, and how wide each is.
    pub(super) const fn ends(&self) -> (Duration, Duration) {
        (self.newest_ends, self.width)
    }

    pub(super) const fn total(&self) -> &Counts {
        &self.total
    }

    /// The buckets, oldest first, and their sum, as they would be at `now`.
    pub(super) fn at(&self, now: Duration) -> (Vec<Counts>, Counts) {
        let mut slid = self.clone();
        slid.slide(now);
        let Self { mut ring, newest, total, .. } = slid;
        ring.rotate_left(newest + 1);
        (ring, total)
    }
}

impl Counts {
    /// Charges that weigh: those let through that have ended.
    #[must_use]
    pub const fn charges(&self) -> u32 {
        self.ok.saturating_add(self.failed)
    }

    const fn plus(&self, other: &Self) -> Self {
        Self {
            calls: self.calls.saturating_add(other.calls),
            ok: self.ok.saturating_add(other.ok),
            failed: self.failed.saturating_add(other.failed),
            slow: self.slow.saturating_add(other.slow),
            refused: self.refused.saturating_add(other.refused),
        }
    }

    const fn minus(&self, other: &Self) -> Self {
        Self {
            calls: self.calls.saturating_sub(other.calls),
            ok: self.ok.saturating_sub(other.ok),
            failed: self.failed.saturating_sub(other.failed),
            slow: self.slow.saturating_sub(other.slow),
            refused: self.refused.saturating_sub(other.refused),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OK: Counts = Counts { calls: 1, ok: 1, failed: 0, slow: 0, refused: 0 };

    fn window() -> Window {
        let settings = BreakerSettings { window: Duration::from_secs(3), buckets: 3, ..Default::default() };
        Window::new(&settings, Duration::from_millis(500))
    }

    #[test]
    fn a_count_is_forgotten_when_its_bucket_leaves_the_window() {
        let mut window = window();
        window.add(&OK);
        let table = [
            (1_499, [0, 0, 1]),
            (1_500, [0, 1, 0]),
            (3_499, [1, 0, 0]),
            (3_500, [0, 0, 0]),
            (u64::MAX, [0; 3]),
        ];
        for (now_ms, by_bucket) in table {
            let (buckets, total) = window.at(Duration::from_millis(now_ms));
            assert_eq!(buckets.iter().map(|b| b.ok).collect::<Vec<_>>(), by_bucket, "at {now_ms} ms");
            assert_eq!(total.ok, by_bucket.iter().sum::<u32>(), "at {now_ms} ms");
        }
    }

    proptest::proptest! {
        #[test]
        fn the_total_is_the_sum_of_the_buckets(steps: Vec<(u16, bool)>) {
            let mut window = window();
            let mut now = Duration::from_millis(500);
            for (wait_ms, add) in steps {
                now += Duration::from_millis(u64::from(wait_ms % 2_000));
                window.slide(now);
                if add {
                    window.add(&OK);
                }
                let (buckets, total) = window.at(now);
                let sum = buckets.iter().fold(Counts::default(), |sum, bucket| sum.plus(bucket));
                proptest::prop_assert_eq!(sum, total);
                proptest::prop_assert_eq!(total, *window.total());
            }
        }
    }
}
