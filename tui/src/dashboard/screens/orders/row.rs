//! The parts of an order's row, as they stand in the table and beside others.

use skstore_domain::money::Won;
use skstore_domain::myinfo::OrderRow;
use skstore_domain::objects::Order;

use crate::dashboard::ink::Ink;
use crate::dashboard::state::State;
use crate::text::{fit, times};

/// Columns of a time, and of a date and time.
pub(super) const TIME: usize = 8;
/// Columns of an amount up to 99,999,999 won.
pub(crate) const AMOUNT: usize = 10;

/// An amount that would not fit, in millions of won: its last digits must not be cut off unseen.
pub(crate) fn amount(amount: Won) -> String {
    let text = amount.to_string();
    if fit::width(&text) <= AMOUNT { text } else { format!("{}M", Won(amount.0 / 1_000_000)) }
}

/// The clock time of today's orders, the day of older ones.
pub(super) fn time(state: &State, ink: &Ink<'_>, row: &OrderRow) -> String {
    let (at, zone) = (row.order.placed_at, ink.zone);
    let is_today = times::day(at, zone) == times::day(state.now, zone);
    let text = if is_today { times::clock(at, zone) } else { times::day(at, zone) };
    ink.left(&text, TIME)
}

/// The item's name and its quantity, of which the quantity is never cut.
pub(super) fn item(state: &State, ink: &Ink<'_>, order: &Order, columns: usize) -> String {
    let qty = format!(" {} {}", ink.glyphs.times, order.qty);
    let room = columns.saturating_sub(fit::width(&qty));
    ink.left(&format!("{}{qty}", ink.short(state.names().of_order(order), room)), columns)
}
