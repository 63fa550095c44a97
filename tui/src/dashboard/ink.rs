//! What everything is drawn with: the language, the theme, and the few shapes that recur.

use std::fmt::Display;

use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Borders, Clear};

use super::canvas::Canvas;
use super::keys::{Action, Keymap, Scope};
use super::size::Size;
use super::state::Look;
use crate::text::fit::{self, Side};
use crate::text::times::Zone;
use crate::text::words::Worded;
use crate::text::{Language, Text};
use crate::theme::{Glyphs, Theme};

/// What everything is drawn with.
pub(crate) struct Ink<'a> {
    pub(super) language: Language,
    pub(super) theme: Theme,
    pub(super) glyphs: &'a Glyphs,
    pub(super) zone: &'a Zone,
    keys: &'a Keymap,
}

impl<'a> Ink<'a> {
    pub(super) fn new(look: &'a Look, keys: &'a Keymap) -> Self {
        Self {
            language: look.language,
            theme: Theme::named(look.theme),
            glyphs: &look.glyphs,
            zone: look.shown_zone(),
            keys,
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

    /// A line of words in one style, indented by a blank.
    pub(super) fn said(&self, text: &str, columns: usize, style: Style) -> Line<'static> {
        Line::from(Span::styled(format!(" {}", self.short(text, columns.saturating_sub(1))), style))
    }

    /// An empty box in the middle of the screen, `width` by `height` as far as they fit; what is within.
    pub(super) fn window(&self, canvas: &mut Canvas<'_>, title: &str, width: u16, height: u16) -> Rect {
        let area = centred(canvas.size(), width, height);
        self.window_at(canvas, title, area, self.theme.border)
    }

    /// An empty box over what was drawn there; what is within, with a blank column on either side.
    pub(super) fn window_at(&self, canvas: &mut Canvas<'_>, title: &str, area: Rect, border: Style) -> Rect {
        let block =
            Block::bordered().border_set(self.glyphs.border).border_style(border).style(self.theme.text);
        let block = if title.is_empty() {
            block
        } else {
            block.title(Span::styled(format!(" {title} "), self.theme.title))
        };
        let inner = block.inner(area);
        canvas.clear_left_edge(area);
        canvas.render(area, Clear);
        canvas.render(area, block);
        canvas.cover(area);
        Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner }
    }

    /// A line on the left edge of what stands beside something else; what is left of it.
    pub(super) fn side_of(&self, canvas: &mut Canvas<'_>, area: Rect) -> Rect {
        let block = Block::new()
            .borders(Borders::LEFT)
            .border_set(self.glyphs.border)
            .border_style(self.theme.border);
        let inner = block.inner(area);
        canvas.render(area, block);
        inner
    }
}

/// A box in the middle of the screen, `width` by `height` as far as they fit.
fn centred(screen: Size, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(screen.width), height.min(screen.height));
    Rect { x: (screen.width - width) / 2, y: (screen.height - height) / 2, width, height }
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
