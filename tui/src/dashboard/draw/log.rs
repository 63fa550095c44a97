//! The last lines of this process's log, over whatever is shown.

use ratatui::Frame;
use ratatui::text::{Line, Span};

use super::ink::{Ink, paint};
use crate::dashboard::state::State;
use crate::text::{Text, fit};

/// Columns and rows that stay free around it.
const MARGIN: u16 = 1;
/// Rows that one line of the log takes at most.
const WRAPPED: usize = 4;

pub(super) fn draw(state: &State, scroll: usize, ink: &Ink<'_>, frame: &mut Frame<'_>) {
    let (width, height) = (state.size.width - 2 * MARGIN, state.size.height - 2 * MARGIN);
    let area = ink.window(frame, ink.text(Text::LogTitle), width, height);
    if state.log.is_empty() {
        let none = Line::from(Span::styled(ink.text(Text::LogEmpty), ink.theme.dim));
        paint(frame, area, &[none]);
        return;
    }
    let lines = lines(state, ink, usize::from(area.width));
    let end = lines.len().saturating_sub(scroll);
    let first = end.saturating_sub(usize::from(area.height));
    paint(frame, area, &lines[first..end]);
}

/// Lines that do not fit on the screen.
pub(super) fn lines_above(state: &State, ink: &Ink<'_>) -> usize {
    // A frame and a blank on either side.
    let width = usize::from(state.size.width.saturating_sub(2 * MARGIN + 4));
    let shown = usize::from(state.size.height.saturating_sub(2 * MARGIN + 2));
    lines(state, ink, width).len().saturating_sub(shown)
}

fn lines(state: &State, ink: &Ink<'_>, width: usize) -> Vec<Line<'static>> {
    let of = |line: &String| {
        let style = match line.split_whitespace().nth(1) {
            Some("ERROR") => ink.theme.bad,
            Some("WARN") => ink.theme.warn,
            Some(_) | None => ink.theme.text,
        };
        let wrapped = fit::wrap(line, width, WRAPPED, ink.glyphs.more);
        wrapped.into_iter().map(move |part| Line::from(Span::styled(part, style)))
    };
    state.log.iter().flat_map(of).collect()
}
