//! What always holds, however it came to be where it is.

use std::time::Duration;

use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use skstore_domain::breaker::{
    Breaker, BreakerMode, BreakerSettings, BreakerState, CallResult, Permit, Refusal,
};

use crate::bench::{Bench, FAST, ms};

/// Something that a worker, an operator or time does to the breaker.
#[derive(Debug, Clone)]
pub(crate) enum Step {
    Wait(u64),
    Permit(usize),
    /// Records a call of so many of the held permits, from this one on.
    Record {
        from: usize,
        charges: usize,
        result: CallResult,
        took_ms: u64,
    },
    Drop(usize),
    Force(BreakerMode),
}

/// Any of them.
pub(crate) fn step() -> impl Strategy<Value = Step> {
    let result = prop_oneof![Just(CallResult::Ok), Just(CallResult::Failed)];
    let mode = prop_oneof![
        3 => Just(BreakerMode::Auto), 1 => Just(BreakerMode::Open), 1 => Just(BreakerMode::Closed)
    ];
    prop_oneof![
        4 => prop_oneof![0..50_u64, 0..3_000_u64, Just(2_000_u64), Just(5_000_u64)].prop_map(Step::Wait),
        6 => (1..12_usize).prop_map(Step::Permit),
        6 => (any::<usize>(), 1..12_usize, result, 0..400_u64)
            .prop_map(|(from, charges, result, took_ms)| Step::Record { from, charges, result, took_ms }),
        1 => any::<usize>().prop_map(Step::Drop),
        1 => mode.prop_map(Step::Force),
    ]
}

/// What must hold however the breaker came to be where it is.
struct Watched {
    bench: Bench,
    settings: BreakerSettings,
    held: Vec<Permit>,
    opened_at: Option<Duration>,
    generation: u32,
    /// For each held permit, the number of changes of state before it was given.
    given_in: Vec<u32>,
}

impl Watched {
    fn new() -> Self {
        let settings = BreakerSettings {
            max_in_flight: 24,
            least_charges: 10,
            least_calls: 3,
            ..BreakerSettings::default()
        };
        let bench = Bench::with(settings.clone());
        Self { bench, settings, held: Vec::new(), opened_at: None, generation: 0, given_in: Vec::new() }
    }

    fn take(&mut self, step: &Step) -> Result<(), proptest::test_runner::TestCaseError> {
        match *step {
            Step::Wait(wait_ms) => self.bench.wait(ms(wait_ms)),
            Step::Permit(charges) => {
                for _ in 0..charges {
                    self.permit()?;
                }
            }
            Step::Record { from, charges, result, took_ms } => {
                self.record(from, charges, result, ms(took_ms))?;
            }
            Step::Drop(at) => {
                if !self.held.is_empty() {
                    let at = at % self.held.len();
                    drop(self.held.swap_remove(at));
                    self.given_in.swap_remove(at);
                }
            }
            Step::Force(mode) => self.bench.breaker.force(mode, self.bench.now),
        }
        self.note_changes()?;
        prop_assert_eq!(self.bench.breaker.in_flight() as usize, self.held.len());
        prop_assert!(self.held.len() <= self.settings.max_in_flight as usize, "the bulkhead leaks");
        let probes = (0..self.held.len())
            .filter(|at| self.held[*at].is_probe() && self.given_in[*at] == self.generation)
            .count();
        prop_assert!(probes <= self.settings.probes as usize, "{} probes in flight", probes);
        let snapshot = self.bench.breaker.snapshot(self.bench.now);
        if self.bench.breaker.state() == BreakerState::HalfOpen {
            prop_assert_eq!(snapshot.probes_in_flight as usize, probes);
            prop_assert!(snapshot.probes_ok < self.settings.probes, "enough probes succeeded to close it");
            if probes == 0 {
                let wakeup = self.bench.breaker.next_wakeup(self.bench.now);
                prop_assert_eq!(wakeup, None, "time runs while nothing probes");
            }
        }
        prop_assert!(snapshot.waits_for(Duration::ZERO).is_some(), "it does not say what it waits for");
        Ok(())
    }

    fn permit(&mut self) -> Result<(), proptest::test_runner::TestCaseError> {
        let given = self.bench.permit();
        self.note_changes()?;
        match given {
            Ok(permit) => {
                prop_assert_eq!(permit.is_probe(), self.bench.breaker.state() == BreakerState::HalfOpen);
                prop_assert!(self.bench.breaker.state() != BreakerState::Open, "open let one through");
                self.held.push(permit);
                self.given_in.push(self.generation);
            }
            Err(Refusal::Full) => prop_assert_eq!(self.held.len(), self.settings.max_in_flight as usize),
            Err(Refusal::Open { retry_after }) => {
                prop_assert!(self.bench.breaker.state() != BreakerState::Closed, "closed refused one");
                prop_assert!(retry_after <= self.settings.open_for && retry_after > Duration::ZERO);
            }
        }
        Ok(())
    }

    fn record(
        &mut self,
        from: usize,
        charges: usize,
        result: CallResult,
        took: Duration,
    ) -> Result<(), proptest::test_runner::TestCaseError> {
        if self.held.is_empty() {
            return Ok(());
        }
        let from = from % self.held.len();
        let to = (from + charges).min(self.held.len());
        let call: Vec<_> = self.held.drain(from..to).map(|permit| (permit, result)).collect();
        let stale = self.given_in.drain(from..to).all(|given_in| given_in < self.generation);
        self.bench.breaker.poll(self.bench.now);
        self.note_changes()?;
        let before = self.bench.breaker.snapshot(self.bench.now);
        self.bench.breaker.record_call(call, took, self.bench.now);
        if stale {
            let mut after = self.bench.breaker.snapshot(self.bench.now);
            after.in_flight = before.in_flight;
            prop_assert_eq!(after, before, "a late result of an older state counted");
        }
        Ok(())
    }

    /// Follows the changes that the breaker tells, which must be all there are.
    fn note_changes(&mut self) -> Result<(), proptest::test_runner::TestCaseError> {
        while let Some(change) = self.bench.breaker.poll_change() {
            if change.from == change.to {
                continue;
            }
            self.generation += 1;
            if let Some(opened_at) = self.opened_at.take() {
                let waited = change.at - opened_at >= self.settings.open_for;
                prop_assert!(waited || change.why.is_wished(), "it stayed open too short: {}", change.why);
            }
            self.opened_at = (change.to == BreakerState::Open).then_some(change.at);
        }
        Ok(())
    }
}

proptest! {
    #[test]
    fn it_keeps_its_bounds_and_is_never_stuck(steps in proptest::collection::vec(step(), 0..120)) {
        let mut watched = Watched::new();
        for step in &steps {
            watched.take(step)?;
        }
        // Whatever it has been through: let go of, some time and successful calls close it. Permits may still
        // be out, as long as they leave room for one.
        let Watched { mut bench, mut held, settings, .. } = watched;
        held.truncate(settings.max_in_flight as usize - 1);
        bench.breaker.force(BreakerMode::Auto, bench.now);
        let mut waits = 0;
        while bench.breaker.state() != BreakerState::Closed {
            waits += 1;
            prop_assert!(waits <= 8, "stuck: {:?}", bench.breaker.snapshot(bench.now));
            if let Ok(permit) = bench.permit() {
                bench.record(permit, CallResult::Ok, FAST);
            } else {
                // Without a wakeup there must be room for a caller.
                let wait = bench.breaker.next_wakeup(bench.now);
                prop_assert!(wait.is_some(), "refused and nothing to wait for");
                bench.wait(wait.unwrap_or_default());
            }
        }
    }

    #[test]
    fn one_hiccup_never_trips_thin_traffic_by_failures_in_a_row(
        before in 0..=1_u32,
        hiccup_ms in 1..600_u64,
        sent in proptest::collection::vec((0..600_u64, 1..20_usize), 1..60),
    ) {
        // Every call that is in flight while Deposit hangs fails at the time limit of 300 ms; one may have failed before.
        let mut bench = Bench::with(BreakerSettings { least_charges: 1_000_000, ..BreakerSettings::default() });
        for _ in 0..before {
            bench.wait(ms(1_000));
            bench.call(&[CallResult::Failed], ms(300));
        }
        bench.wait(ms(1_000));
        let mut ends: Vec<(u64, usize)> = sent
            .into_iter()
            .filter(|(at_ms, _)| *at_ms < hiccup_ms)
            .map(|(at_ms, charges)| (at_ms + 300, charges))
            .collect();
        ends.sort_unstable();
        let from = bench.now;
        for (end_ms, charges) in ends {
            bench.now = from + ms(end_ms);
            bench.call(&vec![CallResult::Failed; charges], ms(300));
        }
        prop_assert_eq!(bench.breaker.state(), BreakerState::Closed, "a hiccup of {} ms", hiccup_ms);
    }

    #[test]
    fn a_clock_that_stands_still_or_is_huge_breaks_nothing(at in prop_oneof![Just(u64::MAX), any::<u64>()]) {
        let mut breaker = Breaker::new(BreakerSettings::default(), Duration::from_secs(at));
        for now in [at, at, 0, u64::MAX, at] {
            let now = Duration::from_secs(now);
            if let Ok(permit) = breaker.permit(now) {
                breaker.record_call([(permit, CallResult::Failed)], ms(300), now);
            }
            let _ = (breaker.snapshot(now), breaker.next_wakeup(now));
        }
    }
}
