//! How long something shall last, as it stands on the command line.

use std::time::Duration;

/// Longest time to watch or record for, in seconds: a day.
const LONGEST_S: u64 = 86_400;

/// Reads whole seconds: `60` or `60s`.
///
/// # Errors
/// What they must be.
pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let digits = text.strip_suffix('s').unwrap_or(text);
    let read = digits.parse().ok().filter(|seconds| (1..=LONGEST_S).contains(seconds));
    read.map(Duration::from_secs).ok_or_else(|| format!("it must be a whole number from 1 to {LONGEST_S}"))
}
