//! Times as people write them on the command line: `400ms`, `1.5s`, `2m`, `1h`.

use std::time::Duration;

const A_DAY: Duration = Duration::from_secs(86_400);

/// Reads a time; a number alone is seconds. Siege's capital letters are taken as well.
///
/// # Errors
/// A sentence that says what it may be.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    let wrong = || {
        "it must be a time with its unit (ms, s, m or h), like 400ms, 1.5s, 2m or 1h; a number alone is seconds".to_owned()
    };
    let lower = text.trim().to_ascii_lowercase();
    let digits = lower.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let seconds_of_unit = match &lower[digits.len()..] {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(wrong()),
    };
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') {
        return Err(wrong());
    }
    let number: f64 = digits.parse().map_err(|_| wrong())?;
    Duration::try_from_secs_f64(number * seconds_of_unit).map_err(|_| wrong())
}

/// As [`duration`], for what goes on for some time.
///
/// # Errors
/// A sentence that says what it may be.
pub(crate) fn up_to_a_day(text: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    let is_possible = !time.is_zero() && time <= A_DAY;
    is_possible
        .then_some(time)
        .ok_or_else(|| "it must be more than 0 and at most a day, with its unit (ms, s, m or h): 60s, 5m, 24h; a number alone is seconds".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_people_write_it() {
        let table = [
            ("400ms", 400),
            ("1.5s", 1_500),
            ("60S", 60_000),
            ("2m", 120_000),
            ("1h", 3_600_000),
            ("7", 7_000),
        ];
        for (text, ms) in table {
            assert_eq!(duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "s", "-1s", "1d", "1 s", "1e3s", "0x1s", "..s", "99999999999999999999999h"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
