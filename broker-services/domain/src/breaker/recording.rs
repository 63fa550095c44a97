//! A recording of a breaker's calls: JSON lines, which anybody may have written.
//!
//! The first line says of what it is. A line `state` stands where one begins to read anew: at the beginning, after a gap, and
//! when the worker has begun with another breaker. Entries follow it one by one, without a gap.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::BreakerSettings;
use super::journal::{CallEnded, Changed, Entry, Refused};
use super::machine::Image;
use super::told::Told;
use crate::charges::MAX_CHARGES_PER_CALL;
use crate::time::Timestamp;

/// The version of what is written.
pub const VERSION: u32 = 1;
/// Longest line that is read, in bytes: a window of the most buckets has some 6 KiB.
pub const MAX_LINE: usize = 64 * 1024;

/// What a recording is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// Of what is written: [`VERSION`].
    pub version: u32,
    /// The program that recorded, for people.
    pub program: String,
    /// The worker's instance.
    pub instance: String,
    /// When the recording began, by the worker's clock.
    pub at: Timestamp,
    /// The settings that the breaker ran with.
    pub settings: BreakerSettings,
}

/// Where a breaker stood when what follows was told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stood {
    /// When this breaker began, by its worker's clock.
    pub began_at: Timestamp,
    /// Where it stood.
    #[serde(flatten)]
    pub image: Image,
}

/// What is missing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// So many entries, where that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entries: Option<u64>,
    /// Why.
    pub why: String,
}

/// The end of a recording.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// Until when it is whole, on the breaker's clock.
    pub at_us: u64,
}

/// A line of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// The first one.
    Header(Header),
    /// One begins to read anew.
    State(Box<Stood>),
    /// The next entry.
    Entry(Entry),
    /// Entries are missing, and a state follows.
    Gap(Gap),
    /// The last line, of a recording that was ended in good order; one that goes on ends with it for a while.
    End(End),
}

/// What stands on a line that is no entry.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Other {
    Recording(Header),
    State(Box<Stood>),
    Gap(Gap),
    End(End),
}

/// Why a line is none of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WrongLine {
    /// It is no JSON, or not what it should be.
    Json(String),
    /// It is of another version.
    Version(u32),
    /// A call of no charges, or of more than a message carries.
    Charges(u64),
    /// It ends before it begins.
    Times,
}

impl fmt::Display for WrongLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(what) => f.write_str(what),
            Self::Version(version) => {
                write!(f, "it is of version {version}, and this program reads version {VERSION}")
            }
            Self::Charges(charges) => {
                write!(f, "a call has 1 to {MAX_CHARGES_PER_CALL} charges, not {charges}")
            }
            Self::Times => f.write_str("it ends before it begins"),
        }
    }
}

impl Line {
    /// Reads a line, without what ends it.
    ///
    /// # Errors
    /// [`WrongLine`] says what is wrong with it.
    pub fn read(text: &[u8]) -> Result<Self, WrongLine> {
        let json = |error: serde_json::Error| WrongLine::Json(error.to_string());
        let value: Value = serde_json::from_slice(text).map_err(json)?;
        let name = value.as_object().and_then(|object| object.keys().next()).map(String::as_str);
        let line = match name {
            Some("recording" | "state" | "gap" | "end") => {
                match serde_json::from_value(value).map_err(json)? {
                    Other::Recording(header) if header.version != VERSION => {
                        return Err(WrongLine::Version(header.version));
                    }
                    Other::Recording(header) => Self::Header(header),
                    Other::State(state) => Self::State(state),
                    Other::Gap(gap) => Self::Gap(gap),
                    Other::End(end) => Self::End(end),
                }
            }
            _ => Self::Entry(serde_json::from_value(value).map_err(json)?),
        };
        line.check()?;
        Ok(line)
    }

    /// The line, without what ends it.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::Entry(entry) => crate::json::text(entry),
            Self::Header(header) => crate::json::text(&Other::Recording(header.clone())),
            Self::State(state) => crate::json::text(&Other::State(state.clone())),
            Self::Gap(gap) => crate::json::text(&Other::Gap(gap.clone())),
            Self::End(end) => crate::json::text(&Other::End(*end)),
        }
    }

    fn check(&self) -> Result<(), WrongLine> {
        let (from_us, to_us) = match self {
            Self::Entry(Entry::Call(CallEnded { given_us, ended_us, ok, failed, .. })) => {
                let charges = u64::from(*ok) + u64::from(*failed);
                if !(1..=MAX_CHARGES_PER_CALL as u64).contains(&charges) {
                    return Err(WrongLine::Charges(charges));
                }
                (*given_us, *ended_us)
            }
            Self::Entry(Entry::Refused(Refused { at_us, until_us, .. })) => (*at_us, *until_us),
            Self::Entry(Entry::GivenBack { given_us, at_us, .. } | Entry::Left { given_us, at_us, .. }) => {
                (*given_us, *at_us)
            }
            Self::State(state) => (state.image.since_us, state.image.at_us),
            Self::Entry(Entry::Forced { .. } | Entry::Changed(_))
            | Self::Header(_)
            | Self::Gap(_)
            | Self::End(_) => (0, 0),
        };
        if from_us > to_us { Err(WrongLine::Times) } else { Ok(()) }
    }
}

/// Makes lines of what one worker tells, heartbeat by heartbeat.
#[derive(Debug, Default)]
pub struct Recorder {
    /// The breaker that is recorded, and the number of the entry that comes next.
    heard: Option<(Timestamp, u64)>,
    counts: Recorded,
}

/// What a recording has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Recorded {
    /// Calls.
    pub calls: u64,
    /// Their charges.
    pub charges: u64,
    /// Charges that were refused.
    pub refused: u64,
    /// Changes of state or mode.
    pub changes: u64,
    /// Gaps.
    pub gaps: u64,
    /// Entries that are missing in them, as far as that is known.
    pub missing: u64,
}

impl Recorder {
    /// What is new in `told`. What was told before is passed over; what was never told is a gap.
    pub fn hear(&mut self, told: &Told) -> Vec<Line> {
        let state = || Line::State(Box::new(Stood { began_at: told.began_at, image: told.image.clone() }));
        let lines = match self.heard {
            None => vec![state()],
            Some((began_at, _)) if told.began_at < began_at => return Vec::new(),
            Some((began_at, _)) if told.began_at > began_at => {
                self.counts.gaps += 1;
                let why = "the worker has begun anew".to_owned();
                vec![Line::Gap(Gap { entries: None, why }), state()]
            }
            Some((_, next)) if told.image.next <= next => return Vec::new(),
            Some((_, next)) if told.first > next => {
                // Where it stood before these entries was not told: they are missing as well.
                let missing = told.image.next - next;
                self.counts.gaps += 1;
                self.counts.missing = self.counts.missing.saturating_add(missing);
                let why = "more happened, or less was heard, than heartbeats tell of".to_owned();
                vec![Line::Gap(Gap { entries: Some(missing), why }), state()]
            }
            Some((_, next)) => {
                let known = usize::try_from(next - told.first).unwrap_or(usize::MAX);
                let new: Vec<Line> = told.entries.iter().skip(known).cloned().map(Line::Entry).collect();
                new.iter().for_each(|line| self.count(line));
                new
            }
        };
        self.heard = Some((told.began_at, told.image.next));
        lines
    }

    fn count(&mut self, line: &Line) {
        match line {
            Line::Entry(Entry::Call(call)) => {
                self.counts.calls += 1;
                self.counts.charges += u64::from(call.ok) + u64::from(call.failed);
            }
            Line::Entry(Entry::Refused(refused)) => self.counts.refused += u64::from(refused.charges),
            Line::Entry(Entry::Changed(_)) => self.counts.changes += 1,
            Line::Entry(Entry::GivenBack { .. } | Entry::Left { .. } | Entry::Forced { .. })
            | Line::Header(_)
            | Line::State(_)
            | Line::Gap(_)
            | Line::End(_) => {}
        }
    }

    /// What was recorded so far.
    #[must_use]
    pub const fn recorded(&self) -> Recorded {
        self.counts
    }
}

/// What a recording says of its breaker itself, entry by entry.
pub(super) fn shift(entry: &Entry) -> Option<&Changed> {
    match entry {
        Entry::Changed(changed) if changed.from != changed.to => Some(changed),
        Entry::Call(_)
        | Entry::GivenBack { .. }
        | Entry::Left { .. }
        | Entry::Refused(_)
        | Entry::Forced { .. }
        | Entry::Changed(_) => None,
    }
}
