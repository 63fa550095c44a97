//! Which part of the screen shows what, and so how many rows fit. Both drawing and moving go by it.

use ratatui::layout::Rect;
use ratatui::text::Line;

use super::canvas::Canvas;
use super::ink::Ink;
use super::size::Size;
use super::state::{Connection, State};

/// From this many rows on a narrow screen has room for services and breaker below the table.
const TALL_FROM: u16 = 22;
/// Columns of what stands beside the table.
const SIDE_WIDTH: u16 = 46;
/// From this many columns on it gets more.
const VERY_WIDE_FROM: u16 = 160;
/// Columns of what stands beside the table on a very wide screen.
const SIDE_WIDTH_VERY_WIDE: u16 = 60;
/// Rows of services and breaker below the table, with their title: what a breaker waits for takes two of them.
const BOTTOM_HEIGHT: u16 = 8;
/// Rows of the header.
const HEADER_HEIGHT: u16 = 2;
/// Rows of a table that are none of its rows: its title and its columns' names.
const TABLE_HEADING: u16 = 2;

/// The parts of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Areas {
    /// Tabs, connection, breaker, counts.
    pub header: Rect,
    /// What must not be overlooked; no rows if there is nothing.
    pub banner: Rect,
    /// The table, or the detail on a narrow screen.
    pub main: Rect,
    /// Beside the table: the detail, services and breaker, or what belongs to the selected row.
    pub side: Option<Rect>,
    /// Below the table: services and breaker, or what belongs to the selected row.
    pub bottom: Option<Rect>,
    /// Keys.
    pub footer: Rect,
}

impl Areas {
    /// Draws what belongs to the selected row, beside the table or below it: lines of a width.
    pub(super) fn draw_beside(
        &self,
        ink: &Ink<'_>,
        canvas: &mut Canvas<'_>,
        lines: impl Fn(usize) -> Vec<Line<'static>>,
    ) {
        if let Some(side) = self.side {
            let inner = ink.side_of(canvas, side);
            canvas.paint(inner, &lines(usize::from(inner.width)));
        }
        if let Some(bottom) = self.bottom {
            canvas.paint(bottom, &lines(usize::from(bottom.width)));
        }
    }
}

/// A table's title, the names of its columns, and its rows.
pub(super) fn table(area: Rect) -> [Rect; 3] {
    let row = |at: u16| Rect { y: area.y + at.min(area.height), height: u16::from(at < area.height), ..area };
    let rows = Rect { height: area.height.saturating_sub(TABLE_HEADING), ..row(TABLE_HEADING) };
    [row(0), row(1), rows]
}

/// Lines of what must not be overlooked.
#[must_use]
pub fn banner_rows(state: &State) -> u16 {
    let is_view_lost = matches!(state.connection, Connection::Lost { .. });
    // Of a view that cannot be read it is not known how it is otherwise.
    let is_doubtful = !is_view_lost && (state.rebuilding().is_some() || state.stale_for().is_some());
    u16::from(is_view_lost)
        + u16::from(state.bus_lost.is_some())
        + u16::from(is_doubtful)
        + u16::from(state.faulty().next().is_some())
}

/// The parts of the screen for what is shown now.
#[must_use]
pub fn areas(state: &State) -> Areas {
    let Size { width, height } = state.size;
    // Rows are given out from the top and from the bottom; what is left is in the middle. On a screen that is too
    // small parts become empty.
    let banner_height = banner_rows(state);
    let header = Rect::new(0, 0, width, HEADER_HEIGHT.min(height));
    let banner = Rect::new(0, header.height, width, banner_height.min(height - header.height));
    let footer_height = 1.min(height - banner.bottom());
    let footer = Rect::new(0, height - footer_height, width, footer_height);
    let middle = Rect::new(0, banner.bottom(), width, footer.y - banner.bottom());
    let whole = Areas { header, banner, main: middle, side: None, bottom: None, footer };
    let wide = state.size.is_wide();
    let has_panel = state.panel && state.tab.has_panel();
    let has_detail = state.open_detail().is_some();
    if wide && (has_panel || has_detail) {
        let side_width = if width >= VERY_WIDE_FROM { SIDE_WIDTH_VERY_WIDE } else { SIDE_WIDTH };
        let side = Rect { x: width - side_width, width: side_width, ..middle };
        // A blank column between the table's last column and the line.
        let main = Rect { width: width - side_width - 1, ..middle };
        return Areas { main, side: Some(side), ..whole };
    }
    if !wide && has_panel && !has_detail && height >= TALL_FROM {
        let bottom = Rect { y: footer.y - BOTTOM_HEIGHT, height: BOTTOM_HEIGHT, ..middle };
        let main = Rect { height: middle.height - BOTTOM_HEIGHT, ..middle };
        return Areas { main, bottom: Some(bottom), ..whole };
    }
    whole
}

/// Rows of a table that fit on the screen.
#[must_use]
pub fn shown_rows(state: &State) -> usize {
    usize::from(areas(state).main.height.saturating_sub(TABLE_HEADING)).max(1)
}
