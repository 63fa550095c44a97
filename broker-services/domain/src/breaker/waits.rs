//! What a breaker waits for before it goes to another state: what a person asks of it first.

use std::time::Duration;

use serde::Serialize;

use super::{BreakerMode, BreakerSnapshot, BreakerState};

/// What has to happen for a breaker to go to another state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum WaitsFor {
    /// It is held: an operator has to let it go.
    Operator,
    /// Open: time has to pass, and then it is half-open.
    Time {
        /// How much, in milliseconds.
        left_ms: u64,
    },
    /// Half-open: the next order is the next probe.
    NextOrder {
        /// Probes that have succeeded.
        succeeded: u32,
        /// Those that have to.
        probes: u32,
    },
    /// Half-open, with every place for a probe taken: their answers, or the end of their time.
    Probes {
        /// Probes that have succeeded.
        succeeded: u32,
        /// Those that have to.
        probes: u32,
        /// Those in flight.
        in_flight: u32,
    },
    /// Closed, with too little in the window to judge by shares.
    Failures {
        /// Calls in a row without a usable answer.
        in_a_row: u32,
        /// It trips at this many; at none if this is 0.
        consecutive_failures: u32,
        /// Charges in the window.
        charges: u32,
        /// The shares count from this many on.
        least_charges: u32,
        /// Calls in the window.
        calls: u32,
        /// And from this many on.
        least_calls: u32,
    },
    /// Closed, judged by shares.
    Shares {
        /// Charges that failed, in percent.
        failed: u32,
        /// It trips at this many percent.
        failed_percent: u32,
        /// Charges that were slow or failed, in percent.
        slow: u32,
        /// It trips at this many percent.
        slow_percent: u32,
    },
}

impl BreakerSnapshot {
    /// What it waits for, `since_told` after the snapshot was taken. `None` where a worker of an older version does not tell
    /// enough to say.
    #[must_use]
    pub fn waits_for(&self, since_told: Duration) -> Option<WaitsFor> {
        let state = self.state?;
        if self.mode != Some(BreakerMode::Auto) {
            return Some(WaitsFor::Operator);
        }
        match state {
            BreakerState::Open => match self
                .retry_after_ms
                .map(|left| left.saturating_sub(u64::try_from(since_told.as_millis()).unwrap_or(u64::MAX)))
            {
                Some(left_ms) if left_ms > 0 => Some(WaitsFor::Time { left_ms }),
                _ => Some(WaitsFor::NextOrder { succeeded: 0, probes: self.settings.as_ref()?.probes }),
            },
            BreakerState::HalfOpen => {
                let (succeeded, in_flight) = (self.probes_ok, self.probes_in_flight);
                let probes = self.settings.as_ref()?.probes;
                if in_flight > 0 && succeeded.saturating_add(in_flight) >= probes {
                    return Some(WaitsFor::Probes { succeeded, probes, in_flight });
                }
                Some(WaitsFor::NextOrder { succeeded, probes })
            }
            BreakerState::Closed => self.waits_closed(),
        }
    }

    fn waits_closed(&self) -> Option<WaitsFor> {
        let (settings, window) = (self.settings.as_ref()?, self.window);
        let charges = window.charges();
        if !settings.judges_shares(&window) {
            return Some(WaitsFor::Failures {
                in_a_row: self.failed_in_a_row,
                consecutive_failures: settings.consecutive_failures,
                charges,
                least_charges: settings.least_charges,
                calls: window.calls,
                least_calls: settings.least_calls,
            });
        }
        let percent = |part: u32| {
            let share = u64::from(part) * 100 / u64::from(charges.max(1));
            u32::try_from(share).unwrap_or(u32::MAX)
        };
        Some(WaitsFor::Shares {
            failed: percent(window.failed),
            failed_percent: settings.failed_percent,
            slow: percent(window.slow.saturating_add(window.failed)),
            slow_percent: settings.slow_percent,
        })
    }
}
