//! What a screen is to the rest of the dashboard.

use crate::dashboard::canvas::Canvas;
use crate::dashboard::ink::Ink;
use crate::dashboard::keys::Action;
use crate::dashboard::layout::{self, Areas};
use crate::dashboard::message::{Effect, Found, Query};
use crate::dashboard::screens::orders::filter::BadFilter;
use crate::dashboard::state::State;
use crate::dashboard::table::movement::{Table, rows_moved};
use crate::dashboard::table::sort::Resort;
use crate::text::Text;

/// A screen: what it needs, what its keys do, how it looks. Its state is a field of [`State`].
pub(crate) trait Screen: Sync {
    /// What it needs of the view.
    fn query(&self, _: &State) -> Query {
        Query::Nothing
    }

    /// Takes the view's answer to its `query`.
    fn read(&self, _: &mut State, _query: Query, _: Found) {}

    /// Why a key that only this screen has does nothing now; `None` if it does something.
    fn refusal(&self, _: &State, _: Action) -> Option<Text> {
        None
    }

    /// Does what a key that only this screen has does.
    fn act(&self, state: &mut State, action: Action) -> Vec<Effect> {
        self.move_as(state, action);
        Vec::new()
    }

    /// Its table, if it has one.
    fn table<'a>(&self, _: &'a mut State) -> Option<&'a mut dyn Table> {
        None
    }

    /// Moves the selection of its table as a key does.
    fn move_as(&self, state: &mut State, action: Action) {
        if let Some(rows) = rows_moved(action, layout::shown_rows(state)) {
            self.move_by(state, rows);
        }
    }

    /// Moves the selection of its table by so many rows, or scrolls by so many lines.
    fn move_by(&self, state: &mut State, rows: isize) {
        let shown = layout::shown_rows(state);
        if let Some(table) = self.table(state) {
            table.move_by(rows, shown);
        }
    }

    /// Scrolls as little as needed to show the selection.
    fn keep_in_sight(&self, state: &mut State) {
        let shown = layout::shown_rows(state);
        if let Some(table) = self.table(state) {
            table.keep_in_sight(shown);
        }
    }

    /// A row was clicked: it is selected, and the selected one is opened.
    fn click(&self, state: &mut State, row: usize) {
        match self.table(state) {
            Some(table) if table.selected_index() == Some(row) => self.open(state),
            Some(table) => table.select(row),
            None => {}
        }
    }

    /// Opens the selected row.
    fn open(&self, _: &mut State) {}

    /// Sorts its rows in another way.
    fn resort(&self, _: &mut State, _: Resort) -> Vec<Effect> {
        Vec::new()
    }

    /// Shows what matches what was typed.
    fn filter_by(&self, _: &mut State, _typed: &str) {}

    /// What is wrong with what was typed into its filter.
    fn filter_problem(&self, _: &State, _typed: &str) -> Option<BadFilter> {
        None
    }

    /// What can be typed into its filter.
    fn filter_hint(&self) -> Text {
        Text::NameHint
    }

    /// How what is typed into its filter is found.
    fn filter_cost(&self, _: &State, ink: &Ink<'_>) -> String {
        ink.text(Text::FilterIndexed).to_owned()
    }

    /// What it asks for when it is gone to, besides what it needs of the view.
    fn entered(&self, _: &mut State) -> Vec<Effect> {
        Vec::new()
    }

    /// Whether it shows how full the queues are.
    fn looks_at_queues(&self) -> bool {
        false
    }

    /// Whether something on it changes as time goes by.
    fn shows_time(&self, _: &State) -> bool {
        false
    }

    /// Draws it.
    fn draw(&self, state: &State, ink: &Ink<'_>, canvas: &mut Canvas<'_>, areas: &Areas);
}
