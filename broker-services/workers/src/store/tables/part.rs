//! A file that is not whole yet: beside the place where it is to be, and put there when it is. Whoever gives up leaves nothing
//! behind, and what somebody has left who was killed is replaced.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::store::sqlite::direct;

/// What its name has at its end until it is whole.
const SUFFIX: &str = ".part";
/// Of files that SQLite would take for a part of a store that lies beside them.
const SUFFIXES_OF_SQLITE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// The file. It is removed with this, unless it was put in its place.
pub(in crate::store) struct Part {
    place: PathBuf,
    path: PathBuf,
    /// Open, and locked for as long as somebody works on it.
    file: File,
    is_in_place: bool,
}

impl Part {
    /// An empty one, for `place`, where nothing is; with the directories that it is in.
    ///
    /// # Errors
    /// A sentence.
    pub(super) fn begin(place: &Path) -> Result<Self, String> {
        let place = std::path::absolute(place).map_err(|error| error.to_string())?;
        for suffix in SUFFIXES_OF_SQLITE {
            let beside = direct::beside(&place, suffix);
            if beside.exists() {
                return Err(format!(
                    "{} is what is left of another store in its place; move it away",
                    beside.display()
                ));
            }
        }
        if let Some(directory) = place.parent() {
            direct::create_directory(directory)?;
        }
        let path = direct::beside(&place, SUFFIX);
        let file = make(&path).map_err(|error| format!("{} cannot be made: {error}", path.display()))?;
        Ok(Self { place, path, file, is_in_place: false })
    }

    /// Where it is for now.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Puts it in its place, now that it is whole and nobody has it open. It survives a crash of the machine from then on.
    ///
    /// # Errors
    /// A sentence; also when there is something meanwhile.
    pub(super) fn put_in_place(mut self) -> Result<(), String> {
        let failed = |error: io::Error| format!("it cannot be put in its place: {error}");
        self.file.sync_all().map_err(failed)?;
        // A rename would replace what somebody else has put there in this moment.
        match fs::hard_link(&self.path, &self.place) {
            Ok(()) => {}
            Err(error) if error.kind() == ErrorKind::AlreadyExists || self.place.exists() => {
                return Err("somebody else has put a file in its place meanwhile".to_owned());
            }
            // There are file systems without links.
            Err(_) => {
                fs::rename(&self.path, &self.place).map_err(failed)?;
                self.is_in_place = true;
            }
        }
        if !self.is_in_place {
            self.is_in_place = true;
            fs::remove_file(&self.path).map_err(failed)?;
        }
        let directory = self.place.parent().unwrap_or(Path::new("/"));
        File::open(directory).and_then(|directory| directory.sync_all()).map_err(failed)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        if !self.is_in_place {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Makes the file at `path`, in the place of one that nobody works on any more. It is never emptied: one that was left in the
/// very moment in which it came to its place is the same file as that.
fn make(path: &Path) -> io::Result<File> {
    let in_use = || io::Error::new(ErrorKind::ResourceBusy, "another process is copying to it now");
    let locked = |file: &File| match file.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(in_use()),
        Err(TryLockError::Error(error)) => Err(error),
    };
    if let Ok(left) = OpenOptions::new().read(true).write(true).open(path) {
        locked(&left)?;
        fs::remove_file(path)?;
    }
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
    locked(&file)?;
    // Somebody may have taken it for one that was left, before it was locked.
    match fs::metadata(path) {
        Ok(found) if found.ino() == file.metadata()?.ino() => Ok(file),
        _ => Err(in_use()),
    }
}
