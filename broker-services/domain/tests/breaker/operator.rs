//! Held by an operator.

use skstore_domain::breaker::{BreakerMode, BreakerState, CallResult, Refusal};

use crate::bench::{Bench, FAST, ms};

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
