//! What is sent to the terminal goes through a thread of its own: a terminal that takes no more (its connection
//! stalls, somebody has stopped its output) holds up that thread, and nobody else. Signals are served, the workers go on,
//! and the process ends when it is told to.
//!
//! Nothing piles up meanwhile: whoever draws waits until [`Outlet::is_idle`], and then draws what is so by then.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::size::MOST_CELLS;

/// Most bytes that wait for the terminal: what draws every cell of the largest screen anew, each in a colour of its own. It
/// is only reached by somebody who draws without waiting.
const MOST_WAITING_BYTES: usize = MOST_CELLS * CELL_BYTES;
/// What draws a cell in a colour of its own, with what it is followed by: `ESC [38;2;255;255;255m` and the character.
const CELL_BYTES: usize = 24;

/// The way to a terminal. Clones share it.
#[derive(Debug, Clone)]
pub struct Outlet(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Told when there is something to write, and when that is done.
    changed: Condvar,
    /// Likewise, for those who wait without holding up their thread.
    done: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<u8>,
    is_writing: bool,
    /// Why nothing can be written any more.
    failed: Option<io::ErrorKind>,
}

impl State {
    fn is_idle(&self) -> bool {
        self.failed.is_some() || (self.waiting.is_empty() && !self.is_writing)
    }

    fn result(&self) -> io::Result<()> {
        self.failed.map_or(Ok(()), |kind| Err(kind.into()))
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outlet {
    /// The way to the terminal of this process, of which there is one.
    ///
    /// # Errors
    /// When there is no output, or no thread for it.
    pub fn own() -> io::Result<Self> {
        static OWN: Mutex<Option<Outlet>> = Mutex::new(None);
        let mut own = OWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(outlet) = own.as_ref() {
            return Ok(outlet.clone());
        }
        let outlet = Self::to(own_output()?)?;
        Ok(own.insert(outlet).clone())
    }

    /// The way to `out`, which may block for as long as it likes.
    ///
    /// # Errors
    /// When there is no thread for it.
    pub fn to(out: impl Write + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let written = shared.clone();
        std::thread::Builder::new().name("screen".to_owned()).spawn(move || write_all(&written, out))?;
        Ok(Self(shared))
    }

    /// Has `bytes` written after all that was handed over before. Never waits for the terminal.
    ///
    /// # Errors
    /// What the terminal said to what was handed over before; or it takes nothing, and too much waits for it.
    pub fn hand_over(&self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.0.state();
        state.result()?;
        if state.waiting.len() + bytes.len() > MOST_WAITING_BYTES {
            return Err(io::Error::new(io::ErrorKind::WouldBlock, "it takes no more"));
        }
        state.waiting.extend_from_slice(bytes);
        self.0.changed.notify_all();
        Ok(())
    }

    /// Whether the terminal has taken everything, or never will.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.0.state().is_idle()
    }

    /// Waits until the terminal has taken everything. Cancel-safe.
    ///
    /// # Errors
    /// What the terminal said.
    pub async fn idle(&self) -> io::Result<()> {
        loop {
            // Told of from here on: what happens after the look below is not missed.
            let done = self.0.done.notified();
            {
                let state = self.0.state();
                if state.is_idle() {
                    return state.result();
                }
            }
            done.await;
        }
    }

    /// Waits likewise, at most for `limit`, and holds up its thread; whether the terminal has taken everything.
    pub fn idle_within(&self, limit: Duration) -> bool {
        let state = self.0.state();
        let waited = self.0.changed.wait_timeout_while(state, limit, |state| !state.is_idle());
        let (state, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        !waited.timed_out() && state.failed.is_none()
    }
}

/// Writes what is handed over, until it cannot be written any more.
fn write_all(shared: &Shared, mut out: impl Write) {
    loop {
        let bytes = {
            let state = shared.state();
            let mut state = shared
                .changed
                .wait_while(state, |state| state.waiting.is_empty())
                .unwrap_or_else(PoisonError::into_inner);
            state.is_writing = true;
            std::mem::take(&mut state.waiting)
        };
        let written = out.write_all(&bytes).and_then(|()| out.flush());
        let mut state = shared.state();
        state.is_writing = false;
        state.failed = written.err().map(|error| error.kind());
        let has_failed = state.failed.is_some();
        drop(state);
        shared.changed.notify_all();
        shared.done.notify_waiters();
        if has_failed {
            return;
        }
    }
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
        let handed_over = self.outlet.hand_over(&self.bytes);
        self.bytes.clear();
        handed_over
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use super::*;

    /// Long enough for a thread to get its turn on a busy machine.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// A terminal that takes a piece whenever somebody reads, or is gone when nobody ever will.
    struct Slow(SyncSender<Vec<u8>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
            self.0.send(bytes.to_vec()).map(|()| bytes.len()).map_err(gone)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A terminal without any buffer, and who looks at it.
    fn terminal() -> (Outlet, Receiver<Vec<u8>>) {
        let (sender, seen) = sync_channel(0);
        (Outlet::to(Slow(sender)).unwrap(), seen)
    }

    #[test]
    fn a_terminal_that_takes_nothing_holds_up_nobody_and_gets_it_all_in_order_once_it_does() {
        let (outlet, seen) = terminal();
        for piece in ["one ", "two ", "three"] {
            outlet.hand_over(piece.as_bytes()).unwrap();
        }
        assert!(!outlet.is_idle(), "nobody has looked yet");
        assert!(!outlet.idle_within(Duration::from_millis(1)), "and nobody is waited for");
        let mut text = Vec::new();
        while text.len() < "one two three".len() {
            text.extend(seen.recv_timeout(PATIENCE).unwrap());
        }
        assert_eq!(String::from_utf8(text).unwrap(), "one two three");
        assert!(outlet.idle_within(PATIENCE));
        assert!(outlet.is_idle());
    }

    #[test]
    fn what_waits_for_a_terminal_that_takes_nothing_is_bounded() {
        let (outlet, _seen) = terminal();
        let piece = vec![b' '; MOST_WAITING_BYTES / 4];
        let taken = (0..100).take_while(|_| outlet.hand_over(&piece).is_ok()).count();
        // As much again may be in the writer's hands.
        assert!((4..=8).contains(&taken), "{taken} quarters of the bound were taken");
    }

    #[test]
    fn a_terminal_that_is_gone_is_told_of_to_whoever_waits_and_whoever_writes() {
        let (outlet, seen) = terminal();
        drop(seen);
        outlet.hand_over(b"x").unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let told = runtime.block_on(async { tokio::time::timeout(PATIENCE, outlet.idle()).await.unwrap() });
        assert_eq!(told.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert_eq!(outlet.hand_over(b"y").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
        assert!(!outlet.idle_within(PATIENCE), "it never takes anything");
    }
}
