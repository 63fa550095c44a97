//! The rules of the order desk. Pure and total: no clock, no randomness, no I/O; time and ids are arguments.
//!
//! Read in the order in which an order flows:
//!
//! 1. [`commands`]: what someone asks for, checked once at the edge;
//! 2. [`order`]: the order's states, and what every input does in each of them;
//! 3. [`charges`]: the payment call between Order and Deposit, guarded by the [`breaker`];
//! 4. [`deposit`]: the money: payments, accounts, top-ups;
//! 5. [`events`]: what has happened, told to everyone;
//! 6. [`item`]: the stock and its deliveries;
//! 7. [`myinfo`]: how events become the view, and [`checkpoint`]: how many of them it has;
//! 8. [`answers`]: what the caller hears, and how fast: [`latency`];
//! 9. [`ledger`]: what always holds of accounts, stocks and orders, and [`books`], what the services' own logs say of it;
//! 10. [`attendance`]: who reads the queues of work.
//!
//! An input that contradicts what is recorded is [`impossible`].
//!
//! The nouns they share are in [`objects`], [`ids`], [`money`] and [`time`]; on the way and in the stores they are [`json`].

pub mod answers;
pub mod attendance;
pub mod books;
pub mod breaker;
mod by_service;
pub mod charges;
pub mod checkpoint;
pub mod commands;
pub mod deposit;
pub mod events;
pub mod faults;
pub mod heard;
pub mod ids;
pub mod impossible;
pub mod item;
pub mod json;
pub mod latency;
pub mod ledger;
pub mod money;
pub mod myinfo;
pub mod objects;
pub mod order;
pub mod signals;
pub mod time;
mod words;
