//! The HTTP gateway: turns requests into the commands and reads that the [`Desk`](crate::desk::Desk) has, and decides
//! nothing itself.
//!
//! Read in the order in which a request flows: `server` accepts its connection (of which `connections`
//! keeps count), `admission` decides whether it is let in (by `tokens`, `access`, `guard` and `rate`), `routes` hands it to what is there for it, and `problem` says why not. What there is
//! stands in one table of `operation`s, from which the router is made and the `document` that describes it.

mod access;
mod admission;
mod beside;
mod connections;
mod document;
mod events;
mod guard;
pub mod health;
mod operation;
mod patient;
mod problem;
mod rate;
mod request;
mod routes;
mod server;
pub mod tokens;

pub use access::Role;
pub use beside::{Beside, BesideError};
pub use server::{Gateway, ListenError};
