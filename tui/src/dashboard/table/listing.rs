//! A table by name: a window over a list of the view, moved by names and never by counting, so that it costs the
//! same with ten rows and with ten million.

use std::cmp::Ordering;

use skstore_workers::desk::view::OrderPage;

use super::movement::Table;
use super::sort::{Arrangement, Column, Resort, Sort};
use crate::dashboard::message::{ListFound, ListQuery};
use crate::text::Language;

/// Rows in the window: a few screens of the tallest terminal, so that scrolling rarely has to wait.
pub const LISTED_ROWS: usize = 300;
/// Rows of the old window that stay above the selection when it moves down.
const KEPT_ABOVE: usize = 100;
/// Window beginnings remembered for the way back up. Older ones are forgotten, and the way up then leads to
/// the first row at once.
const BACK_WINDOWS: usize = 10_000;

/// A row with a name, by which the view sorts rows.
pub trait Named {
    /// What it is known by.
    type Name: Clone + Ord + std::fmt::Debug;
    /// By what the window can be sorted.
    type Column: Column + std::fmt::Debug;

    /// Its name.
    fn name(&self) -> &Self::Name;

    /// Which of two rows comes first by a column, in the words of a language.
    fn compare(column: Self::Column, one: &Self, other: &Self, language: Language) -> Ordering;
}

/// A window over a list, and the selection within it. A selection stays with its row.
#[derive(Debug, Clone)]
pub struct Listing<T: Named> {
    /// The window starts after this name; with the first row if absent.
    pub after: Option<T::Name>,
    /// Where the windows above this one start, the nearest last.
    back: Vec<Option<T::Name>>,
    /// The rows of the window, by name.
    rows: Vec<T>,
    /// Those rows in the order in which they are shown.
    arrangement: Arrangement<T::Column>,
    /// Whether there are rows below the window.
    pub has_more: bool,
    /// Whether the rows are those of this window.
    pub is_read: bool,
    /// The selected row; the window's first if absent.
    selected: Option<T::Name>,
    /// Rows above the first one that is shown.
    pub offset: usize,
    /// Whose orders were read, and the newest of them.
    orders: Option<(T::Name, OrderPage)>,
}

impl<T: Named> Default for Listing<T> {
    fn default() -> Self {
        Self {
            after: None,
            back: Vec::new(),
            rows: Vec::new(),
            arrangement: Arrangement::default(),
            has_more: false,
            is_read: false,
            selected: None,
            offset: 0,
            orders: None,
        }
    }
}

impl<T: Named> Listing<T> {
    /// The rows of the window, in the order in which they are shown.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = &T> {
        self.arrangement.places().iter().map(|place| &self.rows[*place])
    }

    /// By what the window is sorted; by name if absent.
    #[must_use]
    pub const fn sort(&self) -> Option<Sort<T::Column>> {
        self.arrangement.sort()
    }

    /// Whether there are rows that are not in the window.
    #[must_use]
    pub const fn is_part(&self) -> bool {
        self.after.is_some() || self.has_more
    }

    /// Sorts the window, of which `shown` rows fit on the screen, in another way.
    pub fn resort(&mut self, wish: Resort, language: Language, shown: usize) {
        self.arrangement.resort(wish);
        self.arrange(language);
        (self.selected, self.offset) = (None, 0);
        self.keep_in_sight(shown);
    }

    /// Sorts the window by the words of another language.
    pub fn arrange(&mut self, language: Language) {
        let compare = |column, one: &T, other: &T| T::compare(column, one, other, language);
        self.arrangement.arrange(&self.rows, compare);
    }

    /// The selected row.
    #[must_use]
    pub fn selected_row(&self) -> Option<&T> {
        self.rows().nth(self.selected_index()?)
    }

    /// Starts anew after `after`, with nothing selected.
    pub fn start_after(&mut self, after: Option<T::Name>) {
        *self = Self { after, arrangement: self.arrangement.emptied(), ..Self::default() };
    }

    /// Goes to the first row of all; in a sorted window to the first of the first window.
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

    /// What is needed of the view.
    #[must_use]
    pub fn query(&self) -> ListQuery<T::Name> {
        let orders_of = self.selected_row().map(|row| row.name().clone());
        ListQuery { after: self.after.clone(), orders_of }
    }

    /// Takes what the view says, with the orders `of` a row; `shown` rows fit on the screen.
    pub fn found(&mut self, of: Option<T::Name>, found: ListFound<T>, language: Language, shown: usize) {
        self.read(found.rows, found.has_more, language, shown);
        self.orders = of.map(|name| (name, found.orders));
    }

    /// The newest orders of the selected row, once they were read.
    #[must_use]
    pub fn orders_of_selected(&self) -> Option<&OrderPage> {
        let selected = self.selected_row()?.name();
        self.orders.as_ref().filter(|(name, _)| name == selected).map(|(_, page)| page)
    }

    /// Takes what the view says of this window. The selected row stays on its line of the screen, of which there
    /// are `shown`.
    fn read(&mut self, rows: Vec<T>, has_more: bool, language: Language, shown: usize) {
        let old = self.selected_index().unwrap_or(0);
        let line = old.saturating_sub(self.offset);
        (self.rows, self.has_more, self.is_read) = (rows, has_more, true);
        self.arrange(language);
        if self.selected.is_some() && self.selected_index().is_none() {
            self.selected = self.neighbour(old).map(|row| row.name().clone());
        }
        self.offset = self.selected_index().unwrap_or(0).saturating_sub(line);
        self.keep_in_sight(shown);
    }

    /// Who takes the place of the selected row, which was at `old`: it is gone, or left behind on the way up.
    fn neighbour(&self, old: usize) -> Option<&T> {
        let is_after = |row: &&T| self.selected.as_ref().is_some_and(|selected| row.name() > selected);
        match self.sort() {
            Some(_) => self.rows().nth(old.min(self.rows.len().saturating_sub(1))),
            None => self.rows.iter().find(is_after).or(self.rows.last()),
        }
    }
}

impl<T: Named> Table for Listing<T> {
    fn row_count(&self) -> usize {
        self.rows.len()
    }

    fn selected_index(&self) -> Option<usize> {
        let Some(selected) = &self.selected else { return (!self.rows.is_empty()).then_some(0) };
        self.rows().position(|row| row.name() == selected)
    }

    fn select(&mut self, index: usize) {
        let selected = self.rows().nth(index).map(|row| row.name().clone());
        self.selected = selected.or_else(|| self.selected.take());
    }

    fn offset_mut(&mut self) -> &mut usize {
        &mut self.offset
    }

    fn moved(&mut self, by: isize, to: usize, shown: usize) {
        if self.sort().is_some() {
            return;
        }
        if by > 0 && to + shown >= self.rows.len() {
            self.slide_down(to);
        } else if by < 0 && to < shown {
            self.slide_up();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SHOWN: usize = 10;

    /// Known by its number.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    struct Row(u32);

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum By {
        Number,
        /// The remainder of a division of it by ten.
        Remainder,
    }

    impl Column for By {
        const ALL: &'static [Self] = &[Self::Number, Self::Remainder];
        const BY_ITSELF: Sort<Self> = Sort { column: Self::Number, descending: false };
    }

    impl Named for Row {
        type Name = u32;
        type Column = By;

        fn name(&self) -> &u32 {
            &self.0
        }

        fn compare(by: By, one: &Self, other: &Self, _: Language) -> Ordering {
            match by {
                By::Number => one.0.cmp(&other.0),
                By::Remainder => (one.0 % 10).cmp(&(other.0 % 10)),
            }
        }
    }

    fn selected(listing: &Listing<Row>) -> Option<u32> {
        listing.selected_row().map(|row| row.0)
    }

    fn reads(listing: &mut Listing<Row>, rows: &[u32]) {
        listing.read(rows.iter().copied().map(Row).collect(), false, Language::English, SHOWN);
    }

    /// A list of `0..count`, read the way the real one is.
    fn read(listing: &mut Listing<Row>, count: u32) {
        let first = listing.after.map_or(0, |after| after + 1);
        let rows: Vec<Row> = (first..count).take(LISTED_ROWS).map(Row).collect();
        let has_more = rows.len() == LISTED_ROWS;
        listing.read(rows, has_more, Language::English, SHOWN);
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
            assert_eq!(selected(&listing), Some(expected));
            let line = listing.selected_index().unwrap() - listing.offset;
            assert!(line < SHOWN, "row {expected} is off the screen");
        }
    }

    #[test]
    fn a_selection_stays_on_its_row_and_its_neighbour_takes_its_place() {
        let mut listing = Listing::default();
        reads(&mut listing, &[2, 4, 6, 8]);
        listing.move_by(2, SHOWN);
        reads(&mut listing, &[1, 2, 3, 4, 6, 8]);
        assert_eq!(selected(&listing), Some(6));
        reads(&mut listing, &[1, 2, 8]);
        assert_eq!(selected(&listing), Some(8));
        reads(&mut listing, &[]);
        assert_eq!(selected(&listing), None);
    }

    #[test]
    fn a_sorted_window_stays_where_it_is_and_keeps_its_selection_while_rows_change() {
        let mut listing = Listing::default();
        read(&mut listing, 2000);
        listing.resort(Resort::Next, Language::English, SHOWN);
        listing.move_by(isize::MAX, SHOWN);
        assert_eq!((selected(&listing), listing.is_read), (Some(299), true), "the last of the loaded ones");
        let mut listing = Listing::default();
        reads(&mut listing, &[12, 21, 33]);
        listing.resort(Resort::Next, Language::English, SHOWN);
        listing.move_by(1, SHOWN);
        reads(&mut listing, &[12, 20, 21, 33]);
        assert_eq!(listing.rows().map(|row| row.0).collect::<Vec<_>>(), [20, 21, 12, 33]);
        assert_eq!(selected(&listing), Some(12));
        reads(&mut listing, &[20, 21, 33]);
        assert_eq!(selected(&listing), Some(33), "who stands in its place");
    }
}
