//! The order desk in a terminal: the dashboard, the load generator, recordings, and what they are made of.

pub mod dashboard;
pub mod load;
pub mod local_time;
pub mod log_tail;
pub mod recording;
pub mod terminal;
pub mod text;
pub mod theme;
