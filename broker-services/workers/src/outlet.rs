//! What is written goes through a thread of its own: whoever takes it may stop (a terminal whose connection stalls or
//! whose output somebody has stopped, a pager that shows a log), and that holds up this thread and nobody else. Signals
//! are served, the workers go on, and the process ends when it is told to.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

/// The way to whoever takes what is written. Clones share it.
#[derive(Debug, Clone)]
pub struct Outlet(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    max_waiting_bytes: usize,
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
    /// Why the last piece could not be written.
    failed: Option<io::ErrorKind>,
}

impl State {
    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && !self.is_writing
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Outlet {
    /// The way to `out`, which may block for as long as it likes, and fail: by a thread of that `name`. At most so many
    /// bytes wait for it.
    ///
    /// # Errors
    /// When there is no thread for it.
    pub fn to(out: impl Write + Send + 'static, name: &str, max_waiting_bytes: usize) -> io::Result<Self> {
        let (state, changed, done) = Default::default();
        let shared = Arc::new(Shared { max_waiting_bytes, state, changed, done });
        let written = Arc::clone(&shared);
        std::thread::Builder::new().name(name.to_owned()).spawn(move || write_all(&written, out))?;
        Ok(Self(shared))
    }

    /// Has `bytes` written after all that was handed over before, or none of them. Never waits.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when too much waits already.
    pub fn hand_over(&self, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.0.state();
        if state.waiting.len() + bytes.len() > self.0.max_waiting_bytes {
            return Err(io::Error::new(io::ErrorKind::WouldBlock, "it takes no more"));
        }
        state.waiting.extend_from_slice(bytes);
        self.0.changed.notify_all();
        Ok(())
    }

    /// How it went so far.
    ///
    /// # Errors
    /// Why the last piece could not be written.
    pub fn result(&self) -> io::Result<()> {
        self.0.state().failed.map_or(Ok(()), |kind| Err(kind.into()))
    }

    /// Whether everything was taken, or could not be.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.0.state().is_idle()
    }

    /// Waits until it is idle. Cancel-safe.
    ///
    /// # Errors
    /// As [`Self::result`].
    pub async fn idle(&self) -> io::Result<()> {
        loop {
            // Told of from here on: what happens after the look below is not missed.
            let done = self.0.done.notified();
            if self.is_idle() {
                return self.result();
            }
            done.await;
        }
    }

    /// Waits likewise, at most for `limit`, and holds up its thread; whether everything was taken.
    pub fn idle_within(&self, limit: Duration) -> bool {
        let waited = self.0.changed.wait_timeout_while(self.0.state(), limit, |state| !state.is_idle());
        let (state, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        !waited.timed_out() && state.failed.is_none()
    }
}

/// Writes what waits, for ever: a disk that is full may have room again.
fn write_all(shared: &Shared, mut out: impl Write) {
    loop {
        let bytes = {
            let idle = shared.changed.wait_while(shared.state(), |state| state.waiting.is_empty());
            let mut state = idle.unwrap_or_else(PoisonError::into_inner);
            state.is_writing = true;
            std::mem::take(&mut state.waiting)
        };
        let written = out.write_all(&bytes).and_then(|()| out.flush());
        let mut state = shared.state();
        state.is_writing = false;
        state.failed = written.err().map(|error| error.kind());
        drop(state);
        shared.changed.notify_all();
        shared.done.notify_waiters();
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

    use super::*;

    /// Long enough for a thread to get its turn on a busy machine.
    const PATIENCE: Duration = Duration::from_secs(30);
    const MAX_WAITING_BYTES: usize = 4096;

    /// Takes a piece whenever somebody reads, and none once nobody ever will.
    pub(crate) struct Slow(pub(crate) SyncSender<Vec<u8>>);

    impl Write for Slow {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let gone = |_| io::Error::from(io::ErrorKind::BrokenPipe);
            self.0.send(bytes.to_vec()).map(|()| bytes.len()).map_err(gone)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// The way to a reader without any buffer, and what they read.
    fn outlet() -> (Outlet, Receiver<Vec<u8>>) {
        let (sender, seen) = sync_channel(0);
        (Outlet::to(Slow(sender), "slow", MAX_WAITING_BYTES).unwrap(), seen)
    }

    #[test]
    fn who_takes_nothing_holds_up_nobody_and_gets_it_all_in_order_once_they_do() {
        let (outlet, seen) = outlet();
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
    fn what_waits_is_bounded() {
        let (outlet, _seen) = outlet();
        let piece = vec![b' '; MAX_WAITING_BYTES / 4];
        let taken = (0..100).take_while(|_| outlet.hand_over(&piece).is_ok()).count();
        // As much again may be in the writer's hands.
        assert!((4..=8).contains(&taken), "{taken} quarters of the bound were taken");
    }

    #[test]
    fn that_nobody_takes_it_any_more_is_told_to_whoever_waits_or_asks() {
        let (outlet, seen) = outlet();
        drop(seen);
        for piece in [b"x", b"y"] {
            outlet.hand_over(piece).unwrap();
            let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
            let told =
                runtime.block_on(async { tokio::time::timeout(PATIENCE, outlet.idle()).await.unwrap() });
            assert_eq!(told.unwrap_err().kind(), io::ErrorKind::BrokenPipe);
            assert_eq!(outlet.result().unwrap_err().kind(), io::ErrorKind::BrokenPipe);
            assert!(!outlet.idle_within(PATIENCE), "it was not taken");
        }
    }
}
