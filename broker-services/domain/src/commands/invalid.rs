//! What can be wrong with a command, in sentences that say what to correct.

use std::fmt;

use super::kinds::CommandKind;
use super::limits::MAX_COMMAND_BYTES;
use crate::ids::BadId;

/// A command that cannot be taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind}: {problem}")]
pub struct Invalid {
    /// Of what kind it is.
    pub kind: CommandKind,
    /// What is wrong with it.
    pub problem: Problem,
}

/// What is wrong with a command. Foreign text in it is no longer than a glance, and can be shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// It has more than [`MAX_COMMAND_BYTES`].
    TooLong {
        /// Its length, in bytes.
        bytes: usize,
    },
    /// It cannot be read.
    NotJson {
        /// Where and why not, in the reader's words.
        why: String,
    },
    /// It is JSON, but no object.
    NoObject,
    /// A member stands there more than once.
    Twice {
        /// Its name.
        name: String,
    },
    /// A member that it needs is not there.
    Missing(&'static str),
    /// Neither of two members is there, of which it needs one.
    MissingBoth([&'static str; 2]),
    /// Two members that are names of one thing say two.
    Contradicting([&'static str; 2]),
    /// A member is neither a text nor a number.
    NoText(&'static str),
    /// A member is a number, but no whole one.
    NoWholeNumber {
        /// Its name.
        name: &'static str,
        /// What stands there.
        found: String,
    },
    /// A member is no whole number within its bounds.
    OutOfRange {
        /// Its name.
        name: &'static str,
        /// The least that it may be.
        min: u64,
        /// The most that it may be.
        max: u64,
        /// What stands there.
        found: String,
    },
    /// A member names nobody and nothing.
    Name {
        /// The member's own name.
        name: &'static str,
        /// Why not.
        why: BadId,
    },
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { bytes } => {
                write!(f, "the message has {bytes} bytes; at most {MAX_COMMAND_BYTES} are accepted")
            }
            Self::NotJson { why } => write!(f, "the message is not JSON: {why}"),
            Self::NoObject => f.write_str(r#"the message must be a JSON object like {"item_id":"10"}"#),
            Self::Twice { name } => {
                write!(f, "'{name}' stands there twice, and it cannot be told which one is meant")
            }
            Self::Missing(name) => write!(f, "it needs a '{name}'"),
            Self::MissingBoth([one, other]) => write!(f, "it needs a '{one}' or a '{other}'"),
            Self::Contradicting([one, other]) => {
                write!(f, "'{one}' and '{other}' are one thing and say two; leave one of them out")
            }
            Self::NoText(name) => write!(f, "'{name}' must be a text"),
            Self::NoWholeNumber { name, found } => {
                write!(f, "'{name}' must be a text or a whole number, not {found}")
            }
            Self::OutOfRange { name, min, max, found } => {
                write!(f, "'{name}' must be a whole number from {min} to {max}, not {found}")
            }
            Self::Name { name, why } => write!(f, "'{name}' {why}"),
        }
    }
}
