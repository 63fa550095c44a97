//! The door of a data directory: the process that has the workers of an embedded bus listens on a Unix socket in it, and
//! every other process of the same user does there what it would do over a broker.
//!
//! - [`socket`] puts it there, and finds it. Only who has the directory locked puts one there, so that one of a process
//!   that is gone is replaced by the next, and two that start at once settle by the lock which of them it is.
//! - [`frames`] is how it is said: a four-byte big-endian length, then so much JSON. Both sides begin with a greeting that
//!   names their protocol; those that differ part with a sentence.
//! - [`client`] asks, comes back by itself to whoever has the workers next, and asks again there what was not answered. What
//!   can be asked say those who ask, the desk and the view; it is answered where the workers are, by the
//!   [process](crate::process).
//!
//! There is no other protection than the socket's mode, 0600, in a directory of its user: it is no door for the network.

pub(crate) mod client;
pub(crate) mod frames;
pub(crate) mod socket;
