//! What the tables of a store have in them: the same for every engine.

/// A text, a number, or nothing: there is nothing else in the tables.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Cell {
    Text(String),
    Number(i64),
    Null,
}

impl Cell {
    /// How long a text is.
    pub(super) fn bytes(&self) -> i64 {
        match self {
            Self::Text(text) => i64::try_from(text.len()).unwrap_or(i64::MAX),
            Self::Number(_) | Self::Null => 0,
        }
    }

    const fn what(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Number(_) => "a number",
            Self::Null => "nothing",
        }
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Number(number)
    }
}

/// The columns of a row, taken one after the other. What is not what it is taken for is remembered, and told by
/// [`Columns::end`]: nobody may use what was taken before that.
#[derive(Debug)]
pub(crate) struct Columns {
    row: std::vec::IntoIter<Cell>,
    taken: usize,
    /// The first that was wrong, in a sentence.
    wrong: Option<String>,
}

impl Columns {
    pub(crate) fn of(row: Vec<Cell>) -> Self {
        Self { row: row.into_iter(), taken: 0, wrong: None }
    }

    /// The next one, which is a text.
    pub(crate) fn text(&mut self) -> String {
        match self.next() {
            Some(Cell::Text(text)) => text,
            other => self.is_wrong("a text", other.as_ref()),
        }
    }

    /// The next one, which is a number.
    pub(crate) fn number(&mut self) -> i64 {
        match self.next() {
            Some(Cell::Number(number)) => number,
            other => self.is_wrong("a number", other.as_ref()),
        }
    }

    /// Whether each was what it was taken for.
    ///
    /// # Errors
    /// A sentence about the first that was not.
    pub(crate) fn end(self) -> Result<(), String> {
        self.wrong.map_or(Ok(()), Err)
    }

    fn next(&mut self) -> Option<Cell> {
        self.taken += 1;
        self.row.next()
    }

    fn is_wrong<T: Default>(&mut self, expected: &str, found: Option<&Cell>) -> T {
        let found = found.map_or("missing", Cell::what);
        let taken = self.taken;
        self.wrong.get_or_insert_with(|| {
            format!("column {taken} of a row that was read should be {expected}, and is {found}")
        });
        T::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_what_it_is_taken_for_or_an_error() {
        let table = [
            (vec!["a".into(), Cell::Number(7)], Ok(())),
            (
                vec![Cell::Null, Cell::Number(7)],
                Err("column 1 of a row that was read should be a text, and is nothing"),
            ),
            (
                vec!["a".into(), "7".into()],
                Err("column 2 of a row that was read should be a number, and is a text"),
            ),
            (vec!["a".into()], Err("column 2 of a row that was read should be a number, and is missing")),
            (vec![], Err("column 1 of a row that was read should be a text, and is missing")),
        ];
        for (row, expected) in table {
            let mut columns = Columns::of(row);
            let (_, _) = (columns.text(), columns.number());
            assert_eq!(columns.end(), expected.map_err(str::to_owned));
        }
    }
}
