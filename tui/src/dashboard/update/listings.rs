//! Keys in the tables of accounts and items.

use skstore_workers::desk::view::OrderFilter;

use crate::dashboard::keys::Action;
use crate::dashboard::layout;
use crate::dashboard::state::filter_line::FilterLine;
use crate::dashboard::state::listing::{Listing, Named};
use crate::dashboard::state::{Layer, State};
use crate::dashboard::tab::Tab;
use crate::text::Text;

/// Does what a key in the table of accounts does.
pub(super) fn act_in_accounts(state: &mut State, action: Action) {
    if action == Action::TheirOrders {
        let Some(account) = state.accounts.listing.selected_row() else { return };
        let customer = account.customer.clone();
        let typed = format!("{}:{}", state.look.language.get(Text::FieldCustomer), quoted(customer.as_str()));
        show_orders(state, OrderFilter { customer: Some(customer), ..OrderFilter::default() }, &typed);
        return;
    }
    let shown = layout::shown_rows(state);
    match action {
        Action::Filter => {
            let line = FilterLine::beginning_with(&state.accounts.typed);
            state.layers.push(Layer::Filter(Box::new(line)));
        }
        Action::Back => state.accounts.begin_with(""),
        _ => move_in(&mut state.accounts.listing, action, shown),
    }
}

/// Does what a key in the table of items does.
pub(super) fn act_in_items(state: &mut State, action: Action) {
    if action == Action::TheirOrders {
        let Some(item) = state.items.listing.selected_row() else { return };
        let item_id = item.item_id.clone();
        let typed = format!("{}:{}", state.look.language.get(Text::FieldItem), quoted(item_id.as_str()));
        show_orders(state, OrderFilter { item_id: Some(item_id), ..OrderFilter::default() }, &typed);
        return;
    }
    let shown = layout::shown_rows(state);
    move_in(&mut state.items.listing, action, shown);
}

/// A name as a filter has it: one with blanks in quotes.
pub(super) fn quoted(name: &str) -> String {
    if name.contains(char::is_whitespace) { format!("\"{name}\"") } else { name.to_owned() }
}

pub(super) fn show_orders(state: &mut State, filter: OrderFilter, typed: &str) {
    state.orders.show(filter, typed);
    state.detail = None;
    state.tab = Tab::Orders;
}

fn move_in<T: Named>(listing: &mut Listing<T>, action: Action, shown: usize) {
    let page = isize::try_from(shown).unwrap_or(isize::MAX);
    match action {
        Action::Up => listing.move_by(-1, shown),
        Action::Down => listing.move_by(1, shown),
        Action::PageUp => listing.move_by(-page, shown),
        Action::PageDown => listing.move_by(page, shown),
        Action::First => listing.to_first(),
        Action::Last => listing.move_by(isize::MAX, shown),
        _ => {}
    }
}
