//! Workers as processes, and where their bus, view and data are.

use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use skstore_domain::commands::Place;
use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_workers::config::{Config, Sources};
use skstore_workers::process::Process;
use tempfile::TempDir;
use tokio::time::{Instant, interval, timeout};

use crate::servers::Rabbit;
use crate::vhost::{self, Vhost};

/// `redis://…` of the Redis that the tests may use.
const REDIS_URL: &str = "SKSTORE_TEST_REDIS_URL";
/// The first database of it that is used here, and one behind the last.
const DATABASES: std::ops::Range<u32> = 1..64;
/// How long something may take that must happen: far beyond what it takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
/// How often it is looked whether it has happened.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A desk of its own: a virtual host, a database of Redis and a data directory that nobody else uses.
pub(crate) struct At {
    pub(crate) vhost: Vhost,
    view: String,
    pub(crate) data: TempDir,
}

impl At {
    pub(crate) fn given() -> Self {
        Self::on(vhost::empty())
    }

    /// On a broker of the test's own.
    pub(crate) fn private(rabbit: &Rabbit) -> Self {
        Self::on(vhost::create(&rabbit.amqp_url(), &rabbit.api_url()))
    }

    fn on(vhost: Vhost) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(DATABASES.start);
        let database = NEXT.fetch_add(1, Ordering::Relaxed);
        assert!(DATABASES.contains(&database), "there are not so many databases");
        let redis = std::env::var(REDIS_URL).unwrap_or_else(|_| {
            panic!("{REDIS_URL} is not set: run `cargo xtask test`, which starts a Redis")
        });
        let view = format!("{redis}/{database}");
        let given = Self { vhost, view, data: tempfile::tempdir().unwrap() };
        given.redis(&["flushdb"]);
        given
    }

    /// What somebody says to the Redis of the view.
    pub(crate) fn redis(&self, words: &[&str]) -> String {
        let said = Command::new("redis-cli").args(["-u", &self.view]).args(words).output().unwrap();
        assert!(said.status.success(), "{words:?}: {said:?}");
        String::from_utf8(said.stdout).unwrap()
    }

    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        let data = self.data.path().display().to_string();
        let settings = [("bus.url", &self.vhost.url), ("view.url", &self.view), ("data_dir", &data)];
        settings.map(|(key, value)| (key.to_owned(), value.clone())).to_vec()
    }

    /// Starts a process with these workers.
    pub(crate) fn start(&self, services: &[&str], settings: &[(&str, &str)]) -> Worker {
        let given = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let settings: Vec<_> = self.settings().into_iter().chain(given).collect();
        Worker::start(services, &settings, &[])
    }

    /// Starts a process with these workers that cannot write its log: where that goes takes nothing.
    pub(crate) fn start_unheard(&self, services: &[&str], settings: &[(&str, &str)], log: Stdio) -> Worker {
        let given = settings.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let settings: Vec<_> = self.settings().into_iter().chain(given).collect();
        Worker { child: command(services, &settings).stderr(log).spawn().unwrap(), log: None }
    }

    /// Starts one process for each service.
    pub(crate) fn start_all(&self) -> Vec<Worker> {
        ["order", "deposit", "item", "myinfo"].map(|service| self.start(&[service], &[])).into()
    }

    /// A process without workers, to have a desk of.
    pub(crate) fn attach(&self) -> Process {
        Process::start(&self.config()).unwrap()
    }

    pub(crate) fn config(&self) -> Config {
        Config::load(&Sources { flags: self.settings(), ..Sources::default() }).unwrap()
    }

    /// What `skstore-worker health` says, and whether all is well.
    pub(crate) fn health(&self, services: &[&str]) -> Result<(), String> {
        healthy(&command(&[&["health"], services].concat(), &self.settings()).output().unwrap())
    }
}

/// What `skstore-worker health` said, and whether all is well.
pub(crate) fn healthy(output: &Output) -> Result<(), String> {
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    match output.status.code() {
        Some(0) => Ok(()),
        Some(1) => Err(said),
        other => panic!("status {other:?}: {said}"),
    }
}

/// `skstore-worker` with these words and settings.
pub(crate) fn command(words: &[&str], settings: &[(String, String)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_skstore-worker"));
    command.args(words).stdin(Stdio::null());
    for (key, value) in settings {
        command.arg("--set").arg(format!("{key}={value}"));
    }
    command
}

/// A process with workers, which is killed when it is dropped.
pub(crate) struct Worker {
    child: Child,
    log: Option<Log>,
}

/// A log in a file.
struct Log {
    path: PathBuf,
    // Removed with it.
    _directory: TempDir,
}

impl Worker {
    pub(crate) fn start(
        services: &[&str],
        settings: &[(String, String)],
        environment: &[(&str, &str)],
    ) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join("log");
        let mut command = command(services, settings);
        command.envs(environment.iter().copied()).stderr(std::fs::File::create(&log).unwrap());
        Self { child: command.spawn().unwrap(), log: Some(Log { path: log, _directory: directory }) }
    }

    /// What it has written into its log.
    pub(crate) fn said(&self) -> String {
        std::fs::read_to_string(&self.log.as_ref().expect("a log in a file").path).unwrap()
    }

    /// The most memory that it has had, in bytes.
    pub(crate) fn peak_bytes(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("it runs");
        line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status();
        assert!(sent.unwrap().success(), "SIG{name} was not sent");
    }

    /// Kills it by the signal that nobody can catch.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its end; how long that took, too.
    pub(crate) async fn end(&mut self) -> (ExitStatus, Duration) {
        let since = Instant::now();
        let mut status = None;
        until("the worker ends", async || {
            status = self.child.try_wait().unwrap();
            status.is_some()
        })
        .await;
        (status.unwrap(), since.elapsed())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Waits until `condition` holds.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) {
    let met = async {
        let mut look = interval(LOOK_EVERY);
        while !condition().await {
            look.tick().await;
        }
    };
    assert!(timeout(PATIENCE, met).await.is_ok(), "not within {PATIENCE:?}: {what}");
}

pub(crate) fn order_id(order: usize) -> OrderId {
    OrderId::new(&format!("order-{order}")).unwrap()
}

/// One unit for somebody who can pay for many.
pub(crate) fn place(order: usize) -> Place {
    Place {
        item_id: ItemId::new("10").unwrap(),
        qty: 1,
        customer: Customer::new("kim").ok(),
        order_id: Some(order_id(order)),
        unit_price: None,
    }
}
