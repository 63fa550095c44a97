//! The lock on a data directory: one process at a time, and the others are told which.

use std::fmt;
use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use super::StartError;

/// Name of the lock file. It stays there; what counts is who has it locked.
const LOCK_FILE: &str = "skstore.lock";

/// Who holds a data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder(Option<(u32, String)>);

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some((pid, command)) => write!(f, "'{command}' (process {pid})"),
            None => f.write_str("another process"),
        }
    }
}

/// A data directory of ours. The system lets it go when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct DataLock(#[expect(dead_code, reason = "the lock lives as long as the file is open")] File);

impl DataLock {
    /// Makes the directory if it is not there, and takes it.
    pub(super) fn take(data_dir: &Path) -> Result<Self, StartError> {
        let failed = |error: std::io::Error| StartError::DataDir {
            path: data_dir.to_owned(),
            cause: error.to_string(),
        };
        std::fs::create_dir_all(data_dir).map_err(failed)?;
        let path = data_dir.join(LOCK_FILE);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let holder = read_holder(&mut file);
                return Err(StartError::Held { path: data_dir.to_owned(), holder });
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        let command = std::env::args().collect::<Vec<_>>().join(" ");
        file.set_len(0).map_err(failed)?;
        file.rewind().map_err(failed)?;
        write!(file, "{}\n{command}\n", std::process::id()).map_err(failed)?;
        file.flush().map_err(failed)?;
        Ok(Self(file))
    }
}

fn read_holder(file: &mut File) -> Holder {
    let mut text = String::new();
    if file.read_to_string(&mut text).is_err() {
        return Holder(None);
    }
    let mut lines = text.lines();
    let pid = lines.next().and_then(|pid| pid.parse().ok());
    let shown = |command: &str| command.chars().filter(|c| !c.is_control()).take(120).collect();
    Holder(pid.zip(lines.next().map(shown)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_holds_the_data() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataLock::take(dir.path()).unwrap();
        let told = DataLock::take(dir.path()).unwrap_err().to_string();
        assert!(told.contains(&format!("process {}", std::process::id())), "{told}");
        drop(first);
        DataLock::take(dir.path()).expect("it is free again");
    }
}
