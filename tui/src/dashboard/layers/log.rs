//! The last lines of this process's log, over whatever is shown.

use ratatui::text::{Line, Span};

use crate::dashboard::canvas::Canvas;
use crate::dashboard::ink::Ink;
use crate::dashboard::shown::Scroll;
use crate::dashboard::state::State;
use crate::text::{Text, fit};

/// Columns and rows that stay free around it.
const MARGIN: u16 = 1;
/// Rows that one line of the log takes at most.
const WRAPPED: usize = 4;

/// Draws it, from its end.
pub(super) fn draw(state: &State, scroll: Scroll, ink: &Ink<'_>, canvas: &mut Canvas<'_>) {
    let (width, height) = (state.size.width - 2 * MARGIN, state.size.height - 2 * MARGIN);
    let area = ink.window(canvas, ink.text(Text::LogTitle), width, height);
    if state.log.is_empty() {
        canvas.paint(area, &[Line::from(Span::styled(ink.text(Text::LogEmpty), ink.theme.dim))]);
        return;
    }
    let lines = lines(state, ink, usize::from(area.width));
    let scroll = scroll.within(lines.len(), usize::from(area.height));
    canvas.paint(area, &lines[scroll.left()..]);
    canvas.shown.layer = Some(scroll);
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
