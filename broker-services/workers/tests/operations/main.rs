//! What operators do with the workers, and what happens to those: several of each side by side, health checks, orderly
//! ends, logs, encrypted connections. All of it with started `skstore-worker`s on real servers.
//!
//! `cargo xtask test` starts the servers and says by environment variables where they are; `cargo xtask servers` shows
//! how.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod addresses;
mod bodies;
mod broker;
mod clocks;
mod cuts;
mod drain;
mod forgets;
mod health;
mod logs;
mod proxy;
mod refusals;
mod replicas;
#[expect(clippy::disallowed_methods, reason = "it waits for processes, outside of any runtime")]
#[path = "../../../../xtask/src/servers/mod.rs"]
mod servers;
mod starts;
mod stores;
mod tls;
mod users;
#[path = "../amqp/vhost.rs"]
mod vhost;
mod view;
mod workers;
