//! What people see of a replay, by example.

use skstore::text::times::UTC;
use skstore_domain::breaker::replay::{Shift, Tally};
use skstore_domain::time::Timestamp;

use super::*;

fn side(failed_percent: u32, opened: u64, states: &[(u64, Option<BreakerState>)]) -> serde_json::Value {
    let settings = BreakerSettings { failed_percent, ..BreakerSettings::default() };
    let states: Vec<_> =
        states.iter().map(|(at_s, state)| Shift { at_us: at_s * 1_000_000, state: *state }).collect();
    let tally = Tally {
        opened,
        open_ms: 5_000 * opened,
        refused: 1_234,
        failed: 20,
        charges: 90,
        calls: 80,
        half_open_ms: 100,
    };
    let mut side = serde_json::to_value(tally).unwrap();
    side["settings"] = serde_json::to_value(settings).unwrap();
    side["states"] = serde_json::to_value(states).unwrap();
    side
}

fn outcome() -> Outcome {
    let (closed, open, half) =
        (Some(BreakerState::Closed), Some(BreakerState::Open), Some(BreakerState::HalfOpen));
    serde_json::from_value(serde_json::json!({
        "instance": "order-1", "at": Timestamp(1_790_000_000_000), "for_ms": 60_000,
        "recorded": side(50, 1, &[(0, closed), (20, open), (25, half), (26, closed), (50, None), (55, closed)]),
        "replayed": side(30, 2, &[(0, closed), (10, open), (15, half), (16, open), (21, half), (22, closed), (50, None), (55, closed)]),
        "guessed": 7, "unknown": 0, "gaps": 1, "missing": 12,
    }))
    .unwrap()
}

#[test]
fn both_are_drawn_beside_each_other_in_the_terminals_width() {
    let shown = draw(Language::English, &UTC, &Glyphs::ASCII, 80, &outcome());
    let expected = "\
the breaker of order-1, from 2026-09-21 14:13:20 UTC on for 60.0 s

recorded  _______________________######=____________________________??????______
replayed  ___________######=######=_________________________________??????______
          14:13:20                                                      14:14:20
          _ closed  # open  = half-open  ? not recorded

setting                 recorded  replayed
breaker.failed_percent        50        30

result                recorded  replayed
times opened                 1         2
seconds open               5.0      10.0
seconds half-open          0.1       0.1
charges refused          1,234     1,234
failures let through        20        20
calls made                  80        80
";
    assert!(shown.starts_with(expected), "{shown}");
    for language in Language::ALL {
        for (glyphs, columns) in [(Glyphs::ASCII, 80), (Glyphs::UNICODE, 80), (Glyphs::UNICODE, 120)] {
            let mut long = outcome();
            long.instance = "order-01a226ae-0aec-72a7-9188-b91280edacf5".into();
            let shown = draw(*language, &UTC, &glyphs, columns, &long);
            for line in shown.lines() {
                assert!(width(line) <= columns, "{} columns: {line}", width(line));
            }
            let whole = shown.split_whitespace().any(|word| word.contains(&*long.instance));
            assert!(whole, "an instance is named in full, or --instance cannot be given it: {shown}");
            let sides = shown.lines().skip_while(|line| !line.is_empty()).skip(1).take(2);
            let sides: Vec<&str> = sides.collect();
            assert!(sides.iter().all(|line| width(line) == columns), "{shown}");
            assert!(*language == Language::Korean || !glyphs.is_ascii || shown.is_ascii(), "{shown}");
        }
    }
}

#[test]
fn a_short_opening_shows_and_what_differs_is_named() {
    let mut long = outcome();
    long.for_ms = 86_400_000;
    let shown = draw(Language::English, &UTC, &Glyphs::ASCII, 80, &long);
    assert!(shown.lines().nth(2).is_some_and(|line| line.contains('#')), "{shown}");
    assert!(shown.contains("breaker.failed_percent        50        30"), "{shown}");
    let words = shown.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(words.contains("Gaps: 1, with 12 entries missing as far as known"), "{shown}");
    assert!(words.contains("let through here: 7. Nobody knows"), "{shown}");
    assert!(!shown.contains("near enough"), "nothing is unknown: {shown}");
    let mut same = outcome();
    same.replayed = same.recorded.clone();
    assert!(draw(Language::English, &UTC, &Glyphs::ASCII, 80, &same).contains("settings are the same"));
}
