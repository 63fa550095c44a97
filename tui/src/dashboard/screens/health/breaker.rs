//! The breaker of each order worker: its state in a word, its window as bars, and when it tries again.

use ratatui::style::Style;
use ratatui::text::{Line, Span};
use skstore_domain::breaker::{BreakerMode, BreakerSnapshot, BreakerState};
use skstore_domain::signals::BreakerChanged;

use super::recording::words as recorded;
use super::services::instance_end;
use crate::dashboard::ink::{Ink, joined};
use crate::dashboard::state::{BreakerSeen, State};
use crate::text::breaker::{waits_for_words, why_words};
use crate::text::numbers::{compact, grouped};
use crate::text::{Text, fit, times};

/// Recent changes that are shown of each breaker.
const CHANGES_SHOWN: usize = 5;
/// Most lines of what it waits for: the longest sentence, in the narrowest panel.
const WAITS_LINES: usize = 3;
/// Most lines of why it changed: likewise.
const WHY_LINES: usize = 2;
/// Columns of a bar's number.
const NUMBER: usize = 6;
/// Columns of a bar's share and of the one at which the breaker trips: `100/50%`.
const SHARE: usize = 7;

/// Each breaker; with `whole` also its recent changes.
pub(crate) fn lines(state: &State, ink: &Ink<'_>, width: usize, whole: bool) -> Vec<Line<'static>> {
    let breakers = state.breakers();
    let mut lines: Vec<Line<'static>> =
        breakers.iter().flat_map(|seen| one(state, ink, width, whole, seen)).collect();
    if breakers.is_empty() {
        let unknown = format!(" {}", ink.text(Text::BreakerUnknown));
        lines.push(ink.rule(ink.text(Text::BreakerTitle), "", width));
        lines.push(Line::from(Span::styled(unknown, ink.theme.dim)));
    }
    // One whose worker is not heard of any more goes on until somebody ends it.
    let is_shown = |instance: &str| breakers.iter().any(|seen| seen.instance == instance);
    let lost = state.recording.running().filter(|running| !is_shown(&running.instance));
    lines.extend(lost.map(|running| recorded::line(state, ink, width, running)));
    lines
}

fn one(
    state: &State,
    ink: &Ink<'_>,
    width: usize,
    whole: bool,
    seen: &BreakerSeen<'_>,
) -> Vec<Line<'static>> {
    let breaker = seen.breaker;
    let mut lines = vec![ink.rule(ink.text(Text::BreakerTitle), instance_end(seen.instance), width)];
    lines.push(state_line(state, ink, width, seen));
    let recording = state.recording.running().filter(|running| running.instance == seen.instance);
    lines.extend(recording.map(|running| recorded::line(state, ink, width, running)));
    lines.extend(bars(ink, width, breaker));
    if whole {
        lines.push(in_flight(ink, breaker));
    }
    lines.extend(waits(state, ink, width, seen));
    if whole {
        let mut changes = state.changes_of(seen.instance).take(CHANGES_SHOWN).peekable();
        if changes.peek().is_some() {
            let title = format!(" {}", ink.text(Text::BreakerHistory));
            lines.push(Line::from(Span::styled(title, ink.theme.dim)));
        }
        lines.extend(changes.flat_map(|change| change_lines(ink, width, change)));
    }
    lines
}

/// The state, since when, and what comes next.
fn state_line(state: &State, ink: &Ink<'_>, width: usize, seen: &BreakerSeen<'_>) -> Line<'static> {
    let breaker = seen.breaker;
    let Some(word) = breaker.state else { return Line::default() };
    let since = state.now.since(seen.at) + std::time::Duration::from_millis(breaker.for_ms);
    let mut parts = vec![
        vec![Span::styled(format!(" {}", ink.word(&word)), ink.theme.breaker(word))],
        vec![Span::styled(ink.fill(Text::BreakerSince, &[&times::age(ink.language, since)]), ink.theme.dim)],
    ];
    if let Some(mode) = breaker.mode.filter(|mode| *mode != BreakerMode::Auto) {
        parts.push(vec![Span::styled(ink.word(&mode), ink.theme.warn)]);
    }
    let next = match (word, seen.probes_at()) {
        // Said below, and more exactly.
        _ if breaker.settings.is_some() => None,
        (BreakerState::Open, Some(at)) if at > state.now => {
            Some(ink.fill(Text::BreakerProbeIn, &[&times::seconds_left(state.now, at)]))
        }
        (BreakerState::Open, Some(_)) => Some(ink.text(Text::BreakerProbeNow).to_owned()),
        (BreakerState::HalfOpen, _) => Some(ink.fill(Text::BreakerProbes, &[&breaker.probes_ok])),
        (BreakerState::Open | BreakerState::Closed, _) => None,
    };
    parts.extend(next.map(|next| vec![Span::styled(next, ink.theme.strong)]));
    Line::from(joined(parts, width))
}

/// What one bar shows: so many of so many, and the share at which the breaker trips if it does.
struct Bar {
    text: Text,
    count: u32,
    max: u64,
    /// What is weighed against the threshold, and the threshold, in percent.
    share: Option<(u64, u32)>,
    style: Style,
}

/// The window's counts as bars, each of what it is a part of, with marks where the breaker trips.
fn bars(ink: &Ink<'_>, width: usize, breaker: &BreakerSnapshot) -> Vec<Line<'static>> {
    let window = breaker.window;
    let charges = u64::from(window.ok) + u64::from(window.failed);
    let percent = |part: u64| part * 100 / charges.max(1);
    let (failed, slow) = (u64::from(window.failed), u64::from(window.slow));
    let of = |text, count, style| Bar { text, count, max: charges, share: None, style };
    let bars = [
        of(Text::CountOk, window.ok, ink.theme.ok),
        Bar {
            share: Some((percent(failed), breaker.failed_percent)),
            ..of(Text::CountFailed, window.failed, ink.theme.bad)
        },
        // Failed charges weigh as slow ones too.
        Bar {
            share: Some((percent(slow + failed), breaker.slow_percent)),
            ..of(Text::CountSlow, window.slow, ink.theme.warn)
        },
        Bar {
            max: charges + u64::from(window.refused),
            ..of(Text::CountRefused, window.refused, ink.theme.quiet)
        },
    ];
    let label = bars.iter().map(|bar| fit::width(ink.text(bar.text))).max().unwrap_or(0);
    let room = width.saturating_sub(1 + label + 1 + 1 + NUMBER + 1 + SHARE + 1);
    bars.iter().map(|bar| bar.line(ink, label, room)).collect()
}

impl Bar {
    fn line(&self, ink: &Ink<'_>, label: usize, room: usize) -> Line<'static> {
        let share = u64::from(self.count) * room as u64;
        // What happened at all shows.
        let filled = usize::try_from(share.div_ceil(self.max.max(1))).unwrap_or(room).min(room);
        let mark =
            self.share.map(|(_, trips_at)| (trips_at as usize * room / 100).min(room.saturating_sub(1)));
        let part = |from: usize, to: usize| {
            let full = to.min(filled).saturating_sub(from);
            let empty = to.saturating_sub(from + full);
            [
                Span::styled(ink.glyphs.bar.repeat(full), self.style),
                Span::styled(ink.glyphs.track.repeat(empty), ink.theme.border),
            ]
        };
        let mut line =
            Line::from(Span::styled(format!(" {} ", ink.left(ink.text(self.text), label)), ink.theme.dim));
        match mark.filter(|_| room > 0) {
            Some(mark) => {
                line.extend(part(0, mark));
                line.push_span(Span::styled(ink.glyphs.border.vertical_left, ink.theme.strong));
                line.extend(part(mark + 1, room));
            }
            None => line.extend(part(0, room)),
        }
        line.push_span(Span::raw(format!(" {}", ink.right(&compact(u64::from(self.count)), NUMBER))));
        let share = self
            .share
            .map_or_else(String::new, |(share, trips_at)| ink.fill(Text::PercentOf, &[&share, &trips_at]));
        line.push_span(Span::styled(format!(" {}", ink.right(&share, SHARE)), ink.theme.dim));
        line
    }
}

fn in_flight(ink: &Ink<'_>, breaker: &BreakerSnapshot) -> Line<'static> {
    let text = ink.fill(Text::BreakerInFlight, &[&breaker.in_flight, &breaker.max_in_flight]);
    Line::from(Span::styled(format!(" {text}"), ink.theme.dim))
}

/// What it waits for; of a worker that does not tell enough to say, how many charges there are to judge by.
fn waits(state: &State, ink: &Ink<'_>, width: usize, seen: &BreakerSeen<'_>) -> Vec<Line<'static>> {
    let Some(waits) = seen.breaker.waits_for(state.now.since(seen.at)) else {
        return vec![charges(ink, width, seen.breaker)];
    };
    let text = waits_for_words(ink.language, waits);
    let text = fit::wrap(&text, width.saturating_sub(1), WAITS_LINES, ink.glyphs.more);
    text.into_iter().map(|line| Line::from(Span::styled(format!(" {line}"), ink.theme.strong))).collect()
}

/// How many charges there are to judge by.
fn charges(ink: &Ink<'_>, width: usize, breaker: &BreakerSnapshot) -> Line<'static> {
    let window = breaker.window;
    let charges = u64::from(window.ok) + u64::from(window.failed);
    let text = ink.fill(Text::BreakerJudges, &[&grouped(charges), &breaker.least_charges]);
    Line::from(Span::styled(ink.short(&format!(" {text}"), width), ink.theme.dim))
}

fn change_lines(ink: &Ink<'_>, width: usize, change: &BreakerChanged) -> Vec<Line<'static>> {
    let first = Line::from(vec![
        Span::styled(format!(" {}  ", times::clock(change.at, ink.zone)), ink.theme.dim),
        Span::styled(ink.word(&change.from), ink.theme.breaker(change.from)),
        Span::styled(format!(" {} ", ink.glyphs.arrow), ink.theme.dim),
        Span::styled(ink.word(&change.to), ink.theme.breaker(change.to)),
    ]);
    let why = change.reason.map_or_else(|| change.why.clone(), |why| why_words(ink.language, why));
    let why = fit::wrap(&why, width.saturating_sub(3), WHY_LINES, ink.glyphs.more);
    let why = why.into_iter().map(|line| Line::from(Span::styled(format!("   {line}"), ink.theme.dim)));
    std::iter::once(first).chain(why).collect()
}
