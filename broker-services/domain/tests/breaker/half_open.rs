//! Open and half-open: how it finds its way back.

use skstore_domain::breaker::{BreakerState, CallResult, Counts, Permit, Refusal};

use crate::bench::{Bench, FAST, SLOW, ms};

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
