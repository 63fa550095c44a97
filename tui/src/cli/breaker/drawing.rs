//! A recording and its replay as people see them: the states over time, the settings that differ, and what it came to.

use std::time::Duration;

use skstore::text::fit::{Side as Align, fit, width, wrap};
use skstore::text::numbers::grouped;
use skstore::text::times::{Zone, clock, dated};
use skstore::text::words::Worded;
use skstore::text::{Language, Text};
use skstore::theme::Glyphs;
use skstore_domain::breaker::replay::{Outcome, Side};
use skstore_domain::breaker::{BreakerSettings, BreakerState};

use crate::cli::columns::table;
use crate::cli::labels::{self, Label};

mod states;

/// Blanks between the name of a side and its line.
const GAP: &str = "  ";
/// Fewest columns of a line of states: what is narrower is wrapped by the terminal.
const LEAST_COLUMNS: usize = 10;

/// Draws both in `columns`.
pub(super) fn draw(
    language: Language,
    zone: &Zone,
    glyphs: &Glyphs,
    columns: usize,
    outcome: &Outcome,
) -> String {
    let seconds = seconds(outcome.for_ms);
    let heading = language.fill(Text::ReplayOf, &[&outcome.instance, &dated(outcome.at, zone), &seconds]);
    let parts = [
        wrapped(&heading, columns),
        lines(language, zone, glyphs, columns, outcome),
        settings(language, outcome),
        tallies(language, outcome),
        notes(language, columns, outcome),
    ];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n")
}

/// The character of a state.
const fn glyph(glyphs: &Glyphs, state: Option<BreakerState>) -> char {
    match (state, glyphs.is_ascii) {
        (Some(BreakerState::Closed), false) => '▁',
        (Some(BreakerState::HalfOpen), false) => '▄',
        (Some(BreakerState::Open), false) => '█',
        (Some(BreakerState::Closed), true) => '_',
        (Some(BreakerState::HalfOpen), true) => '=',
        (Some(BreakerState::Open), true) => '#',
        (None, _) => '?',
    }
}

/// The states of both sides over the same time.
fn lines(language: Language, zone: &Zone, glyphs: &Glyphs, columns: usize, outcome: &Outcome) -> String {
    let names = [labels::RECORDED.of(language), labels::REPLAYED_UNDER.of(language)];
    let label = names.iter().map(|name| width(name)).max().unwrap_or(0);
    let room = columns.saturating_sub(label + GAP.len()).max(LEAST_COLUMNS);
    let sides =
        [&outcome.recorded, &outcome.replayed].map(|side| line_of(glyphs, side, outcome.for_ms, room));
    let (from, to) =
        (clock(outcome.at, zone), clock(outcome.at.after(Duration::from_millis(outcome.for_ms)), zone));
    let between = room.saturating_sub(width(&from) + width(&to));
    let axis = if between == 0 { from } else { format!("{from}{}{to}", " ".repeat(between)) };
    let line = |name: &str, line: &str| format!("{}{GAP}{line}\n", fit(name, label, Align::Left, ""));
    let mut legend: Vec<String> = BreakerState::ALL
        .iter()
        .map(|state| format!("{} {}", glyph(glyphs, Some(*state)), language.get(state.text())))
        .collect();
    if outcome.gaps > 0 {
        legend.push(format!("{} {}", glyph(glyphs, None), language.get(Text::ReplayNotRecorded)));
    }
    let legend = line("", &legend.join(GAP));
    [line(names[0], &sides[0]), line(names[1], &sides[1]), line("", &axis), legend].concat()
}

/// The line of one side.
fn line_of(glyphs: &Glyphs, side: &Side, for_ms: u64, room: usize) -> String {
    let shown = states::columns(&side.states, for_ms.saturating_mul(1000), room);
    shown.into_iter().map(|state| glyph(glyphs, state)).collect()
}

/// The settings in which the two differ, as the file of settings has them.
fn settings(language: Language, outcome: &Outcome) -> String {
    let pairs = |settings: &BreakerSettings| {
        let value = serde_json::to_value(settings).unwrap_or_default();
        value.as_object().cloned().unwrap_or_default()
    };
    let (was, would) = (pairs(&outcome.recorded.settings), pairs(&outcome.replayed.settings));
    let rows: Vec<[String; 3]> = was
        .iter()
        .filter_map(|(key, was)| {
            let would = would.get(key).filter(|would| *would != was)?;
            Some([format!("breaker.{key}"), was.to_string(), would.to_string()])
        })
        .collect();
    if rows.is_empty() {
        return format!("{}\n", language.get(Text::ReplaySameSettings));
    }
    side_by_side(language, labels::SETTING, rows)
}

fn tallies(language: Language, outcome: &Outcome) -> String {
    let (was, would) = (outcome.recorded.tally, outcome.replayed.tally);
    let row = |label: Label, was: String, would: String| [label.of(language).to_owned(), was, would];
    let rows = vec![
        row(labels::TIMES_OPENED, grouped(was.opened), grouped(would.opened)),
        row(labels::SECONDS_OPEN, seconds(was.open_ms), seconds(would.open_ms)),
        row(labels::SECONDS_HALF_OPEN, seconds(was.half_open_ms), seconds(would.half_open_ms)),
        row(labels::CHARGES_REFUSED, grouped(was.refused), grouped(would.refused)),
        row(labels::FAILURES_LET_THROUGH, grouped(was.failed), grouped(would.failed)),
        row(labels::CALLS_MADE, grouped(was.calls), grouped(would.calls)),
    ];
    side_by_side(language, labels::CAME_TO, rows)
}

fn side_by_side(language: Language, first: Label, rows: Vec<[String; 3]>) -> String {
    let headings =
        [(first, Align::Left), (labels::RECORDED, Align::Right), (labels::REPLAYED_UNDER, Align::Right)];
    table(language, headings, rows)
}

/// What has to be known to judge it: what was guessed, and what is missing.
fn notes(language: Language, columns: usize, outcome: &Outcome) -> String {
    let notes = [
        (outcome.guessed, Text::ReplayGuessed),
        (outcome.unknown, Text::ReplayUnknown),
        (outcome.gaps, Text::ReplayGaps),
    ];
    let shown = notes.iter().filter(|(count, _)| *count > 0).map(|(count, text)| {
        let sentence = language.fill(*text, &[&grouped(*count), &grouped(outcome.missing)]);
        wrapped(&sentence, columns)
    });
    shown.collect()
}

/// A sentence on lines of their own.
fn wrapped(sentence: &str, columns: usize) -> String {
    wrap(sentence, columns, MAX_NOTE_LINES, "").into_iter().map(|line| line + "\n").collect()
}

/// Most lines of a note: the longest, in the narrowest terminal that is drawn on.
const MAX_NOTE_LINES: usize = 12;

/// With one decimal.
fn seconds(ms: u64) -> String {
    format!("{}.{}", grouped(ms / 1000), ms % 1000 / 100)
}

#[cfg(test)]
mod tests;
