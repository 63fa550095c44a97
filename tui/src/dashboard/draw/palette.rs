//! The command palette: a line to type into, the commands that match, their keys, and why one is not possible now.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::ink::{Ink, centred, paint, within};
use crate::dashboard::state::State;
use crate::dashboard::state::palette::{Command, Palette};
use crate::dashboard::update::refusal;
use crate::text::{Text, fit};

/// Columns of the palette, with its frame.
const WIDTH: u16 = 70;
/// Commands that are shown at once.
const COMMANDS: usize = 12;
/// Columns of a key.
const KEY: usize = 9;
/// Rows of the palette: frame, typed line, commands.
const HEIGHT: u16 = 2 + 1 + 12;

/// Where the commands are.
pub(super) fn list_area(state: &State) -> Rect {
    let area = within(centred(state.size, WIDTH, HEIGHT));
    Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area }
}

/// The place of the first command that is shown.
pub(super) fn first_shown(state: &State, palette: &Palette) -> usize {
    palette.at.saturating_sub(COMMANDS / 2).min(palette.found(state).len().saturating_sub(COMMANDS))
}

pub(super) fn draw(state: &State, palette: &Palette, ink: &Ink<'_>, frame: &mut Frame<'_>) {
    let area = ink.window(frame, ink.text(Text::ScopePalette), WIDTH, HEIGHT);
    let width = usize::from(area.width);
    let typed = fit::tail(palette.query.before_cursor(), width.saturating_sub(3));
    let after = &palette.query.text()[palette.query.before_cursor().len()..];
    let mut lines = vec![Line::from(vec![
        Span::styled("> ", ink.theme.key),
        Span::styled(ink.left(&format!("{typed}{after}"), width.saturating_sub(2)), ink.theme.field),
    ])];
    let found = palette.found(state);
    if found.is_empty() {
        lines.push(Line::from(Span::styled(format!("  {}", ink.text(Text::NothingMatches)), ink.theme.dim)));
    }
    let first = first_shown(state, palette);
    let shown = found.iter().enumerate().skip(first).take(COMMANDS);
    lines
        .extend(shown.map(|(at, (command, name))| line(state, ink, width, *command, name, at == palette.at)));
    paint(frame, area, &lines);
    let x = u16::try_from(2 + fit::width(typed)).unwrap_or(u16::MAX).min(area.width.saturating_sub(1));
    frame.set_cursor_position((area.x + x, area.y));
}

fn line(
    state: &State,
    ink: &Ink<'_>,
    width: usize,
    command: Command,
    name: &str,
    is_highlighted: bool,
) -> Line<'static> {
    let (key, why) = match command {
        Command::Act(action, key) => (key, refusal(state, action)),
        Command::Choose(_) => (None, None),
    };
    let key = key.map_or_else(String::new, |key| key.name(ink.glyphs.is_ascii));
    let marker = if is_highlighted { ink.glyphs.marker } else { " " };
    let room = width.saturating_sub(2 + KEY + 1);
    let text = match why {
        None => ink.left(name, room),
        Some(why) => ink.left(&format!("{name}  ({})", ink.text(why)), room),
    };
    let style = if why.is_some() { ink.theme.dim } else { ink.theme.text };
    let line = Line::from(vec![
        Span::styled(format!("{marker} "), ink.theme.key),
        Span::styled(text, style),
        Span::styled(format!(" {}", ink.right(&key, KEY)), ink.theme.key),
    ]);
    if is_highlighted { line.style(ink.theme.selected) } else { line }
}
