//! Names of things: checked once at the edge, cheap to clone afterwards.

use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Longest id, customer or item id, in characters.
pub const MAX_ID_CHARS: usize = 64;

/// Why a text is no id: a sentence without the field's name, which the caller puts in front.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadId {
    /// Nothing there, or more than [`MAX_ID_CHARS`].
    #[error("must have 1 to 64 characters")]
    Length,
    /// Something outside `[A-Za-z0-9_-]`.
    #[error("may only contain A-Z, a-z, 0-9, '_' and '-'")]
    Alphabet,
    /// A control, escape or bidi character, which could repaint a terminal or reorder a line.
    #[error("must not contain control or text-direction characters")]
    Control,
}

/// Whether `c` may change how a terminal shows the characters around it: controls, bidi marks, zero-width
/// characters and line separators.
#[must_use]
pub fn is_unsafe_to_show(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

fn check_key(text: &str) -> Result<(), BadId> {
    if text.is_empty() || text.len() > MAX_ID_CHARS {
        return Err(BadId::Length);
    }
    if text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
        Ok(())
    } else {
        Err(BadId::Alphabet)
    }
}

fn check_name(text: &str) -> Result<(), BadId> {
    if text.trim().is_empty() || text.chars().nth(MAX_ID_CHARS).is_some() {
        return Err(BadId::Length);
    }
    if text.chars().any(is_unsafe_to_show) { Err(BadId::Control) } else { Ok(()) }
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $check:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Checks `text`.
            ///
            /// # Errors
            /// [`BadId`] says which rule it breaks.
            pub fn new(text: &str) -> Result<Self, BadId> {
                $check(text)?;
                Ok(Self(Arc::from(text)))
            }

            /// The text as it was given.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Debug::fmt(&*self.0, f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
                to.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
                let text = std::borrow::Cow::<'de, str>::deserialize(from)?;
                Self::new(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

text_id!(
    /// An order's id and its idempotency key: 1–64 of `[A-Za-z0-9_-]`.
    OrderId, check_key
);
text_id!(
    /// The idempotency key of a top-up or a restock: 1–64 of `[A-Za-z0-9_-]`.
    RequestId, check_key
);
text_id!(
    /// The owner of a deposit account: 1–64 characters, none of them control or bidi characters.
    Customer, check_name
);
text_id!(
    /// An item: 1–64 characters, none of them control or bidi characters.
    ItemId, check_name
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_1_to_64_of_a_small_alphabet() {
        let long = "x".repeat(65);
        let table: [(&str, Result<(), BadId>); 6] = [
            ("a-Z_9", Ok(())),
            (&long[..64], Ok(())),
            ("", Err(BadId::Length)),
            (&long, Err(BadId::Length)),
            ("a b", Err(BadId::Alphabet)),
            ("사과", Err(BadId::Alphabet)),
        ];
        for (text, expected) in table {
            assert_eq!(OrderId::new(text).map(|_| ()), expected, "order id {text:?}");
        }
    }

    #[test]
    fn a_name_may_be_korean_but_not_repaint_the_screen() {
        let table = [
            ("김철수", Ok(())),
            ("kim lee", Ok(())),
            ("  ", Err(BadId::Length)),
            ("a\u{1b}[2J", Err(BadId::Control)),
            ("a\u{202e}b", Err(BadId::Control)),
        ];
        for (text, expected) in table {
            assert_eq!(Customer::new(text).map(|_| ()), expected, "customer {text:?}");
        }
        assert_eq!(ItemId::new(&"가".repeat(65)).map(|_| ()), Err(BadId::Length));
    }
}
