//! The dashboard as its users meet it: keys in, screens out.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod builders;
mod dead;
mod health;
mod hostile;
mod keys;
mod live;
mod load;
mod mouse;
mod narrow;
mod recording;
mod sample;
mod screens;
mod small;
mod themes;
mod tour;
