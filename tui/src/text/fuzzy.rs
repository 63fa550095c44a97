//! Finding by what is half remembered: parts, letters in between left out, and Hangul by its first consonants.

/// The rank of a text of which a part is what was typed; beyond it only letters match.
pub const PART: u8 = 2;

/// How well `text` fits what was typed: the lower the better, `None` if it does not.
///
/// Typed in any case: all of it, its beginning, a part of it, and last its letters in their order with others in
/// between. A first consonant stands for every syllable that begins with it: `ㅅㄱ` finds `사과`.
#[must_use]
pub fn rank(typed: &str, text: &str) -> Option<u8> {
    let typed: Vec<char> = letters(typed);
    let text: Vec<char> = letters(text);
    let begins = |from: usize| {
        text.len() >= from + typed.len() && typed.iter().zip(&text[from..]).all(|(t, c)| fits(*t, *c))
    };
    if typed.is_empty() {
        return Some(0);
    }
    if begins(0) {
        return Some(u8::from(text.len() > typed.len()));
    }
    if (1..text.len()).any(begins) {
        return Some(PART);
    }
    let mut rest = text.iter();
    typed.iter().all(|t| rest.any(|c| fits(*t, *c))).then_some(3)
}

fn letters(text: &str) -> Vec<char> {
    text.chars().flat_map(char::to_lowercase).filter(|c| !c.is_whitespace()).collect()
}

fn fits(typed: char, c: char) -> bool {
    typed == c || first_consonant(c) == Some(typed)
}

/// The first consonant of a Hangul syllable, as the letter that is typed for it.
fn first_consonant(c: char) -> Option<char> {
    const CONSONANTS: [char; 19] = [
        'ㄱ', 'ㄲ', 'ㄴ', 'ㄷ', 'ㄸ', 'ㄹ', 'ㅁ', 'ㅂ', 'ㅃ', 'ㅅ', 'ㅆ', 'ㅇ', 'ㅈ', 'ㅉ', 'ㅊ', 'ㅋ', 'ㅌ',
        'ㅍ', 'ㅎ',
    ];
    /// Syllables with one first consonant: 21 vowels by 28 last consonants, none included.
    const SYLLABLES: u32 = 21 * 28;
    let at = u32::from(c).checked_sub(u32::from('가'))? / SYLLABLES;
    CONSONANTS.get(usize::try_from(at).ok()?).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_better_something_fits_the_lower_its_rank() {
        let table = [
            ("", "apple", Some(0)),
            ("Apple", "apple", Some(0)),
            ("app", "apple", Some(1)),
            ("ple", "apple", Some(2)),
            ("ape", "apple", Some(3)),
            ("pea", "apple", None),
            ("사과", "빨간 사과", Some(2)),
            ("ㅅㄱ", "사과", Some(0)),
            ("ㅃㅅ", "빨간 사과", Some(3)),
            ("박", "사과", None),
            ("a", "", None),
            ("ㅎ", "힣", Some(0)),
            ("ㄱ", "豈", None),
        ];
        for (typed, text, expected) in table {
            assert_eq!(rank(typed, text), expected, "{typed:?} in {text:?}");
        }
    }
}
