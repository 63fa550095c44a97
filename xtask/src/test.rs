//! Everything that has to hold before a change is merged, cheapest first, the tests last.

use std::time::Instant;

use crate::step;

/// A step's name, its cargo command, its environment, and what helps when it fails.
type Step = (&'static str, &'static [&'static str], &'static [(&'static str, &'static str)], &'static str);

const STEPS: &[Step] = &[
    (
        "format",
        &["fmt", "--all", "--check"],
        &[],
        "`cargo fmt` corrects it. If it is not installed: rustup component add rustfmt.",
    ),
    (
        "lint",
        &["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
        &[],
        "If it is not installed: rustup component add clippy.",
    ),
    (
        "lint with the simulation",
        &[
            "clippy",
            "-p",
            "skstore-workers",
            "--all-targets",
            "--features",
            "simulation",
            "--",
            "-D",
            "warnings",
        ],
        &[],
        "",
    ),
    ("documentation", &["doc", "--workspace", "--no-deps"], &[("RUSTDOCFLAGS", "-D warnings")], ""),
    ("tests with the simulation", &["test", "-p", "skstore-workers", "--features", "simulation"], &[], ""),
    ("tests", &["test", "--workspace"], &[], ""),
];

/// Runs all steps up to the first that fails.
///
/// # Errors
/// A sentence that names that step and how to repeat it.
pub(crate) fn run() -> Result<(), String> {
    let started = Instant::now();
    for (name, arguments, environment, remedy) in STEPS {
        let mut command = step::cargo(arguments);
        command.envs(environment.iter().copied());
        step::run(name, &mut command, remedy)?;
    }
    println!("\nAll {} steps passed in {:.0} s.", STEPS.len(), started.elapsed().as_secs_f64());
    Ok(())
}
