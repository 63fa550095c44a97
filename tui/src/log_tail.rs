//! The last lines of the log, for those who look at the dashboard: what goes to the file goes here too.

use std::collections::VecDeque;
use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::watch;

/// Lines that are kept: some screens of the tallest terminal.
pub const LINES: usize = 500;
/// Bytes of a line that are kept. The file has them all.
const LINE_BYTES: usize = 2000;

/// The last lines of the log. Clones share them; any thread may write.
#[derive(Debug, Clone)]
pub struct LogTail {
    lines: Arc<Mutex<VecDeque<String>>>,
    written: watch::Sender<u64>,
}

impl Default for LogTail {
    fn default() -> Self {
        Self { lines: Arc::default(), written: watch::Sender::new(0) }
    }
}

impl LogTail {
    /// What is written there goes to `to`, and its last lines can be read here.
    pub fn beside<W>(&self, to: W) -> Beside<W> {
        Beside { to, tail: self.clone(), begun: String::new() }
    }

    /// The lines there are, oldest first.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.lines.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }

    /// Tells when a line is added.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.written.subscribe()
    }

    fn add(&self, line: String) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.push_back(line);
        if lines.len() > LINES {
            lines.pop_front();
        }
        drop(lines);
        self.written.send_modify(|count| *count += 1);
    }
}

/// Writes to two places.
#[derive(Debug)]
pub struct Beside<W> {
    to: W,
    tail: LogTail,
    /// The line that has not ended yet.
    begun: String,
}

impl<W> Beside<W> {
    fn tell(&mut self, text: &str) {
        for c in text.chars() {
            if c == '\n' {
                self.tail.add(std::mem::take(&mut self.begun));
            } else if self.begun.len() + c.len_utf8() <= LINE_BYTES {
                self.begun.push(c);
            }
        }
    }
}

impl<W: Write> Write for Beside<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all(bytes)?;
        Ok(bytes.len())
    }

    fn write_all(&mut self, bytes: &[u8]) -> io::Result<()> {
        // A person who looks sees it even if the disk is full.
        self.tell(&String::from_utf8_lossy(bytes));
        self.to.write_all(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_and_all_go_to_the_file() {
        let tail = LogTail::default();
        let changes = tail.changes();
        let mut file = Vec::new();
        let mut log = tail.beside(&mut file);
        for n in 0..LINES + 10 {
            writeln!(log, "line {n}").unwrap();
        }
        log.write_all("가".repeat(LINE_BYTES).as_bytes()).unwrap();
        assert_eq!(tail.lines()[LINES - 1], "line 509", "a line that has not ended is not shown");
        log.write_all(b"\n").unwrap();
        let lines = tail.lines();
        assert_eq!((lines.len(), lines[0].as_str()), (LINES, "line 11"));
        assert!(lines[LINES - 1].len() <= LINE_BYTES, "a line is as long as it likes");
        assert!(changes.has_changed().unwrap());
        assert!(String::from_utf8(file).unwrap().starts_with("line 0\n"));
    }
}
