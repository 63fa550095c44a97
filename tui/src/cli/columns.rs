//! Texts under each other: fields with labels, and tables. Widths are display widths, and every text is stripped of
//! what could repaint the terminal.

use skstore::text::fit::{Side, clean, fit, width};

/// Blanks between columns.
const GAP: &str = "  ";

/// A label and its value a line; values start in one column. Fields without a value are left out.
pub(crate) fn fields(fields: &[(&str, String)]) -> String {
    let shown = || fields.iter().filter(|(_, value)| !value.is_empty());
    let widest = shown().map(|(label, _)| width(label)).max().unwrap_or(0);
    let line = |(label, value): &(&str, String)| {
        format!("{}{GAP}{}\n", fit(label, widest, Side::Left, ""), clean(value))
    };
    shown().map(line).collect()
}

/// Rows under headings, each column as wide as its widest text. Without rows there is only the line of headings.
pub(crate) fn table<const COLUMNS: usize>(
    headings: [(&str, Side); COLUMNS],
    rows: &[[String; COLUMNS]],
) -> String {
    let widest = |column: usize| {
        let cells = rows.iter().map(|row| width(&clean(&row[column])));
        cells.chain([width(headings[column].0)]).max().unwrap_or(0)
    };
    let widths: [usize; COLUMNS] = std::array::from_fn(widest);
    let line = |cells: [&str; COLUMNS]| {
        let fitted = cells.iter().zip(headings).zip(widths);
        let cells: Vec<_> = fitted.map(|((cell, (_, side)), width)| fit(cell, width, side, "")).collect();
        format!("{}\n", cells.join(GAP).trim_end())
    };
    let heading = line(headings.map(|(heading, _)| heading));
    let rows = rows.iter().map(|row| line(std::array::from_fn(|column| row[column].as_str())));
    std::iter::once(heading).chain(rows).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_by_what_the_eye_sees() {
        let rows = [
            ["김철수".to_owned(), "1,000".to_owned(), "한 상자".to_owned()],
            ["kim".to_owned(), "5".to_owned(), String::new()],
        ];
        let headings = [("고객", Side::Left), ("won", Side::Right), ("note", Side::Left)];
        let expected = "\
고객      won  note
김철수  1,000  한 상자
kim         5
";
        assert_eq!(table(headings, &rows), expected);
        assert_eq!(table(headings, &[]), "고객  won  note\n");
    }

    #[test]
    fn fields_without_a_value_are_left_out() {
        let shown = fields(&[("주문", "a-1".into()), ("reason", String::new()), ("qty", "5".into())]);
        assert_eq!(shown, "주문  a-1\nqty   5\n");
    }

    #[test]
    fn nothing_foreign_reaches_the_terminal_as_it_is() {
        let evil = "a\u{1b}[2Jb\u{202e}c\nd";
        let shown = fields(&[("x", evil.into())]) + &table([("y", Side::Left)], &[[evil.into()]]);
        assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown:?}");
        assert_eq!(shown.lines().count(), 3, "a line break in a value made a line: {shown:?}");
    }
}
