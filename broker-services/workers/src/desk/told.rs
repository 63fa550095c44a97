//! What a desk tells of its way to the workers, and why there is no answer.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use skstore_domain::signals::Service;

use crate::bus::BusError;
pub use crate::bus::BusState;

/// How long a caller waits for an answer before it says that none came: many times what the slowest answer
/// takes while everything works.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Why there is no answer.
#[derive(Debug, Clone, thiserror::Error, Serialize, Deserialize)]
pub enum DeskError {
    /// The command may or may not have taken effect: ask with the same id.
    #[error("no answer from {service} within {} s; it may still take effect", within.as_secs())]
    NoAnswer {
        /// Who was asked.
        service: Service,
        /// How long it was waited for.
        within: Duration,
    },
    /// The bus was lost while the answer was waited for. The command may or may not have taken effect: ask with the
    /// same id.
    #[error("the message bus was lost before {service} answered; it may still take effect")]
    Lost {
        /// Who was asked.
        service: Service,
    },
    /// Nothing was sent.
    #[error("the message bus cannot be reached: {0}")]
    Unreachable(String),
}

impl From<BusError> for DeskError {
    fn from(error: BusError) -> Self {
        Self::Unreachable(error.to_string())
    }
}
