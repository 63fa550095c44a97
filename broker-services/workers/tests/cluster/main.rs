//! The desk as processes of their own: `skstore-worker`s over a real RabbitMQ, the view in a real Redis. Whatever is
//! stopped, paused, slowed, killed or flushed, the promises hold, across processes as within one.
//!
//! `SKSTORE_TEST_AMQP_URL`, `SKSTORE_TEST_AMQP_API` and `SKSTORE_TEST_REDIS_URL` say where the servers are; `cargo
//! xtask test` starts them. Each test has a virtual host, a database and workers of its own; one that kills servers has
//! servers of its own.

mod audited;
mod books;
mod buyers;
mod faults;
mod forgetting;
mod frames;
mod postgres;
mod races;
mod sentinel;
#[expect(clippy::disallowed_methods, reason = "it waits for processes, outside of any runtime")]
#[path = "../../../../xtask/src/servers/mod.rs"]
mod servers;
mod storm;
mod theft;
mod thief;
mod traffic;
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#[path = "../amqp/vhost.rs"]
mod vhost;
mod workers;

use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// For tests that are not about time: on a busy machine no payment may be late.
const UNHURRIED: &[(&str, &str)] = &[("payment.timeout_ms", "9000"), ("breaker.slow_ms", "8000")];
/// Apples, of which there are more than anybody orders here.
const APPLE: &str = "10";
/// What the catalogue opens their stock with.
const APPLES: i64 = 10_000_000;

/// What a test measures, others would slow down.
static QUIET: RwLock<()> = RwLock::new(());

/// For a test that measures how long something takes: waits until no other test runs here.
fn alone() -> RwLockWriteGuard<'static, ()> {
    // One that failed has said so itself.
    QUIET.write().unwrap_or_else(PoisonError::into_inner)
}

/// For one that does not.
fn among_others() -> RwLockReadGuard<'static, ()> {
    QUIET.read().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a test whose parts take turns on one thread.
fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(test);
}
