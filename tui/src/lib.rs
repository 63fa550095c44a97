//! The order desk in a terminal: the dashboard and what it is made of.

pub mod dashboard;
pub mod local_time;
pub mod log_tail;
pub mod terminal;
pub mod text;
pub mod theme;
