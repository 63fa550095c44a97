//! A line of text that is being typed.

use crossterm::event::KeyCode;
use skstore_domain::ids::is_unsafe_to_show;

use crate::dashboard::keys::Chord;

/// A line of text with a cursor. It never holds more than its bound, nor a character that could repaint the
/// terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextInput {
    text: String,
    /// Byte position, always at a character's beginning.
    cursor: usize,
    max: usize,
}

impl TextInput {
    /// An empty line of at most `max` characters.
    #[must_use]
    pub const fn new(max: usize) -> Self {
        Self { text: String::new(), cursor: 0, max }
    }

    /// A line that begins with `text`.
    #[must_use]
    pub fn with(text: &str, max: usize) -> Self {
        let mut input = Self::new(max);
        input.insert(text);
        input
    }

    /// What was typed.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What stands before the cursor.
    #[must_use]
    pub fn before_cursor(&self) -> &str {
        &self.text[..self.cursor]
    }

    /// Inserts as much of `text` as fits; of a pasted text the first line.
    pub fn insert(&mut self, text: &str) {
        let room = self.max.saturating_sub(self.text.chars().count());
        let line = text.trim_start_matches(['\r', '\n']).split(['\r', '\n']).next().unwrap_or("");
        let fits: String = line.chars().filter(|c| !is_unsafe_to_show(*c)).take(room).collect();
        self.text.insert_str(self.cursor, &fits);
        self.cursor += fits.len();
    }

    /// Empties the line.
    pub fn clear(&mut self) {
        self.text.clear();
        self.cursor = 0;
    }

    /// Does what `chord` does in any line of text. Returns whether the text has changed.
    pub fn edit(&mut self, chord: Chord) -> bool {
        let before = self.text.len();
        match (chord.code, chord.ctrl) {
            (KeyCode::Char(c), false) => self.insert(c.encode_utf8(&mut [0; 4])),
            (KeyCode::Char('u'), true) => {
                self.text.drain(..self.cursor);
                self.cursor = 0;
            }
            (KeyCode::Char('w'), true) => {
                let kept = self.before_cursor().trim_end().rfind(' ').map_or(0, |at| at + 1);
                self.text.drain(kept..self.cursor);
                self.cursor = kept;
            }
            (KeyCode::Backspace, _) => {
                let kept = self.position_before();
                self.text.drain(kept..self.cursor);
                self.cursor = kept;
            }
            (KeyCode::Delete, _) => {
                let end = self.position_after();
                self.text.drain(self.cursor..end);
            }
            (KeyCode::Left, _) => self.cursor = self.position_before(),
            (KeyCode::Right, _) => self.cursor = self.position_after(),
            (KeyCode::Home, _) => self.cursor = 0,
            (KeyCode::End, _) => self.cursor = self.text.len(),
            _ => {}
        }
        self.text.len() != before
    }

    fn position_before(&self) -> usize {
        self.before_cursor().char_indices().next_back().map_or(0, |(at, _)| at)
    }

    fn position_after(&self) -> usize {
        self.text[self.cursor..].chars().next().map_or(self.cursor, |c| self.cursor + c.len_utf8())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn press(input: &mut TextInput, code: KeyCode) {
        input.edit(Chord::of(code));
    }

    #[test]
    fn korean_is_edited_by_whole_characters() {
        let mut input = TextInput::with("김철수", 10);
        press(&mut input, KeyCode::Left);
        press(&mut input, KeyCode::Backspace);
        assert_eq!(input.text(), "김수");
        press(&mut input, KeyCode::Delete);
        assert_eq!(input.text(), "김");
        press(&mut input, KeyCode::Home);
        input.edit(Chord::char('a'));
        assert_eq!((input.text(), input.before_cursor()), ("a김", "a"));
    }

    #[test]
    fn a_pasted_text_cannot_repaint_the_terminal_nor_grow_without_bound() {
        let mut input = TextInput::new(5);
        input.insert("\nab\u{1b}[31m\u{202e}cdefgh\nsecond line");
        assert_eq!(input.text(), "ab[31");
    }

    #[test]
    fn words_and_lines_are_erased_up_to_the_cursor() {
        let mut input = TextInput::with("status:paying kim", 50);
        input.edit(Chord::ctrl('w'));
        assert_eq!(input.text(), "status:paying ");
        input.edit(Chord::ctrl('u'));
        assert_eq!(input.text(), "");
        assert!(!input.edit(Chord::of(KeyCode::Backspace)), "nothing left to erase");
    }
}
