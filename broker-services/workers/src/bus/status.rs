//! What a bus tells of itself: why it does not work, how full its queues are, and what it has noticed.

use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use skstore_domain::signals::Past;

/// Why the bus does not work.
#[derive(Debug, Clone, thiserror::Error)]
pub enum BusError {
    /// The other side is gone; try again.
    #[error("the connection to the message bus is lost: {0}")]
    Lost(String),
    /// It is set up otherwise than it must be; a person has to act, and what they do shows at the next try.
    #[error("{0}")]
    Topology(String),
    /// What only one may have is somebody else's now; try again later.
    #[error("{0}")]
    Occupied(String),
}

/// Whether a desk reaches the message bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BusState {
    /// It does.
    Up,
    /// It does not.
    Lost {
        /// The cause, in a sentence.
        cause: String,
        /// How long it is waited, from when this was told, until the next try.
        retry_in: Duration,
    },
}

/// How full a queue is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueueDepth {
    /// Its name.
    pub name: Arc<str>,
    /// Messages that wait for a consumer.
    pub ready: usize,
    /// Messages in consumers' hands; `None` where the bus does not tell.
    pub unacked: Option<usize>,
    /// How many consume it.
    pub consumers: usize,
}

/// What a bus has noticed of its own state: what is now, and what is over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Noticed {
    /// Why the broker reads nothing that is published, while it does not: *low on memory*.
    pub blocked: Option<String>,
    /// What the broker does not let this user publish, in a sentence with the remedy, while it does not.
    pub refused: Option<String>,
    /// What a person has to put right, in sentences.
    pub warnings: Vec<String>,
    /// What was missing on the broker and was put back, the newest last.
    pub past: Vec<Past>,
}

/// The sentence about a broker that reads nothing, for the `reason` that it gives.
#[must_use]
pub fn blocked_words(reason: &str) -> String {
    format!("the broker blocks all who publish: {reason}")
}
