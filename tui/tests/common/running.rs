//! A program that a test has started: it is told to end, heard to its end, and killed with its test.

use std::io::{BufRead as _, BufReader, Read};
use std::process::{Child, Command, Output};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// A program that runs until it is dropped.
pub(crate) struct Running(Option<Child>);

impl Running {
    /// Starts `command` as it is.
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(Some(command.spawn().unwrap()))
    }

    /// The process itself.
    pub(crate) fn child(&mut self) -> &mut Child {
        self.0.as_mut().unwrap()
    }

    /// Its number.
    pub(crate) fn id(&self) -> u32 {
        self.0.as_ref().unwrap().id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.id()).unwrap();
        kill(Pid::from_raw(pid), signal).unwrap();
    }

    /// What it has said when it has ended.
    pub(crate) fn output(mut self) -> Output {
        self.0.take().unwrap().wait_with_output().unwrap()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(mut child) = self.0.take() {
            // Both fail only if it has ended by itself.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// Reads what a program writes `on` one of its outputs up to a line with `words`.
pub(crate) fn until_it_says(on: Option<&mut impl Read>, words: &str) {
    let mut lines = BufReader::new(on.unwrap()).lines();
    assert!(lines.any(|line| line.unwrap().contains(words)), "it has ended without a word of {words}");
}

/// All that a program has said.
pub(crate) fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
