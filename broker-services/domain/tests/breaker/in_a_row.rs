//! Closed, with thin traffic: failures in a row.

use std::time::Duration;

use skstore_domain::breaker::{BreakerSettings, BreakerState, CallResult};

use crate::bench::{Bench, FAST, ms};

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
