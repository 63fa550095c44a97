//! One seed for `cargo xtask simulate`, which hands its words and its exit status on as they are.

use std::collections::BTreeSet;

use skstore_workers::probe::Bug;

use super::world::simulate;

/// Exit status when a promise is broken.
const BROKEN: i32 = 1;
/// Exit status when what was asked for cannot be run.
const USAGE: i32 = 2;

/// Runs the seed that the environment names, if it names one, and returns the exit status.
pub(crate) fn run() -> Option<i32> {
    let seed = variable("SIMULATION_SEED")?;
    let Ok(seed) = seed.parse() else {
        println!("SIMULATION_SEED is '{seed}', which is no seed: a number without a sign");
        return Some(USAGE);
    };
    let bugs = match variable("SIMULATION_BUG").map(|name| bug(&name)).transpose() {
        Ok(bug) => BTreeSet::from_iter(bug),
        Err(unknown) => {
            println!("{unknown}");
            return Some(USAGE);
        }
    };
    let report = simulate(seed, &bugs);
    let is_traced = variable("SIMULATION_TRACE").is_some();
    match (is_traced, report.broken.is_empty()) {
        (true, _) => println!("{}\n{}", report.trace.text(), report.verdict()),
        (false, true) => println!("{}", report.verdict()),
        (false, false) => println!("{}", report.story()),
    }
    Some(if report.broken.is_empty() { 0 } else { BROKEN })
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

fn bug(name: &str) -> Result<Bug, String> {
    let names: Vec<_> = Bug::ALL.iter().map(|bug| format!("{bug:?}")).collect();
    let found = Bug::ALL.iter().zip(&names).find(|(_, known)| *known == name);
    found
        .map(|(bug, _)| *bug)
        .ok_or_else(|| format!("there is no bug '{name}'; there are: {}", names.join(", ")))
}
