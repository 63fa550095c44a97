//! What a breaker was asked and told, entry by entry: enough to have another one go through the same.
//!
//! Times are whole microseconds on the breaker's own clock. An entry that is not numbered has the number after that of the
//! one before it.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{BreakerMode, BreakerState};
use crate::charges::NoAnswer;

/// Entries that a breaker keeps: some seconds of a busy worker, in a quarter of a mebibyte.
pub const MAX_KEPT: usize = 4096;
/// Refusals within this time of the first one, with nothing in between, are one entry: a desk that is refused does not flood
/// what is kept, and a twentieth of a second is nothing beside the seconds that a breaker stays open.
pub const REFUSALS_TOGETHER: Duration = Duration::from_millis(50);

/// A call that has ended: charges of one message whose permits were given in the same state. Those that were given in different
/// ones are calls of their own, since all but the newest weigh nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallEnded {
    /// Entries before its first permit: the number of the entry that came next.
    pub after: u64,
    /// When it got its first permit.
    pub given_us: u64,
    /// When it was recorded.
    pub ended_us: u64,
    /// From when it was sent until it ended.
    pub took_us: u64,
    /// Charges that were answered.
    pub ok: u32,
    /// Those without a usable answer.
    pub failed: u32,
    /// Whether it found out if Deposit is well again.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub probe: bool,
    /// Why there was no usable answer, where it was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<NoAnswer>,
}

/// Charges that got no permit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The first.
    pub at_us: u64,
    /// The last.
    pub until_us: u64,
    /// How many.
    pub charges: u32,
    /// Whether the bulkhead was full; else it was not closed.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub full: bool,
}

/// The breaker went to another state, or to another mode.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Changed {
    /// When.
    pub at_us: u64,
    /// From.
    pub from: BreakerState,
    /// To.
    pub to: BreakerState,
    /// Why, for people.
    pub why: String,
}

/// Something that a breaker was asked or told, or that became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Entry {
    /// A call ended.
    Call(CallEnded),
    /// A probe was not sent after all; noticed at `at_us`.
    GivenBack {
        /// As of [`CallEnded::after`].
        after: u64,
        /// When it was given.
        given_us: u64,
        /// When it was noticed.
        at_us: u64,
    },
    /// A probe was in flight when the breaker left the half-open state; what it comes to is told by a call with the same numbers,
    /// if it ends.
    Left {
        /// As of [`CallEnded::after`].
        after: u64,
        /// When it was given.
        given_us: u64,
        /// When it was left.
        at_us: u64,
    },
    /// Charges were not let through.
    Refused(Refused),
    /// An operator wanted this of it.
    Forced {
        /// When.
        at_us: u64,
        /// What.
        mode: BreakerMode,
    },
    /// It changed.
    Changed(Box<Changed>),
}

impl Entry {
    /// When it was entered.
    #[must_use]
    pub fn at_us(&self) -> u64 {
        match self {
            Self::Call(call) => call.ended_us,
            Self::GivenBack { at_us, .. } | Self::Left { at_us, .. } | Self::Forced { at_us, .. } => *at_us,
            Self::Refused(refused) => refused.until_us,
            Self::Changed(changed) => changed.at_us,
        }
    }

    /// How many bytes it takes at most when it is told, of a worker that has run for a year.
    fn told_bytes(&self) -> usize {
        match self {
            Self::Call(_) => 64,
            Self::GivenBack { .. } | Self::Left { .. } | Self::Forced { .. } => 96,
            Self::Refused(_) => 112,
            Self::Changed(changed) => 96 + changed.why.len(),
        }
    }
}

/// The newest entries of a breaker.
#[derive(Debug, Default)]
pub(super) struct Journal {
    kept: VecDeque<Entry>,
    /// The number of the next entry: how many there have been.
    next: u64,
    /// What it was when the breaker came into its present state.
    entered: u64,
    /// The number of the first entry that may still change.
    sealed: u64,
}

impl Journal {
    /// The number of the next entry.
    pub(super) const fn next(&self) -> u64 {
        self.next
    }

    /// The number of the first entry in the present state.
    pub(super) const fn entered(&self) -> u64 {
        self.entered
    }

    pub(super) fn push(&mut self, entry: Entry) {
        if self.kept.len() == MAX_KEPT {
            self.kept.pop_front();
        }
        self.kept.push_back(entry);
        self.next += 1;
    }

    /// A charge was refused.
    pub(super) fn refused(&mut self, now: Duration, full: bool) {
        let at_us = micros(now);
        let is_open = self.next > self.sealed;
        if let Some(Entry::Refused(last)) = self.kept.back_mut().filter(|_| is_open)
            && last.full == full
            && u128::from(at_us.saturating_sub(last.at_us)) < REFUSALS_TOGETHER.as_micros()
        {
            last.charges = last.charges.saturating_add(1);
            last.until_us = last.until_us.max(at_us);
            return;
        }
        self.push(Entry::Refused(Refused { at_us, until_us: at_us, charges: 1, full }));
    }

    /// Another state begins with the next entry.
    pub(super) const fn enter(&mut self) {
        self.entered = self.next;
    }

    /// The entries since `since_us`, at most the newest `most` and as many as fit into so many bytes, and the number of the first
    /// of them. What was told once does not change any more.
    pub(super) fn tell(&mut self, since_us: u64, most: usize, most_bytes: usize) -> (u64, Vec<Entry>) {
        self.sealed = self.next;
        let mut bytes = 0;
        let newest = self.kept.iter().rev().take(most).take_while(|entry| {
            bytes += entry.told_bytes();
            entry.at_us() >= since_us && bytes <= most_bytes
        });
        let told = newest.count();
        let entries: Vec<Entry> = self.kept.range(self.kept.len() - told..).cloned().collect();
        (self.next - entries.len() as u64, entries)
    }
}

/// Whole microseconds of a time.
pub(super) fn micros(time: Duration) -> u64 {
    time.as_secs().saturating_mul(1_000_000).saturating_add(u64::from(time.subsec_micros()))
}
