//! The log goes to a file, since the terminal belongs to the dashboard and stdout to scripts; its last lines can be
//! looked at in the dashboard.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::sync::Mutex;

use skstore::log_tail::LogTail;
use skstore_workers::desk::config::Config;
use skstore_workers::desk::logging;

/// A log larger than this is set aside (as `….old`, replacing the one before) at the next start: 10 MiB, some
/// hundred thousand lines.
const MAX_LOG_BYTES: u64 = 10 * 1024 * 1024;

/// Sends the log to its file from now on, and its last lines to `tail`.
///
/// # Errors
/// A sentence: the file cannot be opened, and there is no log.
pub(crate) fn start(config: &Config, tail: &LogTail) -> Result<(), String> {
    let path = &config.log.file;
    let file =
        open(path).map_err(|error| format!("the log {} cannot be written: {error}", path.display()))?;
    logging::start(&config.log, Mutex::new(tail.beside(file)))
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(dir) = path.parent() {
        std::fs::create_dir_all(dir)?;
    }
    if std::fs::metadata(path).is_ok_and(|log| log.is_file() && log.len() > MAX_LOG_BYTES) {
        std::fs::rename(path, path.with_extension("log.old"))?;
    }
    OpenOptions::new().create(true).append(true).open(path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_log_is_continued_until_it_is_large() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("new").join("skstore.log");
        for _ in 0..2 {
            open(&path).unwrap().write_all(b"line\n").unwrap();
        }
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "line\nline\n");
        File::options().write(true).open(&path).unwrap().set_len(MAX_LOG_BYTES + 1).unwrap();
        open(&path).unwrap().write_all(b"new\n").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "new\n");
        assert!(dir.path().join("new").join("skstore.log.old").exists(), "the old log is kept");
    }
}
