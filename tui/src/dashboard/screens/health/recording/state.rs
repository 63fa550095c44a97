//! Where the recording of a breaker stands. It goes on while another screen is looked at.

use std::path::PathBuf;

use skstore_domain::time::Timestamp;

use crate::recording::RecordingError;

/// Where a recording stands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Recording {
    /// There is none.
    #[default]
    Idle,
    /// The breaker of this instance is going to be recorded.
    Beginning(String),
    /// It is recorded.
    Running(Running),
    /// What the last second told is waited for.
    Ending(Running),
}

/// A recording that grows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Whose breaker is recorded.
    pub instance: String,
    /// Since when.
    pub since: Timestamp,
    /// Calls so far.
    pub calls: u64,
    /// When something was last heard of the breaker.
    pub heard_at: Timestamp,
}

/// What is heard of a recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// It goes on, with so many calls by now.
    Seen(u64),
    /// It is over.
    Ended(Ended),
    /// It could not be begun, or not gone on with.
    Failed(Trouble),
}

/// A recording that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// Where it is.
    pub path: PathBuf,
    /// Calls in it.
    pub calls: u64,
    /// Whether it ended by itself, as large as it may become.
    pub is_full: bool,
}

/// Why there is no recording, or none any more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trouble {
    /// The worker is not heard of any more, or does not tell its calls.
    NotTold,
    /// The view cannot be read: the cause, in a sentence.
    View(String),
    /// There is no file, or it cannot be written any more.
    File(RecordingError),
}

impl Recording {
    /// What is recorded, if something is.
    #[must_use]
    pub const fn running(&self) -> Option<&Running> {
        match self {
            Self::Running(running) | Self::Ending(running) => Some(running),
            Self::Idle | Self::Beginning(_) => None,
        }
    }

    /// So many calls are recorded by `now`. Whether that is the first that is heard of it.
    pub(super) fn seen(&mut self, calls: u64, now: Timestamp) -> bool {
        match self {
            Self::Running(running) | Self::Ending(running) => {
                (running.calls, running.heard_at) = (calls, now);
                false
            }
            Self::Beginning(instance) => {
                let instance = std::mem::take(instance);
                *self = Self::Running(Running { instance, since: now, calls, heard_at: now });
                true
            }
            Self::Idle => false,
        }
    }

    /// It shall end. Whether there is something to end.
    pub(super) fn stop(&mut self) -> bool {
        let Self::Running(running) = self else { return false };
        *self = Self::Ending(running.clone());
        true
    }
}
