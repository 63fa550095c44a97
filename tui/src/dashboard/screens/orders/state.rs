//! The table of orders: a window over the view, moved by cursors and never by counting, so that it costs the
//! same with ten orders and with ten million.

use std::time::Duration;

use skstore_domain::ids::{MAX_ID_CHARS, OrderId};
use skstore_domain::myinfo::OrderRow;
use skstore_domain::time::Timestamp;
use skstore_workers::desk::view::{Counts, Cursor, OrderFilter, OrderPage};

use super::columns::OrderColumn;
use crate::dashboard::message::Start;
use crate::dashboard::table::movement::Table;
use crate::dashboard::table::sort::{Arrangement, Resort, Sort};
use crate::text::names::Names;

/// Orders in the window: a few screens of the tallest terminal, so that scrolling rarely has to wait.
pub const WINDOW_ROWS: usize = 300;
/// Rows of the old window that stay on the other side of the selection when the window moves.
const KEPT: usize = 100;

/// A window over the orders, and the selection within it.
///
/// While nothing is selected it follows the newest order. A selection stays with its order, and that order
/// stays on its line of the screen, whatever arrives above it.
#[derive(Debug, Clone, Default)]
pub struct Orders {
    /// Which orders.
    pub filter: OrderFilter,
    /// The filter as it was typed.
    pub typed: String,
    /// Where the window is.
    pub start: Start,
    /// The rows of the window, newest first.
    pub page: OrderPage,
    /// Whether the rows are those of this filter and window.
    pub is_read: bool,
    /// The rows in the order in which they are shown; newest first by itself.
    arrangement: Arrangement<OrderColumn>,
    /// Since when nothing is taken from the view, so that it can be read in peace.
    pub frozen_at: Option<Timestamp>,
    /// The selected order; the first that is shown if absent.
    selected: Option<Cursor>,
    /// Whether the last row of the window shall be selected once it was read.
    selects_last: bool,
    /// Rows above the first one that is on the screen.
    pub offset: usize,
    /// Orders there were when the newest one was last followed.
    total_at_top: u64,
}

/// The cursor of a row.
#[must_use]
pub fn cursor_of(row: &OrderRow) -> Cursor {
    Cursor { placed_at: row.order.placed_at, order_id: row.order.order_id.clone() }
}

/// A cursor just above `cursor`: a window after it begins with `cursor`'s order, and with others of the same
/// millisecond at most. `-` is the smallest id there is.
fn just_above(cursor: &Cursor) -> Cursor {
    let placed_at = cursor.placed_at.after(Duration::from_millis(1));
    let order_id = OrderId::new("-").unwrap_or_else(|_| cursor.order_id.clone());
    Cursor { placed_at, order_id }
}

/// A cursor just below `cursor`: a window before it ends with `cursor`'s order, and with others of the same
/// millisecond at most. This is the largest id there is.
fn just_below(cursor: &Cursor) -> Cursor {
    let placed_at = Timestamp(cursor.placed_at.0.saturating_sub(1));
    let order_id = OrderId::new(&"z".repeat(MAX_ID_CHARS)).unwrap_or_else(|_| cursor.order_id.clone());
    Cursor { placed_at, order_id }
}

impl Orders {
    /// Whether the newest order is always the selected one.
    #[must_use]
    pub fn follows(&self) -> bool {
        self.selected.is_none()
            && self.start == Start::Newest
            && self.sort().is_none()
            && self.frozen_at.is_none()
    }

    /// How many orders have been placed since the newest one was last followed; `None` where only some are shown.
    #[must_use]
    pub fn new_above(&self, counts: &Counts) -> Option<u64> {
        let total: u64 = counts.orders.iter().sum();
        self.typed.is_empty().then(|| total.saturating_sub(self.total_at_top))
    }

    /// Remembers how many orders there are, while the newest one is followed.
    pub fn count(&mut self, counts: &Counts) {
        if self.follows() {
            self.total_at_top = counts.orders.iter().sum();
        }
    }

    /// The rows of the window, in the order in which they are shown.
    pub fn rows(&self) -> impl Iterator<Item = &OrderRow> {
        self.arrangement.places().iter().filter_map(|place| self.page.rows.get(*place))
    }

    /// The selected row.
    #[must_use]
    pub fn selected_row(&self) -> Option<&OrderRow> {
        self.row_at(self.selected_index()?)
    }

    fn row_at(&self, index: usize) -> Option<&OrderRow> {
        self.page.rows.get(*self.arrangement.places().get(index)?)
    }

    /// The row of `id`, if it is in the window.
    #[must_use]
    pub fn row_of(&self, id: &OrderId) -> Option<&OrderRow> {
        self.page.rows.iter().find(|row| row.order.order_id == *id)
    }

    /// Keeps the selection on the order where it is now, also when it is the newest.
    pub fn hold(&mut self) {
        if self.selected.is_none() {
            self.selected = self.row_at(0).map(cursor_of);
        }
    }

    /// Follows the newest order again if that is the selected one.
    pub fn release(&mut self) {
        if self.start == Start::Newest && self.sort().is_none() && self.selected_index() == Some(0) {
            self.selected = None;
        }
    }

    /// Shows other orders, from the newest on.
    pub fn show(&mut self, filter: OrderFilter, typed: &str) {
        *self = Self {
            filter,
            typed: typed.to_owned(),
            arrangement: self.arrangement.emptied(),
            ..Self::default()
        };
    }

    /// By what the window is sorted; newest first if absent.
    #[must_use]
    pub const fn sort(&self) -> Option<Sort<OrderColumn>> {
        self.arrangement.sort()
    }

    /// Sorts the window, of which `shown` rows fit on the screen, in another way.
    pub fn resort(&mut self, wish: Resort, names: Names<'_>, shown: usize) {
        self.arrangement.resort(wish);
        self.selected = None;
        self.offset = 0;
        self.arrange(names);
        if self.start != Start::Newest {
            self.hold();
        }
        self.keep_in_sight(shown);
    }

    /// Sorts the window by what items are called now.
    pub fn arrange(&mut self, names: Names<'_>) {
        let compare =
            |column: OrderColumn, one: &OrderRow, other: &OrderRow| column.compare(one, other, names);
        self.arrangement.arrange(&self.page.rows, compare);
    }

    /// Takes nothing from the view any more, or does again.
    pub fn toggle_freeze(&mut self, now: Timestamp) {
        self.frozen_at = if self.frozen_at.is_none() { Some(now) } else { None };
    }

    /// Goes to the newest order and follows; in a sorted window to the first row.
    pub fn to_newest(&mut self) {
        self.frozen_at = None;
        self.selected = None;
        self.offset = 0;
        if self.start != Start::Newest {
            self.start = Start::Newest;
            self.is_read = false;
        }
    }

    /// Goes to the oldest order of all; in a sorted or frozen window to the last row.
    pub fn to_oldest(&mut self, shown: usize) {
        let stays = self.sort().is_some() || self.frozen_at.is_some();
        if !stays && self.page.next.is_some() {
            (self.start, self.is_read, self.selects_last) = (Start::Oldest, false, true);
            return;
        }
        self.move_by(isize::MAX, shown);
    }

    /// Lets a filter without an index look at the next orders. Returns false if there are none.
    pub fn scan_on(&mut self) -> bool {
        let Some(next) = self.page.next.clone() else { return false };
        self.frozen_at = None;
        self.start_at(Start::After(next));
        self.selected = None;
        self.offset = 0;
        true
    }

    fn start_at(&mut self, start: Start) {
        self.start = start;
        self.is_read = false;
    }

    fn slide_down(&mut self, selected: usize) {
        if self.page.next.is_none() || !self.is_read {
            return;
        }
        match selected.checked_sub(KEPT).and_then(|first| self.page.rows.get(first)) {
            Some(first) => self.start_at(Start::After(cursor_of(first))),
            // A scan that found few rows: the window cannot be moved by rows, only the scan can go on.
            None if selected + 1 == self.page.rows.len() => {
                self.scan_on();
            }
            None => {}
        }
    }

    fn slide_up(&mut self, selected: usize) {
        if self.start == Start::Newest {
            if selected == 0 {
                self.selected = None;
            }
            return;
        }
        if !self.is_read {
            return;
        }
        let last = (selected + KEPT).min(self.page.rows.len().saturating_sub(1));
        if let Some(last) = self.page.rows.get(last) {
            self.start_at(Start::Before(just_below(&cursor_of(last))));
        }
    }

    /// Takes what the view says of this window, unless it is frozen. The selected row stays on its line of the
    /// screen, of which there are `shown`.
    pub fn read(&mut self, mut page: OrderPage, names: Names<'_>, shown: usize) {
        if self.frozen_at.is_some() && self.is_read {
            return;
        }
        if !self.settle(&mut page) {
            return;
        }
        let old = self.selected_index().unwrap_or(0);
        let line = old.saturating_sub(self.offset);
        if std::mem::take(&mut self.selects_last) {
            self.selected = page.rows.last().map(cursor_of);
        }
        if let Some(selected) = self.selected.clone()
            && !page.rows.iter().any(|row| row.order.order_id == selected.order_id)
        {
            let is_below =
                page.next.is_some() && page.rows.last().is_some_and(|row| cursor_of(row) > selected);
            if is_below && self.sort().is_none() {
                // So many have arrived above that the window must be held where the selection is.
                self.start_at(Start::After(just_above(&selected)));
                return;
            }
            // The order does not match any more, and its neighbour takes its place.
            let last = page.rows.len().saturating_sub(1);
            self.selected = page.rows.get(old.min(last)).map(cursor_of);
        }
        self.page = page;
        self.is_read = true;
        self.arrange(names);
        if self.start != Start::Newest {
            self.hold();
        }
        self.offset = self.selected_index().unwrap_or(0).saturating_sub(line);
        self.keep_in_sight(shown);
    }

    /// A window that was read from its lower end is from now on one with a beginning, which stays where it is
    /// while orders arrive. Whether there is a window: a scan that found nothing goes on upwards.
    fn settle(&mut self, page: &mut OrderPage) -> bool {
        let is_last = match self.start {
            Start::Newest | Start::After(_) => return true,
            Start::Before(_) => false,
            Start::Oldest => true,
        };
        self.start = match (page.rows.first(), page.next.take()) {
            (_, None) => Start::Newest,
            (Some(first), Some(_)) => Start::After(just_above(&cursor_of(first))),
            (None, Some(next)) => {
                self.start_at(Start::Before(next));
                return false;
            }
        };
        page.next = page.rows.last().filter(|_| !is_last).map(cursor_of);
        true
    }
}

impl Table for Orders {
    fn row_count(&self) -> usize {
        self.arrangement.places().len()
    }

    fn selected_index(&self) -> Option<usize> {
        let Some(selected) = &self.selected else {
            return (!self.arrangement.places().is_empty()).then_some(0);
        };
        self.rows().position(|row| row.order.order_id == selected.order_id)
    }

    fn select(&mut self, index: usize) {
        if let Some(row) = self.row_at(index) {
            self.selected = Some(cursor_of(row));
        }
    }

    fn offset_mut(&mut self) -> &mut usize {
        &mut self.offset
    }

    fn moved(&mut self, by: isize, to: usize, shown: usize) {
        if self.sort().is_some() || self.frozen_at.is_some() {
            return;
        }
        if by > 0 && to + shown >= self.row_count() {
            self.slide_down(to);
        } else if by < 0 && to < shown {
            self.slide_up(to);
        }
    }
}

#[cfg(test)]
mod tests;
