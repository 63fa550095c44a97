//! What people read: every shown string in Korean and English, by typed id, and how texts fit into columns.
//!
//! - [`attendance`]: queues that are not read by those who should;
//! - [`breaker`]: what a breaker waits for;
//! - [`catalogue`]: the strings, both languages side by side;
//! - [`words`]: the words for the system's own statuses, reasons, services and events;
//! - [`names`]: what items are called;
//! - [`fuzzy`]: finding by what is half remembered;
//! - [`fit`]: padding and cutting by display width, and taking out what could repaint the terminal;
//! - [`numbers`]: how counts are written;
//! - [`times`]: ages, durations and clock times;
//! - [`waits`]: orders that wait for long.

use std::fmt::Display;

pub mod attendance;
pub mod breaker;
pub mod catalogue;
pub mod faults;
pub mod fit;
pub mod fuzzy;
pub mod names;
pub mod numbers;
pub mod times;
pub mod waits;
pub mod words;

pub use catalogue::Text;

/// The languages that every text exists in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Language {
    /// 한국어
    Korean,
    /// English
    English,
}

impl Language {
    /// All of them, in the order in which a key steps through them.
    pub const ALL: &'static [Self] = &[Self::Korean, Self::English];

    /// The language of a locale as `LC_ALL`, `LC_MESSAGES` or `LANG` name it (`ko_KR.UTF-8`): Korean where it
    /// says so, else English.
    #[must_use]
    pub fn of_locale(locale: &str) -> Self {
        if locale.to_ascii_lowercase().starts_with("ko") { Self::Korean } else { Self::English }
    }

    /// The other one.
    #[must_use]
    pub const fn next(self) -> Self {
        match self {
            Self::Korean => Self::English,
            Self::English => Self::Korean,
        }
    }

    /// Its own name for itself.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Korean => "한국어",
            Self::English => "English",
        }
    }

    /// `text` in this language, with its placeholders as they stand.
    #[must_use]
    pub const fn get(self, text: Text) -> &'static str {
        match self {
            Self::Korean => text.korean(),
            Self::English => text.english(),
        }
    }

    /// `text` in this language with `{0}`, `{1}` … replaced by `values`. A value's own braces are left alone.
    #[must_use]
    pub fn fill(self, text: Text, values: &[&dyn Display]) -> String {
        let mut rest = self.get(text);
        let mut filled = String::with_capacity(rest.len() + 16 * values.len());
        while let Some(at) = rest.find('{') {
            filled.push_str(&rest[..at]);
            let end = rest[at..].find('}').map_or(rest.len(), |length| at + length + 1);
            let value = rest[at + 1..end.saturating_sub(1).max(at + 1)]
                .parse()
                .ok()
                .and_then(|n: usize| values.get(n));
            match value {
                Some(value) => filled.push_str(&value.to_string()),
                None => filled.push_str(&rest[at..end]),
            }
            rest = &rest[end..];
        }
        filled.push_str(rest);
        filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locale_chooses_the_language() {
        for (locale, language) in [
            ("ko_KR.UTF-8", Language::Korean),
            ("ko", Language::Korean),
            ("KO_kr", Language::Korean),
            ("en_US.UTF-8", Language::English),
            ("C", Language::English),
            ("", Language::English),
        ] {
            assert_eq!(Language::of_locale(locale), language, "locale {locale:?}");
        }
    }

    #[test]
    fn values_are_put_where_the_language_wants_them() {
        let filled = Language::English.fill(Text::Scanned, &[&"{0}{1}"]);
        assert!(filled.contains("{0}{1}"), "a value's braces are no placeholders: {filled}");
        let missing = Language::English.fill(Text::Scanned, &[]);
        assert!(missing.contains("{0}"), "a missing value shows, and does not panic: {missing}");
    }

    /// The numbers of a text's placeholders, sorted.
    fn placeholders(text: &str) -> Vec<&str> {
        let mut found: Vec<&str> =
            text.split('{').skip(1).map(|part| part.split('}').next().unwrap_or("")).collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn every_text_exists_in_every_language_with_the_same_placeholders() {
        for text in Text::ALL {
            let expected = placeholders(text.english());
            for language in Language::ALL {
                let shown = language.get(*text);
                assert!(!shown.trim().is_empty(), "{text:?} is missing in {language:?}");
                assert!(
                    !shown.chars().any(skstore_domain::ids::is_unsafe_to_show),
                    "{text:?} in {language:?} could repaint the terminal"
                );
                assert_eq!(placeholders(shown), expected, "placeholders of {text:?} in {language:?}");
            }
        }
    }

    /// Texts without a word of any language: names and units that read the same everywhere.
    const SAME_IN_EVERY_LANGUAGE: &[Text] = &[Text::ColumnRate];

    #[test]
    fn no_text_was_left_in_the_other_language() {
        let is_hangul = |c: char| ('\u{ac00}'..='\u{d7a3}').contains(&c);
        for text in Text::ALL {
            assert!(!text.english().chars().any(is_hangul), "English of {text:?} is Korean");
            let letters = text.korean().split(['{', '}']).any(|part| part.chars().any(char::is_alphabetic));
            let exempt = SAME_IN_EVERY_LANGUAGE.contains(text);
            assert!(
                !letters || exempt || text.korean().chars().any(is_hangul),
                "Korean of {text:?} has no Hangul: {}",
                text.korean()
            );
        }
    }
}
