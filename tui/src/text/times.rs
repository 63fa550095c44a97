//! Ages, durations and clock times, short enough for a column.

use std::time::Duration;

use skstore_domain::time::Timestamp;

use super::{Language, Text};

/// Hours, minutes and seconds of `at`, as clocks `offset_s` seconds east of UTC show them: `14:13:20`.
#[must_use]
pub fn clock(at: Timestamp, offset_s: i32) -> String {
    part(at, offset_s, 11..19)
}

/// Month and day: `09-21`.
#[must_use]
pub fn day(at: Timestamp, offset_s: i32) -> String {
    part(at, offset_s, 5..10)
}

/// Date and time to the millisecond: `2026-09-21 14:13:20.123`.
#[must_use]
pub fn full(at: Timestamp, offset_s: i32) -> String {
    part(at, offset_s, 0..23).replace('T', " ")
}

/// Time to the millisecond: `14:13:20.123`.
#[must_use]
pub fn precise(at: Timestamp, offset_s: i32) -> String {
    part(at, offset_s, 11..23)
}

/// The zone of those times: `UTC`, `UTC+09:00`.
#[must_use]
pub fn zone(offset_s: i32) -> String {
    if offset_s == 0 {
        return "UTC".to_owned();
    }
    let minutes = offset_s.unsigned_abs() / 60;
    let sign = if offset_s < 0 { '-' } else { '+' };
    format!("UTC{sign}{:02}:{:02}", minutes / 60, minutes % 60)
}

/// A part of the RFC 3339 form, whose columns are fixed for every year that has four digits.
fn part(at: Timestamp, offset_s: i32, columns: std::ops::Range<usize>) -> String {
    let shifted = Timestamp(at.0.saturating_add(i64::from(offset_s) * 1000));
    shifted.to_string().get(columns).unwrap_or("?").to_owned()
}

/// How long ago, in one unit: `3s`, `5m`, `2h`, `4d`.
#[must_use]
pub fn age(language: Language, age: Duration) -> String {
    let seconds = age.as_secs();
    let (text, number) = match seconds {
        0..60 => (Text::AgeSeconds, seconds),
        60..3600 => (Text::AgeMinutes, seconds / 60),
        3600..86_400 => (Text::AgeHours, seconds / 3600),
        _ => (Text::AgeDays, seconds / 86_400),
    };
    language.fill(text, &[&number])
}

/// How long something took, to about two digits: `123ms`, `1.2s`, `3m12s`, `5h03m`, `2d`.
#[must_use]
pub fn took(took: Duration) -> String {
    let (millis, seconds) = (took.as_millis(), took.as_secs());
    match seconds {
        0 => format!("{millis}ms"),
        1..60 => format!("{seconds}.{}s", millis % 1000 / 100),
        60..3600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{}h{:02}m", seconds / 3600, seconds / 60 % 60),
        _ => format!("{}d", seconds / 86_400),
    }
}

/// Whole seconds of a countdown: never 0 while there is time left.
#[must_use]
pub fn seconds_left(now: Timestamp, until: Timestamp) -> u64 {
    u64::try_from(until.since(now).as_millis().div_ceil(1000)).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: Timestamp = Timestamp(1_790_000_000_123);

    #[test]
    fn times_are_shown_in_the_zone_that_was_handed_in() {
        assert_eq!(full(AT, 0), "2026-09-21 14:13:20.123");
        assert_eq!(clock(AT, 9 * 3600), "23:13:20");
        assert_eq!(day(AT, 10 * 3600), "09-22", "the day changes with the zone");
        assert_eq!(
            (zone(0), zone(9 * 3600), zone(-12_600)),
            ("UTC".into(), "UTC+09:00".into(), "UTC-03:30".into())
        );
        assert_eq!(clock(Timestamp(i64::MAX), 0).len(), 8, "an absurd time is shown, not a panic");
    }

    #[test]
    fn an_age_has_one_unit() {
        for (seconds, english, korean) in [
            (0, "0s", "0초"),
            (59, "59s", "59초"),
            (60, "1m", "1분"),
            (7199, "1h", "1시간"),
            (200_000, "2d", "2일"),
        ] {
            let duration = Duration::from_secs(seconds);
            assert_eq!(age(Language::English, duration), english);
            assert_eq!(age(Language::Korean, duration), korean);
        }
    }

    #[test]
    fn a_duration_keeps_two_digits() {
        for (millis, text) in [
            (7, "7ms"),
            (1250, "1.2s"),
            (59_999, "59.9s"),
            (192_000, "3m12s"),
            (18_180_000, "5h03m"),
            (200_000_000, "2d"),
        ] {
            assert_eq!(took(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn a_countdown_ends_at_zero_and_not_before() {
        for (left, shown) in [(0, 0), (1, 1), (1000, 1), (1001, 2)] {
            assert_eq!(seconds_left(Timestamp(5000), Timestamp(5000 + left)), shown, "{left} ms left");
        }
        assert_eq!(seconds_left(Timestamp(5000), Timestamp(1)), 0);
    }
}
