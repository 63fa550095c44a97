//! What tables by name have in common: only rows on the screen are looked at, and the selected one is marked.

use ratatui::text::{Line, Span};

use super::header::grouped;
use super::ink::Ink;
use crate::dashboard::state::listing::{Listing, Named};
use crate::dashboard::state::{Connection, State};
use crate::text::{Text, fit};

/// Rows of a table that are its title and its columns' names.
const HEADING: usize = 2;

/// What stands at the right of the title: `sum`, or that not all there are is sorted.
pub(super) fn standing<T: Named>(listing: &Listing<T>, ink: &Ink<'_>, sum: String) -> String {
    if listing.sort().is_some() && listing.is_part() {
        return ink.fill(Text::Sorted, &[&grouped(listing.rows().len() as u64)]);
    }
    sum
}

/// The rows that fit on `height` rows with the heading, each as `row` has it.
pub(super) fn lines<'a, T: Named>(
    listing: &'a Listing<T>,
    ink: &'a Ink<'_>,
    height: usize,
    row: impl Fn(&T) -> Vec<Span<'static>> + 'a,
) -> impl Iterator<Item = Line<'static>> + 'a {
    let selected = listing.selected_index();
    let shown = listing.rows().enumerate().skip(listing.offset).take(height.saturating_sub(HEADING));
    shown.map(move |(index, object)| marked(ink, selected == Some(index), row(object)))
}

/// A row behind its marker.
pub(super) fn marked(ink: &Ink<'_>, is_selected: bool, row: Vec<Span<'static>>) -> Line<'static> {
    let marker = if is_selected { ink.glyphs.marker } else { " " };
    let mut spans = vec![Span::styled(format!("{marker} "), ink.theme.key)];
    spans.extend(row);
    let line = Line::from(spans);
    if is_selected { line.style(ink.theme.selected) } else { line }
}

/// Why there are no rows: `none` once it is known that there are none.
pub(super) fn nothing(
    state: &State,
    ink: &Ink<'_>,
    is_read: bool,
    width: usize,
    none: &str,
) -> Vec<Line<'static>> {
    let text = match (&state.connection, is_read) {
        (Connection::Lost { .. }, false) => return Vec::new(),
        (_, false) => ink.text(Text::Reading),
        (_, true) => none,
    };
    let lines = fit::wrap(text, width.saturating_sub(4), 3, ink.glyphs.more);
    let lines = lines.into_iter().map(|line| Line::from(Span::styled(format!("  {line}"), ink.theme.dim)));
    std::iter::once(Line::default()).chain(lines).collect()
}
