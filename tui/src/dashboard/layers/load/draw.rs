//! How the window of the load looks: where it stands, how fast, how it does, and what became of its orders.

use std::collections::BTreeMap;

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::state::{Load, Phase, RATES, SHOWN_SECONDS};
use crate::dashboard::canvas::Canvas;
use crate::dashboard::ink::Ink;
use crate::dashboard::spark::spark;
use crate::dashboard::state::State;
use crate::text::numbers::{compact, grouped, millis};
use crate::text::{Text, fit};

/// Columns of the window, with its frame: what the narrowest screen has.
const WIDTH: u16 = 60;
/// Its rows, with its frame: likewise, but for the footer.
const HEIGHT: u16 = 13;
/// Columns of what stands before a value.
const LABEL: usize = 12;

/// Draws it.
pub(crate) fn draw(state: &State, ink: &Ink<'_>, canvas: &mut Canvas<'_>) {
    let area = ink.window(canvas, ink.text(Text::LoadTitle), WIDTH, HEIGHT);
    let width = usize::from(area.width);
    let load = &state.load;
    let mut lines = vec![standing(load, ink, width), rates(load, ink), Line::default()];
    lines.extend(seen(load, ink, width));
    lines.push(Line::default());
    lines.extend(became(load, ink, width));
    canvas.paint(area, &lines);
}

/// Where it stands, in a line.
fn standing(load: &Load, ink: &Ink<'_>, width: usize) -> Line<'static> {
    let at_s = load.seen.as_ref().map_or(0, |seen| seen.second.at_s);
    let in_flight = load.seen.as_ref().map_or(0, |seen| seen.in_flight);
    let (words, style) = match (load.phase, &load.trouble, &load.report) {
        (Phase::Preparing, _, _) => (ink.text(Text::LoadPreparing).to_owned(), ink.theme.warn),
        (Phase::Running, _, _) => {
            (ink.fill(Text::LoadRunning, &[&load.run, &at_s, &in_flight]), ink.theme.ok)
        }
        (Phase::Stopping, _, _) => (ink.text(Text::LoadStopping).to_owned(), ink.theme.warn),
        (Phase::Following(open), _, _) => (ink.fill(Text::LoadFollowing, &[&grouped(open)]), ink.theme.warn),
        (Phase::Idle, Some(why), _) => (why.clone(), ink.theme.bad),
        (Phase::Idle, None, Some(report)) => {
            (ink.fill(Text::LoadEnded, &[&report.run, &grouped(report.tally.orders.sent)]), ink.theme.text)
        }
        (Phase::Idle, None, None) => (ink.text(Text::LoadHint).to_owned(), ink.theme.dim),
    };
    Line::from(Span::styled(ink.short(&words, width), style))
}

/// The rates, the chosen one between brackets in the place of blanks: nothing moves when another is chosen.
fn rates(load: &Load, ink: &Ink<'_>) -> Line<'static> {
    let mut spans = vec![label(ink, Text::LoadRate)];
    let names = RATES.iter().map(ToString::to_string).chain([ink.text(Text::LoadFastest).to_owned()]);
    for (at, name) in names.enumerate() {
        let (before, style) = match at {
            at if at == load.at => ("[", ink.theme.strong),
            at if at == load.at + 1 => ("]", ink.theme.dim),
            _ => (" ", ink.theme.dim),
        };
        spans.push(Span::styled(before, ink.theme.strong));
        spans.push(Span::styled(name, style));
    }
    spans.push(Span::styled(if load.at == RATES.len() { "]" } else { " " }, ink.theme.strong));
    Line::from(spans)
}

/// How it does.
fn seen(load: &Load, ink: &Ink<'_>, width: usize) -> Vec<Line<'static>> {
    let Some(seen) = &load.seen else { return vec![Line::default(); 5] };
    let newest = load.per_second.back().copied().unwrap_or(0);
    let columns = SHOWN_SECONDS.min(width.saturating_sub(LABEL + 8));
    let skipped = load.per_second.len().saturating_sub(columns);
    let shown: Vec<u64> = load.per_second.iter().skip(skipped).copied().collect();
    let curve = spark(&shown, ink.glyphs.is_ascii);
    let took = |us: Option<u64>| us.map_or_else(|| "-".to_owned(), |us| millis(ink.language, us));
    let (second, orders) = (&seen.second, &seen.orders);
    vec![
        Line::from(vec![
            label(ink, Text::LoadPerSecond),
            Span::styled(format!("{} ", ink.left(&compact(newest), 6)), ink.theme.strong),
            Span::styled(curve, ink.theme.ok),
        ]),
        count(ink, width, Text::CountOk, orders.ok, &BTreeMap::new(), ink.theme.ok),
        count(ink, width, Text::LoadRefused, orders.refused, &orders.refusals, ink.theme.warn),
        count(ink, width, Text::CountFailed, orders.failed, &orders.failures, ink.theme.bad),
        Line::from(vec![
            label(ink, Text::LoadTimes),
            Span::styled(format!("p50 {}  p99 {}", took(second.p50_us), took(second.p99_us)), ink.theme.text),
        ]),
    ]
}

/// How many, and which.
fn count(
    ink: &Ink<'_>,
    width: usize,
    name: Text,
    count: u64,
    words: &BTreeMap<&'static str, u64>,
    style: Style,
) -> Line<'static> {
    let parts: Vec<String> =
        words.iter().map(|(word, count)| format!("{word} {}", compact(*count))).collect();
    let words = ink.short(&parts.join(", "), width.saturating_sub(LABEL + 7));
    Line::from(vec![
        label(ink, name),
        Span::styled(
            format!("{} ", ink.left(&compact(count), 6)),
            if count == 0 { ink.theme.dim } else { style },
        ),
        Span::styled(words, ink.theme.dim),
    ])
}

/// What became of the orders of the last run.
fn became(load: &Load, ink: &Ink<'_>, width: usize) -> Vec<Line<'static>> {
    let Some(report) = &load.report else { return Vec::new() };
    let became = &report.became;
    let open = if report.is_followed { Text::LoadOpen } else { Text::LoadNotFollowed };
    let fates = [
        (Text::StatusDelivering, became.delivering),
        (Text::StatusCancelled, became.cancelled),
        (Text::StatusRejected, became.rejected),
        (Text::LoadNotPlaced, became.not_placed),
        (open, became.open),
    ];
    let shown = fates.into_iter().filter(|(_, count)| *count > 0);
    let words: Vec<String> =
        shown.map(|(name, count)| format!("{} {}", ink.text(name), grouped(count))).collect();
    let style = if became.open > 0 { ink.theme.bad } else { ink.theme.text };
    let text = format!("{} {}", ink.text(Text::LoadBecame), words.join(", "));
    let lines = fit::wrap(&text, width, 2, ink.glyphs.more);
    lines.into_iter().map(|line| Line::from(Span::styled(line, style))).collect()
}

fn label(ink: &Ink<'_>, name: Text) -> Span<'static> {
    Span::styled(ink.left(ink.text(name), LABEL), ink.theme.dim)
}
