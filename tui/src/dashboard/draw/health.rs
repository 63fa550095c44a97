//! The health of it all: whether the promises hold, who works and how fast, what the breakers do, and how it has
//! been.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::ink::{Ink, paint};
use super::{breaker, services, side_of};
use crate::dashboard::layout;
use crate::dashboard::state::State;
use crate::text::Text;

mod charts;
mod promises;
mod queues;

/// Rows of the charts where they stand under everything else: title, five of bars.
const CHARTS_HEIGHT: u16 = 7;
/// From this many rows on they get more.
const TALL_FROM: u16 = 36;
/// Rows of the charts then.
const CHARTS_HEIGHT_TALL: u16 = 13;

/// Draws the tab.
pub(super) fn draw(state: &State, ink: &Ink<'_>, frame: &mut Frame<'_>, area: Rect) {
    let parts = Parts::of(state, area);
    let scroll = state.health_tab.scroll;
    paint(frame, parts.left, &scrolled(left_lines(state, ink, &parts), scroll));
    if let Some(right) = parts.right {
        let inner = side_of(ink, frame, right);
        let lines = breaker::lines(state, ink, usize::from(inner.width), true);
        paint(frame, inner, &scrolled(lines, scroll));
    }
    if let Some(charts) = parts.charts {
        charts::draw(state, ink, frame, charts);
    }
    let below = lines_below(state, ink).saturating_sub(scroll);
    if below > 0 {
        draw_more(ink, frame, parts.left, below);
    }
}

/// Says on the last row that there is more to see.
fn draw_more(ink: &Ink<'_>, frame: &mut Frame<'_>, area: Rect, below: usize) {
    let row = Rect { y: area.bottom().saturating_sub(1), height: 1, ..area };
    let text = ink.right(&ink.fill(Text::MoreBelow, &[&below]), usize::from(area.width));
    paint(frame, row, &[Line::from(Span::styled(text, ink.theme.key))]);
}

/// Lines that lie below the screen: as far as it can be scrolled.
pub(super) fn lines_below(state: &State, ink: &Ink<'_>) -> usize {
    let parts = Parts::of(state, layout::areas(state).main);
    let left = left_lines(state, ink, &parts).len().saturating_sub(usize::from(parts.left.height));
    let right = parts.right.map_or(0, |right| {
        let lines = breaker::lines(state, ink, usize::from(right.width.saturating_sub(1)), true);
        lines.len().saturating_sub(usize::from(right.height))
    });
    left.max(right)
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
        if !layout::is_wide(state.size) {
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
    if parts.right.is_none() {
        lines.extend(breaker::lines(state, ink, width, true));
    }
    if parts.charts.is_none() {
        lines.extend(charts::lines(state, ink, width));
    }
    lines.extend(queues::lines(state, ink, width));
    lines
}

fn scrolled(mut lines: Vec<Line<'static>>, by: usize) -> Vec<Line<'static>> {
    lines.drain(..by.min(lines.len()));
    lines
}

/// A line of words in one style, indented by a blank.
fn said(ink: &Ink<'_>, text: &str, width: usize, style: ratatui::style::Style) -> Line<'static> {
    Line::from(Span::styled(format!(" {}", ink.short(text, width.saturating_sub(1))), style))
}
