//! The sentences about a recording.

use std::path::Path;

use ratatui::text::Line;

use super::state::{Ended, Running, Trouble};
use crate::dashboard::ink::Ink;
use crate::dashboard::keys::{Action, Scope};
use crate::dashboard::screens::health::services::instance_end;
use crate::dashboard::state::{SILENT_AFTER, State};
use crate::recording::{MAX_BYTES, RecordingError};
use crate::text::breaker::calls_words;
use crate::text::{Text, times};

/// The line in the panel of the breaker that is recorded.
pub(in crate::dashboard::screens::health) fn line(
    state: &State,
    ink: &Ink<'_>,
    width: usize,
    running: &Running,
) -> Line<'static> {
    let calls = calls_words(ink.language, running.calls);
    let silent = state.now.since(running.heard_at);
    let text = if silent > SILENT_AFTER {
        ink.fill(Text::RecordingSilent, &[&calls, &times::age(ink.language, silent)])
    } else {
        let so_far = times::elapsed(ink.language, state.now.since(running.since));
        ink.fill(Text::RecordingRuns, &[&calls, &so_far])
    };
    ink.said(&text, width, ink.theme.warn)
}

/// That a recording has begun, and what ends it.
pub(crate) fn begun(ink: &Ink<'_>, instance: &str) -> String {
    let key = ink.key(Scope::Health, Action::Record);
    ink.fill(Text::RecordingBegun, &[&instance_end(instance), &key])
}

/// Where a recording is, and how it is replayed.
pub(crate) fn ended(ink: &Ink<'_>, ended: &Ended) -> String {
    let calls = calls_words(ink.language, ended.calls);
    let replay = format!("skstore breaker replay {} --set breaker.KEY=VALUE", as_a_word(&ended.path));
    if ended.is_full {
        return ink.fill(Text::RecordingFull, &[&(MAX_BYTES >> 20), &calls, &replay]);
    }
    ink.fill(Text::RecordingEnded, &[&calls, &replay])
}

/// Why there is no recording, or none any more.
pub(crate) fn trouble(ink: &Ink<'_>, trouble: &Trouble) -> String {
    match trouble {
        Trouble::NotTold => ink.text(Text::RecordingNotTold).to_owned(),
        Trouble::View(cause) => ink.fill(Text::RecordingNoView, &[cause]),
        Trouble::File(RecordingError::NotMade { path, reason, .. }) => {
            ink.fill(Text::RecordingNotMade, &[&path.display(), reason])
        }
        Trouble::File(RecordingError::NotWritten { path, reason }) => {
            ink.fill(Text::RecordingNotWritten, &[&path.display(), reason])
        }
    }
}

/// A path as a shell takes it for one word.
fn as_a_word(path: &Path) -> String {
    let path = path.display().to_string();
    let is_plain =
        |c: char| c.is_alphanumeric() || matches!(c, '/' | '.' | '-' | '_' | '+' | ',' | '@' | '%');
    if path.chars().all(is_plain) { path } else { format!("'{}'", path.replace('\'', r"'\''")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_one_word_for_a_shell_whatever_is_in_it() {
        for (path, word) in [
            (
                "/home/kim/.local/share/skstore/breaker-1.jsonl",
                "/home/kim/.local/share/skstore/breaker-1.jsonl",
            ),
            ("/tmp/사과/a.jsonl", "/tmp/사과/a.jsonl"),
            ("/tmp/my data/a.jsonl", "'/tmp/my data/a.jsonl'"),
            ("/tmp/kim's/$(x).jsonl", r"'/tmp/kim'\''s/$(x).jsonl'"),
            ("~/a.jsonl", "'~/a.jsonl'"),
        ] {
            assert_eq!(as_a_word(Path::new(path)), word);
        }
    }
}
