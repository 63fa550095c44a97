//! A whole distributed desk, as demonstrations and checks see it: workers that are started, ended and harmed, and `skstore` to
//! ask it. Its adapters know what its parts run in: processes of this machine, or containers.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

pub(crate) mod composed;
pub(crate) mod processes;

/// The workers that a desk needs.
pub(crate) const SERVICES: [&str; 4] = ["order", "deposit", "item", "myinfo"];
/// How long they may take to be seen in the view: seconds on an idle machine.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How often it is looked whether they are.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// RabbitMQ, Redis and the workers, with their data. All of it is gone when it is dropped, or when this process ends in
/// whatever way.
pub(crate) trait Desk {
    /// `skstore` with the words of `line`, where it reaches this desk. It works in a directory that [`Self::read`] knows.
    fn skstore(&self, line: &str) -> Command;

    /// What a command has written to `file`.
    ///
    /// # Errors
    /// A sentence that names it.
    fn read(&self, file: &str) -> Result<String, String>;

    /// The names of the workers of `service`, the oldest first.
    ///
    /// # Errors
    /// A sentence.
    fn workers(&self, service: &str) -> Result<Vec<String>, String>;

    /// Starts one more worker of `service`.
    ///
    /// # Errors
    /// A sentence that says what does not work.
    fn start(&mut self, service: &'static str) -> Result<(), String>;

    /// Tells a worker to end, waits until it has, and forgets it.
    ///
    /// # Errors
    /// A sentence.
    fn end(&mut self, worker: &str) -> Result<(), String>;

    /// Has a worker stand still, without its end.
    ///
    /// # Errors
    /// A sentence.
    fn hang(&mut self, worker: &str) -> Result<(), String>;

    /// Has a worker die as in a crash.
    ///
    /// # Errors
    /// A sentence.
    fn kill(&mut self, worker: &str) -> Result<(), String>;

    /// Does away with a worker in whatever state it is, and forgets it.
    ///
    /// # Errors
    /// A sentence.
    fn remove(&mut self, worker: &str) -> Result<(), String>;

    /// Whether whoever looks after the workers holds this one for well.
    ///
    /// # Errors
    /// A sentence where that cannot be asked.
    fn is_well(&self, worker: &str) -> Result<bool, String>;

    /// The last words of a worker that has ended by itself, and that nobody starts again.
    fn last_words(&mut self) -> Option<String>;

    /// Where to read more.
    fn logs(&self) -> String;

    /// Starts a command, and goes on.
    ///
    /// # Errors
    /// A sentence that says what does not work.
    fn begin(&self, line: &str) -> Result<Child, String> {
        let mut command = self.skstore(line);
        let begun = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        begun.map_err(|error| format!("skstore {line}: {error}"))
    }

    /// The objects that a command prints, whatever its exit status.
    ///
    /// # Errors
    /// A sentence that says what it printed instead.
    fn ask(&self, line: &str) -> Result<Vec<Value>, String> {
        let mut command = self.skstore(line);
        let output =
            command.stdin(Stdio::null()).output().map_err(|error| format!("skstore {line}: {error}"))?;
        objects(line, &output.stdout)
    }

    /// The workers that are heard of and take work: service and instance.
    ///
    /// # Errors
    /// A sentence.
    fn ready(&self) -> Result<Vec<(String, String)>, String> {
        let status = self.ask("status")?;
        let Some(status) = status.first() else { return Ok(Vec::new()) };
        let services = status["services"].as_array().map(Vec::as_slice).unwrap_or_default();
        let ready = services.iter().filter(|beat| beat["ready"] == true);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        Ok(ready.map(|beat| (text(&beat["service"]), text(&beat["instance"]))).collect())
    }
}

/// Waits until `condition` holds of `desk`.
///
/// # Errors
/// A sentence that names `what`, and the last that a worker said if one has ended.
pub(crate) fn until<D: Desk + ?Sized>(
    desk: &mut D,
    what: &str,
    mut condition: impl FnMut(&D) -> Result<bool, String>,
) -> Result<(), String> {
    let started = Instant::now();
    while !condition(desk)? {
        if let Some(words) = desk.last_words() {
            return Err(format!("a worker has ended. The last it said:\n{words}"));
        }
        if started.elapsed() > READY_WITHIN {
            return Err(format!("gave up waiting until {what}; {}", desk.logs()));
        }
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(())
}

/// Whether each service has a worker that takes work.
///
/// # Errors
/// A sentence.
pub(crate) fn all_take_work<D: Desk + ?Sized>(desk: &D) -> Result<bool, String> {
    let ready = desk.ready()?;
    Ok(SERVICES.iter().all(|service| ready.iter().any(|(of, _)| of == service)))
}

/// The objects of an output, one a line.
///
/// # Errors
/// A sentence that names the command.
pub(crate) fn objects(line: &str, output: &[u8]) -> Result<Vec<Value>, String> {
    let text = String::from_utf8_lossy(output);
    let read =
        |row: &str| serde_json::from_str(row).map_err(|error| format!("skstore {line}: {error}: {row}"));
    text.lines().map(read).collect()
}
