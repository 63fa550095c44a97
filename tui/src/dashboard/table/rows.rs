//! The rows of a table on the screen: only those that fit are looked at, and the selected one is marked.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::dashboard::canvas::Canvas;
use crate::dashboard::ink::Ink;
use crate::dashboard::shown::Spot;
use crate::dashboard::state::{Connection, State};
use crate::text::{Text, fit};

/// Draws of `rows` those that fit from the one at `offset` on, each as `row` has it, and lets them be clicked.
pub(crate) fn draw<'a, T: 'a>(
    ink: &Ink<'_>,
    canvas: &mut Canvas<'_>,
    area: Rect,
    rows: impl Iterator<Item = &'a T>,
    (offset, selected): (usize, Option<usize>),
    row: impl Fn(&T) -> Vec<Span<'static>>,
) {
    let shown = rows.enumerate().skip(offset).take(usize::from(area.height));
    let (places, lines): (Vec<Spot>, Vec<Line<'static>>) = shown
        .map(|(place, object)| (Spot::Row(place), marked(ink, selected == Some(place), row(object))))
        .unzip();
    canvas.paint(area, &lines);
    canvas.spot_rows(area, places);
}

/// A row behind its marker.
fn marked(ink: &Ink<'_>, is_selected: bool, row: Vec<Span<'static>>) -> Line<'static> {
    let marker = if is_selected { ink.glyphs.marker } else { " " };
    let mut spans = vec![Span::styled(format!("{marker} "), ink.theme.key)];
    spans.extend(row);
    let line = Line::from(spans);
    if is_selected { line.style(ink.theme.selected) } else { line }
}

/// Says why there are no rows: `none` once it is known that there are none.
pub(crate) fn draw_none(
    state: &State,
    ink: &Ink<'_>,
    canvas: &mut Canvas<'_>,
    area: Rect,
    is_read: bool,
    none: &str,
) {
    let text = match (&state.connection, is_read) {
        (Connection::Lost { .. }, false) => return,
        (_, false) => ink.text(Text::Reading),
        (_, true) => none,
    };
    let lines = fit::wrap(text, usize::from(area.width).saturating_sub(4), 3, ink.glyphs.more);
    let lines = lines.into_iter().map(|line| Line::from(Span::styled(format!("  {line}"), ink.theme.dim)));
    let lines: Vec<Line<'_>> = std::iter::once(Line::default()).chain(lines).collect();
    canvas.paint(area, &lines);
}
