//! The lease as it stands in `meta`, whichever engine has it: who relays the events of a store, and until when.

use std::borrow::Cow;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use skstore_domain::time::Timestamp;

/// How long a worker takes it for, which prolongs it long before that: another process takes over within the two seconds of
/// the promise. One that was killed keeps it no longer.
pub const LEASE_LASTS: Duration = Duration::from_millis(1_500);

/// The row's value, in JSON.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Lease<'a> {
    #[serde(borrow)]
    pub(super) holder: Cow<'a, str>,
    /// Milliseconds since 1970 UTC.
    pub(super) until: i64,
}

impl<'a> Lease<'a> {
    /// Reads the row's value. One that nobody can read is nobody's.
    pub(super) fn of(text: &'a str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// Whether somebody has it now. One that ends later than any that is taken now could, for so long as it `lasts`, was taken
    /// by another clock, and does not count.
    pub(super) fn counts(&self, now: Timestamp, lasts: Duration) -> bool {
        now.0 < self.until && self.until <= now.after(lasts).0
    }
}
