//! Runs cargo, one named and timed step at a time.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// A step's name, its cargo command, its environment, and what helps when it fails.
pub(crate) type Step =
    (&'static str, &'static [&'static str], &'static [(&'static str, &'static str)], &'static str);

/// What the simulation needs: nothing that other crates are built with.
pub(crate) const SIMULATION: &str = "skstore-workers/simulation";

/// Everything that is off by default. Always of the whole workspace: of one package alone, cargo would choose other
/// features for the dependencies, and build all of them again.
pub(crate) const FEATURES: &str = "skstore-workers/simulation,skstore-workers/servers,skstore/servers";

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// What cargo tells a program that it runs of the package that this is.
const OF_THIS_PACKAGE: [&str; 2] = ["CARGO_PKG_", "CARGO_MANIFEST_"];

/// A cargo command in the workspace's root, of the cargo that runs this.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // Build scripts ask for these as well: with ours instead of none, each change between this and a plain cargo would
    // build ring, and all that uses it, anew.
    for (name, _) in std::env::vars_os() {
        if OF_THIS_PACKAGE.iter().any(|prefix| name.to_string_lossy().starts_with(prefix)) {
            command.env_remove(name);
        }
    }
    command.args(arguments).current_dir(root()).stdin(Stdio::null());
    command
}

/// Says what is wrong. The exit status says it also where nobody listens.
pub(crate) fn tell(sentence: &str) {
    let _ = writeln!(std::io::stderr(), "{sentence}");
}

/// Runs a step, which prints to the terminal, and says how long it took.
///
/// # Errors
/// A sentence that names the step, the command to repeat it by, and the remedy if there is one.
pub(crate) fn run(name: &str, command: &mut Command, remedy: &str) -> Result<Duration, String> {
    println!("\n── {name}: {}", shown(command));
    let started = Instant::now();
    let status = command.status().map_err(|error| format!("{name}: cargo cannot be started: {error}"))?;
    let took = started.elapsed();
    if status.success() {
        println!("── {name}: {:.1} s", took.as_secs_f64());
        return Ok(took);
    }
    let also = if remedy.is_empty() { String::new() } else { format!(" {remedy}") };
    Err(format!("{name} failed after {:.1} s; repeat it with: {}.{also}", took.as_secs_f64(), shown(command)))
}

/// Runs one of a list of steps, which reaches its servers by `servers`.
///
/// # Errors
/// As [`run`].
pub(crate) fn run_one(
    (name, arguments, environment, remedy): &Step,
    servers: &[(&str, String)],
) -> Result<(), String> {
    let mut command = cargo(arguments);
    command.envs(environment.iter().copied());
    command.envs(servers.iter().map(|(name, url)| (*name, url)));
    run(name, &mut command, remedy).map(drop)
}

/// The command as one would type it.
pub(crate) fn shown(command: &Command) -> String {
    let environment = command.get_envs().filter_map(|(name, value)| {
        value.map(|value| format!("{}={:?} ", name.to_string_lossy(), value.to_string_lossy()))
    });
    let arguments = command.get_args().map(|argument| argument.to_string_lossy().into_owned());
    format!("{}cargo {}", environment.collect::<String>(), arguments.collect::<Vec<_>>().join(" "))
}
