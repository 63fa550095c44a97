//! The health of it all: whether the promises hold, who works and how fast, what the breakers do, and how it has
//! been.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::{breaker, charts, promises, queues, services};
use crate::dashboard::canvas::Canvas;
use crate::dashboard::ink::Ink;
use crate::dashboard::state::State;
use crate::text::Text;

/// Rows of the charts where they stand under everything else: title, five of bars.
const CHARTS_HEIGHT: u16 = 7;
/// From this many rows on they get more.
const TALL_FROM: u16 = 36;
/// Rows of the charts then.
const CHARTS_HEIGHT_TALL: u16 = 13;

/// Draws the screen.
pub(super) fn draw(state: &State, ink: &Ink<'_>, canvas: &mut Canvas<'_>, area: Rect) {
    let parts = Parts::of(state, area);
    let left = left_lines(state, ink, &parts);
    let right = parts.right.map(|right| {
        let inner = ink.side_of(canvas, right);
        (inner, breaker::lines(state, ink, usize::from(inner.width), true))
    });
    // Both sides scroll together, as far as the longer one needs.
    let below = |lines: &[Line<'_>], area: Rect| lines.len().saturating_sub(usize::from(area.height));
    let right_below = right.as_ref().map_or(0, |(inner, lines)| below(lines, *inner));
    let scroll = state.health_tab.scroll.within(below(&left, parts.left).max(right_below), 0);
    if let Some((inner, lines)) = &right {
        canvas.paint_scrolled(*inner, lines, scroll);
    }
    canvas.paint_scrolled(parts.left, &left, scroll);
    canvas.shown.screen = Some(scroll);
    if let Some(charts) = parts.charts {
        charts::draw(state, ink, canvas, charts);
    }
    if scroll.left() > 0 {
        let row = Rect { y: parts.left.bottom().saturating_sub(1), height: 1, ..parts.left };
        let more = ink.right(&ink.fill(Text::MoreBelow, &[&scroll.left()]), usize::from(row.width));
        canvas.paint(row, &[Line::from(Span::styled(more, ink.theme.key))]);
    }
}

/// Which part of the tab shows what.
struct Parts {
    left: Rect,
    /// The breakers; without them they stand among the lines on the left.
    right: Option<Rect>,
    /// Likewise the charts.
    charts: Option<Rect>,
}

impl Parts {
    fn of(state: &State, area: Rect) -> Self {
        if !state.size.is_wide() {
            return Self { left: area, right: None, charts: None };
        }
        let height = if area.height >= TALL_FROM { CHARTS_HEIGHT_TALL } else { CHARTS_HEIGHT };
        let height = height.min(area.height / 2);
        let charts = Rect { y: area.bottom() - height, height, ..area };
        let above = Rect { height: area.height - height, ..area };
        let width = area.width * 11 / 20;
        let left = Rect { width: width - 1, ..above };
        let right = Rect { x: above.x + width, width: above.width - width, ..above };
        Self { left, right: Some(right), charts: Some(charts) }
    }
}

/// Everything that stands below each other: on a narrow screen all there is.
fn left_lines(state: &State, ink: &Ink<'_>, parts: &Parts) -> Vec<Line<'static>> {
    let width = usize::from(parts.left.width);
    let mut lines = promises::lines(state, ink, width);
    lines.extend(services::lines(state, ink, width, true));
    lines.extend(queues::unattended(state, ink, width));
    if parts.right.is_none() {
        lines.extend(breaker::lines(state, ink, width, true));
    }
    if parts.charts.is_none() {
        lines.extend(charts::lines(state, ink, width));
    }
    lines.extend(queues::lines(state, ink, width));
    lines
}
