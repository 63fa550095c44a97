//! The first lines: name, connection, breaker, how many orders; and what must not be overlooked.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use skstore_domain::objects::OrderStatus;

use super::ink::{Ink, joined, paint};
use crate::dashboard::state::{Connection, State};
use crate::text::{Text, fit, times};

pub(super) fn draw(state: &State, ink: &Ink<'_>, frame: &mut Frame<'_>, area: Rect) {
    let columns = usize::from(area.width);
    let lines = vec![first_line(state, ink, columns), counts_line(state, ink, columns)];
    paint(frame, area, &lines);
}

fn first_line(state: &State, ink: &Ink<'_>, columns: usize) -> Line<'static> {
    let breaker = breaker(state, ink);
    let right: usize = breaker.iter().map(|span| fit::width(&span.content)).sum();
    let (mark, word, style) = match &state.connection {
        Connection::Starting => (ink.glyphs.dot, Text::ConnectionStarting, ink.theme.warn),
        Connection::Live => (ink.glyphs.ok, Text::ConnectionLive, ink.theme.ok),
        Connection::Lost { .. } => (ink.glyphs.bad, Text::ConnectionLost, ink.theme.bad),
    };
    let mut spans = vec![
        Span::raw(" "),
        Span::styled(ink.text(Text::Program), ink.theme.strong),
        Span::raw("  "),
        Span::styled(format!("{mark} {}", ink.text(word)), style),
        Span::raw("  "),
    ];
    let taken: usize = spans.iter().map(|span| fit::width(&span.content)).sum();
    let room = columns.saturating_sub(taken + right + 1);
    spans.push(Span::styled(ink.left(&state.look.data_at, room), ink.theme.dim));
    spans.extend(breaker);
    spans.push(Span::raw(" "));
    Line::from(spans)
}

/// The breaker's state in a word; with several order workers, how many are in the worst one.
fn breaker(state: &State, ink: &Ink<'_>) -> Vec<Span<'static>> {
    let label = Span::styled(format!("  {} ", ink.text(Text::BreakerTitle)), ink.theme.dim);
    let Some(worst) = state.worst_breaker() else {
        return vec![label, Span::styled(ink.text(Text::BreakerUnknown), ink.theme.dim)];
    };
    let all = state.breakers();
    let affected = all.iter().filter(|seen| seen.breaker.state == Some(worst)).count();
    let word = ink.word(&worst);
    let text = if affected == all.len() {
        word.to_owned()
    } else {
        ink.fill(Text::BreakersAffected, &[&word, &affected, &all.len()])
    };
    vec![label, Span::styled(text, ink.theme.breaker(worst))]
}

fn counts_line(state: &State, ink: &Ink<'_>, columns: usize) -> Line<'static> {
    let mut parts: Vec<Vec<Span<'static>>> = Vec::new();
    for (status, count) in OrderStatus::ALL.iter().zip(state.counts.orders) {
        let style = if count == 0 { ink.theme.dim } else { ink.theme.status(*status) };
        parts.push(vec![
            Span::styled(format!("{} {} ", ink.glyphs.status(*status), ink.word(status)), style),
            Span::styled(grouped(count), ink.theme.strong),
        ]);
    }
    parts.push(vec![
        Span::styled(format!("{} ", ink.text(Text::Total)), ink.theme.dim),
        Span::styled(grouped(state.counts.orders.iter().sum()), ink.theme.strong),
    ]);
    let mut spans = vec![Span::raw(" ")];
    spans.extend(joined(parts, columns.saturating_sub(1)));
    Line::from(spans)
}

/// With a comma every three digits.
pub(super) fn grouped(count: u64) -> String {
    skstore_domain::money::Won(i64::try_from(count).unwrap_or(i64::MAX)).to_string()
}

/// In at most six columns, up to the largest that can be counted: `99,999`, then `123k`, `45M`.
pub(super) fn compact(count: u64) -> String {
    match count {
        0..100_000 => grouped(count),
        100_000..100_000_000 => format!("{}k", grouped(count / 1000)),
        _ => format!("{}M", grouped((count / 1_000_000).min(9_999))),
    }
}

/// What must not be overlooked: the worst of it.
pub(super) fn draw_banner(state: &State, ink: &Ink<'_>, frame: &mut Frame<'_>, area: Rect) {
    let text = match (&state.connection, &state.bus_lost, state.rebuilding()) {
        (Connection::Lost { cause, since, retry_at }, _, _) => {
            let age = times::age(ink.language, state.now.since(*since));
            let left = times::seconds_left(state.now, *retry_at);
            ink.fill(Text::BannerViewLost, &[cause, &age, &left])
        }
        (Connection::Starting | Connection::Live, Some(cause), _) => ink.fill(Text::BannerBusLost, &[cause]),
        (Connection::Starting | Connection::Live, None, Some(percent)) => {
            ink.fill(Text::BannerRebuilding, &[&percent])
        }
        (Connection::Starting | Connection::Live, None, None) => return,
    };
    let line = ink.left(&format!(" {text}"), usize::from(area.width));
    paint(frame, area, &[Line::styled(line, ink.theme.banner)]);
}
