//! The workers, queues and breakers, whether the promises hold, and how it has been.

pub mod attendance;
pub mod history;
pub mod recording;
pub mod state;

pub(super) mod breaker;
mod charts;
mod draw;
mod promises;
mod queues;
pub(crate) mod services;
pub(crate) mod update;
