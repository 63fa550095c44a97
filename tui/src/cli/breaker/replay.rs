//! Replays a recording, which anybody may have written.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;

use skstore::theme::Glyphs;
use skstore_domain::breaker::BreakerSettings;
use skstore_domain::breaker::recording::{Header, Line, MAX_LINE};
use skstore_domain::breaker::replay::{Outcome, Replay, WrongRecording};
use skstore_workers::desk::config::{Config, Sources};

use super::ReplayArguments;
use super::drawing::draw;
use crate::cli::failure::Failure;
use crate::cli::output::Output;
use crate::cli::stderr::tell;

/// What a setting of the breaker begins with.
const PREFIX: &str = "breaker.";

/// Replays a recording under its own settings with those of `changed` on top, and draws both in `columns`.
///
/// # Errors
/// [`Failure::Usage`] names the line that is none of a recording.
pub(crate) fn run<W: Write>(
    arguments: &ReplayArguments,
    sources: &Sources,
    columns: usize,
    glyphs: &Glyphs,
    out: &mut Output<W>,
) -> Result<(), Failure> {
    let outcome = replay(&arguments.file, sources)?;
    let zone = out.zone();
    out.one(&outcome, |language| draw(language, &zone, glyphs, columns, &outcome))
}

/// What is changed for a replay: the breaker's settings, and how it is shown.
///
/// # Errors
/// [`Failure::Usage`], where something else is to be changed: it would make no difference.
pub(crate) fn check_changes(set: &[(String, String)]) -> Result<(), Failure> {
    let is_meant = |key: &str| key.starts_with(PREFIX) || key.starts_with("ui.");
    let others: Vec<&str> = set.iter().map(|(key, _)| key.as_str()).filter(|key| !is_meant(key)).collect();
    if others.is_empty() {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "a replay changes settings of the breaker alone, those that begin with {PREFIX}: {} would make no difference, as \
         calls come to what they came to when they were recorded",
        others.join(", ")
    )))
}

fn replay(path: &Path, sources: &Sources) -> Result<Outcome, Failure> {
    let changed = sources.flags.iter().filter(|(key, _)| key.starts_with(PREFIX));
    let shown = path.display();
    let file = File::open(path)
        .map_err(|error| Failure::Usage(format!("the recording {shown} cannot be read: {error}")))?;
    let mut lines = Lines { path, from: BufReader::new(file), number: 0 };
    let Some(Line::Header(header)) = lines.next()? else {
        return Err(lines.wrong(&WrongRecording::NoHeader.to_string()));
    };
    let recorded = settings(sources, &header, [])
        .map_err(|wrong| lines.wrong(&format!("its settings are none of a breaker: {wrong}")))?;
    let header = Header { settings: recorded, ..header };
    let settings = settings(sources, &header, changed.cloned()).map_err(Failure::Usage)?;
    let mut replay = Replay::new(&header, settings);
    while let Some(line) = lines.next()? {
        replay.take(line).map_err(|wrong| lines.wrong(&wrong.to_string()))?;
    }
    Ok(replay.finish())
}

/// The recorded settings with others on top, checked as all settings are.
fn settings(
    sources: &Sources,
    header: &Header,
    changed: impl IntoIterator<Item = (String, String)>,
) -> Result<BreakerSettings, String> {
    let recorded = serde_json::to_value(&header.settings).map_err(|error| error.to_string())?;
    let recorded = recorded.as_object().into_iter().flatten();
    let mut flags: Vec<(String, String)> =
        sources.flags.iter().filter(|(key, _)| !key.starts_with(PREFIX)).cloned().collect();
    flags.extend(recorded.map(|(key, value)| (format!("{PREFIX}{key}"), value.to_string())));
    flags.extend(changed);
    let config = Config::load(&Sources { flags, ..sources.clone() });
    config.map(|config| config.breaker).map_err(|error| error.to_string())
}

/// The lines of a recording, one at a time.
struct Lines<'a> {
    path: &'a Path,
    from: BufReader<File>,
    /// Of the line that was read last, from 1.
    number: u64,
}

impl Lines<'_> {
    /// The next one. What is cut off at the end, as of a process that was killed, is told and passed over.
    fn next(&mut self) -> Result<Option<Line>, Failure> {
        loop {
            let mut text = Vec::new();
            let most = MAX_LINE as u64 + 1;
            self.number += 1;
            self.from.by_ref().take(most).read_until(b'\n', &mut text).map_err(|error| {
                Failure::Usage(format!("the recording {} cannot be read: {error}", self.path.display()))
            })?;
            let is_whole = text.last() == Some(&b'\n');
            if text.is_empty() {
                return Ok(None);
            }
            if !is_whole && text.len() > MAX_LINE {
                return Err(self.wrong(&format!("a line has at most {MAX_LINE} bytes")));
            }
            if text.trim_ascii().is_empty() {
                continue;
            }
            return match Line::read(text.trim_ascii()) {
                Ok(line) => Ok(Some(line)),
                Err(_) if !is_whole && self.number > 1 => {
                    let (path, number) = (self.path.display(), self.number);
                    tell(&format!(
                        "skstore: {path}, line {number} is cut off; what is before it is replayed"
                    ));
                    Ok(None)
                }
                Err(wrong) => Err(self.wrong(&wrong.to_string())),
            };
        }
    }

    fn wrong(&self, what: &str) -> Failure {
        Failure::Usage(format!("{}, line {}: {what}", self.path.display(), self.number))
    }
}
