//! Draws what lies over the screen, bottom to top.

use ratatui::layout::Rect;

use super::{Layer, dialogs, filter, form, help, load, log, palette};
use crate::dashboard::canvas::Canvas;
use crate::dashboard::ink::Ink;
use crate::dashboard::state::State;

/// Draws the layers. Only the topmost can be clicked, and the `keys` of the `footer`: so many spots.
pub(crate) fn draw(state: &State, ink: &Ink<'_>, canvas: &mut Canvas<'_>, footer: Rect, keys: usize) {
    for layer in &state.layers {
        canvas.shown.cover_down_to(keys);
        match layer {
            Layer::Filter(line) => filter::draw::draw(state, line, ink, canvas, footer),
            Layer::Palette(palette) => palette::draw::draw(state, palette, ink, canvas),
            Layer::Form(form) => form::draw::draw(state, form, ink, canvas),
            Layer::Menu(menu) => dialogs::draw::menu(*menu, ink, canvas),
            Layer::Confirm(confirm) => dialogs::draw::question(state, confirm, ink, canvas),
            Layer::Load => load::draw::draw(state, ink, canvas),
            Layer::Log(scroll) => log::draw(state, *scroll, ink, canvas),
            Layer::Help(scroll) => help::draw(state, *scroll, ink, canvas),
        }
    }
}
