//! What a breaker tells of its calls can be recorded, and replayed under its own settings and others.

use std::time::Duration;

use proptest::prelude::{any, prop_assert_eq, proptest};
use skstore_domain::breaker::recording::{Header, Line, Recorder, VERSION};
use skstore_domain::breaker::replay::{Outcome, Replay, Shift, WrongRecording};
use skstore_domain::breaker::{
    Breaker, BreakerMode, BreakerSettings, BreakerState, CallResult, Entry, MAX_TOLD, MAX_TOLD_BYTES, Permit,
    Told,
};
use skstore_domain::charges::NoAnswer;
use skstore_domain::time::Timestamp;

use crate::bench::{Bench, FAST, ms};
use crate::properties::{Step, step};

const BEGAN_AT: Timestamp = Timestamp(1_790_000_000_000);

fn header(settings: &BreakerSettings) -> Header {
    let settings = settings.clone();
    Header { version: VERSION, program: "test".into(), instance: "order-1".into(), at: BEGAN_AT, settings }
}

/// What is told, as it comes at the other end.
fn over_the_bus(told: &Told) -> Told {
    let json = serde_json::to_string(told).unwrap();
    let back: Told = serde_json::from_str(&json).unwrap();
    assert_eq!(&back, told, "{json}");
    back
}

/// A worker that is recorded.
struct Recorded {
    bench: Bench,
    recorder: Recorder,
    lines: Vec<Line>,
}

impl Recorded {
    fn with(settings: BreakerSettings) -> Self {
        Self { bench: Bench::with(settings), recorder: Recorder::default(), lines: Vec::new() }
    }

    fn beat(&mut self) {
        let told = self.bench.breaker.tell(BEGAN_AT, self.bench.now);
        self.lines.extend(self.recorder.hear(&over_the_bus(&told)));
    }

    fn take(&mut self, step: &Step, held: &mut Vec<Permit>) {
        let bench = &mut self.bench;
        match *step {
            Step::Wait(wait_ms) => bench.wait(ms(wait_ms)),
            Step::Permit(charges) => held.extend((0..charges).filter_map(|_| bench.permit().ok())),
            Step::Record { from, charges, result, took_ms } if !held.is_empty() => {
                let from = from % held.len();
                let to = (from + charges).min(held.len());
                let call: Vec<_> = held.drain(from..to).map(|permit| (permit, result)).collect();
                bench.breaker.record(call, ms(took_ms), Some(NoAnswer::Timeout), bench.now);
            }
            Step::Drop(at) if !held.is_empty() => drop(held.swap_remove(at % held.len())),
            Step::Record { .. } | Step::Drop(_) => {}
            Step::Force(mode) => bench.breaker.force(mode, bench.now),
        }
    }

    /// The recording as a file has it, read again and replayed.
    fn replay(&self, recorded: &BreakerSettings, settings: &BreakerSettings) -> Outcome {
        let header = header(recorded);
        let written = std::iter::once(Line::Header(header.clone())).chain(self.lines.iter().cloned());
        let mut replay = Replay::new(&header, settings.clone());
        for (number, line) in written.enumerate() {
            let read = Line::read(line.text().as_bytes()).unwrap();
            assert_eq!(read, line, "line {number}");
            if number > 0 {
                replay.take(read).unwrap_or_else(|wrong| panic!("line {number}: {wrong}"));
            }
        }
        replay.finish()
    }

    fn forced(&self) -> Vec<BreakerMode> {
        let mode = |line: &Line| match line {
            Line::Entry(Entry::Forced { mode, .. }) => Some(*mode),
            _ => None,
        };
        self.lines.iter().filter_map(mode).collect()
    }
}

/// Calls of one charge, `every` so often, with `refused` counted where there is no permit.
fn calls(recorded: &mut Recorded, count: usize, every: Duration, result: CallResult, took: Duration) {
    for _ in 0..count {
        recorded.bench.wait(every);
        if let Ok(permit) = recorded.bench.permit() {
            recorded.bench.now += took;
            recorded.bench.record(permit, result, took);
        }
        recorded.beat();
    }
}

/// Deposit is well, fails for seven seconds, and is well again.
fn an_outage(settings: &BreakerSettings) -> Recorded {
    let mut recorded = Recorded::with(settings.clone());
    recorded.beat();
    calls(&mut recorded, 20, ms(100), CallResult::Ok, FAST);
    calls(&mut recorded, 70, ms(100), CallResult::Failed, ms(10));
    calls(&mut recorded, 100, ms(100), CallResult::Ok, FAST);
    recorded
}

#[test]
fn other_settings_tell_what_would_have_been_and_what_of_it_is_a_guess() {
    let settings = BreakerSettings::default();
    let recorded = an_outage(&settings);
    let same = recorded.replay(&settings, &settings);
    assert_eq!(same.recorded.tally, same.replayed.tally);
    assert_eq!((same.recorded.tally.opened, same.guessed, same.unknown), (2, 0, 0), "{same:?}");

    let never = BreakerSettings {
        consecutive_failures: 0,
        failed_percent: 100,
        slow_percent: 100,
        ..settings.clone()
    };
    let never = recorded.replay(&settings, &never);
    assert_eq!(never.recorded, same.recorded, "what was recorded is the same");
    let (was, would) = (never.recorded.tally, never.replayed.tally);
    assert_eq!((would.opened, would.open_ms, would.refused), (0, 0, 0), "{would:?}");
    assert_eq!(never.guessed, was.refused, "all that was refused was let through, and guessed");
    assert_eq!(would.charges, was.charges + was.refused);
    assert!(would.failed > was.failed, "{would:?} beside {was:?}");

    let eager = BreakerSettings { failed_percent: 5, open_for: ms(20_000), ..settings.clone() };
    let eager = recorded.replay(&settings, &eager);
    let (was, would) = (eager.recorded.tally, eager.replayed.tally);
    assert_eq!((would.opened, would.failed), (1, 2), "2 of 22 are enough: {would:?}");
    assert!(would.refused > was.refused && would.calls < was.calls, "{would:?} beside {was:?}");
    assert!(would.open_ms > was.open_ms, "{would:?} beside {was:?}");
}

#[test]
fn what_was_refused_far_from_any_call_comes_to_nothing_that_is_known() {
    let settings = BreakerSettings::default();
    let mut recorded = Recorded::with(settings.clone());
    recorded.bench.breaker.force(BreakerMode::Open, recorded.bench.now);
    recorded.beat();
    for _ in 0..5 {
        recorded.bench.wait(ms(1_000));
        assert!(recorded.bench.permit().is_err());
        recorded.beat();
    }
    // Half-open in the replay as well: a wish of the operator's counts for both.
    recorded.bench.breaker.force(BreakerMode::Auto, recorded.bench.now);
    recorded.beat();
    let outcome = recorded.replay(&settings, &settings);
    assert_eq!((outcome.replayed.tally.refused, outcome.guessed, outcome.unknown), (5, 0, 0));
    assert_eq!(recorded.forced(), [BreakerMode::Auto]);

    recorded.bench.breaker.force(BreakerMode::Closed, recorded.bench.now);
    let full = BreakerSettings { max_in_flight: 1, ..settings };
    let mut recorded = Recorded::with(full.clone());
    recorded.beat();
    let held = recorded.bench.permit().unwrap();
    recorded.bench.permit().unwrap_err();
    recorded.beat();
    recorded.bench.wait(ms(20_000));
    drop(held);
    recorded.beat();
    let roomy = BreakerSettings { max_in_flight: 2, ..full.clone() };
    let outcome = recorded.replay(&full, &roomy);
    assert_eq!((outcome.recorded.tally.refused, outcome.replayed.tally.refused, outcome.unknown), (1, 0, 1));
}

#[test]
fn what_was_not_heard_is_a_gap_and_both_begin_anew_after_it() {
    let settings = BreakerSettings::default();
    let mut recorded = Recorded::with(settings.clone());
    recorded.beat();
    calls(&mut recorded, 3, ms(100), CallResult::Ok, FAST);
    for _ in 0..60 {
        recorded.bench.wait(ms(100));
        recorded.bench.call(&[CallResult::Ok; 2], FAST);
    }
    recorded.bench.wait(ms(10_000));
    recorded.bench.trip();
    recorded.beat();
    calls(&mut recorded, 70, ms(100), CallResult::Ok, FAST);
    let outcome = recorded.replay(&settings, &settings);
    let told = recorded.recorder.recorded();
    assert_eq!((told.gaps, outcome.gaps, told.missing), (1, 1, outcome.missing));
    assert_eq!(told.missing, 66, "60 calls, the five that tripped it, and the change");
    let states: Vec<_> = outcome.recorded.states.iter().map(|shift| shift.state).collect();
    let (closed, open, half) = (BreakerState::Closed, BreakerState::Open, BreakerState::HalfOpen);
    assert_eq!(states, [Some(closed), None, Some(open), Some(half), Some(closed)]);
    assert_eq!(outcome.recorded.states, outcome.replayed.states);
}

#[test]
fn a_worker_that_begins_anew_is_a_gap_and_what_an_older_heartbeat_tells_is_passed_over() {
    let mut recorder = Recorder::default();
    let mut first = Bench::new();
    let old = first.breaker.tell(BEGAN_AT, first.now);
    assert!(matches!(recorder.hear(&old)[..], [Line::State(_)]));
    assert_eq!(recorder.hear(&old), [], "the same again");
    first.call(&[CallResult::Ok], FAST);
    let late = first.breaker.tell(BEGAN_AT, first.now);
    let mut second = Breaker::new(BreakerSettings::default(), Duration::ZERO);
    let new = second.tell(Timestamp(BEGAN_AT.0 + 5_000), ms(1));
    assert!(matches!(recorder.hear(&new)[..], [Line::Gap(_), Line::State(_)]));
    assert_eq!(recorder.hear(&late), [], "a heartbeat of the one before");
}

#[test]
fn a_busy_worker_tells_its_newest_calls_in_few_bytes() {
    let mut bench = Bench::new();
    for _ in 0..MAX_TOLD + 5 {
        bench.wait(Duration::from_micros(700));
        bench.call(&[CallResult::Ok; 16], Duration::from_micros(3_100));
    }
    let told = bench.breaker.tell(BEGAN_AT, bench.now);
    let (count, bytes) = (told.entries.len(), serde_json::to_string(&told).unwrap().len());
    assert!(count > 600 && told.first + count as u64 == told.image.next, "{count} calls");
    assert!(bytes < MAX_TOLD_BYTES, "{bytes} bytes of {count} calls");
}

#[test]
fn a_heartbeat_has_room_for_what_is_told_whatever_that_is() {
    let year = Duration::from_secs(366 * 86_400);
    let settings = BreakerSettings { max_in_flight: 1, buckets: 100, ..BreakerSettings::default() };
    let busy: [fn(&mut Bench); 3] = [
        |bench| {
            // One is let through, and fills the bulkhead for the other.
            let held = bench.permit();
            drop((bench.permit(), held));
            bench.breaker.force(BreakerMode::Open, bench.now);
            drop(bench.permit());
        },
        |bench| bench.breaker.force(BreakerMode::Open, bench.now),
        |bench| bench.call(&[CallResult::Failed], ms(60_000)),
    ];
    for act in busy {
        let mut bench = Bench { breaker: Breaker::new(settings.clone(), year), now: year };
        bench.breaker.force(BreakerMode::Closed, bench.now);
        for _ in 0..MAX_TOLD + 5 {
            bench.now += Duration::from_micros(999);
            act(&mut bench);
            bench.breaker.force(BreakerMode::Closed, bench.now);
        }
        let told = bench.breaker.tell(BEGAN_AT, bench.now);
        let whole = serde_json::to_string(&(&told, bench.breaker.snapshot(bench.now))).unwrap().len();
        assert!(whole < 56 * 1024, "{whole} bytes");
    }
}

#[test]
fn what_is_no_recording_is_refused_with_a_sentence() {
    let table = [
        ("x", "expected value"),
        ("[]", "invalid type: sequence"),
        ("{}", "expected map with a single key"),
        (r#"{"calls":{}}"#, "unknown variant `calls`, expected one of `call`"),
        (
            r#"{"recording":{"version":9,"program":"x","instance":"i","at":"2026-01-01T00:00:00Z","settings":{}}}"#,
            "version 9",
        ),
        (
            r#"{"call":{"after":0,"given_us":5,"ended_us":4,"took_us":0,"ok":1,"failed":0}}"#,
            "ends before it begins",
        ),
        (
            r#"{"call":{"after":0,"given_us":4,"ended_us":4,"took_us":0,"ok":4000000000,"failed":0}}"#,
            "not 4000000000",
        ),
    ];
    for (text, expected) in table {
        let wrong = Line::read(text.as_bytes()).unwrap_err().to_string();
        assert!(wrong.contains(expected), "{text}: {wrong}");
    }
}

proptest! {
    #[test]
    fn the_recorded_settings_come_to_exactly_the_recorded_changes(
        before in proptest::collection::vec(step(), 0..60),
        steps in proptest::collection::vec((step(), any::<bool>()), 0..160),
    ) {
        let settings =
            BreakerSettings { max_in_flight: 24, least_charges: 10, least_calls: 3, ..BreakerSettings::default() };
        let mut recorded = Recorded::with(settings.clone());
        let mut held = Vec::new();
        before.iter().for_each(|step| recorded.take(step, &mut held));
        recorded.beat();
        for (step, beats) in &steps {
            recorded.take(step, &mut held);
            // What is older than three seconds is not told any more.
            if *beats || matches!(step, Step::Wait(_)) {
                recorded.beat();
            }
        }
        recorded.bench.breaker.record(held.drain(..).map(|permit| (permit, CallResult::Ok)), FAST, None, recorded.bench.now);
        recorded.beat();
        let outcome = recorded.replay(&settings, &settings);
        if outcome.gaps == 0 {
            prop_assert_eq!(&outcome.replayed.states, &outcome.recorded.states);
            prop_assert_eq!((outcome.guessed, outcome.unknown), (0, 0));
            prop_assert_eq!(outcome.replayed.tally, outcome.recorded.tally);
        }
    }

    #[test]
    fn no_recording_and_no_settings_bring_it_down(
        steps in proptest::collection::vec(step(), 0..60),
        altered in proptest::collection::vec((any::<usize>(), any::<usize>(), any::<u8>()), 0..6),
        probes in 1..9_u32, in_flight in 1..50_u32, buckets in 1..20_u32, window_ms in 100..90_000_u64,
    ) {
        let settings = BreakerSettings::default();
        let mut recorded = Recorded::with(settings.clone());
        recorded.beat();
        let mut held = Vec::new();
        for step in &steps {
            recorded.take(step, &mut held);
            recorded.beat();
        }
        let mut texts: Vec<Vec<u8>> = recorded.lines.iter().map(|line| line.text().into_bytes()).collect();
        for (line, at, byte) in altered {
            let count = texts.len();
            let line = &mut texts[line % count];
            let length = line.len();
            line[at % length] = byte;
        }
        let window = ms(window_ms);
        let other = BreakerSettings { probes, max_in_flight: in_flight, buckets, window, ..settings.clone() };
        let mut replay = Replay::new(&header(&settings), other);
        for line in texts.iter().filter_map(|text| Line::read(text).ok()) {
            let _: Result<(), WrongRecording> = replay.take(line);
        }
        let outcome = replay.finish();
        let in_order = |states: &[Shift]| states.is_sorted_by_key(|shift| shift.at_us);
        assert!(in_order(&outcome.recorded.states) && in_order(&outcome.replayed.states), "{outcome:?}");
    }
}
