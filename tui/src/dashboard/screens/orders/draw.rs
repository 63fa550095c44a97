//! How the orders look, and what stands beside them.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use skstore_domain::myinfo::OrderRow;
use skstore_domain::objects::{OrderStatus, PaymentStatus};
use skstore_workers::desk::view::SCAN_ORDERS;

use super::columns::payment_of;
use super::row::{self, AMOUNT, TIME};
use crate::dashboard::canvas::Canvas;
use crate::dashboard::ink::Ink;
use crate::dashboard::keys::{Action, Scope};
use crate::dashboard::layout::{self, Areas};
use crate::dashboard::screens::health::{breaker, services};
use crate::dashboard::state::State;
use crate::dashboard::table::heading::{self, Head};
use crate::dashboard::table::movement::Table;
use crate::dashboard::table::rows;
use crate::text::numbers::grouped;
use crate::text::words::Worded;
use crate::text::{Text, fit, times};

/// Columns of an age in the language that needs the most: `23시간`.
const AGE: usize = 6;
/// From this many columns on customers get more of them.
const ROOMY_FROM: usize = 96;
/// From this many columns on there is room for the age: it says what the time says.
const AGE_FROM: usize = 70;
/// From this many columns on there is room for the reason.
const REASON_FROM: usize = 92;
/// Columns of the reason in the language that needs the most: `payment unavailable`.
const REASON: usize = 19;

/// Widths of the columns, in the order in which they stand.
struct Columns {
    customer: usize,
    item: usize,
    status: usize,
    payment: usize,
    /// No columns where there is no room for it.
    reason: usize,
    /// Likewise.
    age: usize,
}

impl Columns {
    fn of(ink: &Ink<'_>, width: usize) -> Self {
        let widest = |texts: &mut dyn Iterator<Item = Text>| {
            texts.map(|text| fit::width(ink.text(text))).max().unwrap_or(0)
        };
        // A status has its glyph and a blank in front.
        let status = 2 + widest(&mut OrderStatus::ALL.iter().map(Worded::text));
        // A name that is sorted by has an arrow beside it.
        let payment = widest(&mut PaymentStatus::ALL.iter().map(Worded::text));
        let payment = payment.max(1 + fit::width(ink.text(Text::ColumnPayment)));
        let customer = match width {
            ROOMY_FROM.. => 16,
            AGE_FROM.. => 10,
            _ => 8,
        };
        let age = if width >= AGE_FROM { AGE } else { 0 };
        let reason = if width >= REASON_FROM { REASON } else { 0 };
        // The marker's two columns and a blank before each column but the first.
        let gaps = 2 + 5 + usize::from(reason > 0) + usize::from(age > 0);
        let fixed = TIME + customer + AMOUNT + status + payment + reason + age + gaps;
        let item = width.saturating_sub(fixed);
        Self { customer, item, status, payment, reason, age }
    }
}

/// The columns' names in a table of `width`.
fn heads(columns: &Columns) -> [Head; 8] {
    [
        Head::left(Text::ColumnTime, TIME),
        Head::left(Text::ColumnCustomer, columns.customer),
        Head::left(Text::ColumnItem, columns.item),
        Head::right(Text::ColumnAmount, AMOUNT),
        Head::left(Text::ColumnStatus, columns.status),
        Head::left(Text::ColumnPayment, columns.payment),
        Head::left(Text::ColumnReason, columns.reason),
        Head::right(Text::ColumnAge, columns.age),
    ]
}

/// Draws the table.
pub(super) fn table(state: &State, ink: &Ink<'_>, canvas: &mut Canvas<'_>, area: Rect) {
    let width = usize::from(area.width);
    let columns = Columns::of(ink, width);
    let [top, names, below] = layout::table(area);
    let orders = &state.orders;
    canvas.paint(top, &[title(state, ink, width)]);
    heading::draw(ink, canvas, names, &heads(&columns), orders.sort());
    if orders.page.rows.is_empty() {
        rows::draw_none(state, ink, canvas, below, orders.is_read, &nothing(state, ink));
    } else {
        let place = (orders.offset, orders.selected_index());
        rows::draw(ink, canvas, below, orders.rows(), place, |row| cells(state, ink, &columns, row));
    }
}

/// Draws the table, and services and breaker beside or below it where they are shown.
pub(super) fn table_and_panels(state: &State, ink: &Ink<'_>, canvas: &mut Canvas<'_>, areas: &Areas) {
    table(state, ink, canvas, areas.main);
    if let Some(side) = areas.side {
        let inner = ink.side_of(canvas, side);
        let width = usize::from(inner.width);
        let mut lines = services::lines(state, ink, width, true);
        lines.push(Line::default());
        lines.extend(breaker::lines(state, ink, width, true));
        canvas.paint(inner, &lines);
    }
    if let Some(bottom) = areas.bottom {
        let left = Rect { width: bottom.width * 23 / 40, ..bottom };
        let right = Rect { x: bottom.x + left.width, width: bottom.width - left.width, ..bottom };
        canvas.paint(left, &services::lines(state, ink, usize::from(left.width), false));
        let inner = ink.side_of(canvas, right);
        canvas.paint(inner, &breaker::lines(state, ink, usize::from(inner.width), false));
    }
}

/// Whether what the filter wants is found by an index, or by looking at orders one by one.
pub(super) fn filter_cost(state: &State, ink: &Ink<'_>) -> String {
    match state.orders.filter.text {
        Some(_) => ink.fill(Text::FilterScans, &[&grouped(SCAN_ORDERS as u64)]),
        None => ink.text(Text::FilterIndexed).to_owned(),
    }
}

fn title(state: &State, ink: &Ink<'_>, width: usize) -> Line<'static> {
    let mut title = ink.text(Text::OrdersTitle).to_owned();
    if !state.orders.typed.is_empty() {
        title = format!("{title} {} {}", ink.glyphs.dot, ink.fill(Text::Filtered, &[&state.orders.typed]));
    }
    if let Some(scanned) = state.orders.page.scanned {
        let scanned = grouped(u64::try_from(scanned).unwrap_or(u64::MAX));
        title = format!("{title} {} {}", ink.glyphs.dot, ink.fill(Text::Scanned, &[&scanned]));
    }
    ink.rule(&title, &standing(state, ink), width)
}

/// What the table does while orders arrive.
fn standing(state: &State, ink: &Ink<'_>) -> String {
    let orders = &state.orders;
    let new = orders.new_above(&state.counts).filter(|new| *new > 0).map(grouped);
    if let Some(frozen_at) = orders.frozen_at {
        let age = times::age(ink.language, state.now.since(frozen_at));
        return match new {
            Some(new) => ink.fill(Text::FrozenNew, &[&age, &new]),
            None => ink.fill(Text::Frozen, &[&age]),
        };
    }
    if orders.sort().is_some() {
        return ink.fill(Text::Sorted, &[&grouped(orders.page.rows.len() as u64)]);
    }
    if orders.follows() && !orders.page.rows.is_empty() {
        return ink.text(Text::Following).to_owned();
    }
    new.map_or_else(String::new, |new| ink.fill(Text::NewAbove, &[&new]))
}

fn cells(state: &State, ink: &Ink<'_>, columns: &Columns, row: &OrderRow) -> Vec<Span<'static>> {
    let order = &row.order;
    let payment = payment_of(row);
    let status = format!("{} {}", ink.glyphs.status(order.status), ink.word(&order.status));
    let mut spans = vec![
        Span::styled(row::time(state, ink, row), ink.theme.dim),
        Span::raw(format!(" {} ", ink.left(order.customer.as_str(), columns.customer))),
        Span::raw(row::item(state, ink, order, columns.item)),
        Span::raw(format!(" {} ", ink.right(&row::amount(order.amount), AMOUNT))),
        Span::styled(ink.left(&status, columns.status), ink.theme.status(order.status)),
        Span::raw(" "),
        Span::styled(ink.left(ink.word(&payment), columns.payment), ink.theme.payment(payment)),
    ];
    if columns.reason > 0 {
        let reason = match order.reason {
            Some(reason) => ink.word(&reason),
            None if order.cancel_requested => ink.text(Text::CancelRequested),
            None => "",
        };
        spans.push(Span::raw(format!(" {}", ink.left(reason, columns.reason))));
    }
    if columns.age > 0 {
        let age = times::age(ink.language, state.now.since(order.placed_at));
        spans.push(Span::styled(format!(" {}", ink.right(&age, columns.age)), ink.theme.dim));
    }
    spans
}

/// What to do where there are no orders.
fn nothing(state: &State, ink: &Ink<'_>) -> String {
    let key = |action| ink.key(Scope::Orders, action);
    let page = &state.orders.page;
    match (page.scanned, &page.next) {
        _ if state.orders.typed.is_empty() => ink.fill(Text::NoOrders, &[&key(Action::NewOrder)]),
        (Some(scanned), Some(_)) => {
            let scanned = grouped(u64::try_from(scanned).unwrap_or(u64::MAX));
            ink.fill(Text::NoMatchYet, &[&scanned, &key(Action::ScanOn)])
        }
        _ => ink.fill(Text::NoMatch, &[&key(Action::Back)]),
    }
}
