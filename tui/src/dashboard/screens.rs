//! The screens, a folder each: its state, what its keys do, how it is drawn.

use super::message::Wanted;
use super::state::{Connection, State};
use super::tab::Tab;

pub mod accounts;
mod by_name;
pub mod dead_letters;
pub mod events;
pub mod health;
pub mod items;
pub mod orders;
mod screen;

use screen::Screen;

/// The screen of a tab.
pub(crate) fn of(tab: Tab) -> &'static dyn Screen {
    match tab {
        Tab::Orders => &orders::update::OrdersScreen,
        Tab::Accounts => &accounts::update::SCREEN,
        Tab::Items => &items::update::SCREEN,
        Tab::Health => &health::update::HealthScreen,
        Tab::Events => &events::update::EventsScreen,
        Tab::Dead => &dead_letters::update::DeadLettersScreen,
    }
}

/// What is needed of the view for all that is shown.
#[must_use]
pub fn wanted(state: &State) -> Wanted {
    Wanted {
        query: of(state.tab).query(state),
        detail: state.open_detail().map(|detail| detail.id.clone()),
        pickers: state.form().map(|form| form.customer.query.text().trim().to_owned()),
    }
}

/// Whether something on the screen changes as time goes by.
#[must_use]
pub fn shows_time(state: &State) -> bool {
    of(state.tab).shows_time(state)
        || state.heard_at.is_some()
        || state.open_detail().is_some()
        || !state.toasts.is_empty()
        || state.bus_lost.is_some()
        || matches!(state.connection, Connection::Lost { .. })
}
