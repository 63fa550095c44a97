//! A frame while it is drawn, and the record of what it shows.

use std::ops::Range;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;
use ratatui::widgets::Widget;

use super::shown::{Scroll, Shown, Spot};
use super::size::Size;
use crate::text::fit;

/// A frame while it is drawn.
pub(crate) struct Canvas<'a> {
    cells: &'a mut Buffer,
    cursor: Option<Position>,
    /// What was drawn so far.
    pub(super) shown: Shown,
}

impl<'a> Canvas<'a> {
    /// An empty one.
    pub(super) fn new(cells: &'a mut Buffer) -> Self {
        Self { cells, cursor: None, shown: Shown::default() }
    }

    /// The whole screen.
    pub(super) fn area(&self) -> Rect {
        self.cells.area
    }

    /// Columns and rows of the screen.
    pub(super) fn size(&self) -> Size {
        let Rect { width, height, .. } = self.area();
        Size { width, height }
    }

    /// Draws `lines` into `area`, one below the other, cut where it ends.
    pub(super) fn paint(&mut self, area: Rect, lines: &[Line<'_>]) {
        let area = area.intersection(self.area());
        for (y, line) in (area.top()..area.bottom()).zip(lines) {
            self.cells.set_line(area.x, y, line, area.width);
        }
    }

    /// Draws of `lines` what is not scrolled away.
    pub(super) fn paint_scrolled(&mut self, area: Rect, lines: &[Line<'_>], scroll: Scroll) {
        self.paint(area, lines.get(scroll.at..).unwrap_or_default());
    }

    /// Draws a widget.
    pub(super) fn render(&mut self, area: Rect, widget: impl Widget) {
        widget.render(area, self.cells);
    }

    /// The terminal's own cursor stands at column `x` and row `y` of `area`, or at its end: there it composes Hangul.
    pub(super) fn set_cursor(&mut self, area: Rect, x: usize, y: usize) {
        let within = |at: usize, room: u16| u16::try_from(at).unwrap_or(u16::MAX).min(room.saturating_sub(1));
        self.cursor =
            Some(Position { x: area.x + within(x, area.width), y: area.y + within(y, area.height) });
    }

    /// What was drawn on `area` can be clicked.
    pub(super) fn spot(&mut self, area: Rect, spot: Spot) {
        self.shown.record(area, Some(spot));
    }

    /// What was drawn on these columns of the first row of `area` can be clicked.
    pub(super) fn spot_on(&mut self, area: Rect, columns: Range<usize>, spot: Spot) {
        let column = |at: usize| u16::try_from(at).unwrap_or(u16::MAX).min(area.width);
        let (from, to) = (column(columns.start), column(columns.end));
        self.spot(
            Rect { x: area.x + from, width: to.saturating_sub(from), height: area.height.min(1), ..area },
            spot,
        );
    }

    /// Each row of `area` can be clicked, as far as there are `spots`.
    pub(super) fn spot_rows(&mut self, area: Rect, spots: impl IntoIterator<Item = Spot>) {
        for (row, spot) in area.rows().zip(spots) {
            self.spot(row, spot);
        }
    }

    /// What was drawn on `area` covers what can be clicked below it.
    pub(super) fn cover(&mut self, area: Rect) {
        self.shown.record(area, None);
    }

    /// Blanks the wide characters that would reach into `area` from the left: a terminal shows them whole, over the
    /// first column of what is drawn there.
    pub(super) fn clear_left_edge(&mut self, area: Rect) {
        let Some(x) = area.x.checked_sub(1) else { return };
        for y in area.top()..area.bottom() {
            if let Some(cell) = self.cells.cell_mut((x, y))
                && fit::width(cell.symbol()) > 1
            {
                cell.set_symbol(" ");
            }
        }
    }

    /// Takes out whatever could repaint the terminal, wherever it was drawn from: the last guard. Returns where the cursor
    /// stands, and what is shown.
    pub(super) fn finish(self) -> (Option<Position>, Shown) {
        for cell in &mut self.cells.content {
            // Nearly all cells hold one printable ASCII character.
            if matches!(cell.symbol().as_bytes(), [b' '..=b'~']) {
                continue;
            }
            if let std::borrow::Cow::Owned(kept) = fit::clean(cell.symbol()) {
                let kept = if kept.is_empty() { " ".to_owned() } else { kept };
                cell.set_symbol(&kept);
            }
        }
        (self.cursor, self.shown)
    }
}
