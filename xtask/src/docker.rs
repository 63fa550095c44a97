//! The container engine, through its own command line: it is the same on every machine.

use std::process::Command;
use std::time::Duration;

use crate::command::said;

/// How long a short question may take: a busy engine takes seconds.
const SHORTLY: Duration = Duration::from_secs(30);

/// What `docker` says to `words`.
///
/// # Errors
/// A sentence.
pub(crate) fn ask(words: &[&str]) -> Result<String, String> {
    said(Command::new("docker").args(words), SHORTLY)
}

/// Whether there is an engine that can be used.
pub(crate) fn is_there() -> bool {
    ask(&["version", "--format", "{{.Server.Version}}"]).is_ok()
}

/// Whether it has an image.
pub(crate) fn has_image(name: &str) -> bool {
    ask(&["image", "inspect", "--format", "{{.Id}}", name]).is_ok()
}

/// What `docker inspect` knows of a container, as `format` asks for it: `{{.State.Pid}}`.
///
/// # Errors
/// A sentence.
pub(crate) fn inspect(container: &str, format: &str) -> Result<String, String> {
    Ok(ask(&["inspect", "--format", format, container])?.trim().to_owned())
}

/// Ends the process of a container as a crash does. `docker kill` would be an operator's wish to the engine, which then
/// starts nothing again, and inside of it nobody can kill its first process.
///
/// # Errors
/// A sentence.
pub(crate) fn crash(container: &str, image: &str) -> Result<(), String> {
    let process = inspect(container, "{{.State.Pid}}")?;
    let kill = format!("kill -KILL {process}");
    let beside = ["run", "--rm", "--pid", "host", "--user", "0", "--network", "none"];
    ask(&[&beside[..], &["--entrypoint", "sh", image, "-c", &kill]].concat()).map(drop)
}
