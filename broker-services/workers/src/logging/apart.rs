//! What is written goes through a thread of its own: whoever reads the log may stop (a pager, a terminal whose output
//! somebody has stopped), and nobody waits with them. What they do not take is lost beyond a bound.

use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

/// Most bytes that wait: some ten thousand lines, more than any burst, so that only a reader who has stopped loses lines.
const MOST_WAITING_BYTES: usize = 4 << 20;
/// How long the last lines may take. A reader who takes nothing must not keep a process from ending.
const LAST_LINES_WITHIN: Duration = Duration::from_millis(500);

/// The way to a log. Clones share it.
#[derive(Debug, Clone)]
pub struct Apart(Arc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    /// Told when there is something to write, and when that is done.
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    waiting: Vec<u8>,
    is_writing: bool,
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

impl Apart {
    /// The way to `out`, which may block for as long as it likes, and fail.
    ///
    /// # Errors
    /// When there is no thread for it.
    pub fn to(out: impl Write + Send + 'static) -> io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let written = shared.clone();
        std::thread::Builder::new().name("log".to_owned()).spawn(move || write_all(&written, out))?;
        Ok(Self(shared))
    }

    /// Waits until all is written, for as long as the last lines may take.
    pub fn finish(&self) {
        let is_busy = |state: &mut State| !state.is_idle();
        let waited = self.0.changed.wait_timeout_while(self.0.state(), LAST_LINES_WITHIN, is_busy);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }
}

/// Writes what waits, for ever. What cannot be written is lost: a disk that is full may have room again.
fn write_all(shared: &Shared, mut out: impl Write) {
    loop {
        let bytes = {
            let idle = shared.changed.wait_while(shared.state(), |state| state.waiting.is_empty());
            let mut state = idle.unwrap_or_else(PoisonError::into_inner);
            state.is_writing = true;
            std::mem::take(&mut state.waiting)
        };
        let _ = out.write_all(&bytes).and_then(|()| out.flush());
        shared.state().is_writing = false;
        shared.changed.notify_all();
    }
}

/// A line is written at once, so that it is lost whole.
impl Write for Apart {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut state = self.0.state();
        if state.waiting.len() + line.len() <= MOST_WAITING_BYTES {
            state.waiting.extend_from_slice(line);
            self.0.changed.notify_all();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Apart {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{SyncSender, sync_channel};

    use super::*;

    /// How often it is looked whether all has come.
    const LOOK_EVERY: Duration = Duration::from_millis(10);

    /// A reader who takes a piece when it is asked for, and none once it is gone.
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

    #[test]
    fn who_stops_reading_holds_up_nobody_and_loses_whole_lines_beyond_a_bound() {
        let (sender, seen) = sync_channel(0);
        let mut log = Apart::to(Slow(sender)).unwrap();
        let line = [&vec![b'x'; 1023][..], b"\n"].concat();
        let written = 3 * MOST_WAITING_BYTES / line.len();
        for _ in 0..written {
            log.write_all(&line).unwrap();
        }
        log.finish();
        let mut text = Vec::new();
        while !log.0.state().is_idle() {
            text.extend(seen.recv_timeout(LOOK_EVERY).unwrap_or_default());
        }
        let taken = text.chunks(line.len()).filter(|piece| *piece == line).count();
        assert_eq!(text.len(), taken * line.len(), "lines are whole");
        // As much again may be in the writer's hands.
        let bound = MOST_WAITING_BYTES / line.len();
        assert!((bound..=2 * bound).contains(&taken), "{taken} of {written} lines were kept");
    }

    #[test]
    fn who_is_gone_is_waited_for_by_nobody() {
        let (sender, seen) = sync_channel(0);
        let mut log = Apart::to(Slow(sender)).unwrap();
        drop(seen);
        for _ in 0..3 {
            log.write_all(b"line\n").unwrap();
            log.finish();
            assert!(log.0.state().is_idle(), "it is lost, and that is all");
        }
    }
}
