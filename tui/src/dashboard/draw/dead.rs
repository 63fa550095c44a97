//! The parked messages: why each of them is parked, what it was, and what would become of it.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use skstore_domain::signals::Service;
use skstore_workers::desk::{DeadError, DeadLetter, ReplayCheck, Which};

use super::header::grouped;
use super::ink::{Ink, paint};
use crate::dashboard::state::State;
use crate::dashboard::state::dead::{Deal, DealReport, Operation};
use crate::text::{Text, fit, times};

/// Columns of a time, a service and a key.
const TIME: usize = 8;
const SERVICE: usize = 8;
const KEY: usize = 20;
/// Lines of a body that are shown; the command line shows all of it.
const BODY_LINES: usize = 12;
/// Bytes of a body that is no text.
const HEX_BYTES: usize = 200;

pub(super) fn draw(state: &State, ink: &Ink<'_>, frame: &mut Frame<'_>, area: Rect) {
    let width = usize::from(area.width);
    let dead = &state.dead;
    let count = if dead.total > dead.letters.len() {
        ink.fill(Text::DeadOldest, &[&dead.letters.len(), &grouped(dead.total as u64)])
    } else {
        grouped(dead.total as u64)
    };
    let right = if dead.is_busy { ink.text(Text::DeadBusy) } else { &count };
    let mut lines = vec![ink.rule(ink.text(Text::DeadTitle), right, width), heading(ink, width)];
    if let Some(problem) = &dead.problem {
        lines.extend(said(ink, &self::problem(ink, problem), width, ink.theme.bad));
    } else if dead.letters.is_empty() {
        let text = if dead.is_read { Text::DeadNone } else { Text::Reading };
        lines.extend(said(ink, ink.text(text), width, ink.theme.dim));
    }
    let shown = dead.letters.iter().enumerate().skip(dead.offset).take(usize::from(area.height));
    lines.extend(shown.map(|(at, letter)| row(ink, width, letter, dead.selected_index() == Some(at))));
    paint(frame, area, &lines);
}

fn heading(ink: &Ink<'_>, width: usize) -> Line<'static> {
    let text = format!(
        "  {} {} {} {}",
        ink.left(ink.text(Text::ColumnTime), TIME),
        ink.left(ink.text(Text::ColumnService), SERVICE),
        ink.left(ink.text(Text::ColumnKey), KEY),
        ink.text(Text::ColumnReason),
    );
    Line::from(Span::styled(ink.short(&text, width), ink.theme.dim))
}

fn row(ink: &Ink<'_>, width: usize, letter: &DeadLetter, is_selected: bool) -> Line<'static> {
    let marker = if is_selected { ink.glyphs.marker } else { " " };
    let time = times::told(&letter.at).map_or_else(String::new, |at| times::clock(at, ink.zone));
    let room = width.saturating_sub(2 + TIME + 1 + SERVICE + 1 + KEY + 1);
    let line = Line::from(vec![
        Span::styled(format!("{marker} "), ink.theme.key),
        Span::styled(format!("{} ", ink.left(&time, TIME)), ink.theme.dim),
        Span::raw(format!("{} ", ink.left(&service(ink, letter), SERVICE))),
        Span::raw(format!("{} ", ink.left(&letter.routing_key, KEY))),
        Span::styled(ink.left(&letter.reason, room), ink.theme.warn),
    ]);
    if is_selected { line.style(ink.theme.selected) } else { line }
}

fn service(ink: &Ink<'_>, letter: &DeadLetter) -> String {
    Service::from_word(&letter.service)
        .map_or_else(|| letter.service.clone(), |service| ink.word(&service).to_owned())
}

/// The selected one whole.
pub(super) fn whole(state: &State, ink: &Ink<'_>, width: usize) -> Vec<Line<'static>> {
    let Some(letter) = state.dead.selected() else {
        return vec![ink.rule(ink.text(Text::DeadOriginal), "", width)];
    };
    let mut lines = vec![ink.rule(ink.text(Text::DeadOriginal), &letter.id, width)];
    lines.extend(said(ink, &letter.reason, width, ink.theme.warn));
    let (replay_check, style) = replay_check(ink, letter);
    lines.extend(said(ink, &replay_check, width, style));
    let from = ink.fill(Text::DeadFrom, &[&letter.exchange, &letter.routing_key, &letter.queue]);
    lines.extend(said(ink, &from, width, ink.theme.dim));
    lines.extend(body(ink, letter, width));
    let properties = &letter.properties;
    let told = [
        ("message_id", &properties.message_id),
        ("correlation_id", &properties.correlation_id),
        ("reply_to", &properties.reply_to),
        ("content_type", &properties.content_type),
    ];
    for (name, value) in told.iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
        lines.extend(said(ink, &format!("{name}: {value}"), width, ink.theme.dim));
    }
    for (name, value) in &properties.headers {
        lines.extend(said(ink, &format!("{name}: {value}"), width, ink.theme.dim));
    }
    lines
}

/// What would become of it.
fn replay_check(ink: &Ink<'_>, letter: &DeadLetter) -> (String, Style) {
    match letter.replay_check() {
        ReplayCheck::TakesEffect => (ink.text(Text::OutlookTakesEffect).to_owned(), ink.theme.ok),
        ReplayCheck::MayDouble => (ink.text(Text::OutlookMayDouble).to_owned(), ink.theme.warn),
        ReplayCheck::Refused(why) => (ink.fill(Text::OutlookRefused, &[&why]), ink.theme.bad),
        ReplayCheck::Nowhere => (ink.text(Text::OutlookNowhere).to_owned(), ink.theme.bad),
    }
}

/// The body as text, else as hexadecimal numbers.
fn body(ink: &Ink<'_>, letter: &DeadLetter, width: usize) -> Vec<Line<'static>> {
    let text = match std::str::from_utf8(&letter.body) {
        Ok(text) => text.to_owned(),
        Err(_) => letter.body.iter().take(HEX_BYTES).map(|byte| format!("{byte:02x} ")).collect(),
    };
    let lines = fit::wrap(&text, width.saturating_sub(2), BODY_LINES, ink.glyphs.more);
    lines.into_iter().map(|line| Line::from(Span::styled(format!(" {line}"), ink.theme.text))).collect()
}

fn said(ink: &Ink<'_>, text: &str, width: usize, style: Style) -> Vec<Line<'static>> {
    let lines = fit::wrap(text, width.saturating_sub(2), 2, ink.glyphs.more);
    lines.into_iter().map(|line| Line::from(Span::styled(format!(" {line}"), style))).collect()
}

/// Why they cannot be looked at or dealt with.
pub(super) fn problem(ink: &Ink<'_>, problem: &DeadError) -> String {
    match problem {
        DeadError::Occupied(cause) => ink.fill(Text::DeadOccupied, &[cause]),
        DeadError::Unreachable(cause) => ink.fill(Text::DeadUnreachable, &[cause]),
    }
}

/// What would happen, by a dry run.
pub(super) fn plan(ink: &Ink<'_>, (deal, report): &(Deal, DealReport)) -> Vec<String> {
    let what = match (deal.operation, &deal.which) {
        (Operation::Replay, Which::One(id)) => ink.fill(Text::PlanReplayOne, &[id]),
        (Operation::Replay, Which::All) => ink.fill(Text::PlanReplayAll, &[&report.summary.done]),
        (Operation::Drop, Which::One(id)) => ink.fill(Text::PlanDropOne, &[id]),
        (Operation::Drop, Which::All) => ink.fill(Text::PlanDropAll, &[&report.summary.done]),
    };
    std::iter::once(what).chain(rest(ink, report)).collect()
}

/// What became of them, in one sentence after the other.
pub(super) fn summary(ink: &Ink<'_>, deal: &Deal, report: &DealReport) -> String {
    let done = match (deal.is_dry, deal.operation) {
        (true, _) => ink.text(Text::DealtNothing).to_owned(),
        (false, Operation::Replay) => ink.fill(Text::DealtReplayed, &[&report.summary.done]),
        (false, Operation::Drop) => ink.fill(Text::DealtDropped, &[&report.summary.done]),
    };
    std::iter::once(done).chain(rest(ink, report)).collect::<Vec<_>>().join(" ")
}

/// How many stay, why, and how many were not looked at.
fn rest(ink: &Ink<'_>, report: &DealReport) -> Vec<String> {
    let mut told = Vec::new();
    if report.summary.stay > 0 {
        told.push(ink.fill(Text::PlanStay, &[&report.summary.stay, &report.stay_because.join("; ")]));
    }
    if report.summary.left > 0 {
        told.push(ink.fill(Text::PlanLeft, &[&report.summary.left]));
    }
    told
}
