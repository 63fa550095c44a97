//! How a filter looks that is being typed: over the keys, what it costs to find at its right, or why it is none yet.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use ratatui::widgets::Clear;

use super::state::FilterLine;
use crate::dashboard::canvas::Canvas;
use crate::dashboard::ink::Ink;
use crate::dashboard::screens;
use crate::dashboard::state::State;
use crate::text::{Text, fit};

/// The filter that is being typed, and at its right what it costs to find, or why it is none yet.
pub(crate) fn draw(state: &State, line: &FilterLine, ink: &Ink<'_>, canvas: &mut Canvas<'_>, area: Rect) {
    let screen = screens::of(state.tab);
    let label = format!(" {}: ", ink.text(Text::FilterPrompt));
    let columns = usize::from(area.width);
    let (note, note_style) = match &line.problem {
        Some(bad) => (ink.fill(bad.text, &[&bad.typed]), ink.theme.warn),
        None if line.input.text().trim().is_empty() => (String::new(), ink.theme.dim),
        None => (screen.filter_cost(state, ink), ink.theme.dim),
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
        spans.push(Span::styled(format!(" {}", ink.text(screen.filter_hint())), ink.theme.dim));
    } else {
        let after = ink.short(after, room.saturating_sub(fit::width(before)));
        spans.push(Span::styled(after, ink.theme.text));
    }
    let used: usize = spans.iter().map(|span| fit::width(&span.content)).sum();
    let blanks = columns.saturating_sub(used + fit::width(&note) + 1);
    spans.push(Span::raw(" ".repeat(blanks)));
    spans.push(Span::styled(format!("{note} "), note_style));
    canvas.render(area, Clear);
    canvas.cover(area);
    canvas.paint(area, &[Line::from(spans)]);
    canvas.set_cursor(area, x, 0);
}
