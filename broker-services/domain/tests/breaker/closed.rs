//! Closed: what trips it, and what weighs nothing.

use skstore_domain::breaker::{BreakerSettings, BreakerState, CallResult, Counts, Refusal};

use crate::bench::{Bench, FAST, SLOW, ms};

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
    assert_eq!(change.why.to_string(), "20 of 20 charges in 5 calls within 10 s failed; the limit is 50 %");
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
