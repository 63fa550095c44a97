//! Tells from outside whether the workers of this machine do their work: for health checks of containers.
//!
//! Each process writes down every second, in a file of its own in the data directory, how its workers do, and keeps
//! another one locked. A worker's thread leaves a sign of life that a hung one does not; a lost broker, store or view
//! shows as not ready; a lock that nobody holds tells of a process that was killed. Whoever asks reads these files: that
//! connects to nothing, starts nothing and takes milliseconds. A process that ends in good order takes its files with it.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use skstore_domain::signals::Service;
use skstore_domain::time::Timestamp;

use crate::clock::Clock;
use crate::process::Process;

/// Where in the data directory the reports are.
const DIRECTORY: &str = "health";
/// How often a process reports.
const REPORT_EVERY: Duration = Duration::from_secs(1);
/// Silence for longer means that a worker hangs: it is late by far more than a store that waits two seconds for another
/// process's lock makes it.
const STALE_AFTER: Duration = Duration::from_secs(6);
/// Longest sentence of a worker about its trouble, in characters, that is passed on.
const TROUBLE_CHARS: usize = 300;

/// What a process says of its workers.
#[derive(Debug, Serialize, Deserialize)]
struct Report {
    /// Containers share data directories, but not their names and numbers of processes.
    host: String,
    pid: u32,
    at: Timestamp,
    workers: Vec<Worker>,
    /// Whether that process is gone, without having taken this with it.
    #[serde(skip)]
    is_left: bool,
}

/// How one worker does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    /// Which.
    pub service: Service,
    /// The last sign of life of its thread; none before it has started.
    pub alive_at: Option<Timestamp>,
    /// Whether it takes work.
    pub ready: bool,
    /// Why not.
    pub trouble: Option<String>,
}

/// Reports for this process, until it is dropped.
#[derive(Debug)]
pub struct Reporter {
    path: PathBuf,
    services: Vec<Service>,
    host: String,
    has_failed: bool,
    // The system lets it go when the process ends, however it ends.
    _lock: Option<File>,
}

impl Reporter {
    /// For the workers of `services`. What killed processes of the same services have left here is removed.
    #[must_use]
    pub fn new(data_dir: &Path, services: &[Service]) -> Self {
        let (directory, host) = (data_dir.join(DIRECTORY), host());
        for (path, report) in reports(&directory, &host).unwrap_or_default() {
            if report.is_left && report.workers.iter().all(|worker| services.contains(&worker.service)) {
                remove(&path);
            }
        }
        let name: String = host.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect();
        let path = directory.join(format!("{name}-{}.json", std::process::id()));
        // One of a container that was started again may have had the same name and number.
        remove(&path);
        let lock = fs::create_dir_all(&directory).and_then(|()| take_lock(&path));
        let lock = lock
            .inspect_err(|error| tracing::error!(path = %path.display(), %error, "cannot report health"))
            .ok();
        Self { path, services: services.to_vec(), host, has_failed: lock.is_none(), _lock: lock }
    }

    /// Says that the workers have not started, and why.
    pub fn not_started(&mut self, why: &str) {
        let worker = |service: &Service| Worker {
            service: *service,
            alive_at: None,
            ready: false,
            trouble: Some(why.to_owned()),
        };
        let workers = self.services.iter().map(worker).collect();
        self.write(workers);
    }

    /// Reports how the workers of `process` do, for ever.
    pub async fn report(&mut self, process: &Process) {
        let mut every = tokio::time::interval(REPORT_EVERY);
        loop {
            every.tick().await;
            self.write(process.workers());
        }
    }

    /// Whole or not at all, for those who read it meanwhile.
    fn write(&mut self, workers: Vec<Worker>) {
        let (host, at) = (self.host.clone(), Clock::System.now());
        let report = Report { host, pid: std::process::id(), at, workers, is_left: false };
        let beside = self.path.with_extension("new");
        let written = serde_json::to_vec(&report).map_err(io::Error::from).and_then(|text| {
            fs::write(&beside, text)?;
            fs::rename(&beside, &self.path)
        });
        if let Err(error) = &written
            && !self.has_failed
        {
            tracing::error!(path = %self.path.display(), %error, "cannot report health");
        }
        self.has_failed = written.is_err();
    }
}

impl Drop for Reporter {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// Asks whether the workers of `services` that run here do their work; without any named, all that run here.
///
/// # Errors
/// A sentence for each that does not.
pub fn check(data_dir: &Path, services: &[Service]) -> Result<(), String> {
    let directory = data_dir.join(DIRECTORY);
    let reports = reports(&directory, &host())
        .map_err(|error| format!("cannot read the reports in {}: {error}", directory.display()))?;
    let reports: Vec<Report> = reports.into_iter().map(|(_, report)| report).collect();
    let problems = problems(&reports, services, Clock::System.now());
    if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
}

fn problems(reports: &[Report], services: &[Service], now: Timestamp) -> Vec<String> {
    let is_meant = |worker: &Worker| services.is_empty() || services.contains(&worker.service);
    let mut problems = Vec::new();
    for report in reports {
        for worker in report.workers.iter().filter(|worker| is_meant(worker)) {
            problems.extend(
                problem(report, worker, now)
                    .map(|problem| format!("{} (process {}) {problem}", worker.service, report.pid)),
            );
        }
    }
    let runs = |service: &Service| {
        reports.iter().flat_map(|report| &report.workers).any(|worker| worker.service == *service)
    };
    problems.extend(
        services
            .iter()
            .filter(|service| !runs(service))
            .map(|service| format!("{service} does not run here")),
    );
    if services.is_empty() && reports.is_empty() {
        problems.push("no worker runs here".to_owned());
    }
    problems
}

fn problem(report: &Report, worker: &Worker, now: Timestamp) -> Option<String> {
    if report.is_left {
        return Some("was killed, or has crashed".to_owned());
    }
    let heard = worker.alive_at.map_or(report.at, |alive_at| alive_at.min(report.at));
    if is_stale(heard, now) {
        let silent = now.since(heard).as_secs();
        return Some(format!("has been silent for {silent} s: it hangs"));
    }
    if worker.ready {
        return None;
    }
    let trouble = worker.trouble.as_deref().unwrap_or("it is starting");
    let trouble: String = trouble.chars().filter(|c| !c.is_control()).take(TROUBLE_CHARS).collect();
    Some(format!("is not ready: {trouble}"))
}

/// A clock that was set back makes nothing old.
fn is_stale(at: Timestamp, now: Timestamp) -> bool {
    now.since(at) > STALE_AFTER
}

/// What processes of this host have written, by path. What cannot be read as a report is none.
fn reports(directory: &Path, host: &str) -> io::Result<Vec<(PathBuf, Report)>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json")
            && let Ok(text) = fs::read(&path)
            && let Ok(mut report) = serde_json::from_slice::<Report>(&text)
            && report.host == host
        {
            report.is_left = is_left(&path);
            found.push((path, report));
        }
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(found)
}

/// The file beside the report at `path` that its process keeps locked.
fn lock_of(path: &Path) -> PathBuf {
    path.with_extension("lock")
}

/// Waits for those who only look whether somebody has it.
fn take_lock(path: &Path) -> io::Result<File> {
    let file = File::create(lock_of(path))?;
    file.lock()?;
    Ok(file)
}

/// Whether nobody keeps the report at `path` any more.
fn is_left(path: &Path) -> bool {
    // Where locks do not work, silence has to tell.
    File::open(lock_of(path))
        .map_or_else(|error| error.kind() == io::ErrorKind::NotFound, |lock| lock.try_lock_shared().is_ok())
}

/// Removes a report and its lock. What cannot be removed is found left by whoever asks.
fn remove(path: &Path) {
    let _ = fs::remove_file(path);
    let _ = fs::remove_file(lock_of(path));
}

/// What tells this machine, or this container, from others that have the same directory. Where the system does not
/// say, they are one.
fn host() -> String {
    fs::read_to_string("/proc/sys/kernel/hostname").map(|name| name.trim().to_owned()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_790_000_000_000);

    fn ago(secs: u64) -> Timestamp {
        NOW.before(Duration::from_secs(secs))
    }

    fn worker(service: Service) -> Worker {
        Worker { service, alive_at: Some(ago(1)), ready: true, trouble: None }
    }

    fn report(pid: u32, workers: &[Worker]) -> Report {
        Report { host: "here".into(), pid, at: ago(1), workers: workers.to_vec(), is_left: false }
    }

    #[test]
    fn whatever_is_wrong_is_said_of_those_who_are_asked_for() {
        let well = report(1, &[worker(Service::Order), worker(Service::Item)]);
        let hangs = report(2, &[Worker { alive_at: Some(ago(9)), ..worker(Service::Deposit) }]);
        let killed = Report { is_left: true, ..report(3, &[worker(Service::MyInfo)]) };
        let lost = Worker { ready: false, trouble: Some("the bus is lost".into()), ..worker(Service::Order) };
        let lost = report(4, &[lost]);
        let starts = report(5, &[Worker { alive_at: None, ready: false, ..worker(Service::Deposit) }]);
        use Service::{Deposit, Item, MyInfo, Order};
        let table: [(&[&Report], &[Service], &[&str]); 8] = [
            (&[&well], &[], &[]),
            (&[&well], &[Order, Item], &[]),
            (&[&well, &killed], &[Order], &[]),
            (&[], &[], &["no worker runs here"]),
            (&[&well], &[Deposit], &["deposit does not run here"]),
            (
                &[&well, &hangs, &killed],
                &[],
                &[
                    "deposit (process 2) has been silent for 9 s: it hangs",
                    "myinfo (process 3) was killed, or has crashed",
                ],
            ),
            (&[&well, &lost], &[Order], &["order (process 4) is not ready: the bus is lost"]),
            (
                &[&starts],
                &[Deposit, MyInfo],
                &["deposit (process 5) is not ready: it is starting", "myinfo does not run here"],
            ),
        ];
        for (reports, services, expected) in table {
            let reports: Vec<Report> = reports
                .iter()
                .map(|one| Report { host: one.host.clone(), workers: one.workers.clone(), ..**one })
                .collect();
            assert_eq!(problems(&reports, services, NOW), expected, "{services:?}");
        }
    }

    #[test]
    fn a_report_is_there_until_it_is_withdrawn_and_replaces_one_that_was_left() {
        let dir = tempfile::tempdir().unwrap();
        let directory = dir.path().join(DIRECTORY);
        fs::create_dir(&directory).unwrap();
        let killed = |name: &str, service| {
            let old = Report { host: host(), at: Clock::System.now(), ..report(1, &[worker(service)]) };
            let path = directory.join(name);
            fs::write(&path, serde_json::to_vec(&old).unwrap()).unwrap();
            path
        };
        let (order, item) = (killed("a.json", Service::Order), killed("b.json", Service::Item));
        fs::write(directory.join("c.json"), "no report").unwrap();
        let another = killed("d.json", Service::Order);
        let held = take_lock(&another).unwrap();

        let mut reporter = Reporter::new(dir.path(), &[Service::Order]);
        assert!(!order.exists(), "this process is in its place");
        assert!(item.exists(), "nobody is in its place");
        assert!(another.exists(), "it is kept by another process of the same service");
        drop(held);
        remove(&another);
        reporter.not_started("there is no broker");
        let told = check(dir.path(), &[Service::Order]).unwrap_err();
        assert!(told.ends_with("is not ready: there is no broker"), "{told}");
        drop(reporter);
        assert_eq!(check(dir.path(), &[Service::Order]).unwrap_err(), "order does not run here");
    }
}
