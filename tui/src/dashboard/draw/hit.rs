//! What lies under a place of the screen: the way back from what was drawn.

use ratatui::layout::Rect;

use super::ink::Ink;
use super::{accounts, dialogs, footer, form, header, heading, items, orders, palette};
use crate::dashboard::keys::Action;
use crate::dashboard::layout;
use crate::dashboard::message::Mouse;
use crate::dashboard::state::{Layer, State};
use crate::dashboard::tab::Tab;

/// Rows of a table above its first row: its title and its columns' names.
const HEADING: u16 = 2;

/// What can be clicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hit {
    /// A tab.
    Tab(Tab),
    /// A key in the footer.
    Action(Action),
    /// The name of the column at this place of the table's.
    Sort(usize),
    /// A row of the table, by its place in the window.
    Row(usize),
    /// A part of a form.
    Form(FormSpot),
    /// A choice of a menu or the palette, or an answer to a question: no, yes.
    Choice(usize),
}

/// What of a form can be clicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FormSpot {
    /// The field at this place of the form's.
    Field(usize),
    /// A choice of the field that has the keys: its place among those that match.
    Choice(usize),
    /// One step less.
    Less,
    /// One step more.
    More,
    /// The way out that sends it.
    Send,
    /// The way out that does not.
    Close,
}

/// What is at a place of the screen, if it can be clicked.
#[must_use]
pub fn at(state: &State, mouse: Mouse) -> Option<Hit> {
    if layout::is_too_small(state.size) {
        return None;
    }
    let ink = Ink::new(state);
    let areas = layout::areas(state);
    if mouse.y == areas.footer.y {
        // A filter is typed over the keys.
        let has_keys = !matches!(state.layers.last(), Some(Layer::Filter(_)));
        let action = footer::action_at(state, &ink, usize::from(mouse.x), areas.footer.width);
        return action.filter(|_| has_keys).map(Hit::Action);
    }
    match state.layers.last() {
        Some(Layer::Menu(menu)) => return choice(dialogs::menu_area(state, *menu), mouse, 0),
        Some(Layer::Palette(palette)) => {
            return choice(palette::list_area(state), mouse, palette::first_shown(state, palette))
                .filter(|hit| matches!(hit, Hit::Choice(at) if *at < palette.found(state).len()));
        }
        Some(Layer::Confirm(confirm)) => {
            return dialogs::button_at(state, confirm, &ink, mouse).map(|yes| Hit::Choice(usize::from(yes)));
        }
        Some(Layer::Form(form)) => return form::spot_at(state, form, &ink, mouse).map(Hit::Form),
        Some(Layer::Filter(_) | Layer::Log { .. } | Layer::Help { .. }) => return None,
        None => {}
    }
    if mouse.y == areas.header.y {
        return header::tab_at(state, &ink, usize::from(mouse.x)).map(Hit::Tab);
    }
    in_table(state, &ink, areas.main, mouse)
}

/// Whether a place is on the detail of an order.
#[must_use]
pub fn is_on_detail(state: &State, mouse: Mouse) -> bool {
    let areas = layout::areas(state);
    state.open_detail().is_some() && contains(areas.side.unwrap_or(areas.main), mouse)
}

const fn contains(area: Rect, mouse: Mouse) -> bool {
    mouse.x >= area.x && mouse.x < area.right() && mouse.y >= area.y && mouse.y < area.bottom()
}

fn choice(area: Rect, mouse: Mouse, first: usize) -> Option<Hit> {
    contains(area, mouse).then(|| Hit::Choice(first + usize::from(mouse.y - area.y)))
}

fn in_table(state: &State, ink: &Ink<'_>, area: Rect, mouse: Mouse) -> Option<Hit> {
    let is_covered = state.open_detail().is_some() && !layout::is_wide(state.size);
    if is_covered || !contains(area, mouse) {
        return None;
    }
    let row = mouse.y - area.y;
    if row + 1 == HEADING {
        return column_at(state, ink, area, usize::from(mouse.x - area.x)).map(Hit::Sort);
    }
    let row = usize::from(row.checked_sub(HEADING)?);
    let (offset, rows) = match state.tab {
        Tab::Orders => (state.orders.offset, state.orders.page.rows.len()),
        Tab::Accounts => (state.accounts.listing.offset, state.accounts.listing.rows().len()),
        Tab::Items => (state.items.listing.offset, state.items.listing.rows().len()),
        Tab::Events => (state.events.offset, state.events.rows().len()),
        Tab::Dead => (state.dead.offset, state.dead.letters.len()),
        Tab::Health => return None,
    };
    (offset + row < rows).then_some(Hit::Row(offset + row))
}

fn column_at(state: &State, ink: &Ink<'_>, area: Rect, x: usize) -> Option<usize> {
    let width = usize::from(area.width);
    match state.tab {
        Tab::Orders => heading::place_at(&orders::heads(ink, width), x),
        Tab::Accounts => heading::place_at(&accounts::heads(width), x),
        Tab::Items => heading::place_at(&items::heads(state, width), x),
        Tab::Health | Tab::Events | Tab::Dead => None,
    }
}
