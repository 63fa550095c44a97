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

/// A wish for another sort.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resort {
    /// By each column in turn, and after the last as the view hands the rows over.
    Next,
    /// The other way round.
    Reverse,
    /// By the column at this place: upwards, again: downwards, and again: as the view hands the rows over.
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
        self.sort = match wish {
            Resort::Next => ascending(self.sort.map_or(0, |sort| place_of(sort.column) + 1)),
            Resort::Reverse => {
                let sort = self.sort.unwrap_or(C::BY_ITSELF);
                Some(Sort { descending: !sort.descending, ..sort })
            }
            Resort::By(place) => match self.sort.filter(|sort| place_of(sort.column) == place) {
                None => ascending(place),
                Some(sort) => (!sort.descending).then_some(Sort { descending: true, ..sort }),
            },
        };
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
}
