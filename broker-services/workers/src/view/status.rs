//! What a view tells of itself: why it does not work, how its rebuilds go, how much it holds, and who was heard.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use skstore_domain::checkpoint::Checkpoint;
use skstore_domain::events::Source;
use skstore_domain::money::Won;
use skstore_domain::objects::OrderStatus;
use skstore_domain::signals::{Beat, BreakerChanged};

/// Why the view does not work.
#[derive(Debug, Clone, thiserror::Error, Serialize, Deserialize)]
pub enum ViewError {
    /// It cannot be reached; try again.
    #[error("the view cannot be reached: {0}")]
    Lost(String),
    /// It has lost its contents: rebuild it.
    #[error("the view is empty and has to be rebuilt")]
    Empty,
    /// Somebody else wrote under its keys what it can do nothing with: [`View::clear_foreign`](super::View::clear_foreign), then rebuild it. The sentence
    /// names the key and the remedy.
    #[error("{0}")]
    Foreign(String),
}

/// How the end of a rebuild went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum Swept {
    /// The view is what was told since the rebuild began.
    Whole,
    /// It is, but for what had a revision that nobody told: that kept out what the logs have, and is gone now. The rebuild
    /// still runs: begin it again, so that the logs are told once more.
    Disputed,
    /// Another rebuild has begun since, or none runs: nothing was removed on behalf of this one.
    Superseded,
}

/// What a view knows of its rebuilds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rebuilds {
    /// The number of the last that has begun, larger than that of the one before; 0 if none has.
    pub last: u64,
    /// Whether that one goes on.
    pub is_running: bool,
}

/// How much of each log a view has applied.
pub type Checkpoints = BTreeMap<Source, Checkpoint>;

/// How many there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Orders by status, in the order of [`OrderStatus::ALL`].
    pub orders: [u64; OrderStatus::ALL.len()],
    /// Accounts.
    pub accounts: u64,
    /// Items.
    pub items: u64,
    /// Sum of all balances.
    pub balances: Won,
}

/// What the workers last said of themselves.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Health {
    /// The last heartbeat of each instance, by service and instance.
    pub services: Vec<Beat>,
    /// The last breaker changes of each instance, newest first.
    pub breaker_changes: Vec<BreakerChanged>,
}

/// See [`View::written`](super::View::written).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Written(pub(super) String);
