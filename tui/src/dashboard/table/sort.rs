//! How the loaded window of a table is sorted by its columns: the same for every table that can be.

use std::cmp::Ordering;

/// A column by which a window can be sorted.
pub trait Column: Copy + Eq + 'static {
    /// All of them, in the order in which they stand.
    const ALL: &'static [Self];
    /// How the view hands its rows over: so they stand while nothing else is wanted.
    const BY_ITSELF: Sort<Self>;
}

/// By what a window is sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sort<C> {
    /// By which column.
    pub column: C,
    /// The largest first.
    pub descending: bool,
}

impl<C> Sort<C> {
    fn reversed(self) -> Self {
        Self { descending: !self.descending, ..self }
    }
}

/// A wish for another sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resort {
    /// By each column in turn, and after the last as the view hands the rows over.
    Next,
    /// The other way round.
    Reverse,
    /// By the column at this place: upwards, again: downwards, and again: as the view hands the rows over, which is
    /// left out if it is the same.
    By(usize),
}

/// The places of a window's rows in the order in which they are shown.
#[derive(Debug, Clone)]
pub struct Arrangement<C> {
    sort: Option<Sort<C>>,
    places: Vec<usize>,
}

impl<C> Default for Arrangement<C> {
    fn default() -> Self {
        Self { sort: None, places: Vec::new() }
    }
}

impl<C: Column> Arrangement<C> {
    /// Of a window without rows, with the same sort.
    #[must_use]
    pub const fn emptied(&self) -> Self {
        Self { sort: self.sort, places: Vec::new() }
    }

    /// By what the window is sorted; absent while it is as the view hands it over.
    #[must_use]
    pub const fn sort(&self) -> Option<Sort<C>> {
        self.sort
    }

    /// Each row that is shown, by its place among those of the window.
    #[must_use]
    pub fn places(&self) -> &[usize] {
        &self.places
    }

    /// Wishes for another sort. [`arrange`](Self::arrange) fulfils it.
    pub fn resort(&mut self, wish: Resort) {
        let ascending = |place: usize| Some(Sort { column: *C::ALL.get(place)?, descending: false });
        let wished = match wish {
            Resort::Next => {
                let next = self.sort.map_or(0, |sort| place_of(sort.column) + 1);
                // A sort that changes nothing is not worth a key.
                ascending(if ascending(next) == Some(C::BY_ITSELF) { next + 1 } else { next })
            }
            Resort::Reverse => Some(self.sort.unwrap_or(C::BY_ITSELF).reversed()),
            Resort::By(place) if place_of(self.sort.unwrap_or(C::BY_ITSELF).column) == place => {
                match self.sort {
                    None => Some(C::BY_ITSELF.reversed()),
                    Some(sort) => (!sort.descending).then_some(sort.reversed()),
                }
            }
            Resort::By(place) => ascending(place),
        };
        self.sort = wished.filter(|sort| *sort != C::BY_ITSELF);
    }

    /// Sorts `rows` by what is wished for. Those that are equal stay as the view hands them over.
    pub fn arrange<R>(&mut self, rows: &[R], compare: impl Fn(C, &R, &R) -> Ordering) {
        self.places = (0..rows.len()).collect();
        let Some(Sort { column, descending }) = self.sort else { return };
        self.places.sort_by(|one, other| {
            let (Some(one), Some(other)) = (rows.get(*one), rows.get(*other)) else { return Ordering::Equal };
            let ordering = compare(column, one, other);
            if descending { ordering.reverse() } else { ordering }
        });
    }
}

fn place_of<C: Column>(column: C) -> usize {
    C::ALL.iter().position(|other| *other == column).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Digit {
        Last,
        First,
    }

    impl Column for Digit {
        const ALL: &'static [Self] = &[Self::First, Self::Last];
        const BY_ITSELF: Sort<Self> = Sort { column: Self::First, descending: true };
    }

    fn arranged(arrangement: &mut Arrangement<Digit>) -> Vec<u32> {
        let rows = [31, 21, 12, 11];
        arrangement.arrange(&rows, |digit, one, other| match digit {
            Digit::First => (one / 10).cmp(&(other / 10)),
            Digit::Last => (one % 10).cmp(&(other % 10)),
        });
        arrangement.places().iter().map(|place| rows[*place]).collect()
    }

    fn after(wishes: &[Resort]) -> Vec<u32> {
        let mut arrangement = Arrangement::default();
        wishes.iter().for_each(|wish| arrangement.resort(*wish));
        arranged(&mut arrangement)
    }

    #[test]
    fn each_column_has_its_turn_and_then_rows_stand_as_they_were_handed_over() {
        const NEXT: Resort = Resort::Next;
        assert_eq!(after(&[]), [31, 21, 12, 11]);
        assert_eq!(after(&[NEXT]), [12, 11, 21, 31], "equal ones stay as they were");
        assert_eq!(after(&[NEXT, NEXT]), [31, 21, 11, 12]);
        assert_eq!(after(&[NEXT, NEXT, NEXT]), [31, 21, 12, 11]);
    }

    #[test]
    fn a_chosen_column_goes_up_then_down_then_away() {
        const LAST: Resort = Resort::By(1);
        assert_eq!(after(&[LAST]), [31, 21, 11, 12]);
        assert_eq!(after(&[LAST, LAST]), [12, 31, 21, 11]);
        assert_eq!(after(&[LAST, LAST, LAST]), [31, 21, 12, 11]);
        assert_eq!(after(&[LAST, Resort::By(0)]), [12, 11, 21, 31], "another one goes up first");
        assert_eq!(after(&[Resort::By(9)]), [31, 21, 12, 11], "there is no such column");
    }

    #[test]
    fn what_is_turned_round_twice_is_as_it_was() {
        const TURN: Resort = Resort::Reverse;
        assert_eq!(after(&[TURN]), [12, 11, 21, 31]);
        assert_eq!(after(&[TURN, TURN]), [31, 21, 12, 11]);
        assert_eq!(after(&[Resort::Next, Resort::Next, TURN]), [12, 31, 21, 11]);
    }

    /// A table whose rows are handed over upwards.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Rising {
        Name,
        Size,
    }

    impl Column for Rising {
        const ALL: &'static [Self] = &[Self::Name, Self::Size];
        const BY_ITSELF: Sort<Self> = Sort { column: Self::Name, descending: false };
    }

    fn every_wish_changes_the_order<C: Column + std::fmt::Debug>() {
        const WISHES: [Resort; 4] = [Resort::Next, Resort::Reverse, Resort::By(0), Resort::By(1)];
        for (first, second) in WISHES.iter().flat_map(|first| WISHES.map(|second| (*first, second))) {
            let mut arrangement = Arrangement::<C>::default();
            let mut shown = C::BY_ITSELF;
            for wish in [first, second, first] {
                arrangement.resort(wish);
                let next = arrangement.sort().unwrap_or(C::BY_ITSELF);
                assert_ne!(next, shown, "{wish:?} of {first:?}, {second:?}, {first:?}");
                shown = next;
            }
        }
    }

    #[test]
    fn no_wish_is_in_vain() {
        every_wish_changes_the_order::<Digit>();
        every_wish_changes_the_order::<Rising>();
    }
}
