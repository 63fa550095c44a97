//! Ages, durations and clock times, short enough for a column.

use std::time::Duration;

use jiff::tz::TimeZone;
use skstore_domain::time::Timestamp;

use super::{Language, Text};

/// Whose clocks times are shown by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

/// That of what programs read.
pub static UTC: Zone = Zone(TimeZone::UTC);

impl Zone {
    /// The clocks of `zone`.
    #[must_use]
    pub const fn new(zone: TimeZone) -> Self {
        Self(zone)
    }

    /// What it is called at a moment: `KST`, `EDT`; where nobody has given it a name, how far it is ahead: `+05:45`.
    #[must_use]
    pub fn label(&self, at: Timestamp) -> String {
        let info = self.0.to_offset_info(instant(at));
        let name = info.abbreviation();
        if name.len() >= 3 && name.bytes().all(|byte| byte.is_ascii_alphabetic()) {
            return name.to_owned();
        }
        let offset_s = info.offset().seconds();
        let (minutes, sign) = (offset_s.unsigned_abs() / 60, if offset_s < 0 { '-' } else { '+' });
        format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }

    fn offset_s(&self, at: Timestamp) -> i32 {
        self.0.to_offset(instant(at)).seconds()
    }
}

fn instant(at: Timestamp) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(at.0).unwrap_or_default()
}

/// Hours, minutes and seconds of `at`: `14:13:20`.
#[must_use]
pub fn clock(at: Timestamp, zone: &Zone) -> String {
    part(at, zone, 11..19)
}

/// Month and day: `09-21`.
#[must_use]
pub fn day(at: Timestamp, zone: &Zone) -> String {
    part(at, zone, 5..10)
}

/// Date and time to the second, and whose: `2026-09-21 14:13:20 UTC`.
#[must_use]
pub fn dated(at: Timestamp, zone: &Zone) -> String {
    format!("{} {}", part(at, zone, 0..19).replace('T', " "), zone.label(at))
}

/// Date and time to the millisecond: `2026-09-21 14:13:20.123`.
#[must_use]
pub fn full(at: Timestamp, zone: &Zone) -> String {
    part(at, zone, 0..23).replace('T', " ")
}

/// Date and time to the second, for the name of a file: `2026-09-21-141320`.
#[must_use]
pub fn for_a_file(at: Timestamp, zone: &Zone) -> String {
    part(at, zone, 0..19).replace('T', "-").replace(':', "")
}

/// Time to the millisecond: `14:13:20.123`.
#[must_use]
pub fn precise(at: Timestamp, zone: &Zone) -> String {
    part(at, zone, 11..23)
}

/// Whose times several are, which may lie on both sides of a change: `EDT`, `EDT/EST`.
#[must_use]
pub fn labels(zone: &Zone, first: Timestamp, last: Timestamp) -> String {
    let (first, last) = (zone.label(first), zone.label(last));
    if first == last { first } else { format!("{first}/{last}") }
}

/// What a message says of its time, as far as it is one.
#[must_use]
pub fn told(text: &str) -> Option<Timestamp> {
    let at: jiff::Timestamp = text.parse().ok()?;
    Some(Timestamp(at.as_millisecond()))
}

/// A part of the RFC 3339 form, whose columns are fixed for every year that has four digits.
fn part(at: Timestamp, zone: &Zone, columns: std::ops::Range<usize>) -> String {
    let shifted = Timestamp(at.0.saturating_add(i64::from(zone.offset_s(at)) * 1000));
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
pub fn took(language: Language, took: Duration) -> String {
    let (millis, seconds) = (took.as_millis(), took.as_secs());
    let both = |text: Text, whole: u64, part: u64| language.fill(text, &[&whole, &format!("{part:02}")]);
    match seconds {
        0 => format!("{millis}ms"),
        1..60 => language.fill(Text::TookSeconds, &[&format!("{seconds}.{}", millis % 1000 / 100)]),
        60..3600 => both(Text::TookMinutes, seconds / 60, seconds % 60),
        3600..86_400 => both(Text::TookHours, seconds / 3600, seconds / 60 % 60),
        _ => age(language, took),
    }
}

/// How long something has been going on, to the second up to an hour: `45s`, `1m05s`, `5h03m`.
#[must_use]
pub fn elapsed(language: Language, elapsed: Duration) -> String {
    if elapsed < Duration::from_secs(60) { age(language, elapsed) } else { took(language, elapsed) }
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

    fn posix(zone: &str) -> Zone {
        Zone::new(TimeZone::posix(zone).unwrap())
    }

    #[test]
    fn times_are_shown_in_the_zone_that_was_handed_in() {
        let (seoul, kathmandu, john) = (posix("KST-9"), posix("<+0545>-5:45"), posix("<-0330>3:30"));
        assert_eq!(full(AT, &UTC), "2026-09-21 14:13:20.123");
        assert_eq!(for_a_file(AT, &seoul), "2026-09-21-231320");
        assert_eq!(full(AT, &seoul), "2026-09-21 23:13:20.123");
        assert_eq!(dated(AT, &kathmandu), "2026-09-21 19:58:20 +05:45");
        assert_eq!(dated(AT, &john), "2026-09-21 10:43:20 -03:30");
        assert_eq!((clock(AT, &seoul), precise(AT, &seoul)), ("23:13:20".into(), "23:13:20.123".into()));
        assert_eq!(day(AT, &posix("AEST-10")), "09-22", "the day changes with the zone");
        assert_eq!(clock(Timestamp(i64::MAX), &seoul).len(), 8, "an absurd time is shown, not a panic");
        assert_eq!(clock(Timestamp(i64::MIN), &seoul).len(), 8, "likewise");
    }

    #[test]
    fn an_hour_that_comes_twice_is_told_apart_by_the_name_of_its_zone() {
        let new_york = posix("EST5EDT,M3.2.0,M11.1.0");
        // 2026-11-01 05:30 UTC and an hour later.
        let (first, again) = (Timestamp(1_793_511_000_000), Timestamp(1_793_514_600_000));
        assert_eq!(dated(first, &new_york), "2026-11-01 01:30:00 EDT");
        assert_eq!(dated(again, &new_york), "2026-11-01 01:30:00 EST");
        assert_eq!(labels(&new_york, first, again), "EDT/EST");
        assert_eq!(labels(&new_york, first, first), "EDT");
        // 2026-03-08 06:59:59 UTC and a second later: an hour is left out.
        let spring = Timestamp(1_772_953_199_000);
        assert_eq!(dated(spring, &new_york), "2026-03-08 01:59:59 EST");
        assert_eq!(dated(Timestamp(spring.0 + 1000), &new_york), "2026-03-08 03:00:00 EDT");
    }

    #[test]
    fn what_a_message_says_of_its_time_is_read_if_it_is_one() {
        assert_eq!(told("2026-09-21T14:13:20.123Z"), Some(AT));
        assert_eq!(told("2026-09-21T23:13:20.123+09:00"), Some(AT));
        assert_eq!((told(""), told("yesterday")), (None, None));
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
        for (millis, english, korean) in [
            (7, "7ms", "7ms"),
            (1250, "1.2s", "1.2초"),
            (59_999, "59.9s", "59.9초"),
            (192_000, "3m12s", "3분12초"),
            (18_180_000, "5h03m", "5시간03분"),
            (200_000_000, "2d", "2일"),
        ] {
            let duration = Duration::from_millis(millis);
            assert_eq!(took(Language::English, duration), english);
            assert_eq!(took(Language::Korean, duration), korean);
        }
    }

    #[test]
    fn what_goes_on_is_counted_in_seconds_up_to_an_hour() {
        for (millis, english, korean) in [
            (1250, "1s", "1초"),
            (59_999, "59s", "59초"),
            (65_000, "1m05s", "1분05초"),
            (18_180_000, "5h03m", "5시간03분"),
        ] {
            let duration = Duration::from_millis(millis);
            assert_eq!(elapsed(Language::English, duration), english);
            assert_eq!(elapsed(Language::Korean, duration), korean);
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
