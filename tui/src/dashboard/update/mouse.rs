//! The mouse: a click does what a key does to what is under it, the wheel moves what is under it.

use super::{events, layers, listings, orders, screen};
use crate::dashboard::draw::hit::{self, Hit};
use crate::dashboard::keys::Action;
use crate::dashboard::layout;
use crate::dashboard::message::{Effect, Gesture, Mouse};
use crate::dashboard::state::sort::Resort;
use crate::dashboard::state::{Layer, State};
use crate::dashboard::tab::Tab;

/// Rows that one notch of the wheel moves.
const WHEEL_ROWS: isize = 3;

/// Does what the mouse wants.
pub(super) fn act(state: &mut State, mouse: Mouse) -> Vec<Effect> {
    if state.is_unseen() {
        return Vec::new();
    }
    match mouse.gesture {
        Gesture::WheelUp => wheel(state, mouse, -1),
        Gesture::WheelDown => wheel(state, mouse, 1),
        Gesture::Click => return click(state, mouse),
    }
    Vec::new()
}

fn wheel(state: &mut State, mouse: Mouse, towards: isize) {
    let action = if towards < 0 { Action::Up } else { Action::Down };
    if !state.layers.is_empty() {
        // In a list one notch is one choice; a text scrolls further.
        let times = if matches!(state.layers.last(), Some(Layer::Help { .. } | Layer::Log { .. })) {
            WHEEL_ROWS
        } else {
            1
        };
        let takes_it = matches!(
            state.layers.last(),
            Some(
                Layer::Help { .. } | Layer::Log { .. } | Layer::Menu(_) | Layer::Palette(_) | Layer::Form(_)
            )
        );
        for _ in 0..if takes_it { times } else { 0 } {
            layers::act(state, action);
        }
        return;
    }
    let shown = layout::shown_rows(state);
    let rows = towards * WHEEL_ROWS;
    match state.tab {
        Tab::Orders if hit::is_on_detail(state, mouse) => orders::scroll_detail(state, rows),
        Tab::Orders => orders::move_selection(state, rows, shown),
        Tab::Accounts => state.accounts.listing.move_by(rows, shown),
        Tab::Items => state.items.listing.move_by(rows, shown),
        Tab::Events => state.events.move_by(rows, shown),
        Tab::Dead => state.dead.move_by(rows, shown),
        Tab::Health => {
            for _ in 0..WHEEL_ROWS {
                screen::act(state, action);
            }
        }
    }
}

fn click(state: &mut State, mouse: Mouse) -> Vec<Effect> {
    match hit::at(state, mouse) {
        None => Vec::new(),
        Some(Hit::Action(action)) => super::act(state, action),
        Some(Hit::Tab(tab)) => screen::act(state, Action::Go(tab)),
        Some(Hit::Sort(place)) => screen::resort(state, Resort::By(place)),
        Some(Hit::Form(spot)) => layers::click_form(state, spot),
        Some(Hit::Row(index)) => click_row(state, index),
        Some(Hit::Choice(index)) => {
            match state.layers.last_mut() {
                Some(Layer::Menu(menu)) => menu.at = index,
                Some(Layer::Palette(palette)) => palette.at = index,
                Some(Layer::Confirm(confirm)) => confirm.yes = index == 1,
                Some(Layer::Filter(_) | Layer::Form(_) | Layer::Log { .. } | Layer::Help { .. }) | None => {
                    return Vec::new();
                }
            }
            layers::act(state, Action::Accept)
        }
    }
}

/// A click selects a row; on the selected one it opens it.
fn click_row(state: &mut State, index: usize) -> Vec<Effect> {
    let is_selected = match state.tab {
        Tab::Orders => state.orders.selected_index() == Some(index),
        Tab::Accounts => state.accounts.listing.selected_index() == Some(index),
        Tab::Items => state.items.listing.selected_index() == Some(index),
        Tab::Events => state.events.selected_index() == Some(index),
        Tab::Health | Tab::Dead => false,
    };
    match state.tab {
        Tab::Orders if is_selected && state.detail.is_none() => orders::open_detail(state),
        Tab::Orders => {
            state.orders.select(index);
            orders::follow_with_detail(state);
        }
        Tab::Accounts if is_selected => listings::act_in_accounts(state, Action::TheirOrders),
        Tab::Accounts => state.accounts.listing.select(index),
        Tab::Items if is_selected => listings::act_in_items(state, Action::TheirOrders),
        Tab::Items => state.items.listing.select(index),
        Tab::Events if is_selected => events::show(state),
        Tab::Events => state.events.select(index),
        Tab::Dead => {
            let selected = state.dead.selected_index().unwrap_or(0);
            let by = isize::try_from(index).unwrap_or(0) - isize::try_from(selected).unwrap_or(0);
            state.dead.move_by(by, layout::shown_rows(state));
        }
        Tab::Health => {}
    }
    Vec::new()
}
