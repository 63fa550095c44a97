//! Someone at a real pseudo-terminal: what they type, and what a terminal emulator shows them.

#![allow(dead_code, reason = "each of those who include it uses a part")]

use std::io::{Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use skstore::text::fit;

/// How long a person waits for something that must appear: far beyond what it takes on a busy machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);
pub(crate) const ROWS: u16 = 36;
pub(crate) const COLUMNS: u16 = 120;

/// Someone at a terminal that runs a program.
pub(crate) struct Person {
    pub(crate) screen: vt100::Parser,
    /// Every byte that the terminal was sent.
    pub(crate) heard: Vec<u8>,
    output: Receiver<Vec<u8>>,
    keys: Box<dyn Write + Send>,
    program: Box<dyn Child + Send + Sync>,
    terminal: Box<dyn MasterPty + Send>,
    /// How the terminal edited lines before the program was there.
    before: String,
    /// Whether what the terminal is sent is taken from it.
    looks: Arc<AtomicBool>,
}

/// What is left when a program has ended.
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    /// What stands on the screen.
    pub(crate) text: String,
}

/// `skstore` with its data below `home`, and nothing of this process's environment but what is given.
pub(crate) fn skstore(home: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> CommandBuilder {
    let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_skstore"));
    command.args(["--data-dir", &home.join("data").display().to_string()]);
    command.args(arguments);
    with_environment(&mut command, home, environment);
    command
}

/// Gives `command` an environment of its own.
pub(crate) fn with_environment(command: &mut CommandBuilder, home: &Path, environment: &[(&str, &str)]) {
    command.env_clear();
    command.env("HOME", home);
    command.env("TERM", "xterm-256color");
    for (name, value) in environment {
        command.env(name, value);
    }
}

impl Person {
    pub(crate) fn starts(command: CommandBuilder) -> Self {
        let size = PtySize { rows: ROWS, cols: COLUMNS, pixel_width: 0, pixel_height: 0 };
        Self::starts_at(size, command)
    }

    /// At a terminal that says it has this size.
    pub(crate) fn starts_at(size: PtySize, command: CommandBuilder) -> Self {
        let pty = native_pty_system().openpty(size).unwrap();
        let before = how_it_edits(&*pty.master);
        let program = pty.slave.spawn_command(command).unwrap();
        drop(pty.slave);
        let mut reader = pty.master.try_clone_reader().unwrap();
        let keys = pty.master.take_writer().unwrap();
        let (sender, output) = channel();
        let looks = Arc::new(AtomicBool::new(true));
        let goes_on = looks.clone();
        std::thread::spawn(move || {
            let mut bytes = [0; 8192];
            while let Ok(count) = reader.read(&mut bytes) {
                let is_sent = sender.send(bytes[..count].to_vec()).is_ok();
                if count == 0 || !is_sent || !goes_on.load(Ordering::Relaxed) {
                    break;
                }
            }
        });
        let screen = vt100::Parser::new(ROWS.try_into().unwrap(), COLUMNS.try_into().unwrap(), 0);
        Self { screen, heard: Vec::new(), output, keys, program, terminal: pty.master, before, looks }
    }

    pub(crate) fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    pub(crate) fn text(&self) -> String {
        self.screen.screen().contents()
    }

    /// The program's process.
    pub(crate) fn process(&self) -> u32 {
        self.program.process_id().unwrap()
    }

    /// The program itself.
    pub(crate) fn program(&mut self) -> &mut (dyn Child + Send + Sync) {
        &mut *self.program
    }

    /// Gives the terminal another size.
    pub(crate) fn resizes(&mut self, columns: u16, rows: u16) {
        self.terminal.resize(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }).unwrap();
        self.screen.screen_mut().set_size(rows.try_into().unwrap(), columns.try_into().unwrap());
    }

    /// Has the terminal say that it has another size; what is looked at stays as large as it is.
    pub(crate) fn claims(&mut self, columns: u16, rows: u16) {
        self.terminal.resize(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }).unwrap();
    }

    /// The most memory that the program has had, in bytes.
    pub(crate) fn peak_bytes(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("it runs");
        line.split_whitespace().nth(1).unwrap().parse::<usize>().unwrap() * 1024
    }

    /// Takes nothing more from the terminal, as a connection that stalls: what it is sent piles up in it. What is typed
    /// still arrives.
    pub(crate) fn looks_away(&mut self) {
        self.looks.store(false, Ordering::Relaxed);
        // The last piece was on its way.
        while self.output.recv_timeout(PATIENCE).is_ok() {}
    }

    /// Closes the terminal; what runs on it is left alone with that.
    pub(crate) fn closes(mut self) -> Box<dyn Child + Send + Sync> {
        self.looks_away();
        let Self { program, terminal, keys, .. } = self;
        drop((terminal, keys));
        program
    }

    /// Waits for the end of a program that nobody looks at, and how long that took.
    pub(crate) fn waits_for_end(program: &mut (dyn Child + Send + Sync)) -> (ExitStatus, Duration) {
        let since = Instant::now();
        loop {
            if let Some(status) = program.try_wait().unwrap() {
                return (status, since.elapsed());
            }
            assert!(since.elapsed() < PATIENCE, "it does not end");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Waits until the screen is as it must be.
    pub(crate) fn sees(&mut self, what: &str, is_there: impl Fn(&str) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_there(&self.text()) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.hears(&bytes),
                Err(RecvTimeoutError::Timeout) => panic!("never saw {what}:\n{}", self.text()),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended before {what}:\n{}", self.text()),
            }
        }
    }

    pub(crate) fn sees_text(&mut self, text: &str) {
        self.sees(text, |screen| screen.contains(text));
    }

    /// Waits until every one of `texts` is on the screen at the same time.
    pub(crate) fn sees_all(&mut self, texts: &[&str]) {
        self.sees(&texts.join(" and "), |screen| texts.iter().all(|text| screen.contains(text)));
    }

    /// Takes what the terminal is sent within `time`.
    pub(crate) fn watches_for(&mut self, time: Duration) {
        let until = Instant::now() + time;
        while let Ok(bytes) = self.output.recv_timeout(until.saturating_duration_since(Instant::now())) {
            self.hears(&bytes);
        }
    }

    fn hears(&mut self, bytes: &[u8]) {
        self.heard.extend_from_slice(bytes);
        self.screen.process(bytes);
    }

    /// Whether the terminal is as it was before a program took it over.
    pub(crate) fn has_own_terminal(&self) -> bool {
        !self.screen.screen().alternate_screen() && !self.screen.screen().hide_cursor()
    }

    /// Orders item 10 five times, by keys alone.
    pub(crate) fn orders_five_apples(&mut self, apple: &str) {
        self.types("n");
        self.sees_text(apple);
        self.types("\r");
        self.sees_text("▸ walk-in");
        self.types("\r");
        self.sees("the field of the quantity", |screen| {
            screen.contains("+ more") || screen.contains("+ 늘리기")
        });
        self.types("5");
        self.sees("the total", |screen| screen.contains("5,000"));
        self.types("\r");
    }

    /// Clicks on the first place where `text` stands on the screen, once it is there.
    pub(crate) fn clicks(&mut self, text: &str) {
        let place = self.finds(text);
        self.types(&format!("\u{1b}[<0;{place}M\u{1b}[<0;{place}m"));
    }

    /// Turns the wheel by one notch over the first place where `text` stands on the screen, once it is there.
    pub(crate) fn wheels_down(&mut self, text: &str) {
        let place = self.finds(text);
        self.types(&format!("\u{1b}[<65;{place}M"));
    }

    /// Column and row as a terminal tells them in the notation that it is asked for (SGR), counted from one.
    fn finds(&mut self, text: &str) -> String {
        self.sees_text(text);
        let (column, row) = self.place_of(text);
        format!("{};{}", column + 1, row + 1)
    }

    /// Column and row.
    fn place_of(&self, text: &str) -> (usize, usize) {
        let shown = self.text();
        let mut lines = shown.lines().enumerate();
        let found = lines.find_map(|(row, line)| Some((fit::width(&line[..line.find(text)?]), row)));
        found.unwrap_or_else(|| panic!("no '{text}' on the screen:\n{shown}"))
    }

    /// Whether the terminal was asked to tell of the mouse.
    pub(crate) fn has_mouse(&self) -> bool {
        self.screen.screen().mouse_protocol_mode() != vt100::MouseProtocolMode::None
    }

    /// Waits for the end of the program, and finds the terminal as it was.
    pub(crate) fn ends(mut self) -> Ended {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.program.try_wait().unwrap() {
                break status;
            }
            assert!(Instant::now() < deadline, "it does not end:\n{}", self.text());
            self.watches_for(Duration::from_millis(20));
        };
        assert_eq!(how_it_edits(&*self.terminal), self.before, "lines are edited as they were");
        drop(self.terminal);
        for bytes in self.output {
            self.screen.process(&bytes);
        }
        let screen = self.screen.screen();
        assert!(!screen.alternate_screen(), "the alternate screen is left");
        assert!(!screen.hide_cursor(), "the cursor is back");
        assert!(!screen.bracketed_paste(), "pasting is as it was");
        assert_eq!(
            screen.mouse_protocol_mode(),
            vt100::MouseProtocolMode::None,
            "the mouse is the terminal's"
        );
        Ended { status, text: screen.contents() }
    }

    /// Leaves, and finds the terminal as it was.
    pub(crate) fn leaves(mut self) {
        self.types("q");
        let Ended { status, text } = self.ends();
        assert!(status.success(), "it ended with {status:?}:\n{text}");
    }
}

/// Whether a terminal echoes, edits lines, and turns keys into signals: all that raw mode changes.
fn how_it_edits(terminal: &(dyn MasterPty + Send)) -> String {
    format!("{:?}", terminal.get_termios().expect("a terminal has settings"))
}

/// Sends a signal to a process.
pub(crate) fn signal(name: &str, process: u32) {
    let sent = std::process::Command::new("kill").args(["-s", name, &process.to_string()]).status().unwrap();
    assert!(sent.success(), "kill -s {name} {process}");
}

/// The line of the screen that has both.
pub(crate) fn line_with<'a>(screen: &'a str, one: &str, other: &str) -> Option<&'a str> {
    screen.lines().find(|line| line.contains(one) && line.contains(other))
}

/// Checks that no cell has a colour.
pub(crate) fn assert_colourless(screen: &vt100::Screen) {
    let (rows, columns) = screen.size();
    for row in 0..rows.get() {
        for column in 0..columns.get() {
            let cell = screen.cell(row, column).unwrap();
            let colours = (cell.fgcolor(), cell.bgcolor());
            let none = (vt100::Color::Default, vt100::Color::Default);
            assert_eq!(colours, none, "a colour at row {row}, column {column}");
        }
    }
}
