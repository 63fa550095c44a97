//! Keys among the events.

use skstore_workers::desk::view::OrderFilter;

use super::listings::{quoted, show_orders};
use crate::dashboard::keys::Action;
use crate::dashboard::layout;
use crate::dashboard::message::Effect;
use crate::dashboard::state::detail::Detail;
use crate::dashboard::state::events::{About, about};
use crate::dashboard::state::filter_line::FilterLine;
use crate::dashboard::state::{Layer, State};
use crate::dashboard::tab::Tab;

/// Does what a key there does.
pub(super) fn act(state: &mut State, action: Action) -> Vec<Effect> {
    let shown = layout::shown_rows(state);
    let page = isize::try_from(shown).unwrap_or(isize::MAX);
    match action {
        Action::Up => state.events.move_by(-1, shown),
        Action::Down => state.events.move_by(1, shown),
        Action::PageUp => state.events.move_by(-page, shown),
        Action::PageDown => state.events.move_by(page, shown),
        Action::Last => state.events.move_by(isize::MAX, shown),
        Action::Show => show(state),
        Action::Filter => {
            let line = FilterLine::beginning_with(&state.events.typed);
            state.layers.push(Layer::Filter(Box::new(line)));
        }
        Action::Back => state.events.filter_by("", shown),
        Action::Newest => {
            state.events.to_newest();
            return vec![Effect::Read];
        }
        Action::Freeze => {
            state.events.toggle_freeze(state.now);
            // Events that were frozen are shown at once with what they have missed.
            return vec![Effect::Read];
        }
        _ => {}
    }
    Vec::new()
}

/// Shows what the selected event is about: the order whole, the account, or the item.
pub(super) fn show(state: &mut State) {
    let Some(entry) = state.events.selected_row().cloned() else { return };
    match about(&entry) {
        About::Order(id) => {
            let typed = format!("id:{}", quoted(id.as_str()));
            let filter = OrderFilter { id_prefix: Some(id.as_str().to_owned()), ..OrderFilter::default() };
            show_orders(state, filter, &typed);
            state.detail = Some(Detail::of(id));
        }
        About::Account => {
            state.accounts.begin_with(&entry.subject);
            state.tab = Tab::Accounts;
        }
        About::Item => {
            state.tab = Tab::Items;
            let index = state.items.listing.rows().position(|item| item.item_id.as_str() == entry.subject);
            if let Some(index) = index {
                state.items.listing.select(index);
            }
        }
    }
}
