//! The breaker protects Deposit, and never gets stuck.

mod bench;
mod closed;
mod half_open;
mod in_a_row;
mod operator;
mod properties;
mod replay;
mod told;
