//! One order, whole: its fields, what Order and Deposit answer now, and its timeline.

use std::fmt::Display;

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use skstore_domain::answers::PaymentAnswer;
use skstore_domain::objects::Order;

use super::state::{Asked, Detail, Said, as_it_was};
use crate::dashboard::canvas::Canvas;
use crate::dashboard::ink::Ink;
use crate::dashboard::shown::Spot;
use crate::dashboard::state::State;
use crate::dashboard::toasts::words;
use crate::text::numbers::grouped;
use crate::text::words::{reason_word, told_again_words};
use crate::text::{Text, fit, times};

/// From this many columns on fields and answers stand side by side.
const TWO_COLUMNS_FROM: usize = 76;
/// Lines of one object, word for word: more than the largest of ours takes on the narrowest screen.
const RAW_LINES: usize = 24;
/// Lines of a refusal or an error.
const ERROR_LINES: usize = 3;

/// Columns of how long a step came after the one before it.
const MIN_AFTER: usize = 7;

/// Draws it. Of a timeline that does not fit the newest steps are shown: scrolled down, what is above gives way to earlier ones.
pub(crate) fn draw(state: &State, detail: &Detail, ink: &Ink<'_>, canvas: &mut Canvas<'_>, area: Rect) {
    let width = usize::from(area.width);
    let mut lines = above(state, detail, ink, width);
    let order = state.detail_row(detail).filter(|_| !detail.is_raw);
    let steps = order.map_or_else(Vec::new, |_| timeline(ink, detail, width));
    let all = lines.len() + usize::from(order.is_some()) + steps.len();
    let scroll = detail.scrolled(all, usize::from(area.height));
    let earlier = scroll.left().min(steps.len());
    lines.extend(order.map(|order| timeline_title(ink, detail, order, earlier, width)));
    lines.drain(..scroll.at.min(lines.len()));
    lines.extend(steps.into_iter().skip(earlier));
    canvas.paint(area, &lines);
    canvas.shown.screen = Some(scroll);
    canvas.spot(area, Spot::Detail);
}

/// All lines above the timeline, as wide as `width`.
fn above(state: &State, detail: &Detail, ink: &Ink<'_>, width: usize) -> Vec<Line<'static>> {
    let mut lines = vec![
        ink.rule(ink.text(Text::DetailTitle), "", width),
        Line::from(Span::styled(format!(" {}", ink.short(detail.id.as_str(), width)), ink.theme.strong)),
    ];
    let Some(order) = state.detail_row(detail) else {
        let text = if detail.is_read { Text::DetailMissing } else { Text::Reading };
        lines.push(Line::from(Span::styled(format!(" {}", ink.text(text)), ink.theme.dim)));
        return lines;
    };
    if detail.is_raw {
        lines.extend(raw(ink, detail, width));
        return lines;
    }
    let then = detail.steps_then().map(|steps| as_it_was(order, steps));
    if let (Some(then), Some(step)) = (&then, detail.then) {
        let shown = ink.fill(
            Text::AsItWas,
            &[&times::precise(then.updated_at, ink.zone), &(step + 1), &detail.steps().len()],
        );
        lines.push(Line::from(Span::styled(format!(" {}", ink.short(&shown, width)), ink.theme.warn)));
    }
    let shown = then.as_ref().unwrap_or(order);
    if width >= TWO_COLUMNS_FROM {
        let left = width / 2;
        let fields = order_fields(state, ink, shown, left);
        let answers = answers(state, detail, order, ink, width - left);
        lines.extend(side_by_side(fields, answers, left));
    } else {
        lines.extend(order_fields(state, ink, shown, width));
        lines.extend(answers(state, detail, order, ink, width));
    }
    lines
}

/// Whose times they are, and how many earlier steps than those that are shown there are.
fn timeline_title(
    ink: &Ink<'_>,
    detail: &Detail,
    order: &Order,
    earlier: usize,
    width: usize,
) -> Line<'static> {
    let (first, last) = (detail.steps().first(), detail.steps().last());
    let whose = first.zip(last).map_or_else(
        || ink.zone.label(order.placed_at),
        |(first, last)| times::labels(ink.zone, first.at, last.at),
    );
    let right = if earlier > 0 { ink.fill(Text::TimelineEarlier, &[&earlier, &whose]) } else { whose };
    ink.rule(ink.text(Text::TimelineTitle), &right, width)
}

fn timeline(ink: &Ink<'_>, detail: &Detail, width: usize) -> Vec<Line<'static>> {
    let steps = detail.steps();
    if steps.is_empty() {
        return vec![Line::from(Span::styled(format!(" {}", ink.text(Text::NoTimeline)), ink.theme.dim))];
    }
    let after =
        steps.windows(2).map(|pair| format!("+{}", times::took(ink.language, pair[1].at.since(pair[0].at))));
    let after: Vec<String> = std::iter::once(String::new()).chain(after).collect();
    let columns = after.iter().map(|after| fit::width(after)).max().unwrap_or(0).max(MIN_AFTER);
    let lines = after.iter().enumerate();
    lines.map(|(at, after)| timeline_line(ink, detail, at, &ink.right(after, columns), width)).collect()
}

/// What the view has of it, word for word: the order, its payment, and what it keeps of each event.
fn raw(ink: &Ink<'_>, detail: &Detail, width: usize) -> Vec<Line<'static>> {
    let Some(found) = &detail.found else { return Vec::new() };
    let mut lines = Vec::new();
    let mut section = |title: Text, objects: Vec<String>| {
        lines.push(ink.rule(ink.text(title), "", width));
        for object in objects {
            let wrapped = fit::wrap(&object, width.saturating_sub(2), RAW_LINES, ink.glyphs.more);
            lines.extend(wrapped.into_iter().map(|line| Line::from(format!(" {line}"))));
        }
    };
    section(Text::RawOrder, vec![json(&found.row.order)]);
    section(Text::ColumnPayment, found.row.payment.iter().map(json).collect());
    section(Text::RawSteps, found.timeline.iter().map(json).collect());
    lines
}

/// With blanks between its fields, at which lines are broken.
fn json(object: &impl serde::Serialize) -> String {
    let lines = serde_json::to_string_pretty(object).unwrap_or_else(|error| error.to_string());
    lines.lines().map(str::trim_start).collect::<Vec<_>>().join(" ")
}

fn side_by_side(left: Vec<Line<'static>>, right: Vec<Line<'static>>, columns: usize) -> Vec<Line<'static>> {
    let rows = left.len().max(right.len());
    let (mut left, mut right) = (left.into_iter(), right.into_iter());
    (0..rows)
        .map(|_| {
            let mut line = left.next().unwrap_or_default();
            let blanks = columns.saturating_sub(line.width());
            line.push_span(Span::raw(" ".repeat(blanks)));
            line.spans.extend(right.next().unwrap_or_default().spans);
            line
        })
        .collect()
}

/// Label and value, the labels aligned.
pub(crate) fn fields(ink: &Ink<'_>, rows: Vec<(Text, String, Style)>, width: usize) -> Vec<Line<'static>> {
    let label = rows.iter().map(|(text, ..)| fit::width(ink.text(*text))).max().unwrap_or(0);
    rows.into_iter()
        .map(|(text, value, style)| {
            Line::from(vec![
                Span::styled(format!(" {}  ", ink.left(ink.text(text), label)), ink.theme.dim),
                Span::styled(ink.short(&value, width.saturating_sub(label + 3)), style),
            ])
        })
        .collect()
}

fn order_fields(state: &State, ink: &Ink<'_>, order: &Order, width: usize) -> Vec<Line<'static>> {
    let (theme, plain) = (&ink.theme, ink.theme.text);
    let time = |at| times::full(at, ink.zone);
    let won = |amount: &dyn Display| ink.fill(Text::WonAmount, &[amount]);
    let status = format!("{} {}", ink.glyphs.status(order.status), ink.word(&order.status));
    let reason = order.reason.map_or("-", |reason| ink.word(&reason));
    let cancel = if order.cancel_requested { Text::Yes } else { Text::No };
    let rows = vec![
        (Text::ColumnStatus, status, theme.status(order.status)),
        (Text::ColumnReason, reason.to_owned(), plain),
        (Text::FieldCancelRequested, ink.text(cancel).to_owned(), plain),
        (Text::FieldCustomer, order.customer.to_string(), plain),
        (Text::FieldItem, format!("{} ({})", state.names().of_order(order), order.item_id), plain),
        (Text::FieldQty, ink.fill(Text::Units, &[&grouped(u64::from(order.qty))]), plain),
        (Text::FieldUnitPrice, won(&order.unit_price), plain),
        (Text::FieldAmount, won(&order.amount), theme.strong),
        (Text::ColumnPayment, ink.word(&order.payment).to_owned(), theme.payment(order.payment)),
        (Text::FieldDelivery, ink.word(&order.delivery).to_owned(), plain),
        (Text::FieldPlacedAt, time(order.placed_at), plain),
        (Text::FieldUpdatedAt, time(order.updated_at), plain),
        (Text::FieldRevision, order.revision.to_string(), plain),
    ];
    fields(ink, rows, width)
}

/// What Deposit and Order themselves answer.
fn answers(state: &State, detail: &Detail, order: &Order, ink: &Ink<'_>, width: usize) -> Vec<Line<'static>> {
    let mut lines = vec![asked_title(state, ink, Text::DepositAnswers, &detail.payment, width)];
    lines.extend(said(ink, &detail.payment.said, width, |payment| payment_rows(ink, payment)));
    lines.push(asked_title(state, ink, Text::OrderAnswers, &detail.order, width));
    lines.extend(said(ink, &detail.order.said, width, |answered| order_rows(ink, answered, order)));
    lines
}

fn asked_title<T>(
    state: &State,
    ink: &Ink<'_>,
    title: Text,
    asked: &Asked<T>,
    width: usize,
) -> Line<'static> {
    let right = match (&asked.said, asked.is_asking) {
        (_, true) => ink.text(Text::Asking).to_owned(),
        (Said::NotYet, false) => String::new(),
        (Said::This(_) | Said::Refused(_) | Said::Failed(_), false) => {
            ink.fill(Text::AskedAgo, &[&times::age(ink.language, state.now.since(asked.at))])
        }
    };
    ink.rule(ink.text(title), &right, width)
}

fn said<T>(
    ink: &Ink<'_>,
    said: &Said<T>,
    width: usize,
    rows: impl Fn(&T) -> Vec<(Text, String, Style)>,
) -> Vec<Line<'static>> {
    let problem = match said {
        Said::This(object) => return fields(ink, rows(object), width),
        Said::NotYet => return vec![Line::default()],
        Said::Refused(error) => words::refusal(ink, error),
        Said::Failed(error) => words::failure(ink, error),
    };
    fit::wrap(&problem, width.saturating_sub(2), ERROR_LINES, ink.glyphs.more)
        .into_iter()
        .map(|line| Line::from(Span::styled(format!(" {line}"), ink.theme.bad)))
        .collect()
}

fn payment_rows(ink: &Ink<'_>, answer: &PaymentAnswer) -> Vec<(Text, String, Style)> {
    let (plain, status) = (ink.theme.text, answer.status());
    let status = (Text::ColumnPayment, ink.word(&status).to_owned(), ink.theme.payment(status));
    let PaymentAnswer::Known(payment) = answer else { return vec![status] };
    let reason = payment.reason.map_or("-", |reason| ink.word(&reason));
    vec![
        status,
        (Text::ColumnReason, reason.to_owned(), plain),
        (Text::FieldAmount, ink.fill(Text::WonAmount, &[&payment.amount]), plain),
        (Text::FieldUpdatedAt, times::full(payment.updated_at, ink.zone), plain),
        (Text::FieldRevision, payment.revision.to_string(), plain),
    ]
}

fn order_rows(ink: &Ink<'_>, answered: &Order, shown: &Order) -> Vec<(Text, String, Style)> {
    let plain = ink.theme.text;
    let status = format!("{} {}", ink.glyphs.status(answered.status), ink.word(&answered.status));
    let (compared, style) = if answered.revision > shown.revision {
        (Text::NewerThanShown, ink.theme.warn)
    } else {
        (Text::SameAsShown, ink.theme.dim)
    };
    vec![
        (Text::ColumnStatus, status, ink.theme.status(answered.status)),
        (Text::ColumnPayment, ink.word(&answered.payment).to_owned(), ink.theme.payment(answered.payment)),
        (Text::FieldDelivery, ink.word(&answered.delivery).to_owned(), plain),
        (Text::FieldRevision, format!("{} ({})", answered.revision, ink.text(compared)), style),
    ]
}

/// When, who, what, how long after the step before, and whether that had to be told again. What has not happened yet at the time that is shown is dim.
fn timeline_line(ink: &Ink<'_>, detail: &Detail, at: usize, after: &str, width: usize) -> Line<'static> {
    let Some(step) = detail.steps().get(at) else { return Line::default() };
    let reason = match step.reason.as_deref() {
        None => String::new(),
        Some(word) => format!(" ({})", reason_word(word).map_or(word, |text| ink.text(text))),
    };
    let what = format!("{}{reason}", ink.word(&step.kind));
    let (time, service) = (times::precise(step.at, ink.zone), ink.left(ink.word(&step.source), 7));
    let (marker, style) = match detail.then {
        Some(then) if at == then => (ink.glyphs.marker, ink.theme.strong),
        Some(then) if at > then => (" ", ink.theme.dim),
        Some(_) | None => (" ", ink.theme.text),
    };
    let (service_style, again_style) =
        if style == ink.theme.dim { (style, style) } else { (ink.theme.title, ink.theme.warn) };
    let room = width.saturating_sub(1 + 12 + 1 + fit::width(after) + 1 + 8);
    let what = ink.short(&what, room);
    let again = match step.told_again {
        0 => String::new(),
        times => format!(" {}", told_again_words(ink.language, times)),
    };
    let again = ink.short(&again, room.saturating_sub(fit::width(&what)));
    Line::from(vec![
        Span::styled(marker, ink.theme.key),
        Span::styled(format!("{time} "), ink.theme.dim),
        Span::styled(format!("{after} "), ink.theme.dim),
        Span::styled(format!("{service} "), service_style),
        Span::styled(what, style),
        Span::styled(again, again_style),
    ])
}
