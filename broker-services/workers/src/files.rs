//! Reads files that somebody names or may have put there, whole. What is named may be anything: a device that never
//! ends, a pipe that nobody writes to, a log that somebody took for the settings.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::Path;

/// The largest file that is read whole, in bytes: 1 MiB, a catalogue of ten thousand items. The settings, a report of
/// health and the name of a holder are a few KiB.
pub(crate) const MAX_BYTES: u64 = 1 << 20;

/// What the file at `path` holds.
///
/// # Errors
/// What the system said, or that it is no file, or too large, as a sentence about "it".
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    // Before it is opened: opening a pipe waits for whoever writes to it.
    let about = fs::metadata(path)?;
    if about.is_dir() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a directory"));
    }
    if !about.is_file() {
        return Err(io::Error::other("it is no file but a device, a pipe or a socket"));
    }
    bounded(File::open(path)?)
}

/// What `file` holds. Its size is what comes, not what the system says of it.
pub(crate) fn bounded(file: impl io::Read) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    file.take(MAX_BYTES + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_BYTES {
        let sentence = format!("it is larger than {} MiB", MAX_BYTES >> 20);
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, sentence));
    }
    Ok(bytes)
}

/// The text in the file at `path`.
///
/// # Errors
/// As [`read`], or that it is no text.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    let no_text = |_| io::Error::new(io::ErrorKind::InvalidData, "it is no text in UTF-8");
    String::from_utf8(read(path)?).map_err(no_text)
}
