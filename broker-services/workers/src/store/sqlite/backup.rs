//! Copying a file while it is in use.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use rusqlite::Connection;

use super::failure::Failure;

/// That there is something to copy, and nothing that the copy would replace.
pub(super) fn check(from: &Path, to: &Path) -> Result<(), Failure> {
    if !from.is_file() {
        return Err(Failure::Unusable("there is no such file, and so nothing to copy".to_owned()));
    }
    if to.exists() {
        let to = to.display();
        return Err(Failure::Unusable(format!(
            "the copy {to} is there already; name another directory, or move it away"
        )));
    }
    Ok(())
}

/// Writes what is committed at this moment to `to`. Nobody who commits meanwhile has to wait.
pub(super) fn write(connection: &Connection, to: &Path) -> Result<(), Failure> {
    let told = |error: &dyn std::fmt::Display| {
        let _ = fs::remove_file(to);
        Failure::Unusable(format!("the copy {} cannot be written: {error}", to.display()))
    };
    connection.execute("VACUUM INTO ?1", [to.to_string_lossy()]).map_err(|error| told(&error))?;
    mark(to).map_err(|error| told(&error))?;
    // SQLite does not wait for the disk there.
    sync(to).map_err(|error| told(&error))
}

/// Notes in the copy that it is one, so that whoever works on it some day says so: see [`super::identity::begin`].
fn mark(copy: &Path) -> rusqlite::Result<()> {
    let connection = Connection::open(copy)?;
    connection.execute(
        "INSERT OR REPLACE INTO meta (key, value) VALUES ('copied_at', strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))",
        [],
    )?;
    connection.close().map_err(|(_, error)| error)
}

fn sync(file: &Path) -> io::Result<()> {
    File::open(file)?.sync_all()?;
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(directory)?.sync_all()
}
