//! The whole distributed system on this machine: servers of its own, each worker a process, and `skstore` to ask it.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::servers::{self, Group, Rabbit, Redis};
use crate::step;

/// The workers that a desk needs.
pub(crate) const SERVICES: [&str; 4] = ["order", "deposit", "item", "myinfo"];
/// How long they may take to be seen in the view: seconds on an idle machine.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How often it is looked whether they are.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Which build of the programs is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Build {
    /// As people run it.
    Release,
    /// As the tests have built it.
    Test,
}

impl Build {
    /// Builds the programs where they are not built.
    ///
    /// # Errors
    /// A sentence that says how to repeat it.
    pub(crate) fn make(self) -> Result<(), String> {
        match self {
            Self::Release => {
                let build = ["build", "--release", "-p", "skstore-workers", "-p", "skstore"];
                step::run("release build", &mut step::cargo(&build), "").map(drop)
            }
            // Tests build the programs as well, with the features that they themselves need: without them all would be
            // built once more.
            Self::Test => {
                let tests = ["--test", "cluster", "--test", "terminal_servers"];
                let build =
                    [&["test", "--no-run", "--workspace", "--features", step::FEATURES], &tests[..]].concat();
                step::run("build", &mut step::cargo(&build), "").map(drop)
            }
        }
    }

    /// Where a program of it is.
    pub(crate) fn program(self, name: &str) -> PathBuf {
        let target =
            std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| step::root().join("target"), PathBuf::from);
        let profile = match self {
            Self::Release => "release",
            Self::Test => "debug",
        };
        target.join(profile).join(name)
    }
}

/// A worker of it.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) service: &'static str,
    pub(crate) process: Group,
    log: String,
}

/// Servers, workers and their data; all gone when it is dropped, or when this process ends in whatever way.
#[derive(Debug)]
pub(crate) struct Desk {
    // Before what they use.
    pub(crate) workers: Vec<Worker>,
    pub(crate) rabbit: Rabbit,
    pub(crate) redis: Redis,
    pub(crate) data: PathBuf,
    build: Build,
    settings: Vec<(&'static str, &'static str)>,
    started: u32,
}

impl Desk {
    /// Starts the servers and one worker of each service by `program`, with `settings` of their environment, and waits until
    /// all of them take work.
    ///
    /// # Errors
    /// A sentence that says what does not work, and where its log is.
    pub(crate) fn start(
        build: Build,
        program: &Path,
        settings: &[(&'static str, &'static str)],
    ) -> Result<Self, String> {
        let (rabbit, redis) = (Rabbit::start_as_shipped()?, Redis::start()?);
        let data = servers::temporary("data")?;
        let mut desk =
            Self { workers: Vec::new(), rabbit, redis, data, build, settings: settings.to_vec(), started: 0 };
        for service in SERVICES {
            let worker = desk.worker(service, program)?;
            desk.workers.push(worker);
        }
        desk.until("the workers get to work", |desk| Ok(desk.ready()?.len() >= SERVICES.len()))?;
        Ok(desk)
    }

    /// Starts one more worker of `service`.
    ///
    /// # Errors
    /// A sentence that names the program.
    pub(crate) fn worker(&mut self, service: &'static str, program: &Path) -> Result<Worker, String> {
        self.started += 1;
        let log = format!("{service}-{}.log", self.started);
        let mut command = Command::new(program);
        command.arg(service).envs(self.environment());
        let process = Group::spawn(&mut command, &self.data, &log)?;
        Ok(Worker { service, process, log })
    }

    /// What programs are told of how to reach it.
    pub(crate) fn environment(&self) -> Vec<(&'static str, String)> {
        let mut environment = vec![
            ("SKSTORE__BUS__URL", self.rabbit.amqp_url()),
            ("SKSTORE__BUS__MANAGEMENT_URL", self.rabbit.api_url()),
            ("SKSTORE__VIEW__URL", self.redis.url()),
            ("SKSTORE__DATA_DIR", self.data.display().to_string()),
        ];
        environment.extend(self.settings.iter().map(|(name, value)| (*name, (*value).to_owned())));
        environment
    }

    /// `skstore` with the words of `line`.
    pub(crate) fn skstore(&self, line: &str) -> Command {
        let mut command = Command::new(self.build.program("skstore"));
        command.arg("--json").args(line.split(' ')).envs(self.environment()).stdin(Stdio::null());
        command
    }

    /// Starts it, and goes on.
    ///
    /// # Errors
    /// A sentence that says what does not work.
    pub(crate) fn begin(&self, line: &str) -> Result<Child, String> {
        let mut command = self.skstore(line);
        let begun = command.stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        begun.map_err(|error| format!("skstore {line}: {error}"))
    }

    /// The objects that it prints, whatever its exit status.
    ///
    /// # Errors
    /// A sentence that says what it printed instead.
    pub(crate) fn ask(&self, line: &str) -> Result<Vec<Value>, String> {
        let output = self.skstore(line).output().map_err(|error| format!("skstore {line}: {error}"))?;
        objects(line, &output.stdout)
    }

    /// Waits until `condition` holds.
    ///
    /// # Errors
    /// A sentence that names `what`, and the last that the workers said where one has ended.
    pub(crate) fn until(
        &mut self,
        what: &str,
        mut condition: impl FnMut(&mut Self) -> Result<bool, String>,
    ) -> Result<(), String> {
        let started = Instant::now();
        while !condition(self)? {
            if let Some(ended) = self.workers.iter_mut().find_map(|w| w.process.has_ended().then_some(&w.log))
            {
                let log = std::fs::read_to_string(self.data.join(ended)).unwrap_or_default();
                return Err(format!("a worker has ended. The last it said:\n{}", last_lines(&log)));
            }
            if started.elapsed() > READY_WITHIN {
                return Err(format!("gave up waiting until {what}; logs are in {}", self.data.display()));
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(())
    }

    /// The workers that are heard of and take work: service and instance.
    ///
    /// # Errors
    /// A sentence.
    pub(crate) fn ready(&self) -> Result<Vec<(String, String)>, String> {
        let status = self.ask("status")?;
        let Some(status) = status.first() else { return Ok(Vec::new()) };
        let services = status["services"].as_array().map(Vec::as_slice).unwrap_or_default();
        let ready = services.iter().filter(|beat| beat["ready"] == true);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(ready.map(|beat| (text(&beat["service"]), text(&beat["instance"]))).collect())
    }
}

/// The objects of an output, one a line.
///
/// # Errors
/// A sentence that names the command.
pub(crate) fn objects(line: &str, output: &[u8]) -> Result<Vec<Value>, String> {
    let text = String::from_utf8_lossy(output);
    let read =
        |row: &str| serde_json::from_str(row).map_err(|error| format!("skstore {line}: {error}: {row}"));
    text.lines().map(read).collect()
}

fn last_lines(log: &str) -> String {
    const LINES: usize = 10;
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
