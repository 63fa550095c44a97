//! What a recording and its replay came to, side by side.

use serde::{Deserialize, Serialize};

use crate::breaker::recording::{Header, Stood};
use crate::breaker::{BreakerSettings, BreakerState};
use crate::time::Timestamp;

/// Most changes of state of one side, so that no recording fills the memory: a breaker that opens every five seconds makes as
/// many in two days.
pub const MAX_SHIFTS: usize = 100_000;

/// From when on a side was in a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shift {
    /// Microseconds since the recording began.
    pub at_us: u64,
    /// The state; none where nothing was recorded.
    pub state: Option<BreakerState>,
}

/// What one side did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// How often it opened.
    pub opened: u64,
    /// How long it was open, in milliseconds.
    pub open_ms: u64,
    /// How long it was half-open, in milliseconds.
    pub half_open_ms: u64,
    /// Charges that it refused.
    pub refused: u64,
    /// Charges that it let through and that had no usable answer.
    pub failed: u64,
    /// Charges that it let through and that have ended.
    pub charges: u64,
    /// The calls that carried them.
    pub calls: u64,
}

/// One side.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    /// Its settings.
    pub settings: BreakerSettings,
    /// What it did.
    #[serde(flatten)]
    pub tally: Tally,
    /// Its states, in the order of time.
    pub states: Vec<Shift>,
    /// What the breaker's clock said, and how long the recording was by then, when it was last heard of anew.
    #[serde(skip)]
    heard_us: (u64, u64),
}

/// A recording and its replay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outcome {
    /// Whose breaker it is.
    pub instance: String,
    /// When the recording began, by the worker's clock.
    pub at: Timestamp,
    /// How long it is, in milliseconds.
    pub for_ms: u64,
    /// As it was.
    pub recorded: Side,
    /// As it would have been.
    pub replayed: Side,
    /// Charges of the replay that were refused when they were recorded: they came to what the nearest call did.
    pub guessed: u64,
    /// Charges of the replay that came to nothing that could be guessed.
    pub unknown: u64,
    /// Gaps of the recording.
    pub gaps: u64,
    /// Entries that are missing in them, as far as that is known.
    pub missing: u64,
}

impl Side {
    fn new(settings: &BreakerSettings) -> Self {
        Self { settings: settings.clone(), tally: Tally::default(), states: Vec::new(), heard_us: (0, 0) }
    }

    pub(super) fn shift(&mut self, at_us: u64, to: BreakerState) {
        self.tally.opened += u64::from(to == BreakerState::Open);
        self.show(self.since_beginning(at_us), Some(to));
    }

    /// A time on the breaker's clock, in microseconds since the recording began.
    const fn since_beginning(&self, at_us: u64) -> u64 {
        let (clock_us, shown_us) = self.heard_us;
        shown_us.saturating_add(at_us.saturating_sub(clock_us))
    }

    fn show(&mut self, at_us: u64, state: Option<BreakerState>) {
        let at_us = self.states.last().map_or(at_us, |last| last.at_us.max(at_us));
        if self.states.last().is_some_and(|last| last.state == state) || self.states.len() > MAX_SHIFTS {
            return;
        }
        self.states.push(Shift { at_us, state });
    }

    pub(super) fn refused(&mut self, charges: u32) {
        self.tally.refused = self.tally.refused.saturating_add(charges.into());
    }

    pub(super) fn made(&mut self, calls: u32, charges: u32, failed: u32) {
        self.tally.calls = self.tally.calls.saturating_add(calls.into());
        self.tally.charges = self.tally.charges.saturating_add(charges.into());
        self.tally.failed = self.tally.failed.saturating_add(failed.into());
    }

    /// How long it was in each state, up to `end_us`.
    fn add_up(&mut self, end_us: u64) {
        let in_state = |wanted: BreakerState| {
            let until = self.states.iter().skip(1).map(|next| next.at_us).chain([end_us]);
            let spans = self.states.iter().zip(until).filter(|(shift, _)| shift.state == Some(wanted));
            spans.map(|(shift, until)| until.saturating_sub(shift.at_us)).sum::<u64>() / 1000
        };
        (self.tally.open_ms, self.tally.half_open_ms) =
            (in_state(BreakerState::Open), in_state(BreakerState::HalfOpen));
    }
}

/// Both sides while they are gone through.
#[derive(Debug)]
pub(super) struct Both {
    outcome: Outcome,
    /// When the first breaker of the recording was first heard of, by its worker's clock, in microseconds.
    origin_us: Option<u64>,
    /// How far the recording has come, in microseconds since it began.
    end_us: u64,
}

impl Both {
    pub(super) fn new(header: &Header, settings: &BreakerSettings) -> Self {
        let outcome = Outcome {
            instance: header.instance.clone(),
            at: header.at,
            for_ms: 0,
            recorded: Side::new(&header.settings),
            replayed: Side::new(settings),
            guessed: 0,
            unknown: 0,
            gaps: 0,
            missing: 0,
        };
        Self { outcome, origin_us: None, end_us: 0 }
    }

    pub(super) const fn recorded(&mut self) -> &mut Side {
        &mut self.outcome.recorded
    }

    pub(super) const fn replayed(&mut self) -> &mut Side {
        &mut self.outcome.replayed
    }

    pub(super) const fn guessed(&mut self, charges: u32) {
        self.outcome.guessed = self.outcome.guessed.saturating_add(charges as u64);
    }

    pub(super) const fn unknown(&mut self, charges: u32) {
        self.outcome.unknown = self.outcome.unknown.saturating_add(charges as u64);
    }

    pub(super) fn gap(&mut self, entries: Option<u64>) {
        self.outcome.gaps += 1;
        self.outcome.missing = self.outcome.missing.saturating_add(entries.unwrap_or(0));
        let end_us = self.end_us;
        for side in [&mut self.outcome.recorded, &mut self.outcome.replayed] {
            if !side.states.is_empty() {
                side.show(end_us, None);
            }
        }
    }

    /// A breaker is heard of, for the first time or anew.
    pub(super) fn begin(&mut self, stood: &Stood, replayed: BreakerState) {
        let began_us = u64::try_from(stood.began_at.0).unwrap_or(0).saturating_mul(1000);
        let now_us = began_us.saturating_add(stood.image.at_us);
        let origin_us = *self.origin_us.get_or_insert(now_us);
        let at_us = now_us.saturating_sub(origin_us).max(self.end_us);
        let sides = [(&mut self.outcome.recorded, stood.image.state), (&mut self.outcome.replayed, replayed)];
        for (side, state) in sides {
            side.heard_us = (stood.image.at_us, at_us);
            side.show(at_us, Some(state));
        }
        self.end_us = at_us;
    }

    /// The clock of the breaker has come so far.
    pub(super) fn end(&mut self, at_us: u64) {
        self.end_us = self.end_us.max(self.outcome.recorded.since_beginning(at_us));
    }

    /// Whether it can be kept no further.
    pub(super) fn is_full(&self) -> bool {
        self.outcome.recorded.states.len().max(self.outcome.replayed.states.len()) > MAX_SHIFTS
    }

    pub(super) fn finish(self) -> Outcome {
        let Self { mut outcome, end_us, .. } = self;
        outcome.for_ms = end_us / 1000;
        outcome.recorded.add_up(end_us);
        outcome.replayed.add_up(end_us);
        outcome
    }
}
