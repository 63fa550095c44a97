//! What a name may be made of, so that nobody takes one for another: texts that look the same are the same, and what
//! is accepted can be seen.
//!
//! The categories are Unicode's own. Most names are ASCII, and no table is asked about them.

use std::borrow::Cow;

use icu_normalizer::ComposingNormalizerBorrowed;
use icu_properties::props::{
    DefaultIgnorableCodePoint, GeneralCategory, GraphemeClusterBreak, GraphemeExtend,
};
use icu_properties::{CodePointMapData, CodePointSetData};

/// Longest id, customer or item id, in characters.
pub const MAX_ID_CHARS: usize = 64;

/// Marks that may stand on one character. The writing systems that stack them need no more, and a pile of them covers
/// the lines above and below, so that no more are shown either.
pub const MAX_MARKS: usize = 4;

/// Most bytes that can come to one character of a composed text: canonical decompositions have up to four characters,
/// and a character up to four bytes.
const MAX_BYTES_A_CHAR: usize = 16;

/// Why a text is no id: a sentence without the field's name, which the caller puts in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadId {
    /// Nothing to be seen there, or more than so many characters.
    #[error("must have 1 to {0} characters")]
    Length(usize),
    /// Something outside `[A-Za-z0-9_-]`.
    #[error("may only contain A-Z, a-z, 0-9, '_' and '-'")]
    Alphabet,
    /// A character that could repaint a terminal, or lets a name look like another one.
    #[error("must not contain U+{code:04X}, {1}", code = u32::from(*.0))]
    Unseen(char, Unseen),
    /// It begins with a mark, which would be shown on whatever stands before the name.
    #[error("must not begin with a mark that belongs on another character")]
    Mark,
    /// More than [`MAX_MARKS`] marks on one character.
    #[error("must not have more than {MAX_MARKS} marks on one character")]
    Pile,
}

/// Why a character has no place in a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unseen {
    /// It moves the cursor, ends the line or worse.
    #[error("a control character")]
    Control,
    /// It turns the direction in which the text around it is shown.
    #[error("a text-direction character")]
    Direction,
    /// It is not to be seen, or only by what it does to others: fillers, joiners, selectors.
    #[error("which cannot be seen")]
    Invisible,
    /// A blank that is not the plain one, which it looks like.
    #[error("a blank that is not the plain one")]
    Blank,
    /// What it looks like is agreed upon by nobody.
    #[error("a private-use character")]
    Private,
    /// Unicode has not assigned it to anything.
    #[error("which is not assigned to any character")]
    Unassigned,
}

/// Why `c` has no place in a name, if it has none.
#[must_use]
pub fn unseen(c: char) -> Option<Unseen> {
    if matches!(c, ' '..='~') {
        return None;
    }
    if is_of_direction(c) {
        return Some(Unseen::Direction);
    }
    if is_ignorable(c) {
        return Some(Unseen::Invisible);
    }
    match CodePointMapData::<GeneralCategory>::new().get(c) {
        GeneralCategory::Control | GeneralCategory::LineSeparator | GeneralCategory::ParagraphSeparator => {
            Some(Unseen::Control)
        }
        GeneralCategory::Format => Some(Unseen::Invisible),
        GeneralCategory::SpaceSeparator => Some(Unseen::Blank),
        GeneralCategory::PrivateUse => Some(Unseen::Private),
        GeneralCategory::Unassigned | GeneralCategory::Surrogate => Some(Unseen::Unassigned),
        // Braille with no dot is drawn as a blank.
        _ if c == '\u{2800}' => Some(Unseen::Blank),
        _ => None,
    }
}

/// Whether `c` must not reach a terminal: because it may change how the characters around it are shown, or because it
/// is not to be seen, so that terminals do not agree on its width and two texts that look alike differ by it.
#[must_use]
pub fn is_unsafe_to_show(c: char) -> bool {
    if c.is_ascii() {
        return c.is_ascii_control();
    }
    c.is_control() || matches!(c, '\u{2028}' | '\u{2029}' | '\u{fff9}'..='\u{fffb}') || is_ignorable(c)
}

/// Whether `c` is shown on a character beside it, and takes no room of its own.
#[must_use]
pub fn is_mark(c: char) -> bool {
    !c.is_ascii()
        && (CodePointSetData::new::<GraphemeExtend>().contains(c)
            // Vowels and finals of Hangul syllables that are written in parts.
            || matches!(c, '\u{1160}'..='\u{11ff}' | '\u{d7b0}'..='\u{d7ff}')
            // Some Indic letters stand on the one after them, and one sign between two.
            || CodePointMapData::<GraphemeClusterBreak>::new().get(c) == GraphemeClusterBreak::Prepend
            || c == '\u{a8fa}')
}

/// `text` as a name is compared and kept: composed (Unicode's NFC), without white space around it.
#[must_use]
pub fn composed(text: &str) -> Cow<'_, str> {
    let text = text.trim();
    if text.is_ascii() { Cow::Borrowed(text) } else { ComposingNormalizerBorrowed::new_nfc().normalize(text) }
}

/// `text` as a name of at most `max` characters: [`composed`], and everything in it can be seen, but for what the
/// caller says `may_be_there`.
pub(crate) fn name(
    text: &str,
    max: usize,
    may_be_there: impl Fn(char) -> bool,
) -> Result<Cow<'_, str>, BadId> {
    let text = text.trim();
    let length = BadId::Length(max);
    if text.is_empty() || text.len() > max.saturating_mul(MAX_BYTES_A_CHAR) {
        return Err(length);
    }
    if text.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return if text.len() > max { Err(length) } else { Ok(Cow::Borrowed(text)) };
    }
    let text = composed(text);
    let mut marks = 0;
    for (at, c) in text.chars().enumerate() {
        if at == max {
            return Err(length);
        }
        if let Some(why) = unseen(c).filter(|_| !may_be_there(c)) {
            return Err(BadId::Unseen(c, why));
        }
        marks = if is_mark(c) { marks + 1 } else { 0 };
        if marks > at {
            return Err(BadId::Mark);
        }
        if marks > MAX_MARKS {
            return Err(BadId::Pile);
        }
    }
    Ok(text)
}

/// Whether a store may hold `text` as a name: what the first versions accepted, character for character, for as long
/// as there are stores of theirs. Nothing new is held to it.
pub(super) fn could_be_kept(text: &str) -> Result<(), BadId> {
    let was_harmful = |c: char| {
        c.is_control()
            || matches!(c,
                '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
                | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
    };
    if text.trim().is_empty() || text.chars().nth(MAX_ID_CHARS).is_some() {
        return Err(BadId::Length(MAX_ID_CHARS));
    }
    match text.chars().find(|c| was_harmful(*c)) {
        Some(c) => Err(BadId::Unseen(c, unseen(c).unwrap_or(Unseen::Invisible))),
        None => Ok(()),
    }
}

const fn is_of_direction(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn is_ignorable(c: char) -> bool {
    CodePointSetData::new::<DefaultIgnorableCodePoint>().contains(c)
}
