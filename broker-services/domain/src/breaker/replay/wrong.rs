//! Why a recording is none, or cannot be kept.

use std::fmt;
use std::time::Duration;

use crate::breaker::machine::WrongImage;

use super::tally::MAX_SHIFTS;

/// How much of a recording is read ahead: a call stands where it ended, and began at most a minute before, which is the longest
/// that the settings let it take.
pub(super) const AHEAD: Duration = Duration::from_secs(120);
/// Most entries that are read ahead: ten times what a worker at its limit tells in that time.
pub(super) const MAX_AHEAD: usize = 1_000_000;

/// Why a recording cannot be replayed any further.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WrongRecording {
    /// It does not begin with what it is of.
    NoHeader,
    /// What it is of stands in it again.
    SecondHeader,
    /// An entry has no state before it.
    NoState,
    /// A line tells of an earlier time than the one before it.
    GoesBack,
    /// A call began after entries that are not there yet.
    Ahead,
    /// A state is none of a breaker with the recorded settings.
    Image(WrongImage),
    /// It changes its state more often than can be drawn.
    Shifts,
    /// So much happens at once that it cannot be kept.
    TooDense,
}

impl fmt::Display for WrongRecording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHeader => f.write_str("a recording begins with a line {\"recording\":…}"),
            Self::SecondHeader => f.write_str("a second recording begins; put each into a file of its own"),
            Self::NoState => f.write_str("a line {\"state\":…} is missing before it"),
            Self::GoesBack => f.write_str("it tells of an earlier time than the line before it"),
            Self::Ahead => f.write_str("its call has a permit from after its end"),
            Self::Image(wrong) => wrong.fmt(f),
            Self::Shifts => write!(f, "the state changes more than {MAX_SHIFTS} times; replay a part of it"),
            Self::TooDense => {
                write!(f, "more than {MAX_AHEAD} entries within {} s cannot be kept", AHEAD.as_secs())
            }
        }
    }
}
