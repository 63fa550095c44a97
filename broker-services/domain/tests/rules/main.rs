//! The rules of order, deposit, item and view: alone against any input, and together against any interleaving.

mod attendance;
mod books;
mod build;
mod checkpoint;
mod commands;
mod deposit;
mod item;
mod ledger;
mod model;
mod names;
mod order;
mod rest;
mod settle;
mod view;
mod world;
