//! The table of orders. Only rows on the screen are looked at.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use skstore_domain::money::Won;
use skstore_domain::myinfo::OrderRow;
use skstore_domain::objects::{Order, OrderStatus, PaymentStatus};

use super::header::grouped;
use super::heading::{self, Head};
use super::ink::{Ink, paint};
use crate::dashboard::keys::{Action, Scope};
use crate::dashboard::state::columns::payment_of;
use crate::dashboard::state::{Connection, State};
use crate::text::fit::Side;
use crate::text::words::Worded;
use crate::text::{Text, fit, times};

/// Columns of a time, and of a date and time.
const TIME: usize = 8;
/// Columns of an amount up to 99,999,999 won.
const AMOUNT: usize = 10;
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
    time: usize,
    customer: usize,
    item: usize,
    amount: usize,
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
        Self { time: TIME, customer, item, amount: AMOUNT, status, payment, reason, age }
    }
}

/// The columns' names in a table of `width`.
pub(super) fn heads(ink: &Ink<'_>, width: usize) -> [Head; 8] {
    let columns = Columns::of(ink, width);
    let left = |name, width| Head { name, width, side: Side::Left };
    let right = |name, width| Head { name, width, side: Side::Right };
    [
        left(Text::ColumnTime, columns.time),
        left(Text::ColumnCustomer, columns.customer),
        left(Text::ColumnItem, columns.item),
        right(Text::ColumnAmount, columns.amount),
        left(Text::ColumnStatus, columns.status),
        left(Text::ColumnPayment, columns.payment),
        left(Text::ColumnReason, columns.reason),
        right(Text::ColumnAge, columns.age),
    ]
}

pub(super) fn draw(state: &State, ink: &Ink<'_>, frame: &mut Frame<'_>, area: Rect) {
    let width = usize::from(area.width);
    let columns = Columns::of(ink, width);
    let mut lines =
        vec![title(state, ink, width), heading::line(ink, &heads(ink, width), state.orders.sort())];
    let shown = usize::from(area.height).saturating_sub(lines.len());
    let selected = state.orders.selected_index();
    let rows = state.orders.rows().enumerate().skip(state.orders.offset).take(shown);
    lines.extend(rows.map(|(index, row)| line(state, ink, &columns, row, selected == Some(index))));
    if state.orders.page.rows.is_empty() {
        lines.push(Line::default());
        lines.extend(nothing(state, ink, width));
    }
    paint(frame, area, &lines);
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

fn line(state: &State, ink: &Ink<'_>, columns: &Columns, row: &OrderRow, is_selected: bool) -> Line<'static> {
    let order = &row.order;
    let marker = if is_selected { ink.glyphs.marker } else { " " };
    let payment = payment_of(row);
    let status = format!("{} {}", ink.glyphs.status(order.status), ink.word(&order.status));
    let age = times::age(ink.language, state.now.since(order.placed_at));
    let mut spans = vec![
        Span::styled(format!("{marker} "), ink.theme.key),
        Span::styled(time(state, ink, row), ink.theme.dim),
        Span::raw(" "),
        Span::raw(ink.left(order.customer.as_str(), columns.customer)),
        Span::raw(" "),
        Span::raw(item(state, ink, order, columns.item)),
        Span::raw(" "),
        Span::raw(ink.right(&amount(order.amount), columns.amount)),
        Span::raw(" "),
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
        spans.push(Span::styled(format!(" {}", ink.right(&age, columns.age)), ink.theme.dim));
    }
    let line = Line::from(spans);
    if is_selected { line.style(ink.theme.selected) } else { line }
}

/// An amount that would not fit, in millions of won: its last digits must not be cut off unseen.
pub(super) fn amount(amount: Won) -> String {
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

/// Why there are no rows, and what to do.
fn nothing(state: &State, ink: &Ink<'_>, width: usize) -> Vec<Line<'static>> {
    let key = |action| ink.key(Scope::Orders, action);
    let text = match (&state.connection, state.orders.is_read) {
        (Connection::Lost { .. }, false) => return Vec::new(),
        (_, false) => ink.text(Text::Reading).to_owned(),
        (_, true) if state.orders.typed.is_empty() => ink.fill(Text::NoOrders, &[&key(Action::NewOrder)]),
        (_, true) => match (state.orders.page.scanned, &state.orders.page.next) {
            (Some(scanned), Some(_)) => {
                let scanned = grouped(u64::try_from(scanned).unwrap_or(u64::MAX));
                ink.fill(Text::NoMatchYet, &[&scanned, &key(Action::ScanOn)])
            }
            _ => ink.fill(Text::NoMatch, &[&key(Action::Back)]),
        },
    };
    let lines = fit::wrap(&text, width.saturating_sub(4), 3, ink.glyphs.more);
    lines.into_iter().map(|line| Line::from(Span::styled(format!("  {line}"), ink.theme.dim))).collect()
}
