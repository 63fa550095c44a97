//! The last line: the keys that apply here and now, or the filter that is being typed.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use skstore_workers::desk::view::SCAN_ORDERS;

use super::header::grouped;
use super::ink::{Ink, paint};
use crate::dashboard::keys::{Action, Bound};
use crate::dashboard::state::State;
use crate::dashboard::state::filter_line::FilterLine;
use crate::dashboard::tab::Tab;
use crate::dashboard::update::refusal;
use crate::text::{Text, fit};

pub(super) fn draw(state: &State, ink: &Ink<'_>, frame: &mut Frame<'_>, area: Rect) {
    let mut spans = Vec::new();
    for hint in hints(state, ink, usize::from(area.width)) {
        spans.push(Span::raw(if spans.is_empty() { " " } else { "  " }));
        spans.push(Span::styled(hint.key, ink.theme.key));
        spans.push(Span::styled(format!(" {}", hint.name), ink.theme.dim));
    }
    paint(frame, area, &[Line::from(spans)]);
}

/// A key and what it does.
struct Hint {
    action: Action,
    key: String,
    name: &'static str,
}

impl Hint {
    fn width(&self) -> usize {
        fit::width(&self.key) + 1 + fit::width(self.name)
    }
}

/// The keys that are possible now, as many as fit. The way to all commands, the help and the way out come last, but
/// must always be seen.
fn hints(state: &State, ink: &Ink<'_>, columns: usize) -> Vec<Hint> {
    let possible = state.keys.of_scope(state.scope()).filter(|bound| bound.in_footer);
    let possible = possible.filter(|bound| refusal(state, bound.action).is_none());
    let hint = |bound: &Bound| {
        let key = bound.keys.first()?.name(ink.glyphs.is_ascii);
        Some(Hint { action: bound.action, key, name: ink.text(bound.text) })
    };
    let (always, others): (Vec<Hint>, Vec<Hint>) = possible
        .filter_map(hint)
        .partition(|hint| matches!(hint.action, Action::Palette | Action::Help | Action::Quit));
    let mut room = columns;
    let mut take = |hint: &Hint| {
        let width = hint.width() + 2;
        let fits = width <= room;
        room = room.saturating_sub(width);
        fits
    };
    let always: Vec<Hint> = always.into_iter().filter(&mut take).collect();
    let mut hints: Vec<Hint> = others.into_iter().take_while(&mut take).collect();
    hints.extend(always);
    hints
}

/// What the key at column `x` of the footer does.
pub(super) fn action_at(state: &State, ink: &Ink<'_>, x: usize, columns: u16) -> Option<Action> {
    let mut from = 1;
    hints(state, ink, usize::from(columns)).iter().find_map(|hint| {
        let at = from..from + hint.width();
        from = at.end + 2;
        at.contains(&x).then_some(hint.action)
    })
}

/// The filter that is being typed, and at its right what it costs to find, or why it is none yet.
pub(super) fn draw_filter(
    state: &State,
    line: &FilterLine,
    ink: &Ink<'_>,
    frame: &mut Frame<'_>,
    area: Rect,
) {
    let label = format!(" {}: ", ink.text(Text::FilterPrompt));
    let columns = usize::from(area.width);
    let (note, note_style) = match &line.problem {
        Some(bad) => (ink.fill(bad.text, &[&bad.typed]), ink.theme.warn),
        None if line.input.text().trim().is_empty() => (String::new(), ink.theme.dim),
        None => (cost(state, ink), ink.theme.dim),
    };
    let note = ink.short(&note, columns / 2);
    let room = columns.saturating_sub(fit::width(&label) + fit::width(&note) + 3);
    let typed = &line.input;
    let before = fit::tail(typed.before_cursor(), room);
    let after = &typed.text()[typed.before_cursor().len()..];
    let x = fit::width(&label) + fit::width(before);
    let mut spans =
        vec![Span::styled(label, ink.theme.title), Span::styled(before.to_owned(), ink.theme.text)];
    if typed.text().is_empty() {
        let hint = match state.tab {
            Tab::Orders => Text::FilterHint,
            Tab::Accounts | Tab::Items | Tab::Health | Tab::Dead => Text::NameHint,
            Tab::Events => Text::EventsHint,
        };
        spans.push(Span::styled(format!(" {}", ink.text(hint)), ink.theme.dim));
    } else {
        let after = ink.short(after, room.saturating_sub(fit::width(before)));
        spans.push(Span::styled(after, ink.theme.text));
    }
    let used: usize = spans.iter().map(|span| fit::width(&span.content)).sum();
    let blanks = columns.saturating_sub(used + fit::width(&note) + 1);
    spans.push(Span::raw(" ".repeat(blanks)));
    spans.push(Span::styled(format!("{note} "), note_style));
    frame.render_widget(ratatui::widgets::Clear, area);
    paint(frame, area, &[Line::from(spans)]);
    let x = u16::try_from(x).unwrap_or(u16::MAX).min(area.width.saturating_sub(1));
    frame.set_cursor_position((area.x + x, area.y));
}

/// Whether what the filter wants is found by an index, or by looking at orders one by one.
fn cost(state: &State, ink: &Ink<'_>) -> String {
    if state.tab == Tab::Events {
        return ink.fill(Text::FilterLoaded, &[&grouped(state.events.entries.len() as u64)]);
    }
    if state.tab == Tab::Orders && state.orders.filter.text.is_some() {
        ink.fill(Text::FilterScans, &[&grouped(SCAN_ORDERS as u64)])
    } else {
        ink.text(Text::FilterIndexed).to_owned()
    }
}
