//! The desk as processes: four `skstore-worker`s on a virtual host and a Redis database of their own, paused, stopped,
//! killed and started again as a test wants it.

#![allow(dead_code, reason = "each of those who include it uses a part")]

use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use skstore_domain::signals::Service;
use skstore_workers::config::{Config, Sources};
use tempfile::TempDir;

use crate::servers::{Group, Rabbit, Redis};
use crate::vhost::{self, Vhost};

/// `redis://…` of the Redis that the tests may use. Its database 0 is for those that bring prefixes of their own.
const REDIS_URL: &str = "SKSTORE_TEST_REDIS_URL";
/// Databases of that Redis.
const DATABASES: u32 = 64;
/// How long a test waits for something that must happen: far beyond what it takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked whether it has happened.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Where a desk's bus and view are.
#[derive(Debug, Clone)]
pub(crate) struct At {
    /// `amqp://…`
    pub(crate) bus: String,
    /// `redis://…`
    pub(crate) view: String,
}

impl At {
    /// A virtual host and a database that nobody else uses, on the servers that the tests are given.
    pub(crate) fn given() -> Self {
        Self::on(&vhost::empty())
    }

    /// This virtual host and a database that nobody else uses.
    pub(crate) fn on(vhost: &Vhost) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(1);
        let database = COUNT.fetch_add(1, Ordering::Relaxed);
        assert!(database < DATABASES, "one test program has at most {DATABASES} desks");
        let redis = std::env::var(REDIS_URL).unwrap_or_else(|_| {
            panic!("{REDIS_URL} is not set: run `cargo xtask test`, which starts a Redis")
        });
        let at = Self { bus: vhost.url.clone(), view: format!("{redis}/{database}") };
        // Whatever an earlier test program has left there.
        at.redis_cli(&["flushdb"]);
        at
    }

    /// Servers of the test's own.
    pub(crate) fn private(rabbit: &Rabbit, redis: &Redis) -> Self {
        Self { bus: rabbit.amqp_url(), view: redis.url() }
    }

    /// What a person sees who asks Redis for this, line by line.
    pub(crate) fn redis_cli(&self, words: &[&str]) -> Vec<String> {
        // One that stands still would be waited for without end.
        let mut asked = Command::new("timeout");
        asked.args(["5", "redis-cli", "--raw", "-u", &self.redis()]).args(words);
        let said = asked.output().expect("redis-cli comes with redis-server").stdout;
        String::from_utf8_lossy(&said).lines().map(str::to_owned).collect()
    }

    /// The Redis that takes writes now, also where Sentinels have to be asked for it.
    pub(crate) fn redis(&self) -> String {
        let Some(sentinels) = self.view.strip_prefix("redis+sentinel://") else { return self.view.clone() };
        let (hosts, name) = sentinels.split_once('/').expect("a name");
        let ask = |host: &str| {
            let url = format!("redis://{host}");
            let ask = ["--raw", "-u", &url, "sentinel", "get-master-addr-by-name", name];
            let said = Command::new("redis-cli").args(ask).output().expect("redis-cli").stdout;
            let said = String::from_utf8_lossy(&said).trim().replace('\n', ":");
            (!said.is_empty()).then(|| format!("redis://{said}"))
        };
        hosts.split(',').find_map(ask).expect("a Sentinel")
    }

    fn settings(&self) -> [(String, String); 3] {
        [
            ("bus.url".to_owned(), self.bus.clone()),
            ("view.url".to_owned(), self.view.clone()),
            // Deposit is slowed down by a wish, which workers over a broker do not obey by themselves.
            ("faults.allowed".to_owned(), "true".to_owned()),
        ]
    }
}

/// Workers as processes. They end with it.
#[derive(Debug)]
pub(crate) struct Workers {
    pub(crate) at: At,
    settings: Vec<(String, String)>,
    // Ended before their data is removed.
    running: Vec<(Service, Group)>,
    data: TempDir,
}

impl Workers {
    /// Starts all four with `settings`, and returns once they are at work and the catalogue is in the view.
    pub(crate) fn start(at: At, settings: &[(&str, &str)]) -> Self {
        let given = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let settings = at.settings().into_iter().chain(given).collect();
        let data = tempfile::tempdir().expect("a directory");
        let mut workers = Self { at, settings, running: Vec::new(), data };
        Service::ALL.iter().for_each(|service| workers.start_one(*service));
        workers.wait_until("all workers are at work", |workers| {
            let beating = workers.at.redis_cli(&["keys", "myinfo:service:*"]).len();
            beating == Service::ALL.len() && workers.at.redis_cli(&["exists", "myinfo:item:41"]) == ["1"]
        });
        workers
    }

    pub(crate) fn start_one(&mut self, service: Service) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_skstore-worker"));
        command.arg(service.word()).arg("--data-dir").arg(self.data.path());
        for (key, value) in &self.settings {
            command.arg("--set").arg(format!("{key}={value}"));
        }
        let log = format!("{service}.log");
        let started = Group::spawn(&mut command, self.data.path(), &log).expect("a worker");
        self.running.push((service, started));
    }

    /// Ends `service`, or the oldest replica of it, by `signal`: TERM for an orderly end, KILL for one that nobody can catch.
    pub(crate) fn end(&mut self, service: Service, signal: &str) {
        let at = self.running.iter().position(|(which, _)| *which == service).expect("it runs");
        self.running.remove(at).1.end(signal);
    }

    /// Sends `signal` to `service`, or to the oldest replica of it: STOP pauses it, CONT has it go on.
    pub(crate) fn signal(&mut self, service: Service, signal: &str) {
        self.of(service).send(signal);
    }

    fn of(&mut self, service: Service) -> &mut Group {
        let found = self.running.iter_mut().find(|(which, _)| *which == service);
        &mut found.expect("it runs").1
    }

    /// Panics unless all of them are the very processes that were started.
    pub(crate) fn assert_none_has_ended(&mut self) {
        for (service, group) in &mut self.running {
            let log = self.data.path().join(format!("{service}.log"));
            assert!(!group.has_ended(), "{service} has ended: {}", last_lines(&log));
        }
    }

    /// Waits for `condition`; panics with what the workers said last if it does not come.
    #[expect(clippy::disallowed_methods, reason = "it waits for processes, outside of any runtime")]
    pub(crate) fn wait_until(&mut self, what: &str, mut condition: impl FnMut(&Self) -> bool) {
        let started = Instant::now();
        while !condition(self) {
            self.assert_none_has_ended();
            assert!(started.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}\n{}", self.last_words());
            std::thread::sleep(LOOK_EVERY);
        }
    }

    /// What whoever asks about their data says: the settings that they were started with.
    pub(crate) fn config(&self) -> Config {
        let mut flags = self.settings.clone();
        flags.push(("data_dir".to_owned(), self.data.path().display().to_string()));
        Config::load(&Sources { flags, ..Sources::default() }).expect("a configuration")
    }

    /// Their logs.
    pub(crate) fn everything_said(&self) -> String {
        let of = |service: &Service| std::fs::read_to_string(self.data.path().join(format!("{service}.log")));
        Service::ALL.iter().map(|service| of(service).unwrap_or_default()).collect()
    }

    /// The ends of their logs.
    pub(crate) fn last_words(&self) -> String {
        let of = |service: &Service| {
            format!("── {service}\n{}\n", last_lines(&self.data.path().join(format!("{service}.log"))))
        };
        Service::ALL.iter().map(of).collect()
    }
}

fn last_lines(log: &std::path::Path) -> String {
    const LINES: usize = 12;
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
