//! Texts in columns: padded and cut by display width, and without characters that could repaint a terminal.
//!
//! Everything that did not come from the catalogue is shown through [`fit`] or [`clean`].

use std::borrow::Cow;

use skstore_domain::ids::{MAX_MARKS, is_mark, is_unsafe_to_show};
use unicode_width::UnicodeWidthStr;

/// On which side of its column a text stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// `text` without control, escape, zero-width, text-direction and invisible characters, and without piles of marks;
/// a line break becomes a blank.
#[must_use]
pub fn clean(text: &str) -> Cow<'_, str> {
    if is_clean(text) {
        return Cow::Borrowed(text);
    }
    let mut marks = 0;
    let kept = text.chars().filter_map(|c| {
        let shown = match c {
            '\n' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
            c if is_unsafe_to_show(c) => return None,
            c => c,
        };
        marks = if is_mark(shown) { marks + 1 } else { 0 };
        (marks <= MAX_MARKS).then_some(shown)
    });
    Cow::Owned(kept.collect())
}

/// Whether nothing has to be taken out. Nearly every text is, and this is asked of every cell of every frame.
fn is_clean(text: &str) -> bool {
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return true;
    }
    let mut marks = 0;
    text.chars().all(|c| {
        marks = if is_mark(c) { marks + 1 } else { 0 };
        marks <= MAX_MARKS && !is_unsafe_to_show(c)
    })
}

/// Columns that `text` takes.
#[must_use]
pub fn width(text: &str) -> usize {
    text.width()
}

/// `text`, cleaned, in exactly `columns`: padded on the other side, or cut with `more` at its end.
#[must_use]
pub fn fit(text: &str, columns: usize, side: Side, more: &str) -> String {
    let text = clean(text);
    let taken = width(&text);
    if taken > columns {
        return cut(&text, columns, more);
    }
    let blanks = columns - taken;
    match side {
        Side::Left => format!("{text}{:blanks$}", ""),
        Side::Right => format!("{:blanks$}{text}", ""),
    }
}

/// `text`, cleaned, in at most `columns`: cut with `more` at its end where it is longer.
#[must_use]
pub fn shorten(text: &str, columns: usize, more: &str) -> String {
    let text = clean(text);
    if width(&text) <= columns { text.into_owned() } else { cut(&text, columns, more).trim_end().to_owned() }
}

/// The longest beginning of `text` that leaves room for `more`, and that; exactly `columns` wide. A wide
/// character that would stick out by half is left out.
fn cut(text: &str, columns: usize, more: &str) -> String {
    let more = if width(more) <= columns { more } else { "" };
    let room = columns - width(more);
    // Widths of parts do not always add up to that of the whole (emoji sequences), so prefixes are measured.
    let mut end = 0;
    for (at, c) in text.char_indices() {
        let next = at + c.len_utf8();
        if width(&text[..next]) > room {
            break;
        }
        end = next;
    }
    let blanks = room - width(&text[..end]);
    format!("{}{more}{:blanks$}", &text[..end], "")
}

/// The end of `text` in at most `columns`: what a field shows of a text that is being typed.
#[must_use]
pub fn tail(text: &str, columns: usize) -> &str {
    text.char_indices().map(|(at, _)| &text[at..]).find(|rest| width(rest) <= columns).unwrap_or("")
}

/// `text`, cleaned, in lines of at most `columns`, broken at blanks where there are any. At most `max` lines;
/// the rest is cut with `more`.
#[must_use]
pub fn wrap(text: &str, columns: usize, max: usize, more: &str) -> Vec<String> {
    // Every shown character takes a column or belongs to one that does, but for a few combining ones: what lies
    // far beyond the last line need not be looked at, however long the text is.
    let looked_at = text.char_indices().nth(columns.saturating_mul(max + 1).saturating_mul(4));
    let text = clean(looked_at.map_or(text, |(end, _)| &text[..end]));
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let gap = usize::from(!line.is_empty());
        if width(&line) + gap + width(word) <= columns {
            line.push_str(if gap == 1 { " " } else { "" });
            line.push_str(word);
            continue;
        }
        if !line.is_empty() {
            lines.push(std::mem::take(&mut line));
        }
        line = break_word(word, columns, &mut lines);
        if lines.len() > max {
            break;
        }
    }
    if !line.is_empty() {
        lines.push(line);
    }
    if lines.len() > max {
        lines.truncate(max);
        if let Some(last) = lines.last_mut() {
            *last = shorten(&format!("{last} {more}"), columns, more);
        }
    }
    lines
}

/// Puts full lines of a word that is wider than `columns` into `lines`, and returns its rest.
fn break_word(word: &str, columns: usize, lines: &mut Vec<String>) -> String {
    let mut line = String::new();
    for c in word.chars() {
        line.push(c);
        if width(&line) > columns {
            line.pop();
            lines.push(std::mem::take(&mut line));
            line.push(c);
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use skstore_domain::ids::{Customer, unseen};
    use unicode_width::UnicodeWidthChar;

    use super::*;

    #[test]
    fn every_cell_is_exactly_as_wide_as_its_column() {
        let texts = [
            "",
            "kim",
            "김철수",
            "사과apple",
            "한",
            "a\u{301}b",
            "👩\u{200d}🚀 ok",
            "❤\u{fe0f}x",
            "ᄀ\u{1161}",
        ];
        for text in texts {
            for columns in 0..12 {
                for side in [Side::Left, Side::Right] {
                    let cell = fit(text, columns, side, "…");
                    assert_eq!(width(&cell), columns, "{text:?} in {columns} columns: {cell:?}");
                }
            }
        }
    }

    #[test]
    fn a_wide_character_is_never_shown_by_half() {
        assert_eq!(fit("김철수", 5, Side::Left, "…"), "김철…");
        assert_eq!(fit("김철수", 4, Side::Left, "…"), "김… ");
        assert_eq!(fit("12", 4, Side::Right, "…"), "  12");
        assert_eq!(tail("주문번호", 5), "번호");
    }

    #[test]
    fn nothing_that_repaints_a_terminal_is_left() {
        assert_eq!(clean("a\u{1b}[2Jb\u{202e}c\nd\u{200d}"), "a[2Jbc d");
        assert_eq!(clean("\u{ad}a\u{3164}b\u{fe0f}"), "ab", "what cannot be seen is not there");
        assert_eq!(
            clean(&format!("e{}!", "\u{301}".repeat(5000))),
            format!("e{}!", "\u{301}".repeat(MAX_MARKS))
        );
        assert_eq!(clean("ᄀ\u{1161}\u{11a8}"), "ᄀ\u{1161}\u{11a8}", "a syllable of parts is no pile");
        assert!(matches!(clean("사과"), Cow::Borrowed(_)), "an innocent text is not copied");
    }

    #[test]
    fn whatever_is_accepted_as_a_name_is_shown_as_it_is() {
        let names = ('\0'..=char::MAX).filter_map(|c| Customer::new(&format!("a{c}")).ok());
        for name in names {
            assert_eq!(clean(name.as_str()), name.as_str());
        }
        let marked = ('\0'..=char::MAX).filter(|c| c.width() == Some(0) && !is_unsafe_to_show(*c));
        for c in marked.filter(|c| unseen(*c).is_none()) {
            assert!(is_mark(c), "{c:?} takes no room, so a pile of it could hide");
        }
    }

    #[test]
    fn a_long_text_is_broken_into_lines_that_fit() {
        let text = "예치금 서비스가 제때 답하지 않았습니다 averyveryverylongwordwithoutanyblank end";
        for columns in 4..30 {
            for line in wrap(text, columns, 50, "…") {
                assert!(width(&line) <= columns, "{line:?} is wider than {columns}");
            }
        }
        assert_eq!(wrap("a b c d", 3, 1, "…").len(), 1, "no more lines than allowed");
        assert_eq!(wrap("", 3, 5, "…"), Vec::<String>::new());
    }
}
