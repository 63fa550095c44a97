//! What a permit and its record cost, in the way a worker uses them: as many permits as one call carries,
//! then one record of that call. Prints one JSON line for each size of call.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock; the breaker does not")]
#![expect(clippy::print_stdout, reason = "its output is its result")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use skstore_domain::breaker::{Breaker, BreakerSettings, CallResult};

/// Charges measured in one run: some tens of milliseconds.
const CHARGES: u32 = 1 << 20;
/// Charges of a full call.
const BATCH: u32 = 256;
/// Between two calls, so that the window slides too.
const BETWEEN_CALLS: Duration = Duration::from_micros(50);
/// How long a call takes.
const TOOK: Duration = Duration::from_millis(3);
/// Runs; the fastest counts, since everything that disturbs one makes it slower.
const RUNS: u32 = 7;

fn main() {
    for (name, charges_per_call, calls) in [
        ("breaker_permit_record", 1, one_by_one as fn(&mut Breaker)),
        ("breaker_permit_record_batch", BATCH, in_batches),
    ] {
        let best = (0..RUNS).map(|_| run(calls)).min().unwrap_or_default();
        let ns = best.as_secs_f64() * 1e9 / f64::from(CHARGES);
        println!(
            "{{\"name\":\"{name}\",\"value\":{ns:.1},\"unit\":\"ns\",\"at_most\":50,\
             \"charges_per_call\":{charges_per_call}}}"
        );
    }
}

fn run(calls: fn(&mut Breaker)) -> Duration {
    let mut breaker = Breaker::new(BreakerSettings::default(), Duration::ZERO);
    let start = Instant::now();
    calls(&mut breaker);
    let took = start.elapsed();
    let seen = breaker.snapshot(BETWEEN_CALLS * CHARGES).window;
    assert!(seen.refused == 0 && seen.failed == 0, "the benchmark measured refusals: {seen:?}");
    took
}

fn one_by_one(breaker: &mut Breaker) {
    for call in 0..CHARGES {
        let now = BETWEEN_CALLS * call;
        if let Ok(permit) = black_box(&mut *breaker).permit(now) {
            breaker.record_call([(permit, CallResult::Ok)], TOOK, now);
        }
    }
}

fn in_batches(breaker: &mut Breaker) {
    let mut permits = Vec::with_capacity(BATCH as usize);
    for call in 0..CHARGES / BATCH {
        let now = BETWEEN_CALLS * call;
        for _ in 0..BATCH {
            permits.extend(black_box(&mut *breaker).permit(now));
        }
        breaker.record_call(permits.drain(..).map(|permit| (permit, CallResult::Ok)), TOOK, now);
    }
}
