//! `cargo xtask simulate`: one seed of the simulation again, by a command short enough for a failure's message.

use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};

use serde_json::Value;

use crate::step;

/// The test target that simulates, and the test in it that runs the seed it is told.
const TARGET: &str = "simulation";
const TEST: &str = "one_seed";
/// As in `cargo xtask check`, so that what it has built is used.
const BUILD: &[&str] = &[
    "test",
    "--workspace",
    "--features",
    step::SIMULATION,
    "--test",
    TARGET,
    "--no-run",
    "--message-format=json-render-diagnostics",
];
/// Exit status when a promise is broken, or the simulation itself fails.
const BROKEN: u8 = 1;
/// Exit status when the seed could not be run.
pub(crate) const NOT_RUN: u8 = 2;

const USAGE: &str = "Usage: cargo xtask simulate SEED [--bug NAME] [--trace]";

#[derive(Debug, PartialEq)]
struct Wanted<'a> {
    seed: u64,
    bug: Option<&'a str>,
    is_traced: bool,
}

impl<'a> Wanted<'a> {
    fn read(words: &[&'a str]) -> Result<Self, String> {
        let (mut seed, mut bug, mut is_traced) = (None, None, false);
        let mut words = words.iter();
        while let Some(word) = words.next() {
            match *word {
                "--trace" => is_traced = true,
                "--bug" => {
                    bug = Some(*words.next().ok_or("--bug needs a name, such as ChargeWithoutKey")?);
                }
                option if option.starts_with('-') => return Err(format!("there is no option '{option}'")),
                number if seed.is_none() => {
                    let read =
                        number.parse().map_err(|_| format!("'{number}' is no seed: seeds are 0, 1, …"))?;
                    seed = Some(read);
                }
                more => return Err(format!("one seed at a time, not also '{more}'")),
            }
        }
        Ok(Self { seed: seed.ok_or("which seed?")?, bug, is_traced })
    }
}

/// Runs the seed that `words` ask for. 0: every promise holds; 1: one is broken; 2: it was not run.
pub(crate) fn run(words: &[&str]) -> ExitCode {
    let wanted = match Wanted::read(words) {
        Ok(wanted) => wanted,
        Err(why) => {
            step::tell(&format!("{why}\n{USAGE}"));
            return ExitCode::from(NOT_RUN);
        }
    };
    let status = built().and_then(|simulation| simulate(&simulation, &wanted));
    ExitCode::from(status.unwrap_or_else(|why| {
        step::tell(&format!("\n{why}"));
        NOT_RUN
    }))
}

/// Builds the simulation, if it is not built, and says where it is.
fn built() -> Result<PathBuf, String> {
    let mut build = step::cargo(BUILD);
    let failed = |why: &str| format!("the simulation does not build: {why}");
    let output = build.stderr(Stdio::inherit()).output().map_err(|error| failed(&error.to_string()))?;
    if !output.status.success() {
        return Err(failed("see above"));
    }
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .find_map(executable)
        .ok_or_else(|| failed("cargo names no such program"))
}

/// The program that a line of cargo's names, if it is the simulation's.
fn executable(line: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(line).ok()?;
    (message["target"]["name"] == TARGET).then(|| message["executable"].as_str().map(PathBuf::from)).flatten()
}

fn simulate(simulation: &PathBuf, wanted: &Wanted<'_>) -> Result<u8, String> {
    let failed = |error: std::io::Error| format!("{} cannot be run: {error}", simulation.display());
    let mut child = Command::new(simulation)
        .args([TEST, "--exact", "--ignored", "--nocapture"])
        .env("SIMULATION_SEED", wanted.seed.to_string())
        .env("SIMULATION_BUG", wanted.bug.unwrap_or_default())
        .env("SIMULATION_TRACE", if wanted.is_traced { "1" } else { "" })
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(output) = child.stdout.take() {
        show(BufReader::new(output)).map_err(failed)?;
    }
    let status = child.wait().map_err(failed)?;
    Ok(status
        .code()
        .and_then(|code| u8::try_from(code).ok())
        .filter(|code| *code <= NOT_RUN)
        .unwrap_or(BROKEN))
}

/// Shows what the simulation says, without the harness's first words. Nobody may be left to read it: it is heard out
/// all the same, since its exit status is still wanted.
fn show(output: impl BufRead) -> std::io::Result<()> {
    let mut to = std::io::stdout().lock();
    let is_harness = |line: &String| line.is_empty() || line == "running 1 test";
    let mut is_read = true;
    for line in output.lines().skip_while(|line| line.as_ref().is_ok_and(is_harness)) {
        let line = line?;
        is_read = is_read && writeln!(to, "{line}").is_ok();
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_may_stand_anywhere() {
        let wanted = Wanted { seed: 7, bug: Some("NoSweeper"), is_traced: true };
        assert_eq!(Wanted::read(&["--trace", "7", "--bug", "NoSweeper"]), Ok(wanted));
        assert_eq!(Wanted::read(&["42"]), Ok(Wanted { seed: 42, bug: None, is_traced: false }));
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (words, named) in [
            (&["--bug", "NoSweeper"] as &[&str], "which seed"),
            (&["-1"], "'-1'"),
            (&["x"], "'x'"),
            (&["1", "2"], "'2'"),
            (&["1", "--bug"], "--bug"),
        ] {
            assert!(Wanted::read(words).is_err_and(|why| why.contains(named)), "{words:?}");
        }
    }

    #[test]
    fn the_simulation_is_found_among_what_was_built() {
        let other = r#"{"reason":"compiler-artifact","target":{"name":"skstore"},"executable":"/t/skstore"}"#;
        let this =
            r#"{"reason":"compiler-artifact","target":{"name":"simulation"},"executable":"/t/simulation-1"}"#;
        let found: Vec<_> = ["", other, this].into_iter().filter_map(executable).collect();
        assert_eq!(found, [PathBuf::from("/t/simulation-1")]);
    }
}
