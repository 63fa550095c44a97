//! `cargo xtask check`: what to run after every few lines. It needs no servers and ends within two minutes once it is
//! built, so it leaves out what only `cargo xtask test` can afford.

use std::time::Instant;

use crate::step::{self, Step};
use crate::test;

/// The features keep out what needs servers: those targets require another one. Of the whole workspace, as in
/// `cargo xtask test`: of one package alone, cargo would choose other features for the dependencies, and build all of
/// them again.
const TESTS: Step = (
    "tests that need no server",
    &["test", "--workspace", "--features", step::SIMULATION],
    // Enough for everything that can go wrong to go wrong; `cargo xtask test` runs more.
    &[("SIMULATION_SEEDS", "300")],
    "",
);

/// Runs all steps up to the first that fails.
///
/// # Errors
/// A sentence that names that step and how to repeat it.
pub(crate) fn run() -> Result<(), String> {
    let started = Instant::now();
    for step in test::FIRST.iter().chain([&TESTS]) {
        step::run_one(step, &[])?;
    }
    println!(
        "\nAll {} steps passed in {:.0} s. Before a change is merged also: cargo xtask test.",
        test::FIRST.len() + 1,
        started.elapsed().as_secs_f64()
    );
    Ok(())
}
