//! Short messages in the lower right corner.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::words;
use crate::dashboard::canvas::Canvas;
use crate::dashboard::ink::Ink;
use crate::dashboard::state::State;
use crate::text::fit;

/// Columns of the messages, with their frame.
const WIDTH: u16 = 58;
/// Lines of one message.
const MESSAGE_LINES: usize = 4;

/// Draws the messages above the row `bottom`, the newest lowest; of more than fit, the newest.
pub(crate) fn draw(state: &State, ink: &Ink<'_>, canvas: &mut Canvas<'_>, bottom: u16) {
    if state.toasts.is_empty() {
        return;
    }
    let screen = canvas.area();
    let width = WIDTH.min(screen.width);
    let room = usize::from(width.saturating_sub(4));
    let mut lines: Vec<Line<'static>> = Vec::new();
    for toast in state.toasts.all() {
        let (text, style) = words::of(state, ink, &toast.notice);
        let wrapped = fit::wrap(&text, room, MESSAGE_LINES, ink.glyphs.more);
        lines.extend(wrapped.into_iter().map(|line| Line::from(Span::styled(line, style))));
    }
    // Never more than half of the screen.
    let max = usize::from(screen.height / 2).saturating_sub(2).max(1);
    let skipped = lines.len().saturating_sub(max);
    let lines: Vec<Line<'static>> = lines.into_iter().skip(skipped).collect();
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2);
    let bottom = bottom.min(screen.height);
    let area =
        Rect { x: screen.width - width, y: bottom.saturating_sub(height), width, height: height.min(bottom) };
    let inner = ink.window_at(canvas, "", area, ink.theme.title);
    canvas.paint(inner, &lines);
}
