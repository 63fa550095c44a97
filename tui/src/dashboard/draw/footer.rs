//! The last line: the keys that apply here and now, or the filter that is being typed.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::ink::{Ink, joined, paint};
use crate::dashboard::keys::{self, Action, Binding};
use crate::dashboard::state::State;
use crate::dashboard::state::input::TextInput;
use crate::dashboard::update::refusal;
use crate::text::{Text, fit};

pub(super) fn draw(state: &State, ink: &Ink<'_>, frame: &mut Frame<'_>, area: Rect) {
    let scope = state.scope();
    let possible =
        keys::of_scope(scope).filter(|binding| binding.in_footer && refusal(state, binding.action).is_none());
    // Help and quit come last in the table but are the keys that must always be seen.
    let (always, others): (Vec<&Binding>, Vec<&Binding>) =
        possible.partition(|binding| matches!(binding.action, Action::Help | Action::Quit));
    let hint = |binding: &Binding| {
        let key = binding.keys.first().map_or_else(String::new, |chord| chord.name(ink.glyphs.is_ascii));
        vec![
            Span::styled(key, ink.theme.key),
            Span::styled(format!(" {}", ink.text(binding.text)), ink.theme.dim),
        ]
    };
    let always = joined(always.into_iter().map(hint).collect(), usize::from(area.width));
    let reserved: usize = always.iter().map(|span| fit::width(&span.content)).sum();
    let columns = usize::from(area.width).saturating_sub(2 + reserved + 2);
    let mut spans = vec![Span::raw(" ")];
    spans.extend(joined(others.into_iter().map(hint).collect(), columns));
    if !always.is_empty() {
        spans.push(Span::raw("  "));
        spans.extend(always);
    }
    paint(frame, area, &[Line::from(spans)]);
}

pub(super) fn draw_filter(typed: &TextInput, ink: &Ink<'_>, frame: &mut Frame<'_>, area: Rect) {
    let label = format!(" {}: ", ink.text(Text::FilterPrompt));
    let columns = usize::from(area.width);
    let room = columns.saturating_sub(fit::width(&label) + 2);
    let before = fit::tail(typed.before_cursor(), room);
    let after = &typed.text()[typed.before_cursor().len()..];
    let x = fit::width(&label) + fit::width(before);
    let mut spans =
        vec![Span::styled(label, ink.theme.title), Span::styled(before.to_owned(), ink.theme.text)];
    if typed.text().is_empty() {
        spans.push(Span::styled(format!(" {}", ink.text(Text::FilterHint)), ink.theme.dim));
    } else {
        spans.push(Span::styled(after.to_owned(), ink.theme.text));
    }
    let used: usize = spans.iter().map(|span| fit::width(&span.content)).sum();
    spans.push(Span::raw(" ".repeat(columns.saturating_sub(used))));
    frame.render_widget(ratatui::widgets::Clear, area);
    paint(frame, area, &[Line::from(spans)]);
    let x = u16::try_from(x).unwrap_or(u16::MAX).min(area.width.saturating_sub(1));
    frame.set_cursor_position((area.x + x, area.y));
}
