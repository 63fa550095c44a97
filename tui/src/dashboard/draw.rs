//! From the state to the screen, and nothing else. What a frame costs depends on the screen alone.

use std::borrow::Cow;

use ratatui::Frame;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::Line;
use ratatui::widgets::Block;

use super::keys::{Action, Scope};
use super::layout::{self, Areas};
use super::state::{Layer, State};
use super::tab::Tab;
use crate::text::{Text, fit};

mod accounts;
mod beside;
mod breaker;
mod dead;
mod detail;
mod dialogs;
mod events;
mod footer;
mod form;
mod header;
mod heading;
mod health;
mod help;
pub mod hit;
mod ink;
mod items;
mod listing;
mod log;
mod orders;
mod palette;
mod services;
mod toasts;

use ink::{Ink, paint};

/// Draws `state`.
pub fn draw(state: &State, frame: &mut Frame<'_>) {
    let ink = Ink::new(state);
    frame.render_widget(Block::new().style(ink.theme.text), frame.area());
    if layout::is_too_small(state.size) {
        draw_too_small(state, &ink, frame);
    } else {
        draw_screen(state, &ink, frame);
    }
    sweep(frame.buffer_mut());
}

fn draw_screen(state: &State, ink: &Ink<'_>, frame: &mut Frame<'_>) {
    let areas = layout::areas(state);
    header::draw(state, ink, frame, areas.header);
    if areas.banner.height > 0 {
        header::draw_banner(state, ink, frame, areas.banner);
    }
    match state.tab {
        Tab::Orders => draw_orders(state, ink, frame, &areas),
        Tab::Accounts => {
            accounts::draw(state, ink, frame, areas.main);
            draw_beside(ink, frame, &areas, |width| accounts::payments(state, ink, width));
        }
        Tab::Items => {
            items::draw(state, ink, frame, areas.main);
            draw_beside(ink, frame, &areas, |width| items::deliveries(state, ink, width));
        }
        Tab::Events => {
            events::draw(state, ink, frame, areas.main);
            draw_beside(ink, frame, &areas, |width| events::fields(state, ink, width));
        }
        Tab::Health => health::draw(state, ink, frame, areas.main),
        Tab::Dead => {
            dead::draw(state, ink, frame, areas.main);
            draw_beside(ink, frame, &areas, |width| dead::whole(state, ink, width));
        }
    }
    footer::draw(state, ink, frame, areas.footer);
    toasts::draw(state, ink, frame, areas.footer.y);
    for layer in &state.layers {
        match layer {
            Layer::Filter(line) => footer::draw_filter(state, line, ink, frame, areas.footer),
            Layer::Palette(palette) => palette::draw(state, palette, ink, frame),
            Layer::Form(form) => form::draw(state, form, ink, frame),
            Layer::Menu(menu) => dialogs::draw_menu(state, *menu, ink, frame),
            Layer::Confirm(confirm) => dialogs::draw_question(state, confirm, ink, frame),
            Layer::Log { scroll } => log::draw(state, *scroll, ink, frame),
            Layer::Help { scroll } => help::draw(state, *scroll, ink, frame),
        }
    }
}

fn draw_orders(state: &State, ink: &Ink<'_>, frame: &mut Frame<'_>, areas: &Areas) {
    match (&state.detail, areas.side) {
        (Some(detail), None) => detail::draw(state, detail, ink, frame, areas.main),
        (Some(detail), Some(side)) => {
            orders::draw(state, ink, frame, areas.main);
            let inner = side_of(ink, frame, side);
            detail::draw(state, detail, ink, frame, inner);
        }
        (None, side) => {
            orders::draw(state, ink, frame, areas.main);
            if let Some(side) = side {
                draw_side_panel(state, ink, frame, side);
            }
        }
    }
    if let Some(bottom) = areas.bottom {
        draw_bottom_panel(state, ink, frame, bottom);
    }
}

/// What belongs to the selected row, beside the table or below it: lines of a width.
fn draw_beside(
    ink: &Ink<'_>,
    frame: &mut Frame<'_>,
    areas: &Areas,
    lines: impl Fn(usize) -> Vec<Line<'static>>,
) {
    if let Some(side) = areas.side {
        let inner = side_of(ink, frame, side);
        paint(frame, inner, &lines(usize::from(inner.width)));
    }
    if let Some(bottom) = areas.bottom {
        paint(frame, bottom, &lines(usize::from(bottom.width)));
    }
}

/// A line on the left edge of what stands beside the table; what is left of it.
fn side_of(ink: &Ink<'_>, frame: &mut Frame<'_>, area: Rect) -> Rect {
    let block = Block::new()
        .borders(ratatui::widgets::Borders::LEFT)
        .border_set(ink.glyphs.border)
        .border_style(ink.theme.border);
    let inner = block.inner(area);
    frame.render_widget(block, area);
    inner
}

fn draw_side_panel(state: &State, ink: &Ink<'_>, frame: &mut Frame<'_>, area: Rect) {
    let inner = side_of(ink, frame, area);
    let width = usize::from(inner.width);
    let mut lines = services::lines(state, ink, width, true);
    lines.push(Line::default());
    lines.extend(breaker::lines(state, ink, width, true));
    paint(frame, inner, &lines);
}

fn draw_bottom_panel(state: &State, ink: &Ink<'_>, frame: &mut Frame<'_>, area: Rect) {
    let left = Rect { width: area.width * 23 / 40, ..area };
    let right = Rect { x: area.x + left.width, width: area.width - left.width, ..area };
    let services = services::lines(state, ink, usize::from(left.width), false);
    paint(frame, left, &services);
    let inner = side_of(ink, frame, right);
    paint(frame, inner, &breaker::lines(state, ink, usize::from(inner.width), false));
}

/// What is needed to go on, above all the keys that still act: of a screen of one line they are what is shown.
fn draw_too_small(state: &State, ink: &Ink<'_>, frame: &mut Frame<'_>) {
    let (size, screen) = (state.size, frame.area());
    let keys: Vec<String> = [(Action::Help, Text::KeyHelp), (Action::Quit, Text::KeyQuit)]
        .into_iter()
        .map(|(action, does)| (ink.key(Scope::TooSmall, action), does))
        .filter(|(key, _)| !key.is_empty())
        .map(|(key, does)| format!("{key} {}", ink.text(does)))
        .collect();
    let needs =
        ink.fill(Text::TooSmall, &[&size.width, &size.height, &layout::MIN_WIDTH, &layout::MIN_HEIGHT]);
    let lines: Vec<Line<'_>> = [keys.join("  "), needs]
        .iter()
        .flat_map(|text| fit::wrap(text, usize::from(size.width), usize::from(size.height), ink.glyphs.more))
        .map(Line::from)
        .collect();
    paint(frame, screen, &lines);
    if let Some(Layer::Help { scroll }) = state.layers.last() {
        help::draw(state, *scroll, ink, frame);
    }
}

/// Lines of the open detail that lie below the screen: as far as it can be scrolled.
#[must_use]
pub fn detail_lines_below(state: &State) -> usize {
    let areas = layout::areas(state);
    let area = areas.side.unwrap_or(areas.main);
    let Some(detail) = state.open_detail() else { return 0 };
    let lines = detail::lines(state, detail, &Ink::new(state), usize::from(area.width));
    lines.len().saturating_sub(usize::from(area.height))
}

/// Lines of the health tab that lie below the screen: as far as it can be scrolled.
#[must_use]
pub fn health_lines_below(state: &State) -> usize {
    health::lines_below(state, &Ink::new(state))
}

/// Lines of the log that lie above the screen: as far as it can be scrolled.
#[must_use]
pub fn log_lines_above(state: &State) -> usize {
    log::lines_above(state, &Ink::new(state))
}

/// Lines of the help that lie below the screen: as far as it can be scrolled.
#[must_use]
pub fn help_lines_below(state: &State) -> usize {
    help::lines_below(state, &Ink::new(state))
}

/// The last guard: no cell holds a character that could repaint the terminal, whatever was drawn into it.
fn sweep(buffer: &mut Buffer) {
    for cell in &mut buffer.content {
        // Nearly all cells hold one printable ASCII character.
        if matches!(cell.symbol().as_bytes(), [b' '..=b'~']) {
            continue;
        }
        if let Cow::Owned(kept) = fit::clean(cell.symbol()) {
            let kept = if kept.is_empty() { " ".to_owned() } else { kept };
            cell.set_symbol(&kept);
        }
    }
}
