//! A question on its way, and the pieces of its answer.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use serde_json::value::RawValue;
use tokio::sync::mpsc;

/// A question on its way.
#[derive(Debug)]
pub(in crate::door) struct Asked {
    pub(in crate::door) request: Box<RawValue>,
    /// Whether somebody else may be asked if whoever was asked is gone.
    pub(in crate::door) is_repeatable: bool,
    /// Whether it was sent to anybody yet.
    pub(in crate::door) was_sent: Arc<AtomicBool>,
    pub(in crate::door) answers: mpsc::UnboundedSender<Piece>,
}

/// A piece of an answer.
#[derive(Debug)]
pub(in crate::door) enum Piece {
    /// One of several.
    Part(Box<RawValue>),
    /// The last, or all of it.
    Last(Box<RawValue>),
    /// There is none, for this reason.
    Refused(String),
    /// There is none, as whoever was asked is gone.
    Lost,
}
