//! Tells from outside whether the workers of this machine do their work: for health checks of containers.
//!
//! Each process writes down every second, in a file of its own in the data directory, how its workers do, and keeps
//! another one locked. A worker's thread leaves a sign of life that a hung one does not; a lost broker, store or view
//! shows as not ready; a lock that nobody holds tells of a process that was killed. Whoever asks reads these files: that
//! connects to nothing, starts nothing and takes milliseconds. A process that ends in good order takes its files with it.
//!
//! A full disk says nothing about a worker. So a report has its room from the start and is written over in place; and where
//! even that fails, the time of the file's last change tells that its workers live.

use std::fs::{self, File};
use std::io::{self, Seek as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};
use skstore_domain::signals::Service;
use skstore_domain::time::Timestamp;

use crate::clock::Clock;
use crate::files;

/// Where in the data directory the reports are.
const DIRECTORY: &str = "health";
/// How often a process reports.
const REPORT_EVERY: Duration = Duration::from_secs(1);
/// Silence for longer means that a worker hangs: it is late by far more than a store that waits two seconds for another
/// process's lock makes it.
const STALE_AFTER: Duration = Duration::from_secs(6);
/// How long a report must have been left by another host before it is removed: its replica has another name by then, and
/// where a lock does not reach from host to host, a living one is not taken for it.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(3600);
/// Longest sentence of a worker about its trouble, in characters, that is passed on.
const TROUBLE_CHARS: usize = 400;
/// The room of a report, in bytes: four workers, each with the longest sentence in the longest letters.
const REPORT_BYTES: usize = 8 * 1024;
/// How often a report is read that is being written just now, and how long after each time.
const READS: usize = 3;
const READ_AGAIN_AFTER: Duration = Duration::from_millis(5);

/// What a process says of its workers.
#[derive(Debug, Serialize, Deserialize)]
struct Report {
    /// Containers share data directories, but not their names and numbers of processes.
    host: String,
    pid: u32,
    at: Timestamp,
    workers: Vec<Worker>,
    /// When its file was last changed, which tells of living workers where there is no room to tell more.
    #[serde(skip)]
    touched: Option<Timestamp>,
    /// Whether that process is gone, without having taken this with it.
    #[serde(skip)]
    is_left: bool,
}

impl Report {
    fn is_forgotten(&self, now: Timestamp) -> bool {
        self.touched.is_some_and(|touched| now.since(touched) > FORGOTTEN_AFTER)
    }
}

/// How one worker does.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Worker {
    /// The service.
    pub service: Service,
    /// The last sign of life of its thread; none before it has started.
    pub alive_at: Option<Timestamp>,
    /// Whether it takes work.
    pub ready: bool,
    /// Why not.
    pub trouble: Option<String>,
}

impl Worker {
    fn not_started(service: Service, why: Option<&str>) -> Self {
        Self { service, alive_at: None, ready: false, trouble: why.map(ToOwned::to_owned) }
    }
}

/// Reports for this process, until it is dropped.
#[derive(Debug)]
pub struct Reporter {
    path: PathBuf,
    file: Option<File>,
    services: Vec<Service>,
    host: String,
    has_failed: bool,
    // The system lets it go when the process ends, however it ends.
    _lock: Option<File>,
}

impl Reporter {
    /// For the workers of `services`, which are starting. What killed processes of the same services have left here is
    /// removed; also that of other hosts, such as containers that were replaced, once it is old.
    #[must_use]
    pub fn new(data_dir: &Path, services: &[Service]) -> Self {
        let (directory, host, now) = (data_dir.join(DIRECTORY), host(), Clock::System.now());
        for (path, report) in reports(&directory).unwrap_or_default() {
            let is_over = report.host == host || report.is_forgotten(now);
            if is_over
                && report.is_left
                && report.workers.iter().all(|worker| services.contains(&worker.service))
            {
                remove(&path);
            }
        }
        let path = directory.join(file_name(&host, std::process::id(), services));
        // One of a container that was started again may have had the same name and number.
        remove(&path);
        let lock = fs::create_dir_all(&directory).and_then(|()| take_lock(&path));
        let lock = lock
            .inspect_err(|error| tracing::error!(path = %path.display(), %error, "cannot report health"))
            .ok();
        let has_failed = lock.is_none();
        let mut reporter =
            Self { path, file: None, services: services.to_vec(), host, has_failed, _lock: lock };
        reporter.not_started(None);
        reporter
    }

    /// Says that the workers have not started, and why if there was a try.
    pub fn not_started(&mut self, why: Option<&str>) {
        let workers = self.services.iter().map(|service| Worker::not_started(*service, why)).collect();
        self.write(workers);
    }

    /// Says so again and again, for ever.
    pub async fn report_not_started(&mut self, why: Option<&str>) {
        let mut every = tokio::time::interval(REPORT_EVERY);
        loop {
            every.tick().await;
            self.not_started(why);
        }
    }

    /// Reports what `workers` says of them, for ever.
    pub async fn report(&mut self, workers: impl Fn() -> Vec<Worker>) {
        let mut every = tokio::time::interval(REPORT_EVERY);
        loop {
            every.tick().await;
            self.write(workers());
        }
    }

    fn write(&mut self, mut workers: Vec<Worker>) {
        for worker in &mut workers {
            worker.trouble = worker.trouble.take().map(|trouble| passed_on(&trouble));
        }
        let (host, at) = (self.host.clone(), Clock::System.now());
        let are_alive =
            workers.iter().all(|worker| worker.alive_at.is_none_or(|alive_at| !is_stale(alive_at, at)));
        let report = Report { host, pid: std::process::id(), at, workers, touched: None, is_left: false };
        let written = serde_json::to_vec(&report).map_err(io::Error::from).and_then(|text| self.put(text));
        if let Err(error) = &written {
            if !self.has_failed {
                tracing::error!(path = %self.path.display(), %error, "cannot report health");
            }
            if let Some(file) = self.file.as_ref().filter(|_| are_alive) {
                // Takes no room. Where even that fails, nothing is left to tell with.
                let _ = file.set_modified(system_time(at));
            }
        }
        self.has_failed = written.is_err();
    }

    /// Writes a report in the place of the last one, with blanks behind it up to what has been written once.
    fn put(&mut self, mut text: Vec<u8>) -> io::Result<()> {
        text.resize(text.len().max(REPORT_BYTES), b' ');
        if !self.path.exists() {
            self.file = None;
        }
        if self.file.is_none() {
            let file = File::options().write(true).create(true).truncate(false).open(&self.path)?;
            self.file = Some(file);
        }
        let Some(file) = &mut self.file else { return Err(io::ErrorKind::NotFound.into()) };
        file.rewind()?;
        file.write_all(&text)
    }
}

/// What the report of a process is called: also where nothing can be written into it, it says of whom it is.
fn file_name(host: &str, pid: u32, services: &[Service]) -> String {
    let words: Vec<&str> = services.iter().map(|service| service.word()).collect();
    format!("{}-{pid}-{}.json", plain(host), words.join("+"))
}

/// A host's name as a part of a file's.
fn plain(host: &str) -> String {
    host.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}

/// What can be told from the name of a report that could not be written: none of its workers has said anything.
fn unwritten(path: &Path, host: &str) -> Option<Report> {
    let rest = path.file_stem()?.to_str()?.strip_prefix(&plain(host))?.strip_prefix('-')?;
    let (pid, words) = rest.split_once('-')?;
    let services: Option<Vec<Service>> = words.split('+').map(Service::from_word).collect();
    Some(Report {
        host: host.to_owned(),
        pid: pid.parse().ok()?,
        at: Timestamp(0),
        workers: services?.into_iter().map(|service| Worker::not_started(service, None)).collect(),
        touched: None,
        is_left: false,
    })
}

/// A sentence as it may stand in a report.
fn passed_on(trouble: &str) -> String {
    trouble.chars().filter(|c| !c.is_control()).take(TROUBLE_CHARS).collect()
}

impl Drop for Reporter {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// What is asked of workers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asked {
    /// Whether they take work.
    TakesWork,
    /// Whether they live, whatever it is that they wait for: who does not is to be started again.
    Lives,
}

/// Asks whether the workers of `services` that run here do their work; without any named, all that run here.
///
/// # Errors
/// A sentence for each that does not.
pub fn check(data_dir: &Path, services: &[Service], asked: Asked) -> Result<(), String> {
    let directory = data_dir.join(DIRECTORY);
    let reports = reports(&directory)
        .map_err(|error| format!("cannot read the reports in {}: {error}", directory.display()))?;
    let host = host();
    let reports: Vec<Report> =
        reports.into_iter().map(|(_, report)| report).filter(|report| report.host == host).collect();
    let problems = problems(&reports, services, asked, Clock::System.now());
    if problems.is_empty() { Ok(()) } else { Err(problems.join("; ")) }
}

fn problems(reports: &[Report], services: &[Service], asked: Asked, now: Timestamp) -> Vec<String> {
    let is_meant = |worker: &Worker| services.is_empty() || services.contains(&worker.service);
    let mut problems = Vec::new();
    for report in reports {
        for worker in report.workers.iter().filter(|worker| is_meant(worker)) {
            problems.extend(
                problem(report, worker, asked, now)
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

fn problem(report: &Report, worker: &Worker, asked: Asked, now: Timestamp) -> Option<String> {
    if report.is_left {
        return Some("was killed, or has crashed".to_owned());
    }
    let heard = worker.alive_at.map_or(report.at, |alive_at| alive_at.min(report.at));
    if is_stale(report.at, now) && report.touched.is_some_and(|touched| !is_stale(touched, now)) {
        return (asked == Asked::TakesWork).then_some(
            "lives, but cannot write down how it does in the data directory: is that disk full, or read-only?".to_owned(),
        );
    }
    if is_stale(heard, now) {
        let silent = now.since(heard).as_secs();
        return Some(format!("has been silent for {silent} s: it hangs"));
    }
    if worker.ready || asked == Asked::Lives {
        return None;
    }
    let trouble = worker.trouble.as_deref().unwrap_or("it is starting");
    Some(format!("is not ready: {}", passed_on(trouble)))
}

/// A clock that was set back makes nothing old.
pub(crate) fn is_stale(at: Timestamp, now: Timestamp) -> bool {
    now.since(at) > STALE_AFTER
}

/// What processes have written, by path. What cannot be read as a report is none.
fn reports(directory: &Path) -> io::Result<Vec<(PathBuf, Report)>> {
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "json")
            && let Some(mut report) = read(&path).or_else(|| unwritten(&path, &host()))
        {
            let changed = fs::metadata(&path).and_then(|file| file.modified());
            report.touched = changed.ok().map(timestamp);
            report.is_left = is_left(&path);
            found.push((path, report));
        }
    }
    found.sort_by(|(one, _), (other, _)| one.cmp(other));
    Ok(found)
}

fn system_time(at: Timestamp) -> SystemTime {
    SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(at.0).unwrap_or_default())
}

fn timestamp(at: SystemTime) -> Timestamp {
    Timestamp(0).after(at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default())
}

/// The report at `path`, if there is a whole one.
#[expect(clippy::disallowed_methods, reason = "a program that only looks has nothing else to do")]
fn read(path: &Path) -> Option<Report> {
    for _ in 0..READS {
        if let Ok(report) = serde_json::from_slice(&files::read(path).ok()?) {
            return Some(report);
        }
        // It may be half written just now.
        std::thread::sleep(READ_AGAIN_AFTER);
    }
    None
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
        Report {
            host: "here".into(),
            pid,
            at: ago(1),
            workers: workers.to_vec(),
            touched: None,
            is_left: false,
        }
    }

    #[test]
    fn whatever_is_wrong_is_said_of_those_who_are_asked_for() {
        let well = report(1, &[worker(Service::Order), worker(Service::Item)]);
        let hangs = report(2, &[Worker { alive_at: Some(ago(9)), ..worker(Service::Deposit) }]);
        let killed = Report { is_left: true, ..report(3, &[worker(Service::MyInfo)]) };
        let lost = Worker { ready: false, trouble: Some("the bus is lost".into()), ..worker(Service::Order) };
        let lost = report(4, &[lost]);
        let unwritten =
            Report { at: ago(30), touched: Some(ago(1)), ..report(6, &[worker(Service::MyInfo)]) };
        let silent = Report { at: ago(30), touched: Some(ago(30)), ..report(7, &[worker(Service::Item)]) };
        let starts = report(5, &[Worker { alive_at: None, ready: false, ..worker(Service::Deposit) }]);
        use Service::{Deposit, Item, MyInfo, Order};
        let table: [(&[&Report], &[Service], &[&str]); 9] = [
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
                &[&unwritten, &silent],
                &[],
                &[
                    "myinfo (process 6) lives, but cannot write down how it does in the data directory: is that disk \
                     full, or read-only?",
                    "item (process 7) has been silent for 30 s: it hangs",
                ],
            ),
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
            assert_eq!(problems(&reports, services, Asked::TakesWork, NOW), expected, "{services:?}");
            // Whatever it waits for, to start it again would bring nothing back.
            let lives: Vec<&&str> = expected
                .iter()
                .filter(|told| !told.contains("is not ready") && !told.contains("lives,"))
                .collect();
            assert_eq!(
                problems(&reports, services, Asked::Lives, NOW),
                lives.into_iter().copied().collect::<Vec<_>>()
            );
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
        assert!(
            check(dir.path(), &[Service::Order], Asked::TakesWork)
                .unwrap_err()
                .ends_with("is not ready: it is starting")
        );
        reporter.not_started(Some("there is no broker"));
        let told = check(dir.path(), &[Service::Order], Asked::TakesWork).unwrap_err();
        assert!(told.ends_with("is not ready: there is no broker"), "{told}");
        drop(reporter);
        assert_eq!(
            check(dir.path(), &[Service::Order], Asked::TakesWork).unwrap_err(),
            "order does not run here"
        );
    }

    #[test]
    fn what_a_replica_of_another_host_has_left_is_removed_once_it_is_old() {
        let dir = tempfile::tempdir().unwrap();
        let directory = dir.path().join(DIRECTORY);
        fs::create_dir(&directory).unwrap();
        let left_for = |seconds, name: &str, service| {
            let at = Clock::System.now().before(Duration::from_secs(seconds));
            let path = directory.join(name);
            let old = Report { host: "replaced".to_owned(), at, ..report(1, &[worker(service)]) };
            fs::write(&path, serde_json::to_vec(&old).unwrap()).unwrap();
            File::options().write(true).open(&path).unwrap().set_modified(system_time(at)).unwrap();
            path
        };
        let old = left_for(3700, "a.json", Service::Order);
        let recent = left_for(3500, "b.json", Service::Order);
        let others = left_for(3700, "c.json", Service::Item);
        let kept = left_for(3700, "d.json", Service::Order);
        let _held = take_lock(&kept).unwrap();
        let _reporter = Reporter::new(dir.path(), &[Service::Order]);
        assert!(!old.exists(), "nobody comes back for it");
        assert!(recent.exists(), "it may be one whose lock is not seen here");
        assert!(others.exists(), "nobody is in its place");
        assert!(kept.exists(), "somebody keeps it, whatever its time says");
    }

    #[test]
    fn a_report_fits_in_its_room_whatever_the_trouble_is() {
        let dir = tempfile::tempdir().unwrap();
        let mut reporter = Reporter::new(dir.path(), Service::ALL);
        let size = || fs::metadata(&reporter.path).unwrap().len();
        assert_eq!(size(), REPORT_BYTES as u64);
        for letter in ["\u{10ffff}", "\"", "\\", "\n"] {
            reporter.not_started(Some(&letter.repeat(10_000)));
            assert_eq!(fs::metadata(&reporter.path).unwrap().len(), REPORT_BYTES as u64, "{letter:?}");
            assert!(
                check(dir.path(), &[], Asked::TakesWork).unwrap_err().contains("is not ready"),
                "{letter:?}"
            );
        }
        reporter.not_started(None);
        assert!(
            check(dir.path(), &[], Asked::TakesWork).unwrap_err().contains("it is starting"),
            "nothing is left of a longer one"
        );
    }

    #[test]
    fn a_report_that_could_not_be_written_tells_by_its_name_whose_it_is_and_by_its_time_that_they_live() {
        let dir = tempfile::tempdir().unwrap();
        let directory = dir.path().join(DIRECTORY);
        fs::create_dir(&directory).unwrap();
        let path = directory.join(file_name(&host(), 7, &[Service::Order, Service::MyInfo]));
        let file = File::create(&path).unwrap();
        let _held = take_lock(&path).unwrap();
        let told = check(dir.path(), &[Service::MyInfo], Asked::TakesWork).unwrap_err();
        assert!(told.starts_with("myinfo (process 7) lives, but cannot write"), "{told}");
        file.set_modified(system_time(Clock::System.now().before(Duration::from_secs(60)))).unwrap();
        let told = check(dir.path(), &[Service::MyInfo], Asked::TakesWork).unwrap_err();
        assert!(told.contains("it hangs"), "{told}");
    }
}
