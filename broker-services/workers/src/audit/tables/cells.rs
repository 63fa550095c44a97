//! What the tables of a store have in them, as the audit reads it: the same for every engine.

/// A text or a number: there is nothing else in the tables that are audited.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cell {
    Text(String),
    Number(i64),
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

/// The columns of a row, taken one after the other.
pub(super) struct Columns(std::vec::IntoIter<Cell>);

impl Columns {
    pub(super) fn of(row: Vec<Cell>) -> Self {
        Self(row.into_iter())
    }

    /// The next one, which is a text. What is none would be one that nobody has written, and differs from everything.
    pub(super) fn text(&mut self) -> String {
        match self.0.next() {
            Some(Cell::Text(text)) => text,
            Some(Cell::Number(number)) => number.to_string(),
            None => String::new(),
        }
    }

    /// The next one, which is a number.
    pub(super) fn number(&mut self) -> i64 {
        match self.0.next() {
            Some(Cell::Number(number)) => number,
            Some(Cell::Text(_)) | None => i64::MIN,
        }
    }
}
