//! The log goes through a thread of its own: whoever reads it may stop, and nobody waits with them. What they do not take
//! is lost beyond a bound.

use std::io::{self, Write};
use std::time::Duration;

use tracing_subscriber::fmt::MakeWriter;

use crate::outlet::Outlet;

/// Most bytes that wait: some ten thousand lines, more than any burst, so that only a reader who has stopped loses lines.
const MAX_WAITING_BYTES: usize = 4 << 20;
/// How long the last lines may take. A reader who takes nothing must not keep a process from ending.
const LAST_LINES_WITHIN: Duration = Duration::from_millis(500);

/// The way to a log. Clones share it.
#[derive(Debug, Clone)]
pub struct Apart(Outlet);

impl Apart {
    /// The way to `out`, which may block for as long as it likes, and fail.
    ///
    /// # Errors
    /// When there is no thread for it.
    pub fn to(out: impl Write + Send + 'static) -> io::Result<Self> {
        Outlet::to(out, "log", MAX_WAITING_BYTES).map(Self)
    }

    /// Waits until all is written, for as long as the last lines may take.
    pub fn finish(&self) {
        self.0.idle_within(LAST_LINES_WITHIN);
    }
}

/// A line is written at once, so that it is lost whole.
impl Write for Apart {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let _ = self.0.hand_over(line);
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
    use std::sync::mpsc::sync_channel;

    use super::*;
    use crate::outlet::tests::Slow;

    /// How often it is looked whether all has come.
    const LOOK_EVERY: Duration = Duration::from_millis(10);

    #[test]
    fn who_stops_reading_holds_up_nobody_and_loses_whole_lines_beyond_a_bound() {
        let (sender, seen) = sync_channel(0);
        let mut log = Apart::to(Slow(sender)).unwrap();
        let line = [&vec![b'x'; 1023][..], b"\n"].concat();
        let written = 3 * MAX_WAITING_BYTES / line.len();
        for _ in 0..written {
            log.write_all(&line).unwrap();
        }
        log.finish();
        let mut text = Vec::new();
        while !log.0.is_idle() {
            text.extend(seen.recv_timeout(LOOK_EVERY).unwrap_or_default());
        }
        let taken = text.chunks(line.len()).filter(|piece| *piece == line).count();
        assert_eq!(text.len(), taken * line.len(), "lines are whole");
        // As much again may be in the writer's hands.
        let bound = MAX_WAITING_BYTES / line.len();
        assert!((bound..=2 * bound).contains(&taken), "{taken} of {written} lines were kept");
    }
}
