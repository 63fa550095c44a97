//! Keys among the events.

use skstore_workers::desk::view::OrderFilter;

use super::draw;
use super::state::{About, about};
use crate::dashboard::canvas::Canvas;
use crate::dashboard::ink::Ink;
use crate::dashboard::keys::Action;
use crate::dashboard::layout::{self, Areas};
use crate::dashboard::message::{Effect, Found, Query};
use crate::dashboard::screens::orders::detail::state::Detail;
use crate::dashboard::screens::orders::update::show_orders;
use crate::dashboard::screens::screen::Screen;
use crate::dashboard::state::State;
use crate::dashboard::tab::Tab;
use crate::dashboard::table::movement::Table;
use crate::text::Text;

/// The screen of events.
pub(crate) struct EventsScreen;

impl Screen for EventsScreen {
    fn query(&self, _: &State) -> Query {
        Query::Events
    }

    fn read(&self, state: &mut State, _: Query, found: Found) {
        if let Found::Events(entries) = found {
            let shown = layout::shown_rows(state);
            state.events.read(entries, shown);
        }
    }

    fn refusal(&self, state: &State, action: Action) -> Option<Text> {
        match action {
            Action::Show if state.events.selected_row().is_none() => Some(Text::WhyNothingSelected),
            Action::Back if state.events.typed.is_empty() => Some(Text::WhyNothingOpen),
            _ => None,
        }
    }

    fn act(&self, state: &mut State, action: Action) -> Vec<Effect> {
        match action {
            Action::Show => show(state),
            Action::Filter => state.open_filter(state.events.typed.clone()),
            Action::Back => self.filter_by(state, ""),
            Action::Newest => {
                state.events.to_newest();
                return vec![Effect::Read];
            }
            Action::Freeze => {
                state.events.toggle_freeze(state.now);
                // Events that were frozen are shown at once with what they have missed.
                return vec![Effect::Read];
            }
            _ => self.move_as(state, action),
        }
        Vec::new()
    }

    fn table<'a>(&self, state: &'a mut State) -> Option<&'a mut dyn Table> {
        Some(&mut state.events)
    }

    fn open(&self, state: &mut State) {
        show(state);
    }

    fn filter_by(&self, state: &mut State, typed: &str) {
        let shown = layout::shown_rows(state);
        state.events.filter_by(typed, shown);
    }

    fn filter_hint(&self) -> Text {
        Text::EventsHint
    }

    fn filter_cost(&self, state: &State, ink: &Ink<'_>) -> String {
        draw::filter_cost(state, ink)
    }

    fn shows_time(&self, state: &State) -> bool {
        state.events.frozen_at.is_some()
    }

    fn draw(&self, state: &State, ink: &Ink<'_>, canvas: &mut Canvas<'_>, areas: &Areas) {
        draw::table(state, ink, canvas, areas.main);
        areas.draw_beside(ink, canvas, |width| draw::fields(state, ink, width));
    }
}

/// Shows what the selected event is about: the order whole, the account, or the item.
fn show(state: &mut State) {
    let Some(entry) = state.events.selected_row().cloned() else { return };
    match about(&entry) {
        About::Order(id) => {
            let filter = OrderFilter { id_prefix: Some(id.as_str().to_owned()), ..OrderFilter::default() };
            show_orders(state, filter, "id", id.as_str());
            state.detail = Some(Detail::of(id));
        }
        About::Account => {
            state.accounts.begin_with(&entry.subject);
            state.tab = Tab::Accounts;
        }
        About::Item => {
            state.tab = Tab::Items;
            let index = state.items.rows().position(|item| item.item_id.as_str() == entry.subject);
            if let Some(index) = index {
                state.items.select(index);
            }
        }
    }
}
