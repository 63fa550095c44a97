//! A table by name: a window over a list of the view, moved by names and never by counting, so that it costs the
//! same with ten rows and with ten million.

/// Rows in the window: a few screens of the tallest terminal, so that scrolling rarely has to wait.
pub const LISTED_ROWS: usize = 300;
/// Rows of the old window that stay above the selection when it moves down.
const KEPT_ABOVE: usize = 100;
/// Window beginnings remembered for the way back up. Older ones are forgotten, and the way up then leads to
/// the first row at once.
const BACK_WINDOWS: usize = 10_000;

/// A row with a name, by which rows are sorted.
pub trait Named {
    /// What it is known by.
    type Name: Clone + Ord + std::fmt::Debug;

    /// Its name.
    fn name(&self) -> &Self::Name;
}

/// A window over a list, and the selection within it. A selection stays with its row.
#[derive(Debug, Clone)]
pub struct Listing<T: Named> {
    /// The window starts after this name; with the first row if absent.
    pub after: Option<T::Name>,
    /// Where the windows above this one start, the nearest last.
    back: Vec<Option<T::Name>>,
    /// The rows of the window.
    pub rows: Vec<T>,
    /// Whether there are rows below the window.
    pub has_more: bool,
    /// Whether the rows are those of this window.
    pub is_read: bool,
    /// The selected row; the window's first if absent.
    selected: Option<T::Name>,
    /// Rows above the first one that is shown.
    pub offset: usize,
}

impl<T: Named> Default for Listing<T> {
    fn default() -> Self {
        Self {
            after: None,
            back: Vec::new(),
            rows: Vec::new(),
            has_more: false,
            is_read: false,
            selected: None,
            offset: 0,
        }
    }
}

impl<T: Named> Listing<T> {
    /// The selected row's place in the window.
    #[must_use]
    pub fn selected_index(&self) -> Option<usize> {
        let Some(selected) = &self.selected else { return (!self.rows.is_empty()).then_some(0) };
        self.rows.iter().position(|row| row.name() == selected)
    }

    /// The selected row.
    #[must_use]
    pub fn selected_row(&self) -> Option<&T> {
        self.rows.get(self.selected_index()?)
    }

    /// Selects the row at `index` of the window, if there is one.
    pub fn select(&mut self, index: usize) {
        if let Some(row) = self.rows.get(index) {
            self.selected = Some(row.name().clone());
        }
    }

    /// Selects the row of that name as soon as it is in the window.
    pub fn select_name(&mut self, name: T::Name) {
        self.selected = Some(name);
    }

    /// Starts anew after `after`, with nothing selected.
    pub fn start_after(&mut self, after: Option<T::Name>) {
        *self = Self { after, ..Self::default() };
    }

    /// Moves the selection by `by` rows, of which `shown` fit on the screen, and the window with it.
    pub fn move_by(&mut self, by: isize, shown: usize) {
        let Some(last) = self.rows.len().checked_sub(1) else { return };
        let to = self.selected_index().unwrap_or(0).saturating_add_signed(by).min(last);
        self.select(to);
        self.keep_in_sight(shown);
        if by > 0 && to + shown > last {
            self.slide_down(to);
        } else if by < 0 && to < shown {
            self.slide_up();
        }
    }

    /// Scrolls as little as needed to show the selection.
    pub fn keep_in_sight(&mut self, shown: usize) {
        let at = self.selected_index().unwrap_or(0);
        let most = self.rows.len().saturating_sub(shown);
        let least = (at + 1).saturating_sub(shown);
        self.offset = self.offset.min(most).clamp(least.min(at), at);
    }

    /// Goes to the first row of all.
    pub fn to_first(&mut self) {
        self.back.clear();
        self.selected = None;
        self.offset = 0;
        if self.after.take().is_some() {
            self.is_read = false;
        }
    }

    fn slide_down(&mut self, selected: usize) {
        if !self.has_more || !self.is_read {
            return;
        }
        let Some(first) = selected.checked_sub(KEPT_ABOVE).and_then(|first| self.rows.get(first)) else {
            return;
        };
        if self.back.len() >= BACK_WINDOWS {
            self.back.remove(0);
        }
        self.back.push(self.after.replace(first.name().clone()));
        self.is_read = false;
    }

    fn slide_up(&mut self) {
        if self.after.is_none() || !self.is_read {
            return;
        }
        self.after = self.back.pop().flatten();
        self.is_read = false;
    }

    /// Takes what the view says of this window. The selected row stays on its line of the screen, of which there
    /// are `shown`.
    pub fn read(&mut self, rows: Vec<T>, has_more: bool, shown: usize) {
        let old = self.selected_index().unwrap_or(0);
        let line = old.saturating_sub(self.offset);
        if let Some(selected) = &self.selected
            && !rows.iter().any(|row| row.name() == selected)
        {
            // It is gone, or left behind on the way up: its neighbour takes its place.
            let after = rows.iter().position(|row| row.name() > selected);
            let neighbour = after.unwrap_or(rows.len().saturating_sub(1));
            self.selected = rows.get(neighbour).map(|row| row.name().clone());
        }
        (self.rows, self.has_more, self.is_read) = (rows, has_more, true);
        self.offset = self.selected_index().unwrap_or(0).saturating_sub(line);
        self.keep_in_sight(shown);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: usize = 10;

    impl Named for u32 {
        type Name = Self;

        fn name(&self) -> &Self {
            self
        }
    }

    /// A list of `0..count`, read the way the real one is.
    fn read(listing: &mut Listing<u32>, count: u32) {
        let first = listing.after.map_or(0, |after| after + 1);
        let rows: Vec<u32> = (first..count).take(LISTED_ROWS).collect();
        let has_more = rows.len() == LISTED_ROWS;
        listing.read(rows, has_more, SHOWN);
    }

    #[test]
    fn moving_down_reaches_the_last_row_and_up_the_first_one_by_one() {
        const COUNT: u32 = 2000;
        let mut listing = Listing::default();
        read(&mut listing, COUNT);
        let down = (1..COUNT).map(|expected| (1, expected));
        let up = (0..COUNT - 1).rev().map(|expected| (-1, expected));
        for (by, expected) in down.chain(up) {
            listing.move_by(by, SHOWN);
            if !listing.is_read {
                read(&mut listing, COUNT);
            }
            assert_eq!(listing.selected_row(), Some(&expected));
            let line = listing.selected_index().unwrap() - listing.offset;
            assert!(line < SHOWN, "row {expected} is off the screen");
        }
    }

    #[test]
    fn a_selection_stays_on_its_row_and_its_neighbour_takes_its_place() {
        let mut listing = Listing::default();
        listing.read(vec![2, 4, 6, 8], false, SHOWN);
        listing.move_by(2, SHOWN);
        listing.read(vec![1, 2, 3, 4, 6, 8], false, SHOWN);
        assert_eq!(listing.selected_row(), Some(&6));
        listing.read(vec![1, 2, 8], false, SHOWN);
        assert_eq!(listing.selected_row(), Some(&8));
        listing.read(vec![], false, SHOWN);
        assert_eq!(listing.selected_row(), None);
    }
}
