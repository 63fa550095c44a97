//! A process with all that it has started, which ends with the process that started it, however that ends.

use std::fs;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// How long it may take to end when asked to, before it is killed.
const STOP_WITHIN: Duration = Duration::from_secs(15);
/// How often it is looked whether it has.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// A process and those it has started: a process group. It ends with the process that started it, however that ends.
#[derive(Debug)]
pub(crate) struct Group(Option<Running>);

#[derive(Debug)]
struct Running {
    leader: Child,
    /// Waits for the end of its input, which is ours, then does away with the group and its directory. In a group of
    /// its own, as Ctrl-C reaches all of ours.
    watchdog: Child,
}

/// What the watchdog does, in any shell. Its arguments: the process group and the directory.
const WATCH: &str = r#"read -r _; kill -KILL "-$1"; rm -rf -- "$2""#;

impl Group {
    pub(super) const fn none() -> Self {
        Self(None)
    }

    /// Starts `command`, which works in `directory` and adds its output to the file `log` there.
    ///
    /// # Errors
    /// A sentence that names the program.
    pub(crate) fn spawn(command: &mut Command, directory: &Path, log: &str) -> Result<Self, String> {
        let failed = |error: std::io::Error| format!("{}: {error}", command.get_program().to_string_lossy());
        let output =
            fs::File::options().create(true).append(true).open(directory.join(log)).map_err(failed)?;
        let errors = output.try_clone().map_err(failed)?;
        let spawned = command
            .current_dir(directory)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors)
            .process_group(0)
            .spawn();
        let mut leader =
            spawned.map_err(|error| format!("{}: {error}", command.get_program().to_string_lossy()))?;
        let watchdog = Command::new("sh")
            .args(["-c", WATCH, "watchdog", &leader.id().to_string()])
            .arg(directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn();
        match watchdog {
            Ok(watchdog) => Ok(Self(Some(Running { leader, watchdog }))),
            Err(error) => {
                // Nothing may be left that nobody watches.
                let _ = leader.kill();
                Err(format!("sh: {error}"))
            }
        }
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.0.as_mut().is_none_or(|running| !matches!(running.leader.try_wait(), Ok(None)))
    }

    /// Sends `signal` to all of it.
    pub(crate) fn send(&self, signal: &str) {
        if let Some(running) = &self.0 {
            send(running.leader.id(), signal);
        }
    }

    /// Sends `signal` to all of it and waits for its end, at last killing it.
    pub(crate) fn end(&mut self, signal: &str) {
        let Some(Running { mut leader, mut watchdog }) = self.0.take() else { return };
        // First, so that it does not take away the directory.
        let _ = watchdog.kill();
        let _ = watchdog.wait();
        send(leader.id(), signal);
        let started = Instant::now();
        while matches!(leader.try_wait(), Ok(None)) && started.elapsed() < STOP_WITHIN {
            std::thread::sleep(LOOK_EVERY);
        }
        // What its leader has left behind, and the leader if it did not listen.
        send(leader.id(), "KILL");
        let _ = leader.wait();
    }
}

/// A group that is gone already is no failure.
fn send(group: u32, signal: &str) {
    let _ = Command::new("kill")
        .args([&format!("-{signal}"), "--", &format!("-{group}")])
        .stderr(Stdio::null())
        .status();
}

impl Drop for Group {
    fn drop(&mut self) {
        self.end("TERM");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::servers::ground::temporary;

    #[test]
    fn a_group_and_its_directory_end_with_the_process_that_started_them() {
        let directory = temporary("abandoned").expect("a directory");
        let mut group = Group::spawn(Command::new("sleep").arg("600"), &directory, "log").expect("a group");
        // As the system does to what belonged to a process that has ended.
        drop(group.0.as_mut().and_then(|running| running.watchdog.stdin.take()));
        let started = Instant::now();
        while directory.exists() || !group.has_ended() {
            assert!(started.elapsed() < STOP_WITHIN, "it goes on");
            std::thread::sleep(LOOK_EVERY);
        }
    }
}
