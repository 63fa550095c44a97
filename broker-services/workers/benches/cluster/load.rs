//! Clients that place orders, and what they measured.

use std::time::Duration;

/// What came of one turn.
#[derive(Debug)]
pub(crate) struct Load {
    /// From question to answer, sorted.
    pub(crate) latencies: Vec<Duration>,
    /// From the first question until the last order was settled.
    pub(crate) settled: Duration,
}

impl Load {
    pub(crate) fn settled_per_s(&self) -> f64 {
        self.latencies.len() as f64 / self.settled.as_secs_f64()
    }

    pub(crate) fn percentile(&self, percent: usize) -> Duration {
        self.latencies[(self.latencies.len() - 1) * percent / 100]
    }
}

/// The middle one.
pub(crate) fn median<T: PartialOrd + Copy>(mut all: Vec<T>) -> T {
    all.sort_by(|one, other| one.partial_cmp(other).expect("comparable figures"));
    all[all.len() / 2]
}
