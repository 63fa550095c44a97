//! Charts over time: orders in a second, how long answers take, refusals.

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::history::{Curve, Range};
use crate::dashboard::canvas::Canvas;
use crate::dashboard::ink::Ink;
use crate::dashboard::spark::parts;
use crate::dashboard::state::State;
use crate::text::Text;

/// Rows of the bars of a chart that stands among other lines.
const ROWS_AMONG_LINES: usize = 4;
/// Columns of the scale on the left.
const SCALE: usize = 6;

/// A chart: a curve, and perhaps another one below it.
struct Chart {
    title: Text,
    upper: Curve,
    lower: Option<Curve>,
    style: fn(&Ink<'_>) -> Style,
}

const CHARTS: [Chart; 3] = [
    Chart { title: Text::ChartOrders, upper: Curve::Orders, lower: None, style: |ink| ink.theme.ok },
    Chart {
        title: Text::ChartLatency,
        upper: Curve::P99,
        lower: Some(Curve::P50),
        style: |ink| ink.theme.warn,
    },
    Chart { title: Text::ChartRefused, upper: Curve::Refused, lower: None, style: |ink| ink.theme.bad },
];

/// Draws them side by side.
pub(super) fn draw(state: &State, ink: &Ink<'_>, canvas: &mut Canvas<'_>, area: Rect) {
    let count = u16::try_from(CHARTS.len()).unwrap_or(1);
    let rows = usize::from(area.height.saturating_sub(1));
    for (chart, at) in CHARTS.iter().zip(0..) {
        let (from, to) = (area.width * at / count, area.width * (at + 1) / count);
        // A blank column between two charts.
        let width = (to - from).saturating_sub(u16::from(at + 1 < count));
        let part = Rect { x: area.x + from, width, ..area };
        canvas.paint(part, &one(state, ink, chart, usize::from(width), rows));
    }
}

/// All of them below each other.
pub(super) fn lines(state: &State, ink: &Ink<'_>, width: usize) -> Vec<Line<'static>> {
    CHARTS.iter().flat_map(|chart| one(state, ink, chart, width, ROWS_AMONG_LINES)).collect()
}

fn one(state: &State, ink: &Ink<'_>, chart: &Chart, width: usize, rows: usize) -> Vec<Line<'static>> {
    let range = state.health_tab.range;
    let columns = width.saturating_sub(SCALE + 2);
    let curve = |curve| state.history.columns(curve, range, state.now, columns);
    let (upper, lower) = (curve(chart.upper), chart.lower.map(curve));
    let title = format!("{} {}", ink.text(chart.title), newest(state, chart));
    let mut lines = vec![ink.rule(title.trim_end(), ink.text(range_name(range)), width)];
    let top = scale_end(upper.iter().flatten().copied().fold(0.0, f64::max));
    for row in (0..rows).rev() {
        let label = match row {
            0 => "0".to_owned(),
            row if row + 1 == rows => number(top),
            _ => String::new(),
        };
        let mut spans = vec![Span::styled(format!("{} ", ink.right(&label, SCALE)), ink.theme.dim)];
        for (column, value) in upper.iter().enumerate() {
            let lower = lower.as_ref().and_then(|lower| lower[column]);
            spans.push(cell(ink, (chart.style)(ink), (row, rows, top), *value, lower));
        }
        lines.push(Line::from(spans));
    }
    lines
}

/// The newest values, in words, beside the title.
fn newest(state: &State, chart: &Chart) -> String {
    let fresh = state.history.newest().filter(|point| state.now.0.div_euclid(1000) - point.second <= 5);
    let value = |curve| fresh.and_then(|point| point.on(curve)).map_or_else(|| "-".to_owned(), number);
    match chart.lower {
        Some(lower) => format!("{} / {}", value(lower), value(chart.upper)),
        None => value(chart.upper),
    }
}

/// One character of a chart: of the lower curve where that reaches, else of the upper one, in another character too,
/// so that they differ without colours.
fn cell(
    ink: &Ink<'_>,
    style: Style,
    (row, rows, top): (usize, usize, f64),
    upper: Option<f64>,
    lower: Option<f64>,
) -> Span<'static> {
    let Some(upper) = upper else { return Span::raw(" ") };
    let (full, shade) = if ink.glyphs.is_ascii { ("#", ":") } else { ("█", "▒") };
    let fill = |value: f64| (value / top * rows as f64 - row as f64).clamp(0.0, 1.0);
    let has_lower = lower.is_some();
    if let Some(lower) = lower.map(fill).filter(|fill| *fill > 0.0) {
        if lower >= 1.0 {
            return Span::styled(full, ink.theme.ok);
        }
        // A cell holds one character: where both curves end in it, the upper one is what counts.
        if fill(upper) < 1.0 {
            return Span::styled(part(ink, fill(upper)), style);
        }
        return Span::styled(shade, style);
    }
    match fill(upper) {
        0.0.. if row == 0 && upper <= 0.0 => {
            Span::styled(if ink.glyphs.is_ascii { "_" } else { "▁" }, ink.theme.dim)
        }
        fill if fill <= 0.0 => Span::raw(" "),
        fill if fill >= 1.0 => Span::styled(if has_lower { shade } else { full }, style),
        fill => Span::styled(part(ink, fill), style),
    }
}

/// The character that fills so much of a row, at least a little.
fn part(ink: &Ink<'_>, fill: f64) -> &'static str {
    let parts = parts(ink.glyphs.is_ascii);
    let wanted = fill * parts.len() as f64;
    let at = parts.iter().enumerate().position(|(at, _)| at as f64 + 1.0 >= wanted);
    parts[at.unwrap_or(parts.len() - 1)]
}

/// A round number at or above `max`: 1, 2 or 5 times a power of ten.
fn scale_end(max: f64) -> f64 {
    let mut power = 1.0;
    while power * 10.0 < max && power < 1e12 {
        power *= 10.0;
    }
    [1.0, 2.0, 5.0, 10.0].iter().map(|step| step * power).find(|end| *end >= max).unwrap_or(max)
}

/// With one decimal where that says something: `3.2`, `45`, `1200`, `12k`.
fn number(value: f64) -> String {
    if value < 10.0 && value.fract() > 0.0 {
        format!("{value:.1}")
    } else if value < 10_000.0 {
        format!("{value:.0}")
    } else if value < 10_000_000.0 {
        format!("{:.0}k", value / 1e3)
    } else {
        format!("{:.0}M", value / 1e6)
    }
}

const fn range_name(range: Range) -> Text {
    match range {
        Range::Minute => Text::RangeMinute,
        Range::FiveMinutes => Text::RangeFiveMinutes,
        Range::HalfHour => Text::RangeHalfHour,
        Range::TwoHours => Text::RangeTwoHours,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scale_ends_at_a_round_number_that_nothing_exceeds() {
        for (max, end) in [
            (0.0, 1.0),
            (0.3, 1.0),
            (1.0, 1.0),
            (1.1, 2.0),
            (4.0, 5.0),
            (9.0, 10.0),
            (99.0, 100.0),
            (1201.0, 2000.0),
        ] {
            let shown = scale_end(max);
            assert!((shown - end).abs() < 1e-9, "{max} ends at {shown}");
        }
    }

    #[test]
    fn numbers_fit_into_the_scale() {
        for (value, shown) in [
            (0.0, "0"),
            (3.24, "3.2"),
            (5.0, "5"),
            (45.4, "45"),
            (9999.0, "9999"),
            (12_345.0, "12k"),
            (2e7, "20M"),
        ] {
            assert_eq!(number(value), shown);
            assert!(number(value).len() <= SCALE);
        }
    }
}
