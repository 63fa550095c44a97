//! How the palette looks: the typed line, the commands that match, their keys, and why one is not possible now.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::commands::{self, Command};
use super::state::Palette;
use crate::dashboard::canvas::Canvas;
use crate::dashboard::ink::Ink;
use crate::dashboard::refusal::refusal;
use crate::dashboard::shown::Spot;
use crate::dashboard::state::State;
use crate::text::{Text, fit};

/// Columns of the palette, with its frame.
const WIDTH: u16 = 70;
/// Commands that are shown at once.
const COMMANDS: usize = 12;
/// Columns of a key.
const KEY: usize = 9;
/// Rows of the palette: frame, typed line, commands.
const HEIGHT: u16 = 2 + 1 + 12;

/// Draws it.
pub(crate) fn draw(state: &State, palette: &Palette, ink: &Ink<'_>, canvas: &mut Canvas<'_>) {
    let area = ink.window(canvas, ink.text(Text::ScopePalette), WIDTH, HEIGHT);
    let width = usize::from(area.width);
    let typed = fit::tail(palette.query.before_cursor(), width.saturating_sub(3));
    let after = &palette.query.text()[palette.query.before_cursor().len()..];
    let line = Line::from(vec![
        Span::styled("> ", ink.theme.key),
        Span::styled(ink.left(&format!("{typed}{after}"), width.saturating_sub(2)), ink.theme.field),
    ]);
    canvas.paint(area, &[line]);
    canvas.set_cursor(area, 2 + fit::width(typed), 0);
    let list = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
    let found = commands::found(palette, state);
    if found.is_empty() {
        let none = Span::styled(format!("  {}", ink.text(Text::NothingMatches)), ink.theme.dim);
        canvas.paint(list, &[Line::from(none)]);
    }
    let first = palette.at.saturating_sub(COMMANDS / 2).min(found.len().saturating_sub(COMMANDS));
    let shown = found.iter().enumerate().skip(first).take(COMMANDS);
    let (places, lines): (Vec<Spot>, Vec<Line<'_>>) = shown
        .map(|(at, (command, name))| {
            (Spot::Choice(at), self::line(state, ink, width, *command, name, at == palette.at))
        })
        .unzip();
    canvas.paint(list, &lines);
    canvas.spot_rows(list, places);
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
