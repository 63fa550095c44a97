//! The mouse: a click does what a key does to what is under it, the wheel moves what is under it. What is where was
//! recorded when it was drawn.

use super::act::{act, act_on_screen};
use crate::dashboard::keys::Action;
use crate::dashboard::layers;
use crate::dashboard::message::{Effect, Gesture, Mouse};
use crate::dashboard::screens;
use crate::dashboard::screens::orders::update::scroll_detail;
use crate::dashboard::shown::Spot;
use crate::dashboard::state::State;
use crate::dashboard::table::sort::Resort;

/// Rows that one notch of the wheel moves.
const WHEEL_ROWS: u8 = 3;

/// Does what the mouse wants.
pub(super) fn use_mouse(state: &mut State, mouse: Mouse) -> Vec<Effect> {
    // What cannot be seen is not acted on.
    if state.is_unseen() {
        return Vec::new();
    }
    let spot = state.shown().at(mouse.x, mouse.y);
    match mouse.gesture {
        Gesture::WheelUp => wheel(state, spot, Action::Up, -isize::from(WHEEL_ROWS)),
        Gesture::WheelDown => wheel(state, spot, Action::Down, isize::from(WHEEL_ROWS)),
        Gesture::Click => return spot.map_or_else(Vec::new, |spot| click(state, spot)),
    }
    Vec::new()
}

fn wheel(state: &mut State, spot: Option<Spot>, action: Action, rows: isize) {
    if !state.layers.is_empty() {
        for _ in 0..layers::update::wheel_steps(state, usize::from(WHEEL_ROWS)) {
            layers::update::act(state, action);
        }
    } else if spot == Some(Spot::Detail) {
        scroll_detail(state, rows);
    } else {
        screens::of(state.tab).move_by(state, rows);
    }
}

fn click(state: &mut State, spot: Spot) -> Vec<Effect> {
    match spot {
        Spot::Action(action) => act(state, action),
        Spot::Tab(tab) => act_on_screen(state, Action::Go(tab)),
        Spot::Sort(column) => screens::of(state.tab).resort(state, Resort::By(column)),
        Spot::Row(row) => {
            screens::of(state.tab).click(state, row);
            Vec::new()
        }
        Spot::Detail => Vec::new(),
        Spot::Form(spot) => {
            layers::update::click_form(state, spot).map_or_else(Vec::new, |action| act(state, action))
        }
        Spot::Choice(choice) if layers::update::highlight(state, choice) => act(state, Action::Accept),
        Spot::Choice(_) => Vec::new(),
    }
}
