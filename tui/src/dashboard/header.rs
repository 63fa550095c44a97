//! The first lines: tabs, connection, breaker, how many orders there are and wait; and what must not be overlooked.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use skstore_domain::objects::OrderStatus;

use super::canvas::Canvas;
use super::ink::{Ink, joined};
use super::keys::Action;
use super::shown::Spot;
use super::state::{BusLost, Connection, State};
use super::tab::Tab;
use crate::text::faults::all_fault_words;
use crate::text::numbers::grouped;
use crate::text::{Text, fit, times};

/// Least columns of where the data is that are worth showing.
const MIN_DATA: usize = 12;
/// From this many columns on the connection is said in a word; a lost one is a banner anyway.
const WORDS_FROM: usize = 100;

/// Draws them.
pub(super) fn draw(state: &State, ink: &Ink<'_>, canvas: &mut Canvas<'_>, area: Rect) {
    let columns = usize::from(area.width);
    let lines = [first_line(state, ink, canvas, area), counts_line(state, ink, columns)];
    canvas.paint(area, &lines);
}

/// How much the first line says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Saying {
    names: Names,
    /// Whether the breaker's state is preceded by its name.
    labels_breaker: bool,
}

/// How the tabs are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    Whole,
    Short,
    /// Only the tab that is shown has a name, a short one; the others have their numbers.
    OnlyShown,
}

impl Saying {
    /// From the most to the least.
    const ALL: [Self; 4] = [
        Self { names: Names::Whole, labels_breaker: true },
        Self { names: Names::Short, labels_breaker: true },
        Self { names: Names::Short, labels_breaker: false },
        Self { names: Names::OnlyShown, labels_breaker: true },
    ];

    /// As much as there is room for.
    fn of(state: &State, ink: &Ink<'_>) -> Self {
        let fits = |saying: &Self| {
            let tabs: usize = saying.tabs(state, ink).iter().map(|(_, text)| fit::width(text)).sum();
            tabs + width_of(&saying.right(state, ink)) <= usize::from(state.size.width)
        };
        Self::ALL.into_iter().find(fits).unwrap_or(Self::ALL[Self::ALL.len() - 1])
    }

    /// The tabs, each with what it reads and a blank or bracket on either side.
    fn tabs(self, state: &State, ink: &Ink<'_>) -> Vec<(Tab, String)> {
        let text = |tab: Tab| {
            let is_shown = tab == state.tab;
            let text = match self.names {
                Names::Whole => format!("{} {}", tab.number(), ink.text(tab.text())),
                Names::OnlyShown if !is_shown => tab.number().to_string(),
                Names::Short | Names::OnlyShown => format!("{} {}", tab.number(), ink.text(tab.short())),
            };
            if is_shown { format!("[{text}]") } else { format!(" {text} ") }
        };
        Tab::ALL.iter().map(|tab| (*tab, text(*tab))).collect()
    }

    /// Whether what is shown is live, and the breaker.
    fn right(self, state: &State, ink: &Ink<'_>) -> Vec<Span<'static>> {
        let mut right = vec![connection(state, ink), Span::raw("  ")];
        if self.labels_breaker {
            right.push(Span::styled(format!("{} ", ink.text(Text::BreakerTitle)), ink.theme.dim));
        }
        right.extend([breaker(state, ink), Span::raw(" ")]);
        right
    }
}

/// The tabs on the left; where the data is, whether it is live, and the breaker on the right, as far as they fit.
fn first_line(state: &State, ink: &Ink<'_>, canvas: &mut Canvas<'_>, area: Rect) -> Line<'static> {
    let columns = usize::from(area.width);
    let saying = Saying::of(state, ink);
    let mut spans: Vec<Span<'static>> = Vec::new();
    for (tab, text) in saying.tabs(state, ink) {
        let from = width_of(&spans);
        let style = if tab == state.tab { ink.theme.title } else { ink.theme.dim };
        spans.push(Span::styled(text, style));
        canvas.spot_on(area, from..width_of(&spans), Spot::Tab(tab));
    }
    let right = saying.right(state, ink);
    let room = columns.saturating_sub(width_of(&spans) + width_of(&right));
    let data_at = ink.short(&state.look.data_at, room.saturating_sub(4));
    let shown = if fit::width(&data_at) >= MIN_DATA { format!("{data_at}  ") } else { String::new() };
    let blanks = room.saturating_sub(fit::width(&shown));
    spans.push(Span::raw(" ".repeat(blanks)));
    spans.push(Span::styled(shown, ink.theme.dim));
    spans.extend(right);
    Line::from(spans)
}

fn width_of(spans: &[Span<'_>]) -> usize {
    spans.iter().map(|span| fit::width(&span.content)).sum()
}

/// Whether what is shown is what is and what is asked for arrives: a mark, and the word where there is room for it.
fn connection(state: &State, ink: &Ink<'_>) -> Span<'static> {
    let (mark, word, style) = match (&state.connection, &state.bus_lost) {
        (Connection::Lost { .. }, _) | (Connection::Starting | Connection::Live, Some(_)) => {
            (ink.glyphs.bad, Text::ConnectionLost, ink.theme.bad)
        }
        (Connection::Starting, None) => (ink.glyphs.dot, Text::ConnectionStarting, ink.theme.warn),
        (Connection::Live, None) => (ink.glyphs.ok, Text::ConnectionLive, ink.theme.ok),
    };
    let text = if usize::from(state.size.width) >= WORDS_FROM {
        format!("{mark} {}", ink.text(word))
    } else {
        mark.to_owned()
    };
    Span::styled(text, style)
}

/// The breaker's state in a word; with several order workers, how many are in the worst one.
fn breaker(state: &State, ink: &Ink<'_>) -> Span<'static> {
    let Some(worst) = state.worst_breaker() else {
        return Span::styled(ink.text(Text::BreakerUnknown), ink.theme.dim);
    };
    let all = state.breakers();
    let affected = all.iter().filter(|seen| seen.breaker.state == Some(worst)).count();
    let word = ink.word(&worst);
    let text = if affected == all.len() {
        word.to_owned()
    } else {
        ink.fill(Text::BreakersAffected, &[&word, &affected, &all.len()])
    };
    Span::styled(text, ink.theme.breaker(worst))
}

/// How many orders wait for long and that load is put on, which must not be pushed out by the others, and how many there are
/// of each status: all of them, with as many words as there is room for.
fn counts_line(state: &State, ink: &Ink<'_>, columns: usize) -> Line<'static> {
    let urgent = urgent(state, ink);
    let room = columns.saturating_sub(1);
    let counted = [true, false].map(|has_words| counted(state, ink, has_words));
    let total: u64 = state.counts.orders.iter().sum();
    let total = vec![
        Span::styled(format!("{} ", ink.text(Text::Total)), ink.theme.dim),
        Span::styled(grouped(total), ink.theme.strong),
    ];
    let all_of = |counted: &[Vec<Span<'static>>]| [urgent.as_slice(), counted].concat();
    let fits = |counted: &&Vec<Vec<Span<'static>>>| {
        let parts = all_of(counted);
        let gaps = 2 * parts.len().saturating_sub(1);
        parts.iter().map(|part| width_of(part)).sum::<usize>() + gaps <= room
    };
    let mut parts = all_of(counted.iter().find(fits).unwrap_or(&counted[1]));
    parts.push(total);
    let mut spans = vec![Span::raw(" ")];
    spans.extend(joined(parts, room));
    Line::from(spans)
}

/// What must not be pushed out of the second line.
fn urgent(state: &State, ink: &Ink<'_>) -> Vec<Vec<Span<'static>>> {
    let mut parts = Vec::new();
    let waiting = state.waiting_long();
    if waiting > 0 {
        let text = ink.fill(Text::WaitingLong, &[&grouped(waiting)]);
        parts.push(vec![Span::styled(format!("{} {text}", ink.glyphs.bad), ink.theme.warn)]);
    }
    if state.load.is_active() {
        let text = match state.load.rate() {
            Some(rate) => ink.fill(Text::LoadInHeader, &[&rate]),
            None => ink.text(Text::LoadFastestInHeader).to_owned(),
        };
        parts.push(vec![Span::styled(text, ink.theme.warn)]);
    }
    parts
}

/// How many orders there are of each status: by its sign, and its word where it `has_words`.
fn counted(state: &State, ink: &Ink<'_>, has_words: bool) -> Vec<Vec<Span<'static>>> {
    let counts = OrderStatus::ALL.iter().zip(state.counts.orders);
    let part = |(status, count): (&OrderStatus, u64)| {
        let style = if count == 0 { ink.theme.dim } else { ink.theme.status(*status) };
        let sign = ink.glyphs.status(*status);
        let named = if has_words { format!("{sign} {} ", ink.word(status)) } else { format!("{sign} ") };
        vec![Span::styled(named, style), Span::styled(grouped(count), ink.theme.strong)]
    };
    counts.map(part).collect()
}

/// What must not be overlooked, a line for each part that is not as it should be.
pub(super) fn draw_banner(state: &State, ink: &Ink<'_>, canvas: &mut Canvas<'_>, area: Rect) {
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
    let line = |text: &String, style| Line::styled(ink.left(&format!(" {text}"), width), style);
    let mut lines: Vec<Line<'_>> = texts.iter().map(|text| line(text, ink.theme.banner)).collect();
    let faults = all_fault_words(ink.language, state.faulty(), state.now);
    if !faults.is_empty() {
        let key = ink.key(state.base_scope(), Action::Faults);
        lines.push(line(&ink.fill(Text::BannerFaults, &[&faults.join("; "), &key]), ink.theme.warn));
    }
    canvas.paint(area, &lines);
}
