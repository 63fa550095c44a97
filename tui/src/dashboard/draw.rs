//! From the state to the screen, and nothing else. What a frame costs depends on the screen alone.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Block;

use super::canvas::Canvas;
use super::ink::Ink;
use super::keys::{Action, Scope};
use super::layers::{self, Layer};
use super::shown::Shown;
use super::state::State;
use super::{footer, header, layout, screens, size, toasts};
use crate::text::{Text, fit};

/// Draws `state`. Hand what it shows to [`State::drawn`]: keys that scroll and the mouse go by it.
#[must_use]
pub fn draw(state: &State, frame: &mut Frame<'_>) -> Shown {
    let ink = Ink::new(&state.look, &state.keys);
    let mut canvas = Canvas::new(frame.buffer_mut());
    canvas.render(canvas.area(), Block::new().style(ink.theme.text));
    if state.size.is_too_small() {
        draw_too_small(state, &ink, &mut canvas);
    } else {
        draw_screen(state, &ink, &mut canvas);
    }
    let (cursor, shown) = canvas.finish();
    if let Some(cursor) = cursor {
        frame.set_cursor_position(cursor);
    }
    shown
}

fn draw_screen(state: &State, ink: &Ink<'_>, canvas: &mut Canvas<'_>) {
    let mut areas = layout::areas(state);
    // What is open takes the middle.
    let free = if state.layers.is_empty() { areas.main } else { above(areas.footer) };
    let toasts = toasts::draw::within(state, ink, free);
    // Rows of a table come again further up; of a text the last lines are the newest.
    if let Some(toasts) = toasts.as_ref().filter(|_| state.layers.is_empty() && state.shows_text()) {
        areas.main.height -= toasts.height();
    }
    header::draw(state, ink, canvas, areas.header);
    if areas.banner.height > 0 {
        header::draw_banner(state, ink, canvas, areas.banner);
    }
    screens::of(state.tab).draw(state, ink, canvas, &areas);
    if !state.layers.is_empty() {
        canvas.shown.cover_down_to(0);
    }
    footer::draw(state, ink, canvas, areas.footer);
    let keys = canvas.shown.spots();
    if let Some(toasts) = toasts {
        toasts.draw(ink, canvas);
    }
    layers::draw::draw(state, ink, canvas, areas.footer, keys);
}

/// Everything above the footer.
fn above(footer: Rect) -> Rect {
    Rect { y: 0, height: footer.y, ..footer }
}

/// What is needed to go on, above all the keys that still act: of a screen of one line they are what is shown.
fn draw_too_small(state: &State, ink: &Ink<'_>, canvas: &mut Canvas<'_>) {
    let (size, screen) = (state.size, canvas.area());
    let keys: Vec<String> = [(Action::Help, Text::KeyHelp), (Action::Quit, Text::KeyQuit)]
        .into_iter()
        .map(|(action, does)| (ink.key(Scope::TooSmall, action), does))
        .filter(|(key, _)| !key.is_empty())
        .map(|(key, does)| format!("{key} {}", ink.text(does)))
        .collect();
    let needs = ink.fill(Text::TooSmall, &[&size.width, &size.height, &size::MIN_WIDTH, &size::MIN_HEIGHT]);
    let lines: Vec<Line<'_>> = [keys.join("  "), needs]
        .iter()
        .flat_map(|text| fit::wrap(text, usize::from(size.width), usize::from(size.height), ink.glyphs.more))
        .map(Line::from)
        .collect();
    canvas.paint(screen, &lines);
    if let Some(Layer::Help(scroll)) = state.layers.last() {
        layers::help::draw(state, *scroll, ink, canvas);
    }
}
