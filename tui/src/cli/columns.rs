//! Texts under each other: fields with labels, and tables. Widths are display widths, and every text is stripped of
//! what could repaint the terminal.

use skstore::text::Language;
use skstore::text::fit::{Side, clean, fit, width};

use super::labels::Label;

/// Blanks between columns.
const GAP: &str = "  ";

/// A label and its value a line; values start in one column. Fields without a value are left out.
pub(crate) fn fields(language: Language, fields: &[(Label, String)]) -> String {
    let shown = || fields.iter().filter(|(_, value)| !value.is_empty());
    let widest = shown().map(|(label, _)| width(label.of(language))).max().unwrap_or(0);
    let line = |(label, value): &(Label, String)| {
        format!("{}{GAP}{}\n", fit(label.of(language), widest, Side::Left, ""), clean(value))
    };
    shown().map(line).collect()
}

/// Rows under headings, each column as wide as its widest text. Without rows there is only the line of headings.
pub(crate) fn table<const COLUMNS: usize>(
    language: Language,
    headings: [(Label, Side); COLUMNS],
    rows: impl IntoIterator<Item = [String; COLUMNS]>,
) -> String {
    let rows: Vec<_> = rows.into_iter().collect();
    let labels = headings.map(|(label, _)| label.of(language));
    let widest = |column: usize| {
        let cells = rows.iter().map(|row| width(&clean(&row[column])));
        cells.chain([width(labels[column])]).max().unwrap_or(0)
    };
    let widths: [usize; COLUMNS] = std::array::from_fn(widest);
    let line = |cells: [&str; COLUMNS]| {
        let fitted = cells.iter().zip(headings).zip(widths);
        let cells: Vec<_> = fitted.map(|((cell, (_, side)), width)| fit(cell, width, side, "")).collect();
        format!("{}\n", cells.join(GAP).trim_end())
    };
    let rows = rows.iter().map(|row| line(std::array::from_fn(|column| row[column].as_str())));
    std::iter::once(line(labels)).chain(rows).collect()
}

#[cfg(test)]
mod tests {
    use super::super::labels;
    use super::*;

    #[test]
    fn columns_are_aligned_by_what_the_eye_sees() {
        let rows = [
            ["김철수".to_owned(), "1,000".to_owned(), "한 상자".to_owned()],
            ["kim".to_owned(), "5".to_owned(), String::new()],
        ];
        let headings =
            [(labels::CUSTOMER, Side::Left), (labels::AMOUNT, Side::Right), (labels::NOTE, Side::Left)];
        let expected = "\
고객     금액  비고
김철수  1,000  한 상자
kim         5
";
        assert_eq!(table(Language::Korean, headings, rows), expected);
        assert_eq!(table(Language::Korean, headings, []), "고객  금액  비고\n");
    }

    #[test]
    fn fields_without_a_value_are_left_out() {
        let shown = fields(
            Language::Korean,
            &[
                (labels::ORDER, "a-1".into()),
                (labels::REASON, String::new()),
                (Label::same("qty"), "5".into()),
            ],
        );
        assert_eq!(shown, "주문  a-1\nqty   5\n");
    }

    #[test]
    fn nothing_foreign_reaches_the_terminal_as_it_is() {
        let evil = "a\u{1b}[2Jb\u{202e}c\nd";
        let english = Language::English;
        let shown = fields(english, &[(Label::same("x"), evil.into())])
            + &table(english, [(labels::NOTE, Side::Left)], [[evil.into()]]);
        assert!(!shown.contains('\u{1b}') && !shown.contains('\u{202e}'), "{shown:?}");
        assert_eq!(shown.lines().count(), 3, "a line break in a value made a line: {shown:?}");
    }
}
