//! The HTTP gateway: turns requests into the commands and reads that the [`Desk`](crate::desk::Desk) has, and decides
//! nothing itself.

mod guard;
mod problem;
mod routes;
mod server;

pub use server::Gateway;
