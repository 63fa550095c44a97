//! Short messages in the lower right corner of the table or the text that is shown, so that they lie over nothing beside or
//! below it.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::state::Notice;
use super::words;
use crate::dashboard::canvas::Canvas;
use crate::dashboard::ink::Ink;
use crate::dashboard::state::State;
use crate::text::fit;

/// Columns of the messages, with their frame.
const WIDTH: u16 = 58;
/// Lines of one message.
const MESSAGE_LINES: usize = 4;
/// Lines of one with a path in it, which is of use only if it is whole.
const MESSAGE_LINES_WITH_PATH: usize = 8;

/// The messages as they are drawn.
pub(crate) struct Drawn {
    area: Rect,
    lines: Vec<Line<'static>>,
}

/// The messages in the lower right corner of `within`, the newest lowest; of more than fit, the newest ones whole. `None` without
/// any.
pub(crate) fn within(state: &State, ink: &Ink<'_>, within: Rect) -> Option<Drawn> {
    if state.toasts.is_empty() {
        return None;
    }
    let width = WIDTH.min(within.width);
    let room = usize::from(width.saturating_sub(4));
    // Some of what they lie over can still be seen.
    let max = usize::from(within.height * 2 / 3).saturating_sub(2).max(1);
    let mut lines: Vec<Line<'static>> = Vec::new();
    for toast in state.toasts.all().iter().rev() {
        let (text, style) = words::of(state, ink, &toast.notice);
        let most = match toast.notice {
            Notice::Recorded(_) | Notice::NotRecorded(_) => MESSAGE_LINES_WITH_PATH,
            _ => MESSAGE_LINES,
        };
        let wrapped = fit::wrap(&text, room, most.min(max), ink.glyphs.more);
        if lines.len() + wrapped.len() > max {
            break;
        }
        lines.splice(0..0, wrapped.into_iter().map(|line| Line::from(Span::styled(line, style))));
    }
    let height = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_add(2).min(within.height);
    let area = Rect { x: within.right() - width, y: within.bottom() - height, width, height };
    Some(Drawn { area, lines })
}

impl Drawn {
    /// Rows that they take.
    pub(crate) const fn height(&self) -> u16 {
        self.area.height
    }

    /// Draws them.
    pub(crate) fn draw(&self, ink: &Ink<'_>, canvas: &mut Canvas<'_>) {
        let inner = ink.window_at(canvas, "", self.area, ink.theme.title);
        canvas.paint(inner, &self.lines);
    }
}
