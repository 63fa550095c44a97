//! The breaker protects Deposit, and never gets stuck.

use std::time::Duration;

use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use skstore_domain::breaker::{
    Breaker, BreakerMode, BreakerSettings, BreakerSnapshot, BreakerState, CallResult, Counts,
    MAX_PENDING_CHANGES, Permit, Refusal, WaitsFor,
};

const FAST: Duration = Duration::from_millis(5);
const SLOW: Duration = Duration::from_millis(201);

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

/// A breaker with its clock and the permits that its test holds.
struct Bench {
    breaker: Breaker,
    now: Duration,
}

impl Bench {
    fn new() -> Self {
        Self::with(BreakerSettings::default())
    }

    fn with(settings: BreakerSettings) -> Self {
        // Not zero, so that nothing takes the clock's start for its own.
        let now = Duration::from_secs(1_000);
        Self { breaker: Breaker::new(settings, now), now }
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
        self.breaker.poll(self.now);
    }

    fn permit(&mut self) -> Result<Permit, Refusal> {
        self.breaker.permit(self.now)
    }

    /// One call with these results, each of them permitted.
    fn call(&mut self, results: &[CallResult], took: Duration) {
        let charges: Vec<_> =
            results.iter().map(|result| (self.permit().expect("it lets calls through"), *result)).collect();
        self.breaker.record_call(charges, took, self.now);
    }

    fn trip(&mut self) {
        for _ in 0..5 {
            self.call(&[CallResult::Failed; 4], ms(300));
        }
        assert_eq!(self.breaker.state(), BreakerState::Open, "20 failed charges in 5 calls must trip it");
    }

    fn half_open(&mut self) {
        self.trip();
        self.wait(BreakerSettings::default().open_for);
        assert_eq!(self.breaker.state(), BreakerState::HalfOpen);
    }

    fn record(&mut self, permit: Permit, result: CallResult, took: Duration) {
        self.breaker.record_call([(permit, result)], took, self.now);
    }

    fn changes(&mut self) -> Vec<(BreakerState, BreakerState, String)> {
        std::iter::from_fn(|| self.breaker.poll_change()).map(|c| (c.from, c.to, c.why)).collect()
    }
}

#[test]
fn it_trips_at_its_limits_and_not_below() {
    use BreakerState::{Closed, Open};
    /// Ok, slow and failed; the slow ones are a call of their own, before the others.
    type Charges = (usize, usize, usize);
    let table: [(&str, &[Charges], BreakerState); 9] = [
        ("half of them failed", &[(2, 0, 2); 5], Open),
        ("just below half failed", &[(2, 0, 2), (2, 0, 2), (2, 0, 2), (2, 0, 2), (3, 0, 2)], Closed),
        ("too few charges", &[(0, 0, 4), (0, 0, 4), (0, 0, 4), (0, 0, 4), (0, 0, 3)], Closed),
        ("too few calls", &[(0, 0, 64); 4], Closed),
        ("four in five slow", &[(1, 4, 0); 5], Open),
        ("below four in five slow", &[(1, 3, 0); 6], Closed),
        ("slow and failed together four in five", &[(4, 9, 7); 3], Open),
        ("slow and failed together below it", &[(5, 8, 7); 3], Closed),
        ("everything well", &[(256, 0, 0); 40], Closed),
    ];
    for (what, calls, expected) in table {
        let mut bench = Bench::new();
        for &(ok, slow, failed) in calls {
            let fast = [vec![CallResult::Ok; ok], vec![CallResult::Failed; failed]].concat();
            for (results, took) in [(vec![CallResult::Ok; slow], SLOW), (fast, FAST)] {
                if !results.is_empty() && bench.breaker.state() == Closed {
                    bench.call(&results, took);
                }
            }
        }
        assert_eq!(bench.breaker.state(), expected, "{what}: {:?}", bench.breaker.snapshot(bench.now).window);
    }
}

#[test]
fn a_trip_says_why_and_shows_the_window_that_decided_it() {
    let mut bench = Bench::new();
    bench.trip();
    let change = bench.breaker.poll_change().unwrap();
    assert_eq!((change.from, change.to, change.at), (BreakerState::Closed, BreakerState::Open, bench.now));
    assert_eq!(change.why, "20 of 20 charges in 5 calls within 10 s failed; the limit is 50 %");
    assert_eq!(change.after.window, Counts { calls: 5, failed: 20, ..Counts::default() });
    assert_eq!(change.after.retry_after_ms, Some(5_000));
    assert_eq!(bench.breaker.poll_change(), None);
}

#[test]
fn what_has_left_the_window_weighs_nothing() {
    let mut bench = Bench::new();
    for _ in 0..4 {
        bench.call(&[CallResult::Failed; 100], ms(300));
    }
    bench.wait(ms(10_000));
    bench.call(&[CallResult::Failed; 19], ms(300));
    assert_eq!(bench.breaker.state(), BreakerState::Closed);
    let snapshot = bench.breaker.snapshot(bench.now);
    assert_eq!(snapshot.window, Counts { calls: 1, failed: 19, ..Counts::default() });
    assert_eq!(snapshot.buckets.len(), 10);
    assert_eq!(snapshot.buckets[9].failed, 19, "the newest bucket is the last");
}

#[test]
fn open_refuses_at_once_and_says_when_to_come_back() {
    let mut bench = Bench::new();
    bench.trip();
    bench.wait(ms(1_200));
    assert_eq!(bench.breaker.next_wakeup(bench.now), Some(ms(3_800)));
    assert_eq!(bench.permit().unwrap_err(), Refusal::Open { retry_after: ms(3_800) });
    bench.now += ms(3_799);
    assert_eq!(bench.permit().unwrap_err(), Refusal::Open { retry_after: ms(1) });
    assert_eq!(bench.breaker.snapshot(bench.now).window.refused, 2);
    bench.now += ms(1);
    assert!(bench.permit().unwrap().is_probe(), "a permit alone notices that it is time to probe");
}

#[test]
fn the_bulkhead_bounds_the_charges_in_flight_and_weighs_nothing() {
    let mut bench = Bench::with(BreakerSettings { max_in_flight: 30, ..BreakerSettings::default() });
    let mut held: Vec<_> = (0..30).map(|_| bench.permit().unwrap()).collect();
    for _ in 0..100 {
        assert_eq!(bench.permit().unwrap_err(), Refusal::Full);
    }
    drop(held.pop());
    assert_eq!(bench.breaker.in_flight(), 29);
    held.push(bench.permit().unwrap());
    for permit in held {
        bench.record(permit, CallResult::Ok, FAST);
    }
    let snapshot = bench.breaker.snapshot(bench.now);
    assert_eq!(snapshot.window, Counts { calls: 30, ok: 30, refused: 100, ..Counts::default() });
    assert_eq!((bench.breaker.state(), bench.breaker.in_flight()), (BreakerState::Closed, 0));
}

#[test]
fn three_good_probes_close_it_with_an_empty_window() {
    let mut bench = Bench::new();
    bench.half_open();
    let probes: Vec<_> = (0..3).map(|_| bench.permit().unwrap()).collect();
    assert!(probes.iter().all(Permit::is_probe));
    assert_eq!(bench.permit().unwrap_err(), Refusal::Open { retry_after: ms(200) });
    for (at, permit) in probes.into_iter().enumerate() {
        assert_eq!(bench.breaker.state(), BreakerState::HalfOpen, "after {at} probes");
        assert_eq!(bench.breaker.snapshot(bench.now).probes_ok as usize, at);
        bench.wait(ms(100));
        bench.record(permit, CallResult::Ok, FAST);
    }
    let snapshot = bench.breaker.snapshot(bench.now);
    assert_eq!((snapshot.state, snapshot.window), (Some(BreakerState::Closed), Counts::default()));
    assert!(!bench.permit().unwrap().is_probe());
    let told: Vec<_> = bench.changes().into_iter().map(|(_, to, why)| (to, why)).skip(1).collect();
    let expected = [
        (BreakerState::HalfOpen, "it is time to probe".to_owned()),
        (BreakerState::Closed, "3 probes succeeded".to_owned()),
    ];
    assert_eq!(told, expected);
}

#[test]
fn a_failed_or_slow_probe_opens_it_again() {
    for (result, took, why) in
        [(CallResult::Failed, FAST, "a probe failed"), (CallResult::Ok, SLOW, "a probe took 201 ms")]
    {
        let mut bench = Bench::new();
        bench.half_open();
        let probe = bench.permit().unwrap();
        bench.record(probe, result, took);
        assert_eq!(bench.permit().unwrap_err(), Refusal::Open { retry_after: ms(5_000) }, "{why}");
        assert_eq!(bench.changes().last().unwrap().2, why);
    }
}

#[test]
fn a_probe_that_hangs_opens_it_again_without_anybody_calling() {
    let mut bench = Bench::new();
    bench.half_open();
    bench.wait(ms(60_000));
    let hanging = bench.permit().unwrap();
    assert_eq!(bench.breaker.next_wakeup(bench.now), Some(ms(2_000)));
    bench.wait(ms(1_999));
    assert_eq!(bench.breaker.state(), BreakerState::HalfOpen);
    bench.wait(ms(1));
    assert_eq!(bench.breaker.state(), BreakerState::Open);
    assert_eq!(bench.changes().last().unwrap().2, "a probe had no answer after 2000 ms");

    bench.wait(ms(5_000));
    bench.record(hanging, CallResult::Failed, ms(7_000));
    assert_eq!(bench.breaker.state(), BreakerState::HalfOpen, "what comes too late says nothing of now");
    for _ in 0..3 {
        bench.call(&[CallResult::Ok], FAST);
    }
    assert_eq!(bench.breaker.state(), BreakerState::Closed);
}

#[test]
fn one_caller_closes_it_with_three_orders_however_long_he_takes_between_them() {
    let mut bench = Bench::new();
    bench.half_open();
    for succeeded in 0..3 {
        bench.wait(ms(3_600_000));
        assert_eq!(bench.breaker.state(), BreakerState::HalfOpen, "no time runs while nothing probes");
        assert_eq!(bench.breaker.next_wakeup(bench.now), None, "there is nothing to wait for");
        assert_eq!(bench.breaker.snapshot(bench.now).probes_ok, succeeded);
        bench.call(&[CallResult::Ok], FAST);
    }
    assert_eq!(bench.breaker.state(), BreakerState::Closed);
}

#[test]
fn a_probe_that_fails_takes_the_successes_before_it_back() {
    let mut bench = Bench::new();
    bench.half_open();
    for _ in 0..2 {
        bench.call(&[CallResult::Ok], FAST);
    }
    bench.call(&[CallResult::Failed], ms(300));
    bench.wait(ms(5_000));
    let snapshot = bench.breaker.snapshot(bench.now);
    assert_eq!((snapshot.state, snapshot.probes_ok), (Some(BreakerState::HalfOpen), 0));
}

/// One caller who sends `results` one after the other, `every` so often.
fn one_after_the_other(results: &[CallResult], every: Duration) -> Bench {
    let mut bench = Bench::new();
    for result in results {
        if bench.breaker.state() == BreakerState::Closed {
            bench.wait(every);
            bench.call(&[*result], if *result == CallResult::Ok { FAST } else { ms(300) });
        }
    }
    bench
}

#[test]
fn thin_traffic_trips_it_by_failures_in_a_row() {
    use BreakerState::{Closed, Open};
    use CallResult::{Failed, Ok};
    let window = BreakerSettings::default().window;
    let table: [(&str, &[CallResult], Duration, BreakerState); 6] = [
        ("five in a row", &[Failed; 5], ms(300), Open),
        ("four in a row", &[Failed; 4], ms(300), Closed),
        ("an answer in between", &[Failed, Failed, Failed, Failed, Ok, Failed], ms(1_000), Closed),
        ("each just within the window of the one before", &[Failed; 5], window, Open),
        ("each just beyond it", &[Failed; 40], window + ms(1), Closed),
        ("a day apart", &[Failed; 10], Duration::from_secs(86_400), Closed),
    ];
    for (what, results, every, expected) in table {
        let bench = one_after_the_other(results, every);
        assert_eq!(bench.breaker.state(), expected, "{what}");
    }
    let mut bench = one_after_the_other(&[Failed; 5], ms(2_500));
    let why = "5 calls in a row had no usable answer, each within 10 s of the one before; the limit is 5";
    assert_eq!(bench.changes()[0].2, why);
}

#[test]
fn calls_that_fail_together_are_one_failure_however_many_charges_they_carry() {
    let mut bench = Bench::with(BreakerSettings { least_charges: 10_000, ..BreakerSettings::default() });
    for hiccup in 1..=4 {
        bench.wait(ms(1_000));
        for _ in 0..10 {
            bench.call(&[CallResult::Failed; 50], ms(300));
            bench.wait(ms(20));
        }
        let snapshot = bench.breaker.snapshot(bench.now);
        assert_eq!((snapshot.state, snapshot.failed_in_a_row), (Some(BreakerState::Closed), hiccup));
    }
    bench.wait(ms(1_000));
    bench.call(&[CallResult::Failed], ms(300));
    assert_eq!(bench.breaker.state(), BreakerState::Open, "the fifth is one too many");
}

#[test]
fn where_there_is_enough_to_judge_by_shares_a_row_of_failures_is_forgiven() {
    let mut bench = Bench::new();
    for _ in 0..10 {
        bench.call(&[CallResult::Ok; 10], FAST);
    }
    for _ in 0..20 {
        bench.wait(ms(300));
        bench.call(&[CallResult::Failed; 2], ms(300));
    }
    assert_eq!(bench.breaker.snapshot(bench.now).failed_in_a_row, 20);
    assert_eq!(bench.breaker.state(), BreakerState::Closed, "40 of 140 charges are below half");
}

#[test]
fn failures_in_a_row_can_be_left_out() {
    let mut bench = Bench::with(BreakerSettings { consecutive_failures: 0, ..BreakerSettings::default() });
    for _ in 0..19 {
        bench.wait(ms(300));
        bench.call(&[CallResult::Failed], ms(300));
    }
    assert_eq!(bench.breaker.state(), BreakerState::Closed);
    bench.wait(ms(300));
    bench.call(&[CallResult::Failed], ms(300));
    assert_eq!(bench.breaker.state(), BreakerState::Open, "the twentieth charge is enough for the shares");
}

#[test]
fn it_says_what_it_waits_for() {
    let told = |bench: &Bench| bench.breaker.snapshot(bench.now).waits_for(Duration::ZERO);
    let mut bench = Bench::new();
    let failures = |in_a_row, charges, calls| {
        Some(WaitsFor::Failures {
            in_a_row,
            consecutive_failures: 5,
            charges,
            least_charges: 20,
            calls,
            least_calls: 5,
        })
    };
    assert_eq!(told(&bench), failures(0, 0, 0));
    for _ in 0..3 {
        bench.wait(ms(300));
        bench.call(&[CallResult::Failed; 4], ms(300));
    }
    assert_eq!(told(&bench), failures(3, 12, 3));
    bench.call(&[CallResult::Ok; 14], FAST);
    bench.call(&[CallResult::Ok; 4], SLOW);
    assert_eq!(
        told(&bench),
        Some(WaitsFor::Shares { failed: 40, failed_percent: 50, slow: 53, slow_percent: 80 })
    );

    bench = Bench::new();
    bench.trip();
    assert_eq!(told(&bench), Some(WaitsFor::Time { left_ms: 5_000 }));
    let snapshot = bench.breaker.snapshot(bench.now);
    assert_eq!(snapshot.waits_for(ms(3_800)), Some(WaitsFor::Time { left_ms: 1_200 }));
    let first = Some(WaitsFor::NextOrder { succeeded: 0, probes: 3 });
    assert_eq!(snapshot.waits_for(ms(5_000)), first, "nobody has looked, but it is time");
    bench.wait(ms(5_000));
    assert_eq!(told(&bench), first);
    bench.call(&[CallResult::Ok], FAST);
    bench.call(&[CallResult::Ok], FAST);
    assert_eq!(told(&bench), Some(WaitsFor::NextOrder { succeeded: 2, probes: 3 }));
    let probe = bench.permit().unwrap();
    assert_eq!(told(&bench), Some(WaitsFor::Probes { succeeded: 2, probes: 3, in_flight: 1 }));
    drop(probe);
    assert_eq!(told(&bench), Some(WaitsFor::NextOrder { succeeded: 2, probes: 3 }));
    bench.breaker.force(BreakerMode::Open, bench.now);
    assert_eq!(told(&bench), Some(WaitsFor::Operator));
}

#[test]
fn what_an_older_worker_tells_of_its_breaker_is_read_and_no_more_is_said_than_that() {
    let old = r#"{"state":"half_open","mode":"auto","for_ms":5,"retry_after_ms":null,"probes_ok":1,"in_flight":0,
        "max_in_flight":512,"window":{"calls":0,"ok":0,"failed":0,"slow":0,"refused":0},"buckets":[],
        "failed_percent":50,"slow_percent":80,"least_charges":20}"#;
    let snapshot: BreakerSnapshot = serde_json::from_str(old).unwrap();
    assert_eq!((snapshot.probes_ok, snapshot.waits_for(Duration::ZERO)), (1, None));

    let mut bench = Bench::new();
    bench.call(&[CallResult::Ok; 3], FAST);
    let told = bench.breaker.snapshot(bench.now);
    let json = serde_json::to_string(&told).unwrap();
    assert_eq!(serde_json::from_str::<BreakerSnapshot>(&json).unwrap(), told);
    let newer = json.replace("\"buckets\":", "\"of_a_newer_version\":1,\"buckets\":");
    assert_eq!(serde_json::from_str::<BreakerSnapshot>(&newer).unwrap(), told, "and so is a newer one's");
}

#[test]
fn a_dropped_probe_gives_its_place_to_another() {
    let mut bench = Bench::new();
    bench.half_open();
    let mut probes: Vec<_> = (0..3).map(|_| bench.permit().unwrap()).collect();
    for _ in 0..10 {
        assert!(bench.permit().is_err());
        drop(probes.pop());
        probes.push(bench.permit().unwrap());
    }
    drop(probes);
    bench.wait(ms(10_000));
    assert_eq!(bench.breaker.state(), BreakerState::HalfOpen, "nobody has heard anything bad");
    assert_eq!(bench.breaker.in_flight(), 0);
}

#[test]
fn late_results_of_an_older_state_do_not_count() {
    let mut bench = Bench::new();
    let early: Vec<_> = (0..60).map(|_| bench.permit().unwrap()).collect();
    bench.half_open();
    let mut early = early.into_iter();
    for permit in early.by_ref().take(20) {
        bench.record(permit, CallResult::Ok, FAST);
    }
    assert_eq!(bench.breaker.state(), BreakerState::HalfOpen, "only probes close it");
    for permit in early.by_ref().take(20) {
        bench.record(permit, CallResult::Failed, FAST);
    }
    assert_eq!(bench.breaker.state(), BreakerState::HalfOpen, "and only probes open it");
    for _ in 0..3 {
        bench.call(&[CallResult::Ok], FAST);
    }
    for permit in early {
        bench.record(permit, CallResult::Failed, FAST);
    }
    assert_eq!(bench.breaker.state(), BreakerState::Closed);
    assert_eq!(bench.breaker.snapshot(bench.now).window, Counts::default());
    assert_eq!(bench.breaker.in_flight(), 0);
}

#[test]
fn an_operator_holds_it_and_lets_it_go() {
    use BreakerMode::{Auto, Closed, Open};
    let mut bench = Bench::new();
    bench.breaker.force(Auto, bench.now);
    assert_eq!(bench.breaker.poll_change(), None, "it was in auto already");

    bench.breaker.force(Open, bench.now);
    bench.breaker.force(Open, bench.now);
    bench.wait(ms(3_600_000));
    assert_eq!(bench.permit().unwrap_err(), Refusal::Open { retry_after: ms(5_000) });
    let snapshot = bench.breaker.snapshot(bench.now);
    assert_eq!((snapshot.mode, snapshot.retry_after_ms, snapshot.for_ms), (Some(Open), None, 3_600_000));
    assert_eq!(bench.breaker.next_wakeup(bench.now), None);

    bench.breaker.force(Auto, bench.now);
    assert!(bench.permit().unwrap().is_probe(), "nobody knows how Deposit is");

    bench.breaker.force(Closed, bench.now);
    for _ in 0..10 {
        bench.call(&[CallResult::Failed; 50], ms(300));
    }
    assert_eq!((bench.breaker.state(), bench.breaker.mode()), (BreakerState::Closed, Closed));
    assert_eq!(bench.breaker.snapshot(bench.now).window.failed, 500, "it still counts");

    bench.breaker.force(Auto, bench.now);
    assert_eq!(bench.breaker.state(), BreakerState::Closed);
    bench.call(&[CallResult::Ok], FAST);
    assert_eq!(bench.breaker.state(), BreakerState::Open, "and judges by it once it is let go");

    bench.breaker.force(Open, bench.now);
    bench.breaker.force(Closed, bench.now);
    let told: Vec<_> = bench.changes().into_iter().map(|(from, to, _)| (from.word(), to.word())).collect();
    let expected = [
        ("closed", "open"),
        ("open", "half_open"),
        ("half_open", "closed"),
        ("closed", "closed"),
        ("closed", "open"),
        ("open", "open"),
        ("open", "closed"),
    ];
    assert_eq!(told, expected, "a change of mode is told too");
}

#[test]
fn untold_changes_are_bounded() {
    let mut bench = Bench::new();
    for _ in 0..MAX_PENDING_CHANGES {
        bench.breaker.force(BreakerMode::Open, bench.now);
        bench.breaker.force(BreakerMode::Closed, bench.now);
    }
    bench.breaker.force(BreakerMode::Auto, bench.now);
    let told = bench.changes();
    assert_eq!(told.len(), MAX_PENDING_CHANGES);
    assert_eq!(told.last().unwrap().2, "let go by an operator", "the newest is kept");
}

/// Something that a worker, an operator or time does to the breaker.
#[derive(Debug, Clone)]
enum Step {
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

fn step() -> impl Strategy<Value = Step> {
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
                prop_assert!(
                    waited || change.why.contains("operator"),
                    "it stayed open too short: {}",
                    change.why
                );
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
