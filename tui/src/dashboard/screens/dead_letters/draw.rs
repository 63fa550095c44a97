//! The parked messages: why each of them is parked, what it was, and what would become of it.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use skstore_domain::signals::Service;
use skstore_workers::desk::{DeadLetter, ReplayCheck};

use super::words;
use crate::dashboard::canvas::Canvas;
use crate::dashboard::ink::Ink;
use crate::dashboard::layout;
use crate::dashboard::state::State;
use crate::dashboard::table::movement::Table;
use crate::dashboard::table::rows;
use crate::text::numbers::grouped;
use crate::text::{Text, fit, times};

/// Columns of a time, a service and a key.
const TIME: usize = 8;
const SERVICE: usize = 8;
const KEY: usize = 20;
/// Lines of a body that are shown; the command line shows all of it.
const BODY_LINES: usize = 12;
/// Bytes of a body that is no text.
const HEX_BYTES: usize = 200;

/// Draws the table.
pub(super) fn table(state: &State, ink: &Ink<'_>, canvas: &mut Canvas<'_>, area: Rect) {
    let width = usize::from(area.width);
    let dead = &state.dead;
    let count = if dead.total > dead.letters.len() {
        ink.fill(Text::DeadOldest, &[&dead.letters.len(), &grouped(dead.total as u64)])
    } else {
        grouped(dead.total as u64)
    };
    let right = if dead.is_busy { ink.text(Text::DeadBusy) } else { &count };
    let [top, names, mut below] = layout::table(area);
    canvas.paint(top, &[ink.rule(ink.text(Text::DeadTitle), right, width)]);
    canvas.paint(names, &[heading(ink, width)]);
    let said = if let Some(problem) = &dead.problem {
        said(ink, &words::problem(ink, problem), width, ink.theme.bad)
    } else if dead.letters.is_empty() {
        let text = if dead.is_read { Text::DeadNone } else { Text::Reading };
        said(ink, ink.text(text), width, ink.theme.dim)
    } else {
        Vec::new()
    };
    canvas.paint(below, &said);
    let taken = u16::try_from(said.len()).unwrap_or(u16::MAX).min(below.height);
    below = Rect { y: below.y + taken, height: below.height - taken, ..below };
    let place = (dead.offset, dead.selected_index());
    rows::draw(ink, canvas, below, dead.letters.iter(), place, |letter| cells(ink, width, letter));
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

fn cells(ink: &Ink<'_>, width: usize, letter: &DeadLetter) -> Vec<Span<'static>> {
    let time = times::told(&letter.at).map_or_else(String::new, |at| times::clock(at, ink.zone));
    let room = width.saturating_sub(2 + TIME + 1 + SERVICE + 1 + KEY + 1);
    vec![
        Span::styled(format!("{} ", ink.left(&time, TIME)), ink.theme.dim),
        Span::raw(format!("{} ", ink.left(&service(ink, letter), SERVICE))),
        Span::raw(format!("{} ", ink.left(&letter.routing_key, KEY))),
        Span::styled(ink.left(&letter.reason, room), ink.theme.warn),
    ]
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
