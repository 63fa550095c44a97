//! The dashboard in a real terminal: the program on a pseudo-terminal, a terminal emulator that shows what a
//! person would see, and a person's keys.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::io::{Read, Write};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use portable_pty::{Child, CommandBuilder, MasterPty, PtySize, native_pty_system};

/// How long a person waits for something that must appear: far beyond what it takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
const ROWS: u16 = 36;
const COLUMNS: u16 = 120;

/// Someone at a terminal that runs `skstore`.
struct Person {
    screen: vt100::Parser,
    output: Receiver<Vec<u8>>,
    keys: Box<dyn Write + Send>,
    program: Box<dyn Child + Send + Sync>,
    terminal: Box<dyn MasterPty + Send>,
}

impl Person {
    fn starts(data: &Path, environment: &[(&str, &str)]) -> Self {
        let size = PtySize { rows: ROWS, cols: COLUMNS, pixel_width: 0, pixel_height: 0 };
        let pty = native_pty_system().openpty(size).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_skstore"));
        command.env_clear();
        command.env("HOME", data);
        command.env("TERM", "xterm-256color");
        for (name, value) in environment {
            command.env(name, value);
        }
        command.args(["--data-dir", &data.join("data").display().to_string()]);
        let program = pty.slave.spawn_command(command).unwrap();
        drop(pty.slave);
        let mut reader = pty.master.try_clone_reader().unwrap();
        let keys = pty.master.take_writer().unwrap();
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 8192];
            while let Ok(count) = reader.read(&mut bytes) {
                if count == 0 || sender.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        let screen = vt100::Parser::new(ROWS.try_into().unwrap(), COLUMNS.try_into().unwrap(), 0);
        Self { screen, output, keys, program, terminal: pty.master }
    }

    fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    fn text(&self) -> String {
        self.screen.screen().contents()
    }

    /// Waits until the screen is as it must be.
    fn sees(&mut self, what: &str, is_there: impl Fn(&str) -> bool) {
        let deadline = std::time::Instant::now() + PATIENCE;
        while !is_there(&self.text()) {
            let left = deadline.saturating_duration_since(std::time::Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.screen.process(&bytes),
                Err(RecvTimeoutError::Timeout) => panic!("never saw {what}:\n{}", self.text()),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended before {what}:\n{}", self.text()),
            }
        }
    }

    fn sees_text(&mut self, text: &str) {
        self.sees(text, |screen| screen.contains(text));
    }

    /// Orders item 10 five times, by keys alone.
    fn orders_five_apples(&mut self, apple: &str) {
        self.types("n");
        self.sees_text(apple);
        self.types("\r");
        self.sees_text("walk-in (");
        self.types("\r");
        self.types("5");
        self.sees("the total", |screen| screen.contains("5,000"));
        self.types("\r");
    }

    /// Leaves, and finds the terminal as it was.
    fn leaves(mut self) {
        self.types("q");
        let status = self.program.wait().unwrap();
        drop(self.terminal);
        for bytes in self.output {
            self.screen.process(&bytes);
        }
        assert!(status.success(), "it ended with {status:?}");
        assert!(!self.screen.screen().alternate_screen(), "the alternate screen is left");
        assert!(!self.screen.screen().hide_cursor(), "the cursor is back");
    }
}

fn row_of<'a>(screen: &'a str, word: &str) -> Option<&'a str> {
    screen.lines().find(|line| line.contains("× 5") && line.contains(word))
}

#[test]
fn an_order_is_watched_being_delivered_cancelled_and_is_there_after_a_restart() {
    let home = tempfile::tempdir().unwrap();
    let korean = [("LANG", "ko_KR.UTF-8")];
    let mut person = Person::starts(home.path(), &korean);
    person.sees_text("차단기 닫힘");
    person.orders_five_apples("사과");
    person.sees("the order on its way", |screen| row_of(screen, "배송시작").is_some());

    person.types("c");
    person.sees_text("이 주문을 취소할까요?");
    person.types("y");
    person.sees("the order cancelled and refunded", |screen| {
        row_of(screen, "취소").is_some_and(|row| row.contains("환불"))
    });
    person.leaves();

    let mut person = Person::starts(home.path(), &korean);
    person.sees("the order after a restart", |screen| {
        row_of(screen, "취소").is_some_and(|row| row.contains("환불"))
    });
    person.types("\r");
    person.sees_text("주문 상세");
    person.sees_text("결제중");
    person.leaves();
}

#[test]
fn without_colours_everything_is_still_said_in_words() {
    let home = tempfile::tempdir().unwrap();
    let mut person = Person::starts(home.path(), &[("LANG", "en_US.UTF-8"), ("NO_COLOR", "1")]);
    person.sees("a connected desk", |screen| screen.contains("closed"));
    person.orders_five_apples("Apple");
    person.sees("the order on its way", |screen| row_of(screen, "delivering").is_some());
    let screen = person.screen.screen();
    let (rows, columns) = screen.size();
    for row in 0..rows.get() {
        for column in 0..columns.get() {
            let cell = screen.cell(row, column).unwrap();
            let colours = (cell.fgcolor(), cell.bgcolor());
            assert_eq!(
                colours,
                (vt100::Color::Default, vt100::Color::Default),
                "a colour at row {row}, column {column}"
            );
        }
    }
    person.leaves();
}
