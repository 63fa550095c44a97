//! Moving in a table, and keeping its selection on the screen.

use crate::dashboard::keys::Action;

/// By how many rows `action` moves where `shown` fit on the screen; `None` if it does not move.
#[must_use]
pub(crate) fn rows_moved(action: Action, shown: usize) -> Option<isize> {
    let page = isize::try_from(shown).unwrap_or(isize::MAX);
    match action {
        Action::Up => Some(-1),
        Action::Down => Some(1),
        Action::PageUp => Some(-page),
        Action::PageDown => Some(page),
        Action::First => Some(isize::MIN),
        Action::Last => Some(isize::MAX),
        _ => None,
    }
}

/// A table in which one row is selected. `shown` of its rows fit on the screen.
pub trait Table {
    /// How many rows there are to move in.
    fn row_count(&self) -> usize;

    /// The selected row's place among them.
    fn selected_index(&self) -> Option<usize>;

    /// Selects the row at `index`, if there is one.
    fn select(&mut self, index: usize);

    /// Rows above the first one that is on the screen.
    fn offset_mut(&mut self) -> &mut usize;

    /// The selection was moved `by` rows, to the one at `to`.
    fn moved(&mut self, _by: isize, _to: usize, _shown: usize) {}

    /// Moves the selection by `by` rows, and stops at the ends.
    fn move_by(&mut self, by: isize, shown: usize) {
        let Some(last) = self.row_count().checked_sub(1) else { return };
        let to = self.selected_index().unwrap_or(0).saturating_add_signed(by).min(last);
        self.select(to);
        self.keep_in_sight(shown);
        self.moved(by, to, shown);
    }

    /// Scrolls as little as needed to show the selection.
    fn keep_in_sight(&mut self, shown: usize) {
        let selected = self.selected_index().unwrap_or(0);
        let last = self.row_count().saturating_sub(shown);
        let first = (selected + 1).saturating_sub(shown);
        let offset = self.offset_mut();
        *offset = (*offset).min(last).clamp(first.min(selected), selected);
    }
}
