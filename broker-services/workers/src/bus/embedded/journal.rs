//! The file that keeps parked messages over a restart: one JSON record a line, appended and synced.
//!
//! A thread of its own writes it, so that no service waits for the disk with the bus locked, and messages
//! parked in one burst share one sync. It starts with the file and ends when the bus does, after the last
//! write. What it has not written yet is bounded by the queue, which holds the same messages.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead, BufReader, BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::queue::Settles;
use crate::bus::{BusError, Message, Properties, PublishOutcome};

/// Most records written with one sync: bounds the memory of a burst at little cost, as a sync takes longer
/// than writing these.
const MAX_RECORDS_PER_SYNC: usize = 1024;
/// How long until a failed write (a full disk, most likely) is tried again.
const RETRY_AFTER: Duration = Duration::from_secs(1);
/// The file is rewritten without what was dealt with, once that many records are obsolete.
const COMPACT_AFTER_RECORDS: usize = 10_000;

/// A line of the file.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Record {
    /// A message was parked.
    Parked(Box<Parked>),
    /// The one of that id was dealt with.
    Forgotten(u64),
}

#[derive(Debug, Serialize, Deserialize)]
struct Parked {
    id: u64,
    exchange: String,
    routing_key: String,
    body: Body,
    #[serde(flatten)]
    properties: Properties,
}

/// Readable where it can be, lossless always.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Body {
    Text(String),
    Bytes(Vec<u8>),
}

impl Parked {
    fn new(id: u64, message: &Message) -> Self {
        Self {
            id,
            exchange: message.exchange.clone(),
            routing_key: message.routing_key.clone(),
            body: match std::str::from_utf8(&message.body) {
                Ok(text) => Body::Text(text.to_owned()),
                Err(_) => Body::Bytes(message.body.to_vec()),
            },
            properties: message.properties.clone(),
        }
    }

    fn into_message(self) -> Message {
        Message {
            exchange: self.exchange,
            routing_key: self.routing_key,
            body: match self.body {
                Body::Text(text) => text.into_bytes().into(),
                Body::Bytes(bytes) => bytes.into(),
            },
            properties: self.properties,
        }
    }
}

enum Job {
    Park { id: u64, message: Arc<Message>, settles: Settles },
    Forget(u64),
}

/// The handle of the writing thread. Dropping it waits until everything is written.
#[derive(Debug)]
pub(super) struct Journal {
    jobs: Option<Sender<Job>>,
    writer: Option<JoinHandle<()>>,
}

impl Journal {
    /// Keeps `message`; settles it once it is on disk.
    pub(super) fn park(&self, id: u64, message: &Arc<Message>, settles: Settles) {
        self.hand_over(Job::Park { id, message: Arc::clone(message), settles });
    }

    /// Keeps it no longer. A crash may bring it back once more.
    pub(super) fn forget(&self, id: u64) {
        self.hand_over(Job::Forget(id));
    }

    fn hand_over(&self, job: Job) {
        // Only a writer that has panicked takes no more; the receipt, dropped unsettled, then says Lost.
        if self.jobs.as_ref().is_none_or(|jobs| jobs.send(job).is_err()) {
            tracing::error!("the thread that writes dead letters has ended; restart this process");
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(writer) = self.writer.take() {
            writer.thread().unpark();
            // An error means that it has panicked, which was reported when it happened.
            let _ = writer.join();
        }
    }
}

/// Opens or creates the file at `path`, and reads what is parked in it, by id.
pub(super) fn open(path: &Path) -> Result<(Journal, BTreeMap<u64, Message>), BusError> {
    let failed = |error: io::Error| {
        let path = path.display();
        BusError::Topology(format!(
            "cannot keep dead letters in {path}: {error}; check that its directory exists, can be written to and \
             has space"
        ))
    };
    let parked = read(path).map_err(failed)?;
    let rewritten = write_beside(path, &parked).and_then(|new| replace(path, &new));
    let file = rewritten.map_err(failed)?;
    let journal = start(path, Some(file)).map_err(failed)?;
    Ok((journal, parked.into_iter().map(|(id, parked)| (id, parked.into_message())).collect()))
}

fn start(path: &Path, file: Option<Whole>) -> io::Result<Journal> {
    let writer = Writer { path: path.to_owned(), file, obsolete_records: 0 };
    let (jobs, received) = mpsc::channel();
    let thread = thread::Builder::new().name("dead-letters".to_owned());
    let thread = thread.spawn(move || writer.run(&received))?;
    Ok(Journal { jobs: Some(jobs), writer: Some(thread) })
}

/// As after a failed write: only the first `bytes` of the file at `path` are whole, or nobody knows what is.
#[cfg(test)]
pub(super) fn start_after_failure(path: &Path, bytes: Option<u64>) -> Journal {
    let file = bytes.map(|bytes| Whole { file: OpenOptions::new().write(true).open(path).unwrap(), bytes });
    start(path, file).unwrap()
}

/// What a file says.
#[derive(Debug, Default)]
struct Contents {
    /// By id.
    parked: BTreeMap<u64, Parked>,
    /// Lines that are no records.
    unreadable: Vec<u8>,
    /// Bytes of a last line that has no end: torn by a crash, or still being written.
    torn: usize,
}

/// What is in the file at `path`, none if there is none. It stays as it is.
fn look(path: &Path) -> io::Result<Contents> {
    let mut contents = Contents::default();
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(contents),
        Err(error) => return Err(error),
    };
    let mut lines = BufReader::new(file);
    let mut line = Vec::new();
    while lines.read_until(b'\n', &mut line)? > 0 {
        match serde_json::from_slice(&line) {
            _ if line.last() != Some(&b'\n') => contents.torn = line.len(),
            Ok(Record::Parked(record)) => drop(contents.parked.insert(record.id, *record)),
            Ok(Record::Forgotten(id)) => drop(contents.parked.remove(&id)),
            Err(_) => contents.unreadable.extend_from_slice(&line),
        }
        line.clear();
    }
    Ok(contents)
}

/// What is parked in the file at `path`. Lines that are no records are moved to a file beside it and reported;
/// a torn last one is left out and reported.
fn read(path: &Path) -> io::Result<BTreeMap<u64, Parked>> {
    let Contents { parked, unreadable, torn } = look(path)?;
    if torn > 0 {
        tracing::warn!(
            file = %path.display(),
            bytes = torn,
            "the last dead letter was torn by a crash and is left out; its sender was not told that it is safe and \
             will have sent it again"
        );
    }
    if !unreadable.is_empty() {
        let aside = beside(path, "unreadable");
        let mut file = OpenOptions::new().create(true).append(true).open(&aside)?;
        file.write_all(&unreadable)?;
        file.sync_all()?;
        tracing::error!(
            file = %path.display(),
            moved_to = %aside.display(),
            "some dead letters could not be read and were moved; look at them by hand"
        );
    }
    Ok(parked)
}

/// Writes just `parked` to a file beside the one at `path`, whole and synced.
fn write_beside(path: &Path, parked: &BTreeMap<u64, Parked>) -> io::Result<PathBuf> {
    let new = beside(path, "new");
    let mut file = BufWriter::new(File::create(&new)?);
    for record in parked.values() {
        // The derived form of `Record::Parked`, without taking the record.
        serde_json::to_writer(&mut file, &BTreeMap::from([("parked", record)]))?;
        file.write_all(b"\n")?;
    }
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    Ok(new)
}

/// Puts the file at `new` in the place of the one at `path`.
fn replace(path: &Path, new: &Path) -> io::Result<Whole> {
    fs::rename(new, path)?;
    // The rename is safe only once its directory is.
    let directory = path.parent().filter(|directory| !directory.as_os_str().is_empty());
    File::open(directory.unwrap_or(Path::new(".")))?.sync_all()?;
    let file = OpenOptions::new().write(true).open(path)?;
    let bytes = file.metadata()?.len();
    Ok(Whole { file, bytes })
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    path.with_file_name(name)
}

/// The file, of which all before `bytes` is whole and synced.
struct Whole {
    file: File,
    bytes: u64,
}

struct Writer {
    path: PathBuf,
    /// None if replacing it failed half-way, so that nobody knows which file is at `path`.
    file: Option<Whole>,
    obsolete_records: usize,
}

impl Writer {
    fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(first) = jobs.recv() {
            let mut batch = vec![first];
            batch.extend(jobs.try_iter().take(MAX_RECORDS_PER_SYNC - 1));
            while let Err(error) = self.append(&batch) {
                tracing::error!(
                    file = %self.path.display(),
                    %error,
                    "cannot write dead letters; messages that cannot be parked wait; make space or repair the disk"
                );
                thread::park_timeout(RETRY_AFTER);
                if collect(jobs, &mut batch) {
                    return;
                }
            }
            for job in batch {
                settle(job);
            }
            self.compact_if_due();
        }
    }

    /// Writes and syncs all of `batch`, starting after the last whole record: what a failed attempt has left is
    /// overwritten.
    fn append(&mut self, batch: &[Job]) -> io::Result<()> {
        let mut lines = Vec::new();
        for job in batch {
            let record = match job {
                Job::Park { id, message, .. } => Record::Parked(Box::new(Parked::new(*id, message))),
                Job::Forget(id) => Record::Forgotten(*id),
            };
            serde_json::to_writer(&mut lines, &record)?;
            lines.push(b'\n');
        }
        if self.file.is_none() {
            let new = write_beside(&self.path, &read(&self.path)?)?;
            self.file = Some(replace(&self.path, &new)?);
        }
        if let Some(Whole { file, bytes }) = &mut self.file {
            file.set_len(*bytes)?;
            file.seek(SeekFrom::Start(*bytes))?;
            file.write_all(&lines)?;
            file.sync_data()?;
            *bytes += lines.len() as u64;
        }
        // One for the record that says so, one for the message.
        self.obsolete_records += 2 * batch.iter().filter(|job| matches!(job, Job::Forget(_))).count();
        Ok(())
    }

    fn compact_if_due(&mut self) {
        if self.obsolete_records < COMPACT_AFTER_RECORDS {
            return;
        }
        self.obsolete_records = 0;
        match read(&self.path).and_then(|parked| write_beside(&self.path, &parked)) {
            Ok(new) => {
                self.file = replace(&self.path, &new)
                    .inspect_err(|error| tracing::warn!(%error, "replacing the file of dead letters failed"))
                    .ok();
            }
            Err(error) => tracing::warn!(
                file = %self.path.display(),
                %error,
                "the file of dead letters could not be rewritten and goes on growing"
            ),
        }
    }
}

/// Adds what has come in the meantime; whether nothing more will.
fn collect(jobs: &Receiver<Job>, batch: &mut Vec<Job>) -> bool {
    loop {
        match jobs.try_recv() {
            Ok(job) => batch.push(job),
            Err(TryRecvError::Empty) => return false,
            Err(TryRecvError::Disconnected) => return true,
        }
    }
}

fn settle(job: Job) {
    if let Job::Park { settles, .. } = job
        && let Some(sender) = settles.and_then(Arc::into_inner)
    {
        // Nobody has to wait for a receipt.
        let _ = sender.send(PublishOutcome::Confirmed);
    }
}
