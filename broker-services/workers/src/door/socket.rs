//! The socket of a data directory as a file: made so that nobody ever sees it with other rights than its own, and found
//! however long the directory's path is.

use std::fs::{DirBuilder, File, Permissions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// Its name.
pub(crate) const SOCKET: &str = "skstore.sock";
/// Where it is made: a directory that only this user may look into.
const MADE_IN: &str = "skstore.sock.new";
/// The longest path that every system takes for a socket, in bytes.
const MAX_PATH: usize = 100;

/// Listens in `data_dir`, whose lock the caller has: whatever stands there in the way is nobody's.
pub(crate) fn listen(data_dir: &Path) -> io::Result<UnixListener> {
    let made_in = data_dir.join(MADE_IN);
    match std::fs::remove_dir_all(&made_in) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    DirBuilder::new().mode(0o700).create(&made_in)?;
    let listener = {
        let near = Near::to(&made_in)?;
        UnixListener::bind(near.path(SOCKET))?
    };
    let made = made_in.join(SOCKET);
    std::fs::set_permissions(&made, Permissions::from_mode(0o600))?;
    std::fs::rename(&made, data_dir.join(SOCKET))?;
    std::fs::remove_dir(&made_in)?;
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// Takes the socket of `data_dir` away, so that nobody comes to it any more.
pub(crate) fn remove(data_dir: &Path) {
    // If that fails, those who come are refused by the system, and look again.
    let _ = std::fs::remove_file(data_dir.join(SOCKET));
}

/// Connects to whoever listens in `data_dir`.
pub(crate) fn connect(data_dir: &Path) -> io::Result<UnixStream> {
    let stream = UnixStream::connect(Near::to(data_dir)?.path(SOCKET))?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// A directory by a path that is short enough for the name of a socket in it.
struct Near {
    path: PathBuf,
    /// What the path leads to is there as long as this is open.
    _open: Option<File>,
}

impl Near {
    fn to(directory: &Path) -> io::Result<Self> {
        if directory.as_os_str().len() + SOCKET.len() < MAX_PATH || !cfg!(target_os = "linux") {
            return Ok(Self { path: directory.to_owned(), _open: None });
        }
        let open = File::open(directory)?;
        let path = Path::new("/proc/self/fd").join(open.as_raw_fd().to_string());
        Ok(Self { path, _open: Some(open) })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileTypeExt;

    use super::*;

    #[test]
    fn it_is_found_under_a_path_of_any_length_and_is_its_users_alone() {
        let root = tempfile::tempdir().unwrap();
        for dir in [root.path().to_owned(), root.path().join("긴".repeat(60)).join("d".repeat(200))] {
            std::fs::create_dir_all(&dir).unwrap();
            let listener = listen(&dir).unwrap();
            connect(&dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
            let found = std::fs::metadata(dir.join(SOCKET)).unwrap();
            assert!(found.file_type().is_socket());
            assert_eq!(found.permissions().mode() & 0o777, 0o600, "{}", dir.display());
            drop(listener);
            assert_eq!(connect(&dir).unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
            remove(&dir);
            assert_eq!(connect(&dir).unwrap_err().kind(), io::ErrorKind::NotFound);
        }
    }

    #[test]
    fn what_was_left_behind_is_replaced() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join(MADE_IN)).unwrap();
        std::fs::write(dir.path().join(MADE_IN).join(SOCKET), "half made").unwrap();
        std::fs::write(dir.path().join(SOCKET), "no socket at all").unwrap();
        let _first = listen(dir.path()).unwrap();
        let _second = listen(dir.path()).unwrap();
        connect(dir.path()).expect("it leads to the second");
        assert!(!dir.path().join(MADE_IN).exists());
    }
}
