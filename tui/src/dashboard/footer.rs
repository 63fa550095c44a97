//! The last line: the keys that apply here and now.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::canvas::Canvas;
use super::ink::Ink;
use super::keys::{Action, Bound};
use super::refusal::refusal;
use super::shown::Spot;
use super::state::State;
use crate::text::fit;

/// Draws it.
pub(super) fn draw(state: &State, ink: &Ink<'_>, canvas: &mut Canvas<'_>, area: Rect) {
    let mut line = Line::default();
    for hint in hints(state, ink, usize::from(area.width)) {
        line.push_span(Span::raw(if line.spans.is_empty() { " " } else { "  " }));
        let from = line.width();
        line.push_span(Span::styled(hint.key, ink.theme.key));
        line.push_span(Span::styled(format!(" {}", hint.name), ink.theme.dim));
        canvas.spot_on(area, from..line.width(), Spot::Action(hint.action));
    }
    canvas.paint(area, &[line]);
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
