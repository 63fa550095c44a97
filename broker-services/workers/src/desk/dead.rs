//! What is told of parked messages: which there are, and what becomes of them.

use serde::{Deserialize, Serialize};

use crate::bus::BusError;

mod letter;

pub use letter::{DeadLetter, ReplayCheck};

/// Bodies that one list carries, in bytes. The first message comes along whatever its size.
pub const LIST_BYTES: usize = 16 * 1024 * 1024;
/// Why parked messages cannot be looked at or dealt with.
#[derive(Debug, Clone, thiserror::Error, Serialize, Deserialize)]
pub enum DeadError {
    /// Somebody else has them in hand. Try again.
    #[error("the parked messages cannot be handled now: {0}")]
    Occupied(String),
    /// The bus cannot be reached; they are safe there.
    #[error("the message bus cannot be reached: {0}")]
    Unreachable(String),
}

impl From<BusError> for DeadError {
    fn from(error: BusError) -> Self {
        match error {
            BusError::Occupied(why) => Self::Occupied(why),
            BusError::Lost(why) | BusError::Topology(why) => Self::Unreachable(why),
        }
    }
}

/// Which parked messages are meant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Which {
    /// The one of this [id](DeadLetter::id).
    One(String),
    /// Every one that was there when it began, as far as [`MAX_IN_HAND`](crate::bus::parked::MAX_IN_HAND) goes.
    All,
}

/// Parked messages, oldest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadPage {
    /// The oldest of them.
    pub letters: Vec<DeadLetter>,
    /// How many there are in all.
    pub total: usize,
}

/// What became, or would become, of a parked message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Disposition {
    /// It was sent where it came from, and is parked no more.
    Replayed,
    /// A dry run: it would be sent where it came from.
    WouldReplay,
    /// It is gone.
    Dropped,
    /// A dry run: it would be gone.
    WouldDrop,
    /// It stays parked, for this reason.
    Stays(String),
}

/// How many were dealt with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Replayed or dropped; in a dry run, that would be.
    pub done: usize,
    /// Looked at, and left where they are.
    pub stay: usize,
    /// Not looked at: there are more than can be had at once.
    pub left: usize,
}

/// What is done with parked messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Operation {
    /// Sent where they came from, with all that they carried; each is ended once the bus has confirmed it.
    Replay,
    /// Ended for good.
    Drop,
}
