//! What a permit and its record cost, in the way a worker uses them: as many permits as one call carries,
//! then one record of that call. Prints one JSON line for each size of call.

#![expect(clippy::disallowed_methods, reason = "a benchmark reads the clock; the breaker does not")]
#![expect(clippy::print_stdout, reason = "its output is its result")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use skstore_domain::breaker::{Breaker, BreakerSettings, CallResult};

/// Charges measured in one run: some tens of milliseconds.
const CHARGES: u32 = 1 << 20;
/// Runs; the fastest counts, since everything that disturbs one makes it slower.
const RUNS: u32 = 7;

fn main() {
    for (name, charges_per_call) in [("breaker_permit_record", 1), ("breaker_permit_record_batch", 256)] {
        let best = (0..RUNS).map(|_| run(charges_per_call)).min().unwrap_or_default();
        let ns = best.as_secs_f64() * 1e9 / f64::from(CHARGES);
        println!("{{\"bench\":\"{name}\",\"charges_per_call\":{charges_per_call},\"ns\":{ns:.1}}}");
    }
}

fn run(charges_per_call: usize) -> Duration {
    let mut breaker = Breaker::new(BreakerSettings::default(), Duration::ZERO);
    let calls = CHARGES as usize / charges_per_call;
    let mut permits = Vec::with_capacity(charges_per_call);
    let mut now = Duration::ZERO;
    let start = Instant::now();
    for _ in 0..calls {
        now += Duration::from_micros(20);
        for _ in 0..charges_per_call {
            permits.extend(black_box(&mut breaker).permit(now));
        }
        let results = permits.drain(..).map(|permit| (permit, CallResult::Ok));
        breaker.record_call(results, Duration::from_millis(3), now);
    }
    let took = start.elapsed();
    let seen = breaker.snapshot(now).window;
    assert!(
        seen.refused == 0 && seen.failed == 0 && seen.ok > 0,
        "the benchmark measured refusals: {seen:?}"
    );
    took
}
