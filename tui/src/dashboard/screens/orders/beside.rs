//! The newest orders of the selected account or item, with the part of them that matters there.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use skstore_domain::myinfo::OrderRow;
use skstore_workers::desk::view::OrderPage;

use super::columns::payment_of;
use super::row::{self, AMOUNT};
use crate::dashboard::ink::Ink;
use crate::dashboard::state::State;
use crate::text::words::Worded;
use crate::text::{Text, fit};

/// Columns of a quantity up to 1,000.
const QTY: usize = 5;

/// What of an order is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// What it was for, how much, and where the payment stands.
    Payment,
    /// Who ordered how many, and where the delivery stands.
    Delivery,
}

/// A heading and a line for each order; `page` is absent until it was read.
pub(crate) fn lines(
    state: &State,
    ink: &Ink<'_>,
    width: usize,
    title: &str,
    page: Option<&OrderPage>,
    part: Part,
) -> Vec<Line<'static>> {
    let mut lines = vec![ink.rule(title, "", width)];
    match page {
        None => lines.push(dim(ink, Text::Reading)),
        Some(page) if page.rows.is_empty() => lines.push(dim(ink, Text::NoOrdersThere)),
        Some(page) => lines.extend(page.rows.iter().map(|row| line(state, ink, width, row, part))),
    }
    lines
}

fn dim(ink: &Ink<'_>, text: Text) -> Line<'static> {
    Line::from(Span::styled(format!(" {}", ink.text(text)), ink.theme.dim))
}

fn line(state: &State, ink: &Ink<'_>, width: usize, row: &OrderRow, part: Part) -> Line<'static> {
    let order = &row.order;
    let (number, columns, (word, style)) = match part {
        Part::Payment => (row::amount(order.amount), AMOUNT, payment(ink, row)),
        Part::Delivery => (order.qty.to_string(), QTY, delivery(ink, row)),
    };
    let time = row::time(state, ink, row);
    let rest = width.saturating_sub(1 + fit::width(&time) + 1 + 1 + columns + 2);
    let status = rest / 2;
    let what = match part {
        Part::Payment => row::item(state, ink, order, rest - status),
        Part::Delivery => ink.left(order.customer.as_str(), rest - status),
    };
    Line::from(vec![
        Span::styled(format!(" {time} "), ink.theme.dim),
        Span::raw(what),
        Span::raw(format!(" {}  ", ink.right(&number, columns))),
        Span::styled(ink.left(word, status), style),
    ])
}

/// Where the payment stands: why, where there is a reason, else its status.
fn payment(ink: &Ink<'_>, row: &OrderRow) -> (&'static str, Style) {
    let status = payment_of(row);
    let reason = row.payment.as_ref().and_then(|payment| payment.reason);
    (ink.text(reason.map_or_else(|| status.text(), |reason| reason.text())), ink.theme.payment(status))
}

/// Where the delivery stands. One that has not begun says where the order stands.
fn delivery(ink: &Ink<'_>, row: &OrderRow) -> (&'static str, Style) {
    use skstore_domain::objects::DeliveryStatus;
    let order = &row.order;
    match order.delivery {
        DeliveryStatus::None => (ink.word(&order.status), ink.theme.status(order.status)),
        DeliveryStatus::Started => (ink.word(&order.delivery), ink.theme.ok),
        DeliveryStatus::Cancelled => (ink.word(&order.delivery), ink.theme.quiet),
        DeliveryStatus::SoldOut => (ink.word(&order.delivery), ink.theme.bad),
    }
}
