//! A line in which a command is looked for.

use crate::dashboard::layers::input::TextInput;

/// Longest text that is looked for, in characters: longer than any command's name.
const MAX_QUERY_CHARS: usize = 60;

/// A line in which a command is looked for.
#[derive(Debug, Clone)]
pub struct Palette {
    /// What is typed.
    pub query: TextInput,
    /// The highlighted command of those that match.
    pub at: usize,
}

impl Default for Palette {
    fn default() -> Self {
        Self { query: TextInput::new(MAX_QUERY_CHARS), at: 0 }
    }
}

impl Palette {
    /// Moves the highlight, and stops at the ends.
    pub fn move_by(&mut self, by: isize, found: usize) {
        self.at = self.at.saturating_add_signed(by).min(found.saturating_sub(1));
    }
}
