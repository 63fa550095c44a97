//! The lock on a data directory: one process over the embedded bus, or any number over a broker, but not both: the
//! events of one would get lost on the bus of the other. Whoever is kept out is told by whom.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Seek, Write};
use std::path::Path;

use super::error::{Holder, StartError};
use crate::files;

/// Name of the lock file. It stays there; what counts is who has it locked.
const LOCK_FILE: &str = "skstore.lock";

/// A data directory of ours. The system lets it go when the process ends, however it ends.
#[derive(Debug)]
pub(super) struct DataLock(#[expect(dead_code, reason = "the lock lives as long as the file is open")] File);

impl DataLock {
    /// Makes the directory if it is not there, and takes it for this process alone.
    pub(super) fn take(data_dir: &Path) -> Result<Self, StartError> {
        // A URL may hold a password.
        let shown = |word: String| if word.contains("://") { "…".to_owned() } else { word };
        let command = std::env::args().map(shown).collect::<Vec<_>>().join(" ");
        lock(data_dir, File::try_lock, &format!("{}\n{command}\n", std::process::id()))
    }

    /// Makes the directory if it is not there, and takes it together with others who share it.
    pub(super) fn share(data_dir: &Path) -> Result<Self, StartError> {
        // Any of them may be the last to leave, so none of them is named.
        lock(data_dir, File::try_lock_shared, "")
    }
}

fn lock(
    data_dir: &Path,
    try_lock: fn(&File) -> Result<(), TryLockError>,
    holder: &str,
) -> Result<DataLock, StartError> {
    let failed =
        |error: std::io::Error| StartError::DataDir { path: data_dir.to_owned(), cause: error.to_string() };
    std::fs::create_dir_all(data_dir).map_err(failed)?;
    let path = data_dir.join(LOCK_FILE);
    let mut file =
        OpenOptions::new().read(true).write(true).create(true).truncate(false).open(path).map_err(failed)?;
    match try_lock(&file) {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let holder = read_holder(&mut file);
            return Err(StartError::Held { path: data_dir.to_owned(), holder, why: None });
        }
        Err(TryLockError::Error(error)) => return Err(failed(error)),
    }
    file.set_len(0).map_err(failed)?;
    file.rewind().map_err(failed)?;
    file.write_all(holder.as_bytes()).map_err(failed)?;
    file.flush().map_err(failed)?;
    Ok(DataLock(file))
}

/// Who works on `data_dir` now, if anybody does. Makes nothing; a process that starts in the very moment in which
/// this looks may be told that the directory is taken.
///
/// # Errors
/// What the system said.
pub fn holder_of(data_dir: &Path) -> std::io::Result<Option<Holder>> {
    let mut file = match File::open(data_dir.join(LOCK_FILE)) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    match file.try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Ok(Some(read_holder(&mut file))),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

fn read_holder(file: &mut File) -> Holder {
    let Ok(bytes) = files::bounded(file) else { return Holder(None) };
    let text = String::from_utf8_lossy(&bytes);
    let mut lines = text.lines();
    let pid = lines.next().and_then(|pid| pid.parse().ok());
    let shown = |command: &str| command.chars().filter(|c| !c.is_control()).take(120).collect();
    Holder(pid.zip(lines.next().map(shown)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn looking_for_a_holder_makes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(holder_of(dir.path()).unwrap(), None);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn the_second_is_told_who_holds_the_data() {
        let dir = tempfile::tempdir().unwrap();
        let first = DataLock::take(dir.path()).unwrap();
        let told = DataLock::take(dir.path()).unwrap_err().to_string();
        assert!(told.contains(&format!("process {}", std::process::id())), "{told}");
        let seen = holder_of(dir.path()).unwrap().expect("a holder").to_string();
        assert!(told.contains(&seen), "{seen} is not who holds it: {told}");
        drop(first);
        assert_eq!(holder_of(dir.path()).unwrap(), None);
        DataLock::take(dir.path()).expect("it is free again");
    }

    #[test]
    fn those_who_share_it_keep_out_one_who_wants_it_alone() {
        let dir = tempfile::tempdir().unwrap();
        let alone = DataLock::take(dir.path()).unwrap();
        DataLock::share(dir.path()).expect_err("it is taken");
        drop(alone);
        let (first, second) = (DataLock::share(dir.path()).unwrap(), DataLock::share(dir.path()).unwrap());
        drop(first);
        let told = DataLock::take(dir.path()).unwrap_err().to_string();
        assert!(told.contains("workers over a broker") && !told.contains("(process"), "{told}");
        drop(second);
        DataLock::take(dir.path()).expect("it is free again");
    }
}
