//! Screens that are a table by name with the orders of the selected row beside it: accounts and items.

use ratatui::layout::Rect;
use ratatui::text::Line;
use skstore_workers::desk::view::OrderFilter;

use super::orders::update::show_orders;
use super::screen::Screen;
use crate::dashboard::canvas::Canvas;
use crate::dashboard::ink::Ink;
use crate::dashboard::keys::Action;
use crate::dashboard::layout::{self, Areas};
use crate::dashboard::message::{Effect, Found, ListFound, Query};
use crate::dashboard::state::State;
use crate::dashboard::table::listing::{Listing, Named};
use crate::dashboard::table::movement::Table;
use crate::dashboard::table::sort::Resort;
use crate::text::Text;

/// Whose orders were asked for, and what was found.
type Answer<T> = (Option<<T as Named>::Name>, ListFound<T>);

/// What such a screen has of its own.
pub(crate) struct ByName<T: Named> {
    /// The rows.
    pub(crate) listing: fn(&State) -> &Listing<T>,
    /// The rows, to be moved in.
    pub(crate) listing_mut: fn(&mut State) -> &mut Listing<T>,
    /// What is needed of the view.
    pub(crate) query: fn(&State) -> Query,
    /// Whose orders were asked for, and the view's answer, if both are those of this screen.
    pub(crate) answer: fn(Query, Found) -> Option<Answer<T>>,
    /// The filter that finds the orders of a row, and the field and value by which it is typed.
    pub(crate) orders_of: fn(&T) -> (OrderFilter, Text, String),
    /// With what the names begin that are shown first.
    pub(crate) typed: fn(&State) -> &str,
    /// Shows the names from those on that begin with what is typed.
    pub(crate) begin_with: fn(&mut State, &str),
    /// Draws the table.
    pub(crate) draw: fn(&State, &Ink<'_>, &mut Canvas<'_>, Rect),
    /// The newest orders of the selected row.
    pub(crate) beside: fn(&State, &Ink<'_>, usize) -> Vec<Line<'static>>,
}

impl<T: Named + 'static> Screen for ByName<T> {
    fn query(&self, state: &State) -> Query {
        (self.query)(state)
    }

    fn read(&self, state: &mut State, query: Query, found: Found) {
        if let Some((of, found)) = (self.answer)(query, found) {
            let (language, shown) = (state.look.language, layout::shown_rows(state));
            (self.listing_mut)(state).found(of, found, language, shown);
        }
    }

    fn refusal(&self, state: &State, action: Action) -> Option<Text> {
        match action {
            Action::TheirOrders if (self.listing)(state).selected_row().is_none() => {
                Some(Text::WhyNothingSelected)
            }
            Action::Back if (self.typed)(state).is_empty() => Some(Text::WhyNothingOpen),
            _ => None,
        }
    }

    fn act(&self, state: &mut State, action: Action) -> Vec<Effect> {
        match action {
            Action::TheirOrders => self.open(state),
            Action::Filter => state.open_filter((self.typed)(state).to_owned()),
            Action::Back => (self.begin_with)(state, ""),
            Action::First => (self.listing_mut)(state).to_first(),
            _ => self.move_as(state, action),
        }
        Vec::new()
    }

    fn table<'a>(&self, state: &'a mut State) -> Option<&'a mut dyn Table> {
        Some((self.listing_mut)(state))
    }

    fn open(&self, state: &mut State) {
        if let Some((filter, field, value)) = (self.listing)(state).selected_row().map(self.orders_of) {
            show_orders(state, filter, state.look.language.get(field), &value);
        }
    }

    fn resort(&self, state: &mut State, wish: Resort) -> Vec<Effect> {
        let (language, shown) = (state.look.language, layout::shown_rows(state));
        (self.listing_mut)(state).resort(wish, language, shown);
        Vec::new()
    }

    fn filter_by(&self, state: &mut State, typed: &str) {
        (self.begin_with)(state, typed);
    }

    fn draw(&self, state: &State, ink: &Ink<'_>, canvas: &mut Canvas<'_>, areas: &Areas) {
        (self.draw)(state, ink, canvas, areas.main);
        areas.draw_beside(ink, canvas, |width| (self.beside)(state, ink, width));
    }
}
