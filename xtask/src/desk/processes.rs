//! The desk as processes of this machine: servers of its own, and each worker a process.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Desk, SERVICES, all_take_work, until};
use crate::build::Build;
use crate::servers::{self, Group, Rabbit, Redis};

/// A worker of it.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) service: &'static str,
    pub(crate) process: Group,
    /// Of its log as well.
    pub(crate) name: String,
}

/// Servers, workers and their data.
#[derive(Debug)]
pub(crate) struct Processes {
    // Before what they use.
    pub(crate) workers: Vec<Worker>,
    pub(crate) rabbit: Rabbit,
    pub(crate) redis: Redis,
    pub(crate) data: PathBuf,
    build: Build,
    settings: Vec<(&'static str, &'static str)>,
    started: u32,
}

impl Processes {
    /// Starts the servers and one worker of each service by `first`, with `settings` of their environment, and waits until
    /// all of them take work. Workers that are started later are of `build`.
    ///
    /// # Errors
    /// A sentence that says what does not work, and where its log is.
    pub(crate) fn start(
        build: Build,
        first: &Path,
        settings: &[(&'static str, &'static str)],
    ) -> Result<Self, String> {
        let (rabbit, redis) = (Rabbit::start_as_shipped()?, Redis::start()?);
        let data = servers::temporary("data")?;
        let workers = Vec::new();
        let mut desk = Self { workers, rabbit, redis, data, build, settings: settings.to_vec(), started: 0 };
        for service in SERVICES {
            desk.worker(service, first)?;
        }
        until(&mut desk, "the workers get to work", all_take_work)?;
        Ok(desk)
    }

    /// Starts one more worker of `service` by `program`.
    fn worker(&mut self, service: &'static str, program: &Path) -> Result<(), String> {
        self.started += 1;
        let name = format!("{service}-{}", self.started);
        let mut command = Command::new(program);
        command.arg(service).envs(self.environment());
        let process = Group::spawn(&mut command, &self.data, &log(&name))?;
        self.workers.push(Worker { service, process, name });
        Ok(())
    }

    /// What programs are told of how to reach it.
    fn environment(&self) -> Vec<(&'static str, String)> {
        let mut environment = vec![
            ("SKSTORE__BUS__URL", self.rabbit.amqp_url()),
            ("SKSTORE__BUS__MANAGEMENT_URL", self.rabbit.api_url()),
            ("SKSTORE__VIEW__URL", self.redis.url()),
            ("SKSTORE__DATA_DIR", self.data.display().to_string()),
        ];
        environment.extend(self.settings.iter().map(|(name, value)| (*name, (*value).to_owned())));
        environment
    }

    fn place(&self, name: &str) -> Result<usize, String> {
        let found = self.workers.iter().position(|worker| worker.name == name);
        found.ok_or_else(|| format!("there is no worker {name}"))
    }

    fn send(&self, signal: &str, name: &str) -> Result<(), String> {
        self.workers[self.place(name)?].process.send(signal);
        Ok(())
    }
}

impl Desk for Processes {
    fn skstore(&self, line: &str) -> Command {
        let mut command = Command::new(self.build.program("skstore"));
        command.arg("--json").args(line.split(' ')).envs(self.environment()).current_dir(&self.data);
        command
    }

    fn read(&self, file: &str) -> Result<String, String> {
        let path = self.data.join(file);
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    }

    fn workers(&self, service: &str) -> Result<Vec<String>, String> {
        let of_service = self.workers.iter().filter(|worker| worker.service == service);
        Ok(of_service.map(|worker| worker.name.clone()).collect())
    }

    fn start(&mut self, service: &'static str) -> Result<(), String> {
        self.worker(service, &self.build.program("skstore-worker"))
    }

    fn end(&mut self, worker: &str) -> Result<(), String> {
        let place = self.place(worker)?;
        self.workers.remove(place).process.end("TERM");
        Ok(())
    }

    fn hang(&mut self, worker: &str) -> Result<(), String> {
        self.send("STOP", worker)
    }

    fn kill(&mut self, worker: &str) -> Result<(), String> {
        self.send("KILL", worker)
    }

    fn remove(&mut self, worker: &str) -> Result<(), String> {
        let place = self.place(worker)?;
        self.workers.remove(place).process.end("KILL");
        Ok(())
    }

    fn is_well(&self, worker: &str) -> Result<bool, String> {
        let service = self.workers[self.place(worker)?].service;
        let mut health = Command::new(self.build.program("skstore-worker"));
        health.args(["health", service]).envs(self.environment());
        let status = health.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
        status.map(|status| status.success()).map_err(|error| format!("skstore-worker health: {error}"))
    }

    fn last_words(&mut self) -> Option<String> {
        let ended = |worker: &mut Worker| worker.process.has_ended().then(|| log(&worker.name));
        let log = self.workers.iter_mut().find_map(ended)?;
        let log = std::fs::read_to_string(self.data.join(log)).unwrap_or_default();
        Some(last_lines(&log))
    }

    fn logs(&self) -> String {
        format!("logs are in {}", self.data.display())
    }
}

fn log(name: &str) -> String {
    format!("{name}.log")
}

fn last_lines(log: &str) -> String {
    const LINES: usize = 10;
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
