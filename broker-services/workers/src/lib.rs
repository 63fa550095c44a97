//! The workers of the order desk, and everything that touches the world.
//!
//! - What every loop is handed: [`clock`], [`context`], [`config`].
//! - What every program does alike: [`logging`], [`outlet`], [`signals`]; and [`health`], for those who ask from outside.
//! - Three small ports, each an `enum` of adapters: [`bus`], [`store`], [`view`]; and the [`topology`] that
//!   every bus declares.
//! - A [`worker`]: one batch loop, `batch`, which the services in `service` fill in, and `reads` where nothing is decided;
//!   `relay` publishes what they committed; `calls` holds the payment calls in flight; `bookkeeper` checks the sums of what they wrote.
//! - [`audit`] gives a second opinion on their books, by parsers and rules of its own.
//! - [`gateway`] answers over HTTP, in front of the desk.
//! - [`desk`] is the only door for dashboards and the command line; [`process`] puts it all into one process, and `door` is
//!   where others come to that one.

pub mod asyncapi;
pub mod audit;
mod batch;
mod bookkeeper;
pub mod bus;
mod calls;
pub mod catalog;
pub mod clock;
pub mod config;
pub mod context;
pub mod desk;
mod door;
mod envelope;
pub mod faults;
pub mod figures;
mod files;
pub mod gateway;
mod headers;
pub mod health;
pub mod logging;
pub mod monitor;
pub mod outlet;
pub mod probe;
pub mod process;
mod reads;
mod relay;
mod reply_to;
mod service;
pub mod signals;
pub mod store;
mod tls;
pub mod topology;
mod unit_of_work;
pub mod view;
pub mod worker;
