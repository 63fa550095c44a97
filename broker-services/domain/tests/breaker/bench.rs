//! A breaker on the bench: with its clock, and what its tests do with it.

use std::time::Duration;

use skstore_domain::breaker::{Breaker, BreakerSettings, BreakerState, CallResult, Permit, Refusal};

pub(crate) const FAST: Duration = Duration::from_millis(5);
pub(crate) const SLOW: Duration = Duration::from_millis(201);

pub(crate) const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A breaker with its clock and the permits that its test holds.
pub(crate) struct Bench {
    pub(crate) breaker: Breaker,
    pub(crate) now: Duration,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::with(BreakerSettings::default())
    }

    pub(crate) fn with(settings: BreakerSettings) -> Self {
        // Not zero, so that nothing takes the clock's start for its own.
        let now = Duration::from_secs(1_000);
        Self { breaker: Breaker::new(settings, now), now }
    }

    pub(crate) fn wait(&mut self, time: Duration) {
        self.now += time;
        self.breaker.poll(self.now);
    }

    pub(crate) fn permit(&mut self) -> Result<Permit, Refusal> {
        self.breaker.permit(self.now)
    }

    /// One call with these results, each of them permitted.
    pub(crate) fn call(&mut self, results: &[CallResult], took: Duration) {
        let charges: Vec<_> =
            results.iter().map(|result| (self.permit().expect("it lets calls through"), *result)).collect();
        self.breaker.record_call(charges, took, self.now);
    }

    pub(crate) fn trip(&mut self) {
        for _ in 0..5 {
            self.call(&[CallResult::Failed; 4], ms(300));
        }
        assert_eq!(self.breaker.state(), BreakerState::Open, "20 failed charges in 5 calls must trip it");
    }

    pub(crate) fn half_open(&mut self) {
        self.trip();
        self.wait(BreakerSettings::default().open_for);
        assert_eq!(self.breaker.state(), BreakerState::HalfOpen);
    }

    pub(crate) fn record(&mut self, permit: Permit, result: CallResult, took: Duration) {
        self.breaker.record_call([(permit, result)], took, self.now);
    }

    pub(crate) fn changes(&mut self) -> Vec<(BreakerState, BreakerState, String)> {
        std::iter::from_fn(|| self.breaker.poll_change()).map(|c| (c.from, c.to, c.why.to_string())).collect()
    }
}
