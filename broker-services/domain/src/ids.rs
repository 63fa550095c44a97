//! Names of things: checked once at the edge, cheap to clone afterwards.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

pub(crate) mod names;

pub use names::{BadId, MAX_ID_CHARS, MAX_MARKS, Unseen, composed, is_mark, is_unsafe_to_show, unseen};

fn key(text: &str) -> Result<Cow<'_, str>, BadId> {
    is_key(text).map(|()| Cow::Borrowed(text))
}

fn is_key(text: &str) -> Result<(), BadId> {
    if text.is_empty() || text.len() > MAX_ID_CHARS {
        return Err(BadId::Length(MAX_ID_CHARS));
    }
    if text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_' || b == b'-') {
        Ok(())
    } else {
        Err(BadId::Alphabet)
    }
}

fn named(text: &str) -> Result<Cow<'_, str>, BadId> {
    names::name(text, MAX_ID_CHARS, |_| false)
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident, $new:path, $could_be_kept:path) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Arc<str>);

        impl $name {
            /// Reads `text` as somebody gives it.
            ///
            /// # Errors
            /// [`BadId`] says which rule it breaks.
            pub fn new(text: &str) -> Result<Self, BadId> {
                Ok(Self(Arc::from($new(text)?)))
            }

            /// Reads `text` as our own stores and events have it, byte for byte: they may be older than the rules
            /// for what is new.
            ///
            /// # Errors
            /// [`BadId`] for what no version has ever written.
            pub fn kept(text: &str) -> Result<Self, BadId> {
                $could_be_kept(text)?;
                Ok(Self(Arc::from(text)))
            }

            /// Reads `text` to find what is there: as it is accepted now, or else as it was kept once.
            ///
            /// # Errors
            /// [`BadId`] says why there can be none of that name.
            pub fn to_look_up(text: &str) -> Result<Self, BadId> {
                Self::new(text).or_else(|error| Self::kept(text).map_err(|_| error))
            }

            /// Whether it would be accepted as it is. What was kept by an older version may not be.
            #[must_use]
            pub fn is_accepted(&self) -> bool {
                $new(&self.0).is_ok_and(|text| *text == *self.0)
            }

            /// Whether `given` names it: it is the same, or what this one, kept by an older version, is read as now.
            #[must_use]
            pub fn is_named_by(&self, given: &Self) -> bool {
                self == given || $new(&self.0).is_ok_and(|text| *text == *given.0)
            }

            /// The text.
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
                let text = Cow::<'de, str>::deserialize(from)?;
                Self::kept(&text).map_err(serde::de::Error::custom)
            }
        }
    };
}

text_id!(
    /// An order's id and its idempotency key: 1–64 of `[A-Za-z0-9_-]`.
    OrderId, key, is_key
);
text_id!(
    /// The idempotency key of a top-up or a restock: 1–64 of `[A-Za-z0-9_-]`.
    RequestId, key, is_key
);
text_id!(
    /// The owner of a deposit account: a name of 1–64 characters.
    Customer, named, names::could_be_kept
);
text_id!(
    /// An item: a name of 1–64 characters.
    ItemId, named, names::could_be_kept
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
            ("", Err(BadId::Length(64))),
            (&long, Err(BadId::Length(64))),
            ("a b", Err(BadId::Alphabet)),
            ("사과", Err(BadId::Alphabet)),
        ];
        for (text, expected) in table {
            assert_eq!(OrderId::new(text).map(|_| ()), expected, "order id {text:?}");
        }
    }

    #[test]
    fn what_is_wrong_with_a_name_is_said_in_words() {
        let table = [
            ("kim\u{3164}", "must not contain U+3164, which cannot be seen"),
            ("kim\u{1b}[2J", "must not contain U+001B, a control character"),
            ("kim\u{202e}", "must not contain U+202E, a text-direction character"),
            ("kim\u{a0}lee", "must not contain U+00A0, a blank that is not the plain one"),
            ("kim\u{e000}", "must not contain U+E000, a private-use character"),
            ("kim\u{378}", "must not contain U+0378, which is not assigned to any character"),
            ("\u{301}kim", "must not begin with a mark that belongs on another character"),
            (" \u{3000} ", "must have 1 to 64 characters"),
        ];
        for (text, sentence) in table {
            assert_eq!(Customer::new(text).unwrap_err().to_string(), sentence, "customer {text:?}");
        }
    }
}
