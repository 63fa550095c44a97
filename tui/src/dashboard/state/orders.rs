//! The table of orders: a window over the view, moved by cursors and never by counting, so that it costs the
//! same with ten orders and with ten million.

use std::time::Duration;

use skstore_domain::ids::OrderId;
use skstore_domain::myinfo::OrderRow;
use skstore_workers::view::{Counts, Cursor, OrderFilter, OrderPage};

/// Orders in the window: a few screens of the tallest terminal, so that scrolling rarely has to wait.
pub const WINDOW_ROWS: usize = 300;
/// Rows of the old window that stay above the selection when it moves down.
const KEPT_ABOVE: usize = 100;
/// Window beginnings remembered for the way back up. Older ones are forgotten, and the way up then leads to
/// the newest orders at once.
const BACK_WINDOWS: usize = 10_000;

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
    /// The window starts after this one; with the newest if absent.
    pub after: Option<Cursor>,
    /// Where the windows above this one start, the nearest last.
    back: Vec<Option<Cursor>>,
    /// The rows of the window.
    pub page: OrderPage,
    /// Whether the rows are those of this filter and window.
    pub is_read: bool,
    /// The selected order; the newest if absent.
    selected: Option<Cursor>,
    /// Rows above the first one that is shown.
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

impl Orders {
    /// Whether the newest order is always the selected one.
    #[must_use]
    pub fn follows(&self) -> bool {
        self.selected.is_none() && self.after.is_none()
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

    /// The selected row's place in the window.
    #[must_use]
    pub fn selected_index(&self) -> Option<usize> {
        let Some(selected) = &self.selected else { return (!self.page.rows.is_empty()).then_some(0) };
        self.page.rows.iter().position(|row| row.order.order_id == selected.order_id)
    }

    /// The selected row.
    #[must_use]
    pub fn selected_row(&self) -> Option<&OrderRow> {
        self.page.rows.get(self.selected_index()?)
    }

    /// The row of `id`, if it is in the window.
    #[must_use]
    pub fn row_of(&self, id: &OrderId) -> Option<&OrderRow> {
        self.page.rows.iter().find(|row| row.order.order_id == *id)
    }

    /// Keeps the selection on the order where it is now, also when it is the newest.
    pub fn hold(&mut self) {
        if self.selected.is_none() {
            self.selected = self.page.rows.first().map(cursor_of);
        }
    }

    /// Follows the newest order again if that is the selected one.
    pub fn release(&mut self) {
        if self.after.is_none() && self.selected_index() == Some(0) {
            self.selected = None;
        }
    }

    /// Shows other orders, from the newest on.
    pub fn show(&mut self, filter: OrderFilter, typed: &str) {
        *self = Self { filter, typed: typed.to_owned(), ..Self::default() };
    }

    /// Goes to the newest order and follows.
    pub fn to_newest(&mut self) {
        self.back.clear();
        self.selected = None;
        self.offset = 0;
        if self.after.take().is_some() {
            self.is_read = false;
        }
    }

    /// Moves the selection by `by` rows, of which `shown` fit on the screen, and the window with it.
    pub fn move_by(&mut self, by: isize, shown: usize) {
        let Some(last) = self.page.rows.len().checked_sub(1) else { return };
        let from = self.selected_index().unwrap_or(0);
        let to = from.saturating_add_signed(by).min(last);
        self.selected = self.page.rows.get(to).map(cursor_of);
        self.keep_in_sight(shown);
        if by > 0 && to + shown > last {
            self.slide_down(to);
        } else if by < 0 && to < shown {
            self.slide_up(to == 0);
        }
    }

    /// Scrolls as little as needed to show the selection.
    pub fn keep_in_sight(&mut self, shown: usize) {
        let at = self.selected_index().unwrap_or(0);
        let most = self.page.rows.len().saturating_sub(shown);
        let least = (at + 1).saturating_sub(shown);
        self.offset = self.offset.min(most).clamp(least.min(at), at);
    }

    /// Lets a filter without an index look at the next orders. Returns false if there are none.
    pub fn scan_on(&mut self) -> bool {
        let Some(next) = self.page.next.clone() else { return false };
        self.start_after(next);
        self.selected = None;
        self.offset = 0;
        true
    }

    fn start_after(&mut self, after: Cursor) {
        if self.back.len() >= BACK_WINDOWS {
            self.back.remove(0);
        }
        self.back.push(self.after.replace(after));
        self.is_read = false;
    }

    fn slide_down(&mut self, selected: usize) {
        if self.page.next.is_none() || !self.is_read {
            return;
        }
        match selected.checked_sub(KEPT_ABOVE).and_then(|first| self.page.rows.get(first)) {
            Some(first) => self.start_after(cursor_of(first)),
            // A scan that found few rows: the window cannot be moved by rows, only the scan can go on.
            None if selected + 1 == self.page.rows.len() => {
                self.scan_on();
            }
            None => {}
        }
    }

    fn slide_up(&mut self, at_the_top: bool) {
        if self.after.is_none() || !self.is_read {
            if at_the_top {
                self.selected = None;
            }
            return;
        }
        self.after = self.back.pop().flatten();
        self.is_read = false;
    }

    /// Takes what the view says of this window. The selected row stays on its line of the screen, of which there
    /// are `shown`.
    pub fn read(&mut self, page: OrderPage, shown: usize) {
        let old = self.selected_index().unwrap_or(0);
        let line = old.saturating_sub(self.offset);
        let goes_up = !self.is_read && self.after.is_none();
        if let Some(selected) = self.selected.clone()
            && !page.rows.iter().any(|row| row.order.order_id == selected.order_id)
        {
            let is_below =
                page.next.is_some() && page.rows.last().is_some_and(|row| cursor_of(row) > selected);
            if is_below && !goes_up {
                // So many have arrived above that the window must be held where the selection is.
                self.start_after(just_above(&selected));
                return;
            }
            // On the way up everything between this window and the newest is passed over at once. Otherwise the
            // order does not match any more, and its neighbour takes its place.
            let last = page.rows.len().saturating_sub(1);
            let neighbour = page.rows.get(old.min(last)).map(cursor_of);
            self.selected = if is_below { None } else { neighbour };
        }
        self.page = page;
        self.is_read = true;
        if self.after.is_some() {
            self.hold();
        }
        self.offset = self.selected_index().unwrap_or(0).saturating_sub(line);
        self.keep_in_sight(shown);
    }
}

#[cfg(test)]
mod tests {
    use skstore_domain::ids::{Customer, ItemId};
    use skstore_domain::money::Won;
    use skstore_domain::objects::{DeliveryStatus, Order, OrderStatus, PaymentStatus};
    use skstore_domain::time::Timestamp;

    use super::*;

    const SHOWN: usize = 10;

    fn row(number: i64) -> OrderRow {
        let order = Order {
            order_id: OrderId::new(&format!("o{number:07}")).unwrap(),
            customer: Customer::new("kim").unwrap(),
            item_id: ItemId::new("10").unwrap(),
            item_name: "사과".into(),
            qty: 1,
            unit_price: Won(1),
            amount: Won(1),
            status: OrderStatus::Placed,
            reason: None,
            cancel_requested: false,
            payment: PaymentStatus::Paid,
            delivery: DeliveryStatus::None,
            placed_at: Timestamp(number),
            updated_at: Timestamp(number),
            revision: 1,
        };
        OrderRow { order, payment: None }
    }

    /// A view of orders `0..newest`, read the way the real one is.
    fn read(orders: &mut Orders, newest: i64) {
        let mut rows = (0..newest)
            .rev()
            .map(row)
            .filter(|row| orders.after.as_ref().is_none_or(|after| cursor_of(row) < *after));
        let page: Vec<OrderRow> = rows.by_ref().take(WINDOW_ROWS).collect();
        let next = rows.next().and(page.last()).map(cursor_of);
        orders.read(OrderPage { rows: page, next, scanned: None }, SHOWN);
    }

    fn selected(orders: &Orders) -> i64 {
        orders.selected_row().map_or(-1, |row| row.order.placed_at.0)
    }

    #[test]
    fn at_the_top_the_newest_order_is_followed() {
        let mut orders = Orders::default();
        read(&mut orders, 50);
        assert_eq!((selected(&orders), orders.follows()), (49, true));
        read(&mut orders, 60);
        assert_eq!((selected(&orders), orders.offset), (59, 0));
    }

    #[test]
    fn a_selection_stays_on_its_order_and_on_its_line() {
        let mut orders = Orders::default();
        read(&mut orders, 50);
        orders.move_by(3, SHOWN);
        for newest in [51, 60, 200, 10_000] {
            read(&mut orders, newest);
            if !orders.is_read {
                read(&mut orders, newest);
            }
            assert_eq!(selected(&orders), 46, "with {newest} orders");
            let line = orders.selected_index().unwrap() - orders.offset;
            assert!(line == 3 || orders.after.is_some(), "line {line} with {newest} orders");
        }
        assert!(orders.after.is_some(), "the window is held where the selection is");
    }

    #[test]
    fn moving_down_reaches_the_oldest_order_and_up_the_newest_one_by_one() {
        const NEWEST: i64 = 2000;
        let mut orders = Orders::default();
        read(&mut orders, NEWEST);
        for expected in (0..NEWEST - 1).rev() {
            orders.move_by(1, SHOWN);
            if !orders.is_read {
                read(&mut orders, NEWEST);
            }
            assert_eq!(selected(&orders), expected);
            let line = orders.selected_index().unwrap() - orders.offset;
            assert!(line < SHOWN, "order {expected} is off the screen");
        }
        for expected in 1..NEWEST {
            orders.move_by(-1, SHOWN);
            if !orders.is_read {
                read(&mut orders, NEWEST);
            }
            assert_eq!(selected(&orders), expected);
        }
        assert!(orders.follows(), "at the top the newest order is followed again");
    }

    #[test]
    fn pages_do_not_jump_over_orders() {
        let mut orders = Orders::default();
        read(&mut orders, 5000);
        let mut expected = 4999;
        while expected >= 10 {
            orders.move_by(10, SHOWN);
            if !orders.is_read {
                read(&mut orders, 5000);
            }
            expected -= 10;
            assert_eq!(selected(&orders), expected);
        }
    }

    #[test]
    fn an_order_that_no_longer_matches_leaves_the_selection_to_its_neighbour() {
        let mut orders = Orders::default();
        read(&mut orders, 10);
        orders.move_by(4, SHOWN);
        let rows: Vec<OrderRow> = (0..10).rev().filter(|number| *number != 5).map(row).collect();
        orders.read(OrderPage { rows, next: None, scanned: None }, SHOWN);
        assert_eq!(selected(&orders), 4);
        orders.read(OrderPage::default(), SHOWN);
        assert_eq!(selected(&orders), -1, "nothing left, nothing selected");
    }

    #[test]
    fn a_scan_goes_on_where_it_stopped() {
        let mut orders = Orders::default();
        let next = Some(cursor_of(&row(77)));
        orders.read(OrderPage { rows: vec![], next: next.clone(), scanned: Some(10_000) }, SHOWN);
        assert!(orders.scan_on());
        assert_eq!(orders.after, next);
        orders.read(OrderPage { rows: vec![row(3)], next: None, scanned: Some(70) }, SHOWN);
        assert!(!orders.scan_on(), "there is nothing further");
    }
}
