//! The way to the terminal of this process, which holds up nobody.
//!
//! Nothing piles up on it: whoever draws waits until [`Outlet::is_idle`], and then draws what is so by then.

use std::io::{self, Write};
use std::sync::{Mutex, PoisonError};

pub use skstore_workers::desk::outlet::Outlet;

use super::size::MAX_CELLS;

/// Most bytes that wait for the terminal: what draws every cell of the largest screen anew, each in a colour of its own. It
/// is only reached by somebody who draws without waiting.
const MAX_WAITING_BYTES: usize = MAX_CELLS * CELL_BYTES;
/// What draws a cell in a colour of its own, with what it is followed by: `ESC [38;2;255;255;255m` and the character.
const CELL_BYTES: usize = 24;

/// The way to the terminal of this process, of which there is one.
///
/// # Errors
/// When there is no output, or no thread for it.
pub fn own() -> io::Result<Outlet> {
    static OWN: Mutex<Option<Outlet>> = Mutex::new(None);
    let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(outlet) = own.as_ref() {
        return Ok(outlet.clone());
    }
    let outlet = Outlet::to(own_output()?, "screen", MAX_WAITING_BYTES)?;
    Ok(own.insert(outlet).clone())
}

/// The output itself, without the lock and the buffer of [`io::stdout`]: a thread that waits for the terminal must not
/// hold either, since the process cannot end without them.
#[cfg(unix)]
fn own_output() -> io::Result<impl Write + Send + 'static> {
    use std::os::fd::AsFd;
    io::stdout().as_fd().try_clone_to_owned().map(std::fs::File::from)
}

#[cfg(not(unix))]
fn own_output() -> io::Result<impl Write + Send + 'static> {
    Ok(io::stdout())
}

/// Collects what is written until it is flushed, and hands it over in one piece.
#[derive(Debug)]
pub struct Sheet {
    outlet: Outlet,
    bytes: Vec<u8>,
}

impl Sheet {
    /// A way to write to `outlet`.
    #[must_use]
    pub const fn new(outlet: Outlet) -> Self {
        Self { outlet, bytes: Vec::new() }
    }
}

impl Write for Sheet {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        // A terminal that is gone takes nothing more.
        let handed_over = self.outlet.result().and_then(|()| self.outlet.hand_over(&self.bytes));
        self.bytes.clear();
        handed_over
    }
}
