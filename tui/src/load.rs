//! Load: many orders, as planned, at a pace, over any way to a desk, and what became of each of them.
//!
//! [`plan`] says which orders a run has, [`pace`] when each is due, [`runner`] places them at a [`target`], [`tally`]
//! counts what is answered, [`ledger`] remembers where each order stands, [`follow`] waits until all have ended, and
//! [`report`] tells of it. [`supply`] sees to money and stock before. None of it knows a screen or a command line.

#[cfg(test)]
mod fake;
pub mod follow;
pub mod ledger;
pub mod pace;
pub mod plan;
pub mod report;
pub mod runner;
pub mod supply;
pub mod tally;
pub mod target;
