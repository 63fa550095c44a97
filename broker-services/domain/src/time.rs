//! Points in time as data. Nobody here asks what time it is.

use std::fmt;
use std::time::Duration;

use jiff::fmt::temporal::DateTimePrinter;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// To the millisecond.
const PRINTER: DateTimePrinter = DateTimePrinter::new().precision(Some(3));
/// Of a point in time in JSON, in bytes.
const LENGTH: usize = 24;

/// A point in time: milliseconds since 1970-01-01 UTC; RFC 3339 in JSON (`2026-01-31T09:00:00.123Z`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// `self` and `later` after it; stays at the last representable millisecond instead of wrapping.
    #[must_use]
    pub fn after(self, later: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(later.as_millis()).unwrap_or(i64::MAX)))
    }

    /// `self` and `earlier` before it; stays at the first representable millisecond instead of wrapping.
    #[must_use]
    pub fn before(self, earlier: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(earlier.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long ago `earlier` was; zero if it lies ahead.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// As in JSON.
    #[must_use]
    pub fn text(self) -> String {
        let at = jiff::Timestamp::from_millisecond(self.0).unwrap_or_default();
        let mut text = String::with_capacity(LENGTH);
        // A text takes whatever is printed.
        let _ = PRINTER.print_timestamp(&at, &mut text);
        text
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        // At once: an event has three, and in pieces they would be a tenth of what writing it costs.
        to.serialize_str(&self.text())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
        let at: jiff::Timestamp = text.parse().map_err(serde::de::Error::custom)?;
        Ok(Self(at.as_millisecond()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_survives_json() {
        let at = Timestamp(1_790_000_000_123);
        let json = serde_json::to_string(&at).unwrap();
        assert_eq!(json, "\"2026-09-21T14:13:20.123Z\"");
        assert_eq!(serde_json::from_str::<Timestamp>(&json).unwrap(), at);
    }

    #[test]
    fn an_earlier_time_is_never_a_negative_age() {
        assert_eq!(Timestamp(5).since(Timestamp(9)), Duration::ZERO);
        assert_eq!(Timestamp(5).after(Duration::from_millis(4)), Timestamp(9));
    }
}
