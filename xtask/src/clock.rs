//! One clock for all that is seen: what programs tell and what is done here stand on the same chart.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

const DAY_MS: u64 = 24 * 60 * 60 * 1000;

/// A moment, in milliseconds since midnight UTC. A demonstration takes far less than a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment(u64);

impl Moment {
    /// Now.
    pub(crate) fn now() -> Self {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Self(u64::try_from(since.as_millis()).unwrap_or(0) % DAY_MS)
    }

    /// Reads `2026-11-28T14:23:16.709Z`.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let time = text.split_once('T')?.1.strip_suffix('Z')?;
        let mut parts = time.split([':', '.']).map(|part| part.parse::<u64>().ok());
        let mut next = || parts.next().flatten();
        let (hours, minutes, seconds, ms) = (next()?, next()?, next()?, next()?);
        Some(Self((((hours * 60 + minutes) * 60 + seconds) * 1000 + ms) % DAY_MS))
    }

    /// Later by so much.
    pub(crate) fn after(self, time: Duration) -> Self {
        Self((self.0 + u64::try_from(time.as_millis()).unwrap_or(0)) % DAY_MS)
    }

    /// Whole seconds since `begin`; none if it was before that.
    pub(crate) fn seconds_since(self, begin: Self) -> Option<u64> {
        let ms = (self.0 + DAY_MS - begin.0) % DAY_MS;
        (ms < DAY_MS / 2).then_some(ms / 1000)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_tell_is_read_also_around_midnight() {
        let read = |text: &str| Moment::read(text).expect("a moment");
        let begin = read("2026-11-28T23:59:59.500Z");
        assert_eq!(read("2026-11-29T00:00:02.499Z").seconds_since(begin), Some(2));
        assert_eq!(begin.after(Duration::from_secs(3)).seconds_since(begin), Some(3));
        assert_eq!(read("2026-11-28T23:59:59.499Z").seconds_since(begin), None, "it was before");
        assert_eq!(Moment::read("yesterday"), None);
    }
}
