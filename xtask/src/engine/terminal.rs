//! The dashboard as a person has it: in its container, on a terminal, by keys.

use std::io::{Read as _, Write as _};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::desk::composed::Composed;
use crate::desk::{Desk as _, until};
use crate::page::Page;

/// How long anything may take to be on the screen. The container has to be made first.
const SHOWN_WITHIN: Duration = Duration::from_secs(60);
/// How long the dashboard may take to end.
const ENDS_WITHIN: Duration = Duration::from_secs(30);
/// What comes faster is taken for pasted.
const BETWEEN_KEYS: Duration = Duration::from_millis(200);
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// A terminal with a program on it.
struct Terminal {
    program: Child,
    keys: ChildStdin,
    output: Receiver<Vec<u8>>,
    /// All that it wrote since the last keys.
    shown: String,
}

impl Terminal {
    /// Runs `line` on a terminal of `script`'s, which is a part of every Debian.
    fn run(compose: &Command) -> Result<Self, String> {
        let words = std::iter::once(compose.get_program()).chain(compose.get_args());
        let line: Vec<String> = words.map(|word| word.to_string_lossy().into_owned()).collect();
        let mut script = Command::new("script");
        script.args(["--quiet", "--flush", "--return", "--command"]);
        script.arg(format!("stty rows 40 cols 120; exec {}", line.join(" "))).arg("/dev/null");
        script.envs(compose.get_envs().filter_map(|(name, value)| value.map(|value| (name, value))));
        if let Some(directory) = compose.get_current_dir() {
            script.current_dir(directory);
        }
        script.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut program = script.spawn().map_err(|error| format!("script: {error}"))?;
        let (Some(keys), Some(mut screen)) = (program.stdin.take(), program.stdout.take()) else {
            return Err("script: it has no pipes".to_owned());
        };
        let (sender, output) = channel();
        std::thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(count @ 1..) = screen.read(&mut bytes) {
                if sender.send(bytes[..count].to_vec()).is_err() {
                    break;
                }
            }
        });
        Ok(Self { program, keys, output, shown: String::new() })
    }

    /// Waits until `text` was written.
    fn shows(&mut self, text: &str) -> Result<(), String> {
        let begun = Instant::now();
        while !self.shown.contains(text) {
            let left = SHOWN_WITHIN.saturating_sub(begun.elapsed());
            match self.output.recv_timeout(left) {
                Ok(bytes) => self.shown.push_str(&String::from_utf8_lossy(&bytes)),
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!("'{text}' is not on the screen after {} s", SHOWN_WITHIN.as_secs()));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(format!(
                        "the dashboard ended before '{text}' was on the screen: {}",
                        self.shown
                    ));
                }
            }
        }
        Ok(())
    }

    /// Presses one key after the other, as a person does.
    fn press(&mut self, keys: &[&str]) -> Result<(), String> {
        self.shown.clear();
        for key in keys {
            let pressed = self.keys.write_all(key.as_bytes()).and_then(|()| self.keys.flush());
            pressed.map_err(|error| format!("the keys: {error}"))?;
            std::thread::sleep(BETWEEN_KEYS);
        }
        Ok(())
    }

    /// Whether it ends by itself, and well.
    fn ends(&mut self) -> Result<bool, String> {
        let begun = Instant::now();
        while begun.elapsed() < ENDS_WITHIN {
            if let Some(status) = self.program.try_wait().map_err(|error| format!("script: {error}"))? {
                return Ok(status.success());
            }
            std::thread::sleep(LOOK_EVERY);
        }
        Ok(false)
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // It has ended where all went well.
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// Places an order by a person's keys, and quits.
pub(super) fn run(desk: &mut Composed, page: &mut Page) -> Result<(), String> {
    let newest = |desk: &Composed| {
        Ok::<_, String>(desk.ask("orders --limit 1")?.into_iter().next().unwrap_or(Value::Null))
    };
    let before = newest(desk)?["order_id"].clone();
    let mut terminal = Terminal::run(&desk.compose().command(&["run", "--rm", "dashboard"]))?;
    terminal.shows("connected")?;
    terminal.press(&["n"])?;
    terminal.shows("place an order")?;
    terminal.press(&["\r", "\r", "5", "\r"])?;
    let is_there = |desk: &Composed| {
        let order = newest(desk)?;
        Ok(order["order_id"] != before && order["status"] == "delivering")
    };
    until(desk, "the order of the dashboard is delivered", is_there)?;
    let order = newest(desk)?;
    terminal.press(&["q"])?;
    let ends = terminal.ends()?;
    page.promise(
        "`run --rm dashboard` on a terminal: `n`, Enter, Enter, `5`, Enter place an order, `q` ends it",
        &format!(
            "{} of item {}, delivering; {}",
            order["qty"],
            order["item_id"].as_str().unwrap_or("?"),
            if ends { "ended" } else { "it goes on" }
        ),
        order["qty"] == 5 && ends,
    );
    Ok(())
}
