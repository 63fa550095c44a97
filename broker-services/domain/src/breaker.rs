//! The circuit breaker in front of the payment call: a pure machine with the clock passed in.
//!
//! This file has what an operator sees and sets; `machine` decides, over the sliding `window` and the `streak` of failures.
//! `waits` says what it waits for, `why` what made it change. What it was asked and told stands in a `journal`, and is `told` with heartbeats; a
//! [`recording`] of it goes through the machine again in a [`replay`].

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::words::words;

mod journal;
mod machine;
pub mod recording;
pub mod replay;
mod streak;
mod told;
mod waits;
mod why;
mod window;

pub use journal::{CallEnded, Changed, Entry, MAX_KEPT, REFUSALS_TOGETHER, Refused};
pub use machine::{Breaker, CallResult, Change, Image, MAX_PENDING_CHANGES, Permit, Refusal, WrongImage};
pub use told::{MAX_TOLD, MAX_TOLD_BYTES, TOLD_FOR, Told, if_understood};
pub use waits::WaitsFor;
pub use why::{Share, Why};

words! {
    /// What the breaker lets through. The words are electrical: open means no calls.
    BreakerState {
        /// Calls go through and are counted.
        Closed = "closed",
        /// No calls go through.
        Open = "open",
        /// A few single charges go through, to find out whether Deposit is well again.
        HalfOpen = "half_open",
    }
}

words! {
    /// What an operator wants of the breaker.
    BreakerMode {
        /// It decides by itself.
        Auto = "auto",
        /// It stays open.
        Open = "open",
        /// It stays closed.
        Closed = "closed",
    }
}

/// Charges by how they ended.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Calls (messages) that ended.
    pub calls: u32,
    /// Charges answered in time; declined ones count here.
    pub ok: u32,
    /// Charges without a usable answer.
    pub failed: u32,
    /// Charges answered, but slowly. They are counted in `ok` too.
    pub slow: u32,
    /// Charges that were not let through. They weigh nothing.
    pub refused: u32,
}

/// The breaker as an operator sees it. Times are milliseconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct BreakerSnapshot {
    /// What it lets through. Absent only in a default value.
    pub state: Option<BreakerState>,
    /// What the operator wants of it.
    pub mode: Option<BreakerMode>,
    /// How long it has been in this state.
    pub for_ms: u64,
    /// While open by itself: how long until it lets a probe through. Absent while an operator holds it open.
    pub retry_after_ms: Option<u64>,
    /// While half-open: probes that have succeeded.
    pub probes_ok: u32,
    /// While half-open: probes in flight. 0 from versions that did not tell it.
    #[serde(default)]
    pub probes_in_flight: u32,
    /// While closed: calls in a row without a usable answer. 0 from versions that did not count them.
    #[serde(default)]
    pub failed_in_a_row: u32,
    /// Charges in flight.
    pub in_flight: u32,
    /// The most charges in flight: the bulkhead.
    pub max_in_flight: u32,
    /// The whole window.
    pub window: Counts,
    /// The window's buckets, oldest first.
    pub buckets: Vec<Counts>,
    /// It trips at this share of failed charges, in percent.
    pub failed_percent: u32,
    /// It trips at this share of charges that were slow or failed, in percent.
    pub slow_percent: u32,
    /// It does not judge by shares below this many charges in the window.
    pub least_charges: u32,
    /// How it decides. Not from versions that did not tell it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settings: Option<BreakerSettings>,
}

/// How the breaker decides. The defaults are those of `config/skstore.toml`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct BreakerSettings {
    /// Length of the sliding window.
    #[serde(rename = "window_ms", with = "whole_millis")]
    pub window: Duration,
    /// Buckets that the window slides by; 0 counts as 1.
    pub buckets: u32,
    /// An answer slower than this counts as slow.
    #[serde(rename = "slow_ms", with = "whole_millis")]
    pub slow_after: Duration,
    /// Trips at this share of failed charges, in percent.
    pub failed_percent: u32,
    /// Trips at this share of charges that were slow or failed, in percent. Where the time limit of a call is
    /// near `slow_after`, a Deposit that has become slow fails some calls and answers others slowly; neither
    /// share alone need be large then.
    pub slow_percent: u32,
    /// Does not judge by shares below this many charges in the window.
    pub least_charges: u32,
    /// Does not judge by shares below this many calls in the window.
    pub least_calls: u32,
    /// Where it does not judge by shares, it trips at this many calls in a row without a usable answer, each sent
    /// after the one before it had failed and failed within the window of it; 0 never.
    pub consecutive_failures: u32,
    /// How long it stays open before it probes.
    #[serde(rename = "open_ms", with = "whole_millis")]
    pub open_for: Duration,
    /// Single-charge calls that must all succeed to close it again; 0 counts as 1.
    pub probes: u32,
    /// How long a probe may be in flight. While none is, no time runs.
    #[serde(rename = "probe_within_ms", with = "whole_millis")]
    pub probe_within: Duration,
    /// Most charges in flight.
    pub max_in_flight: u32,
}

impl Default for BreakerSettings {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(10),
            buckets: 10,
            slow_after: Duration::from_millis(200),
            failed_percent: 50,
            slow_percent: 80,
            least_charges: 20,
            least_calls: 5,
            consecutive_failures: 5,
            open_for: Duration::from_secs(5),
            probes: 3,
            probe_within: Duration::from_secs(2),
            max_in_flight: 512,
        }
    }
}

impl BreakerSettings {
    /// Whether there is enough in a window to judge by shares.
    #[must_use]
    pub const fn judges_shares(&self, window: &Counts) -> bool {
        window.charges() >= self.least_charges && window.calls >= self.least_calls
    }
}

/// Times as whole milliseconds, as the settings have them.
mod whole_millis {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
    pub(super) fn serialize<S: Serializer>(time: &Duration, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u64(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
    }

    pub(super) fn deserialize<'d, D: Deserializer<'d>>(from: D) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_millis)
    }
}
