//! How counts are written.

use super::{Language, Text};

/// With a comma every three digits.
#[must_use]
pub fn grouped(count: u64) -> String {
    skstore_domain::money::Won(i64::try_from(count).unwrap_or(i64::MAX)).to_string()
}

/// In English with its ending: `1st`, `12th`, `23rd`.
#[must_use]
pub fn ordinal(number: u32) -> String {
    let ending = match (number % 100, number % 10) {
        (11..=13, _) => "th",
        (_, 1) => "st",
        (_, 2) => "nd",
        (_, 3) => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

/// In at most six columns, up to the largest that can be counted: `99,999`, then `123k`, `45M`.
#[must_use]
pub fn compact(count: u64) -> String {
    match count {
        0..100_000 => grouped(count),
        100_000..100_000_000 => format!("{}k", grouped(count / 1000)),
        _ => format!("{}M", grouped((count / 1_000_000).min(9_999))),
    }
}

/// Microseconds in three digits of milliseconds or seconds.
#[must_use]
pub fn millis(language: Language, us: u64) -> String {
    let (whole, part) = (us / 1000, us % 1000);
    match whole {
        0..=9 => format!("{whole}.{:02} ms", part / 10),
        10..=99 => format!("{whole}.{} ms", part / 100),
        100..=9999 => format!("{whole} ms"),
        _ => {
            let seconds = format!("{}.{}", whole / 1000, whole % 1000 / 100);
            language.fill(Text::MeasuredSeconds, &[&seconds])
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_as_long_as_they_say_something() {
        let table = [
            (1, "0.00 ms"),
            (1234, "1.23 ms"),
            (12_345, "12.3 ms"),
            (123_456, "123 ms"),
            (12_345_678, "12.3 s"),
        ];
        for (us, words) in table {
            assert_eq!(millis(Language::English, us), words);
        }
        assert_eq!(millis(Language::Korean, 12_345_678), "12.3초");
    }

    #[test]
    fn an_ordinal_ends_as_it_is_said() {
        for ordinal_of in
            ["1st", "2nd", "3rd", "4th", "10th", "11th", "12th", "13th", "21st", "102nd", "111th", "1003rd"]
        {
            let number = ordinal_of.trim_end_matches(char::is_alphabetic).parse().unwrap();
            assert_eq!(ordinal(number), ordinal_of);
        }
    }
}
