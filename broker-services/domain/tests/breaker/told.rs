//! What it tells of itself.

use std::time::Duration;

use skstore_domain::breaker::{BreakerMode, BreakerSnapshot, CallResult, MAX_PENDING_CHANGES, WaitsFor};

use crate::bench::{Bench, FAST, SLOW, ms};

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
