//! How a table by name looks.

use ratatui::layout::Rect;
use ratatui::text::Span;

use super::heading::{self, Head};
use super::listing::{Listing, Named};
use super::movement::Table as _;
use super::rows;
use crate::dashboard::canvas::Canvas;
use crate::dashboard::ink::Ink;
use crate::dashboard::layout;
use crate::dashboard::state::State;
use crate::text::Text;
use crate::text::numbers::grouped;

/// What stands around the rows.
pub(crate) struct Table<'a> {
    /// What they are.
    pub(crate) title: String,
    /// How many there are, or what they come to.
    pub(crate) sum: String,
    /// The columns.
    pub(crate) heads: &'a [Head],
    /// What is said where there are none.
    pub(crate) none: String,
}

/// Draws the table with the rows of `listing`, each as `cells` has it.
pub(crate) fn draw<T: Named>(
    state: &State,
    ink: &Ink<'_>,
    canvas: &mut Canvas<'_>,
    area: Rect,
    listing: &Listing<T>,
    table: &Table<'_>,
    cells: impl Fn(&T) -> Vec<Span<'static>>,
) {
    let [top, names, below] = layout::table(area);
    // Where not all there are is sorted, that is said.
    let is_part = listing.sort().is_some() && listing.is_part();
    let sorted = is_part.then(|| ink.fill(Text::Sorted, &[&grouped(listing.rows().len() as u64)]));
    let right = sorted.as_ref().unwrap_or(&table.sum);
    canvas.paint(top, &[ink.rule(&table.title, right, usize::from(area.width))]);
    heading::draw(ink, canvas, names, table.heads, listing.sort());
    if listing.rows().len() == 0 {
        rows::draw_none(state, ink, canvas, below, listing.is_read, &table.none);
    } else {
        rows::draw(ink, canvas, below, listing.rows(), (listing.offset, listing.selected_index()), cells);
    }
}
