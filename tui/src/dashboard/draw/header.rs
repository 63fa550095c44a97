//! The first lines: tabs, connection, breaker, how many orders; and what must not be overlooked.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use skstore_domain::objects::OrderStatus;

use super::ink::{Ink, joined, paint};
use crate::dashboard::state::{BusLost, Connection, State};
use crate::dashboard::tab::Tab;
use crate::text::{Text, fit, times};

/// Least columns of where the data is that are worth showing.
const DATA_AT_LEAST: usize = 12;
/// From this many columns on the connection is said in a word; a lost one is a banner anyway.
const WORDS_FROM: usize = 100;

pub(super) fn draw(state: &State, ink: &Ink<'_>, frame: &mut Frame<'_>, area: Rect) {
    let columns = usize::from(area.width);
    let lines = vec![first_line(state, ink, columns), counts_line(state, ink, columns)];
    paint(frame, area, &lines);
}

/// The tabs on the left; where the data is, whether it is live, and the breaker on the right, as far as they fit.
fn first_line(state: &State, ink: &Ink<'_>, columns: usize) -> Line<'static> {
    let mut spans: Vec<Span<'static>> =
        tabs(state, ink).into_iter().map(|(tab, text)| tab_span(state, ink, tab, text)).collect();
    let mut right = connection(state, ink);
    right.extend(breaker(state, ink));
    right.push(Span::raw(" "));
    let room = columns.saturating_sub(width_of(&spans) + width_of(&right));
    let data_at = ink.short(&state.look.data_at, room.saturating_sub(4));
    let shown = if fit::width(&data_at) >= DATA_AT_LEAST { data_at } else { String::new() };
    let blanks = room.saturating_sub(fit::width(&shown) + 2);
    spans.push(Span::raw(" ".repeat(blanks)));
    spans.push(Span::styled(format!("{shown}  "), ink.theme.dim));
    spans.extend(right);
    Line::from(spans)
}

fn width_of(spans: &[Span<'_>]) -> usize {
    spans.iter().map(|span| fit::width(&span.content)).sum()
}

/// The tabs, each with what it reads and a blank or bracket on either side. Where not all names fit, only that of
/// the tab that is shown.
fn tabs(state: &State, ink: &Ink<'_>) -> Vec<(Tab, String)> {
    let named = |tab: Tab| format!("{} {}", tab.number(), ink.text(tab.text()));
    let all: usize = Tab::ALL.iter().map(|tab| fit::width(&named(*tab)) + 2).sum();
    let right = width_of(&connection(state, ink)) + width_of(&breaker(state, ink)) + 1;
    let all_fit = all + right <= usize::from(state.size.width);
    let text = |tab: Tab| if all_fit || tab == state.tab { named(tab) } else { tab.number().to_string() };
    let marked =
        |tab: Tab| if tab == state.tab { format!("[{}]", text(tab)) } else { format!(" {} ", text(tab)) };
    Tab::ALL.iter().map(|tab| (*tab, marked(*tab))).collect()
}

fn tab_span(state: &State, ink: &Ink<'_>, tab: Tab, text: String) -> Span<'static> {
    Span::styled(text, if tab == state.tab { ink.theme.title } else { ink.theme.dim })
}

/// The tab at column `x` of the first line.
pub(super) fn tab_at(state: &State, ink: &Ink<'_>, x: usize) -> Option<Tab> {
    let mut end = 0;
    tabs(state, ink).into_iter().find_map(|(tab, text)| {
        end += fit::width(&text);
        (x < end).then_some(tab)
    })
}

/// Whether what is shown is what is: a mark, and the word where there is room for it.
fn connection(state: &State, ink: &Ink<'_>) -> Vec<Span<'static>> {
    let (mark, word, style) = match &state.connection {
        Connection::Starting => (ink.glyphs.dot, Text::ConnectionStarting, ink.theme.warn),
        Connection::Live => (ink.glyphs.ok, Text::ConnectionLive, ink.theme.ok),
        Connection::Lost { .. } => (ink.glyphs.bad, Text::ConnectionLost, ink.theme.bad),
    };
    let text = if usize::from(state.size.width) >= WORDS_FROM {
        format!("{mark} {}", ink.text(word))
    } else {
        mark.to_owned()
    };
    vec![Span::styled(text, style)]
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

/// What must not be overlooked, a line for each part that is not as it should be.
pub(super) fn draw_banner(state: &State, ink: &Ink<'_>, frame: &mut Frame<'_>, area: Rect) {
    let age = |since| times::age(ink.language, state.now.since(since));
    let left = |until| times::seconds_left(state.now, until);
    let mut texts = Vec::new();
    if let Some(BusLost { cause, since, retry_at }) = &state.bus_lost {
        texts.push(ink.fill(Text::BannerBusDown, &[cause, &age(*since), &left(*retry_at)]));
    }
    match (&state.connection, state.rebuilding(), state.stale_for()) {
        (Connection::Lost { cause, since, retry_at }, _, _) => {
            texts.push(ink.fill(Text::BannerViewLost, &[cause, &age(*since), &left(*retry_at)]));
        }
        (Connection::Starting | Connection::Live, _, Some(silence)) => {
            texts.push(ink.fill(Text::BannerStale, &[&times::age(ink.language, silence)]));
        }
        (Connection::Starting | Connection::Live, Some(percent), None) => {
            texts.push(ink.fill(Text::BannerRebuilding, &[&percent]));
        }
        (Connection::Starting | Connection::Live, None, None) => {}
    }
    let width = usize::from(area.width);
    let lines: Vec<Line<'_>> = texts
        .iter()
        .map(|text| Line::styled(ink.left(&format!(" {text}"), width), ink.theme.banner))
        .collect();
    paint(frame, area, &lines);
}
