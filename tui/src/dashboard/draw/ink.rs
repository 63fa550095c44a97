//! What everything is drawn with: the language, the theme, and the few shapes that recur.

use std::fmt::Display;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear};

use crate::dashboard::keys::{Action, Keymap, Scope};
use crate::dashboard::message::Size;
use crate::dashboard::state::State;
use crate::text::fit::{self, Side};
use crate::text::times::Zone;
use crate::text::words::Worded;
use crate::text::{Language, Text};
use crate::theme::{Glyphs, Theme};

/// What everything is drawn with.
pub(super) struct Ink<'a> {
    pub(super) language: Language,
    pub(super) theme: Theme,
    pub(super) glyphs: &'a Glyphs,
    pub(super) zone: &'a Zone,
    keys: &'a Keymap,
}

impl<'a> Ink<'a> {
    pub(super) fn new(state: &'a State) -> Self {
        let look = &state.look;
        Self {
            language: look.language,
            theme: Theme::named(look.theme),
            glyphs: &look.glyphs,
            zone: look.shown_zone(),
            keys: &state.keys,
        }
    }

    pub(super) const fn text(&self, text: Text) -> &'static str {
        self.language.get(text)
    }

    pub(super) fn fill(&self, text: Text, values: &[&dyn Display]) -> String {
        self.language.fill(text, values)
    }

    pub(super) fn word(&self, named: &impl Worded) -> &'static str {
        self.text(named.text())
    }

    /// `text` in exactly `columns`, on their left side.
    pub(super) fn left(&self, text: &str, columns: usize) -> String {
        fit::fit(text, columns, Side::Left, self.glyphs.more)
    }

    /// `text` in exactly `columns`, on their right side.
    pub(super) fn right(&self, text: &str, columns: usize) -> String {
        fit::fit(text, columns, Side::Right, self.glyphs.more)
    }

    /// `text` in at most `columns`.
    pub(super) fn short(&self, text: &str, columns: usize) -> String {
        fit::shorten(text, columns, self.glyphs.more)
    }

    /// The key for `action` in `scope`, as it is written on the keyboard.
    pub(super) fn key(&self, scope: Scope, action: Action) -> String {
        self.keys.shown(scope, action).map_or_else(String::new, |chord| chord.name(self.glyphs.is_ascii))
    }

    /// A section's first line: its name in a rule, and something at its right end.
    pub(super) fn rule(&self, title: &str, right: &str, columns: usize) -> Line<'static> {
        let line = self.glyphs.border.horizontal_top;
        let title = self.short(title, columns.saturating_sub(4));
        let mut room = columns.saturating_sub(fit::width(&title) + 4);
        let right = self.short(right, room.saturating_sub(3));
        let mut spans = vec![
            Span::styled(format!("{line} "), self.theme.border),
            Span::styled(title, self.theme.title),
            Span::raw(" "),
        ];
        if right.is_empty() {
            spans.push(Span::styled(line.repeat(room + 1), self.theme.border));
            return Line::from(spans);
        }
        room = room.saturating_sub(fit::width(&right) + 2);
        spans.push(Span::styled(line.repeat(room), self.theme.border));
        spans.push(Span::styled(format!(" {right} "), self.theme.dim));
        spans.push(Span::styled(line.to_owned(), self.theme.border));
        Line::from(spans)
    }

    /// An empty box in the middle of the screen, `width` by `height` as far as they fit; what is within.
    pub(super) fn window(&self, frame: &mut Frame<'_>, title: &str, width: u16, height: u16) -> Rect {
        let screen = frame.area();
        let area = centred(Size { width: screen.width, height: screen.height }, width, height);
        self.window_at(frame, title, area, self.theme.border)
    }

    /// An empty box; what is within, with a blank column on either side.
    pub(super) fn window_at(&self, frame: &mut Frame<'_>, title: &str, area: Rect, border: Style) -> Rect {
        let block =
            Block::bordered().border_set(self.glyphs.border).border_style(border).style(self.theme.text);
        let block = if title.is_empty() {
            block
        } else {
            block.title(Span::styled(format!(" {title} "), self.theme.title))
        };
        let inner = block.inner(area);
        clear_left_edge(frame, area);
        frame.render_widget(Clear, area);
        frame.render_widget(block, area);
        Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
    }
}

/// A box in the middle of the screen, `width` by `height` as far as they fit.
pub(super) fn centred(screen: Size, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(screen.width), height.min(screen.height));
    Rect { x: (screen.width - width) / 2, y: (screen.height - height) / 2, width, height }
}

/// What is within a box, with a blank column on either side.
pub(super) const fn within(area: Rect) -> Rect {
    Rect {
        x: area.x.saturating_add(2),
        y: area.y.saturating_add(1),
        width: area.width.saturating_sub(4),
        height: area.height.saturating_sub(2),
    }
}

/// Blanks the wide characters that would reach into `area` from the left: a terminal shows them whole, over the
/// first column of what is drawn there.
fn clear_left_edge(frame: &mut Frame<'_>, area: Rect) {
    let Some(x) = area.x.checked_sub(1) else { return };
    for y in area.top()..area.bottom() {
        if let Some(cell) = frame.buffer_mut().cell_mut((x, y))
            && fit::width(cell.symbol()) > 1
        {
            cell.set_symbol(" ");
        }
    }
}

/// Draws `lines` into `area`, one below the other, cut where it ends.
pub(super) fn paint(frame: &mut Frame<'_>, area: Rect, lines: &[Line<'_>]) {
    let area = area.intersection(frame.area());
    for (y, line) in (area.top()..area.bottom()).zip(lines) {
        frame.buffer_mut().set_line(area.x, y, line, area.width);
    }
}

/// Spans joined by two blanks, as many as fit into `columns`.
pub(super) fn joined(parts: Vec<Vec<Span<'static>>>, columns: usize) -> Vec<Span<'static>> {
    let mut line: Vec<Span<'static>> = Vec::new();
    let mut taken = 0;
    for part in parts {
        let width: usize = part.iter().map(|span| fit::width(&span.content)).sum();
        let gap = if line.is_empty() { 0 } else { 2 };
        if taken + gap + width > columns {
            break;
        }
        if gap > 0 {
            line.push(Span::raw("  "));
        }
        line.extend(part);
        taken += gap + width;
    }
    line
}
