//! The breaker protects Deposit, and never gets stuck.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bench;
mod closed;
mod half_open;
mod in_a_row;
mod operator;
mod properties;
mod replay;
mod told;
