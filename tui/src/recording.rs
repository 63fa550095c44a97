//! A recording of a breaker's calls: a file that grows as heartbeats tell of them.
//!
//! [`Recording::begin`] or [`Recording::begin_in`] makes the file, [`Recording::follow`] writes until somebody wants it to end, and
//! [`Recording::finish`] ends it. One that is dropped ends in good order, too, but for what the last second would have told.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use skstore_domain::breaker::Told;
use skstore_domain::breaker::recording::{End, Header, Line, Recorded, Recorder, VERSION};
use skstore_domain::signals::Beat;
use skstore_workers::desk::view::{View, ViewError};
use tokio::time::Instant;

/// How often the view is looked at when it does not say by itself that it has changed.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// How long the last look at the view may take: it ends without it, and somebody waits.
const LAST_LOOK_WITHIN: Duration = Duration::from_secs(1);
/// After this long without news of the breaker somebody is told.
pub const SILENT_AFTER: Duration = Duration::from_secs(10);
/// Bytes after which a recording is full: half an hour of a breaker at its limit, a thousand entries of a hundred bytes and more a
/// second; weeks of a quiet one. What the last heartbeat told, some 150 KiB at most, comes on top.
pub const MAX_BYTES: u64 = 256 << 20;
/// Most recordings under one name in a directory: who begins so many within a second is no person.
const MAX_OF_A_NAME: u32 = 100;

/// A recording that is being written.
#[derive(Debug)]
pub struct Recording {
    path: PathBuf,
    file: File,
    /// How long the file is, in whole lines.
    bytes: u64,
    instance: String,
    recorder: Recorder,
    /// How far the breaker's clock was heard of.
    reached_us: u64,
    heard: Instant,
    /// Whether nothing more may be written: its end was, or it could not be.
    is_closed: bool,
}

/// What is seen while a breaker is followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// A later heartbeat was heard; so much is recorded now.
    Heard(Recorded),
    /// Nothing was heard for [`SILENT_AFTER`]. It is told once, until something is heard again.
    Silent,
}

/// Why there is no recording, or none any more.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordingError {
    /// There is no file to write to.
    #[error("the file {} cannot be made: {reason}", path.display())]
    NotMade {
        /// Which one.
        path: PathBuf,
        /// The system's reason.
        reason: String,
        /// Whether there is one already, which stays as it is.
        is_there: bool,
    },
    /// The file cannot be written any more. What was written before can be replayed.
    #[error("the file {} cannot be written any more: {reason}; it is whole up to there", path.display())]
    NotWritten {
        /// Which one.
        path: PathBuf,
        /// The system's reason.
        reason: String,
    },
}

/// What a worker said last, if it is heard of.
///
/// # Errors
/// When the view cannot be read.
pub async fn newest(view: &View, instance: &str) -> Result<Option<Beat>, ViewError> {
    Ok(view.health().await?.services.into_iter().find(|beat| beat.instance == *instance))
}

impl Recording {
    /// Makes the file at `path`, which only its owner can read, and begins with what `beat` tells.
    ///
    /// # Errors
    /// When it cannot be made, also because there is one already, or cannot be written.
    pub fn begin(path: PathBuf, beat: &Beat) -> Result<Self, RecordingError> {
        let file = match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
            Ok(file) => file,
            Err(error) => return Err(not_made(path, &error)),
        };
        let settings = beat.breaker.as_ref().and_then(|breaker| breaker.settings.clone());
        let header = Header {
            version: VERSION,
            program: concat!("skstore ", env!("CARGO_PKG_VERSION")).to_owned(),
            instance: beat.instance.clone(),
            at: beat.at,
            settings: settings.unwrap_or_default(),
        };
        let mut recording = Self {
            path,
            file,
            bytes: 0,
            instance: beat.instance.clone(),
            recorder: Recorder::default(),
            reached_us: 0,
            heard: Instant::now(),
            is_closed: false,
        };
        recording.write(&[Line::Header(header)])?;
        recording.hear(beat)?;
        Ok(recording)
    }

    /// Likewise in a directory, which is made where it is missing: as `name.jsonl`, or as `name-2.jsonl` and so on where that is
    /// there already.
    ///
    /// # Errors
    /// Likewise.
    pub fn begin_in(directory: &Path, name: &str, beat: &Beat) -> Result<Self, RecordingError> {
        DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(|error| {
            RecordingError::NotMade { path: directory.to_owned(), reason: error.to_string(), is_there: false }
        })?;
        let mut begun = Self::begin(directory.join(format!("{name}.jsonl")), beat);
        for number in 2..=MAX_OF_A_NAME {
            if !matches!(begun, Err(RecordingError::NotMade { is_there: true, .. })) {
                break;
            }
            begun = Self::begin(directory.join(format!("{name}-{number}.jsonl")), beat);
        }
        begun
    }

    /// Where it is written.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whose breaker is recorded.
    #[must_use]
    pub fn instance(&self) -> &str {
        &self.instance
    }

    /// What was recorded so far.
    #[must_use]
    pub const fn recorded(&self) -> Recorded {
        self.recorder.recorded()
    }

    /// Whether it has [`MAX_BYTES`].
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.bytes >= MAX_BYTES
    }

    /// Writes what is told as it comes, and tells `seen` of it; ends by itself only once it is full. A view that cannot be read for
    /// a while is a gap, if it is for longer than what heartbeats tell. Cancel-safe.
    ///
    /// # Errors
    /// When the file cannot be written any more.
    pub async fn follow(&mut self, view: &View, mut seen: impl FnMut(Seen)) -> Result<(), RecordingError> {
        let mut changes = view.changes();
        let mut is_silent = false;
        while !self.is_full() {
            if let Ok(Some(beat)) = newest(view, &self.instance).await
                && self.hear(&beat)?
            {
                is_silent = false;
                seen(Seen::Heard(self.recorded()));
            }
            if self.heard.elapsed() > SILENT_AFTER && !is_silent {
                is_silent = true;
                seen(Seen::Silent);
            }
            let _ = tokio::time::timeout(LOOK_EVERY, changes.changed()).await;
            // It changes often while much is done, and heartbeats come once in a second.
            tokio::time::sleep(LOOK_EVERY / 2).await;
        }
        Ok(())
    }

    /// Writes what the last second has told, and the end.
    ///
    /// # Errors
    /// When the file cannot be written any more.
    pub async fn finish(mut self, view: &View) -> Result<Recorded, RecordingError> {
        if !self.is_full() {
            let last = tokio::time::timeout(LAST_LOOK_WITHIN, newest(view, &self.instance)).await;
            if let Ok(Ok(Some(beat))) = last {
                self.hear(&beat)?;
            }
        }
        self.end()?;
        Ok(self.recorded())
    }

    /// Writes what is new in a heartbeat; whether it tells of another time than the one before.
    fn hear(&mut self, beat: &Beat) -> Result<bool, RecordingError> {
        let Some(told) = &beat.calls else { return Ok(false) };
        let lines = self.recorder.hear(told);
        let is_new = self.reach(told);
        self.write(&lines)?;
        Ok(is_new)
    }

    fn reach(&mut self, told: &Told) -> bool {
        let is_new = told.image.at_us != self.reached_us;
        if is_new {
            (self.reached_us, self.heard) = (told.image.at_us, Instant::now());
        }
        is_new
    }

    fn end(&mut self) -> Result<(), RecordingError> {
        let written = self.write(&[Line::End(End { at_us: self.reached_us })]);
        self.is_closed = true;
        written
    }

    fn write(&mut self, lines: &[Line]) -> Result<(), RecordingError> {
        let text: String = lines.iter().map(|line| line.text() + "\n").collect();
        if let Err(error) = self.file.write_all(text.as_bytes()) {
            self.is_closed = true;
            // A full disk may have taken half a line. If that stays, a replay passes over it.
            let _ = self.file.set_len(self.bytes);
            return Err(RecordingError::NotWritten { path: self.path.clone(), reason: error.to_string() });
        }
        self.bytes += text.len() as u64;
        Ok(())
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        if !self.is_closed {
            // Nobody is left to be told that it failed; it can be replayed without its end, too.
            let _ = self.end();
        }
    }
}

fn not_made(path: PathBuf, error: &io::Error) -> RecordingError {
    let is_there = error.kind() == ErrorKind::AlreadyExists;
    RecordingError::NotMade { path, reason: error.to_string(), is_there }
}

#[cfg(test)]
mod tests;
