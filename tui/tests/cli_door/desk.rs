//! A data directory with a process that has its workers, and others that come to it.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::running::{Running, said};

/// How long a test waits for what must happen.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// A data directory, and the program that works on it.
pub(crate) struct Desk(TempDir);

impl Desk {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.0.path().join("data")
    }

    pub(crate) fn start(&self, line: &str) -> Running {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skstore"));
        command.env_clear().env("HOME", self.0.path()).env("LANG", "C.UTF-8").stdin(Stdio::null());
        command.arg("--json").arg("--data-dir").arg(self.data()).args(line.split(' '));
        Running::start(command.stdout(Stdio::piped()).stderr(Stdio::piped()))
    }

    pub(crate) fn done(&self, line: &str) -> Value {
        let output = self.start(line).output();
        assert_eq!(output.status.code(), Some(0), "skstore {line}: {}", said(&output));
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("skstore {line}: {error}: {}", said(&output)))
    }

    /// A process that has the workers until it is dropped.
    pub(crate) fn holder(&self) -> Running {
        self.holder_with("--language en")
    }

    /// As [`Desk::holder`], with flags of its own.
    pub(crate) fn holder_with(&self, flags: &str) -> Running {
        let holder = self.start(&format!("watch --for 600 --last 1000 {flags}"));
        let pid = holder.id().to_string();
        wait_until("somebody has the workers, and lets others in", || {
            std::fs::read_to_string(self.data().join("skstore.lock")).is_ok_and(|text| text.starts_with(&pid))
                && self.visit().is_ok()
        });
        holder
    }

    pub(crate) fn visit(&self) -> std::io::Result<UnixStream> {
        UnixStream::connect(self.data().join("skstore.sock"))
    }

    /// The books are right, and the view has `orders` orders that are delivering.
    pub(crate) fn assert_whole(&self, orders: usize) {
        let audited = self.done("audit");
        assert_eq!(
            (&audited["audited"]["violations"], &audited["audited"]["orders"]),
            (&json!(0), &json!(orders)),
            "{audited}"
        );
        let status = self.done("status");
        assert_eq!(status["counts"]["orders"]["delivering"], json!(orders), "{status}");
    }
}

pub(crate) fn wait_until(what: &str, condition: impl Fn() -> bool) {
    let until = Instant::now() + PATIENCE;
    while !condition() {
        assert!(Instant::now() < until, "gave up waiting until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}
