//! The events as they come, and what the selected one says.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use skstore_domain::events::{DepositKind, EventKind, ItemKind, OrderKind};
use skstore_domain::myinfo::FeedEntry;

use crate::dashboard::canvas::Canvas;
use crate::dashboard::ink::Ink;
use crate::dashboard::layout;
use crate::dashboard::screens::orders::detail;
use crate::dashboard::screens::orders::row::{AMOUNT, amount};
use crate::dashboard::state::State;
use crate::dashboard::table::movement::Table;
use crate::dashboard::table::rows;
use crate::text::numbers::grouped;
use crate::text::words::reason_word;
use crate::text::{Text, fit, times};

/// Columns of a time to the millisecond.
const TIME: usize = 12;
/// Columns of a customer.
const CUSTOMER: usize = 12;
/// Columns of what happened in the language that needs the most: `delivery cancelled`.
const WHAT: usize = 18;

struct Columns {
    service: usize,
    subject: usize,
}

/// Draws the table.
pub(super) fn table(state: &State, ink: &Ink<'_>, canvas: &mut Canvas<'_>, area: Rect) {
    let width = usize::from(area.width);
    let services = [Text::ServiceOrder, Text::ServiceDeposit, Text::ServiceItem, Text::ColumnService];
    let service = services.iter().map(|text| fit::width(ink.text(*text))).max().unwrap_or(0);
    let fixed = 2 + TIME + 1 + service + 1 + WHAT + 1 + CUSTOMER + 1 + AMOUNT + 1;
    let columns = Columns { service, subject: width.saturating_sub(fixed) };
    let heading = format!(
        "  {} {} {} {} {} {}",
        ink.left(ink.text(Text::ColumnTime), TIME),
        ink.left(ink.text(Text::ColumnService), columns.service),
        ink.left(ink.text(Text::ColumnWhat), WHAT),
        ink.left(ink.text(Text::ColumnCustomer), CUSTOMER),
        ink.right(ink.text(Text::ColumnAmount), AMOUNT),
        ink.left(ink.text(Text::ColumnSubject), columns.subject),
    );
    let events = &state.events;
    let [top, names, below] = layout::table(area);
    canvas.paint(top, &[title(state, ink, width)]);
    canvas.paint(names, &[Line::from(Span::styled(ink.short(&heading, width), ink.theme.dim))]);
    if events.rows().len() == 0 {
        let none = if events.typed.is_empty() { Text::NoEvents } else { Text::NothingMatches };
        rows::draw_none(state, ink, canvas, below, events.is_read, ink.text(none));
    } else {
        let place = (events.offset, events.selected_index());
        rows::draw(ink, canvas, below, events.rows(), place, |entry| cells(ink, entry, &columns));
    }
}

/// How what is typed into the filter is found.
pub(super) fn filter_cost(state: &State, ink: &Ink<'_>) -> String {
    ink.fill(Text::FilterLoaded, &[&grouped(state.events.entries.len() as u64)])
}

fn title(state: &State, ink: &Ink<'_>, width: usize) -> Line<'static> {
    let events = &state.events;
    let mut title = ink.text(Text::EventsTitle).to_owned();
    if !events.typed.is_empty() {
        title = format!("{title} {} {}", ink.glyphs.dot, ink.fill(Text::Filtered, &[&events.typed]));
    }
    let right = match events.frozen_at {
        Some(at) => ink.fill(Text::Frozen, &[&times::age(ink.language, state.now.since(at))]),
        None if events.follows() && events.rows().len() > 0 => {
            ink.fill(Text::FollowingEvents, &[&grouped(events.rows().len() as u64)])
        }
        None => String::new(),
    };
    ink.rule(&title, &right, width)
}

fn cells(ink: &Ink<'_>, entry: &FeedEntry, columns: &Columns) -> Vec<Span<'static>> {
    let customer = entry.customer.as_ref().map_or("", |customer| customer.as_str());
    let won = entry.amount.map_or_else(String::new, amount);
    let subject = match reason(ink, entry) {
        Some(reason) => format!("{} ({reason})", end(ink, &entry.subject)),
        None => end(ink, &entry.subject),
    };
    vec![
        Span::styled(times::precise(entry.at, ink.zone), ink.theme.dim),
        Span::styled(
            format!(" {} ", ink.left(ink.word(&entry.kind.source()), columns.service)),
            ink.theme.title,
        ),
        Span::styled(ink.left(ink.word(&entry.kind), WHAT), style(ink, entry.kind)),
        Span::raw(format!(" {} ", ink.left(customer, CUSTOMER))),
        Span::raw(ink.right(&won, AMOUNT)),
        Span::styled(format!(" {}", ink.left(&subject, columns.subject)), ink.theme.dim),
    ]
}

/// The end of a long id, by which ids of the same time differ.
fn end(ink: &Ink<'_>, subject: &str) -> String {
    /// Characters of it that are shown.
    const SHOWN: usize = 12;
    let start = subject.char_indices().rev().nth(SHOWN - 1).map_or(0, |(at, _)| at);
    if start == 0 { subject.to_owned() } else { format!("{}{}", ink.glyphs.more, &subject[start..]) }
}

fn reason<'a>(ink: &Ink<'_>, entry: &'a FeedEntry) -> Option<&'a str> {
    let word = entry.reason.as_deref()?;
    Some(reason_word(word).map_or(word, |text| ink.text(text)))
}

const fn style(ink: &Ink<'_>, kind: EventKind) -> Style {
    match kind {
        EventKind::Order(OrderKind::Paying | OrderKind::Placed | OrderKind::CancelRequested) => {
            ink.theme.warn
        }
        EventKind::Order(OrderKind::Delivering)
        | EventKind::Deposit(DepositKind::Paid)
        | EventKind::Item(ItemKind::DeliveryStarted) => ink.theme.ok,
        EventKind::Order(OrderKind::Rejected)
        | EventKind::Deposit(DepositKind::Declined)
        | EventKind::Item(ItemKind::SoldOut) => ink.theme.bad,
        EventKind::Order(OrderKind::Cancelled)
        | EventKind::Deposit(DepositKind::Refunded | DepositKind::Voided)
        | EventKind::Item(ItemKind::DeliveryCancelled) => ink.theme.quiet,
        EventKind::Order(OrderKind::Noted | OrderKind::Disowned)
        | EventKind::Deposit(DepositKind::ToppedUp)
        | EventKind::Item(ItemKind::Listed | ItemKind::Restocked) => ink.theme.text,
    }
}

/// All that the selected event says.
pub(super) fn fields(state: &State, ink: &Ink<'_>, width: usize) -> Vec<Line<'static>> {
    let Some(entry) = state.events.selected_row() else { return Vec::new() };
    let won = entry.amount.map_or_else(String::new, |amount| ink.fill(Text::WonAmount, &[&amount]));
    let customer = entry.customer.as_ref().map_or("", |customer| customer.as_str());
    let who = [customer, won.as_str()].iter().filter(|part| !part.is_empty()).copied().collect::<Vec<_>>();
    let what = format!("{} ({})", ink.word(&entry.kind), entry.kind.word());
    let rows = [
        (Text::ColumnWhat, what),
        (Text::ColumnSubject, entry.subject.clone()),
        (Text::ColumnTime, format!("{} {}", times::full(entry.at, ink.zone), ink.zone.label(entry.at))),
        (Text::FieldCustomer, who.join(", ")),
        (Text::ColumnReason, reason(ink, entry).unwrap_or("").to_owned()),
        (Text::ColumnId, entry.id.clone()),
    ];
    let rows = rows.into_iter().filter(|(_, value)| !value.is_empty());
    let rows = rows.map(|(text, value)| (text, value, ink.theme.text)).collect();
    let mut lines = vec![ink.rule(ink.text(Text::EventTitle), "", width)];
    lines.extend(detail::draw::fields(ink, rows, width));
    lines
}
