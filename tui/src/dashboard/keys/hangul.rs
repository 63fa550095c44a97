//! Which keys of the Korean standard layout make a syllable: an input method hands over whole syllables, where each of
//! their letters may have been meant as a key.

/// The first syllable of Unicode's table, which holds all of them by first letter, vowel and last letter.
const FIRST: u32 = '가' as u32;
/// The keys of each first letter, vowel and last letter (which may be none), in the order of that table.
const LEADS: [&str; 19] =
    ["r", "R", "s", "e", "E", "f", "a", "q", "Q", "t", "T", "d", "w", "W", "c", "z", "x", "v", "g"];
const VOWELS: [&str; 21] = [
    "k", "o", "i", "O", "j", "p", "u", "P", "h", "hk", "ho", "hl", "y", "n", "nj", "np", "nl", "b", "m",
    "ml", "l",
];
const TAILS: [&str; 28] = [
    "", "r", "R", "rt", "s", "sw", "sg", "e", "f", "fr", "fa", "fq", "ft", "fx", "fv", "fg", "a", "q", "qt",
    "t", "T", "d", "w", "c", "z", "x", "v", "g",
];
/// Letters that take two keys and may come alone.
const DOUBLE: &[(char, &str)] = &[
    ('ㅘ', "hk"),
    ('ㅙ', "ho"),
    ('ㅚ', "hl"),
    ('ㅝ', "nj"),
    ('ㅞ', "np"),
    ('ㅟ', "nl"),
    ('ㅢ', "ml"),
    ('ㄳ', "rt"),
    ('ㄵ', "sw"),
    ('ㄶ', "sg"),
    ('ㄺ', "fr"),
    ('ㄻ', "fa"),
    ('ㄼ', "fq"),
    ('ㄽ', "ft"),
    ('ㄾ', "fx"),
    ('ㄿ', "fv"),
    ('ㅀ', "fg"),
    ('ㅄ', "qt"),
];

/// The Latin letters on the keys that make `c`, if it is made by several keys.
#[must_use]
pub fn keys_of(c: char) -> Option<String> {
    if let Some((_, keys)) = DOUBLE.iter().find(|(letter, _)| *letter == c) {
        return Some((*keys).to_owned());
    }
    let at = usize::try_from(u32::from(c).checked_sub(FIRST)?).ok()?;
    let (tail, rest) = (at % TAILS.len(), at / TAILS.len());
    let (vowel, lead) = (rest % VOWELS.len(), rest / VOWELS.len());
    LEADS.get(lead).map(|keys| format!("{keys}{}{}", VOWELS[vowel], TAILS[tail]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_syllable_is_made_of_the_keys_that_type_it() {
        for (syllable, keys) in [
            ('쵸', "cy"),
            ('초', "ch"),
            ('가', "rk"),
            ('한', "gks"),
            ('글', "rmf"),
            ('값', "rkqt"),
            ('왜', "dho"),
            ('힣', "glg"),
            ('ㅘ', "hk"),
            ('ㄳ', "rt"),
        ] {
            assert_eq!(keys_of(syllable).as_deref(), Some(keys), "{syllable}");
        }
        for other in ['c', 'ㅊ', '漢', '\u{d7a4}', '\u{abff}'] {
            assert_eq!(keys_of(other), None, "{other}");
        }
    }
}
