//! What can be wrong with a command, in sentences that say what to correct.

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
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    /// It has more than [`MAX_COMMAND_BYTES`].
    #[error("the message has {bytes} bytes; at most {MAX_COMMAND_BYTES} are accepted")]
    TooLong {
        /// Its length, in bytes.
        bytes: usize,
    },
    /// It cannot be read.
    #[error("the message is not JSON: {why}")]
    NotJson {
        /// Where and why not, in the reader's words.
        why: String,
    },
    /// It is JSON, but no object.
    #[error("the message must be a JSON object like {{\"item_id\":\"10\"}}")]
    NoObject,
    /// A member stands there more than once.
    #[error("'{name}' stands there twice, and it cannot be told which one is meant")]
    Twice {
        /// Its name.
        name: String,
    },
    /// A member that it needs is not there.
    #[error("it needs a '{0}'")]
    Missing(&'static str),
    /// Neither of two members is there, of which it needs one.
    #[error("it needs a '{}' or a '{}'", .0[0], .0[1])]
    MissingBoth([&'static str; 2]),
    /// Two members that are names of one thing say two.
    #[error("'{}' and '{}' are one thing and say two; leave one of them out", .0[0], .0[1])]
    Contradicting([&'static str; 2]),
    /// A member is neither a text nor a number.
    #[error("'{0}' must be a text")]
    NoText(&'static str),
    /// A member is a number, but no whole one.
    #[error("'{name}' must be a text or a whole number, not {found}")]
    NoWholeNumber {
        /// Its name.
        name: &'static str,
        /// What stands there.
        found: String,
    },
    /// A member is no whole number within its bounds.
    #[error("'{name}' must be a whole number from {min} to {max}, not {found}")]
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
    #[error("'{name}' {why}")]
    Name {
        /// The member's own name.
        name: &'static str,
        /// Why not.
        why: BadId,
    },
}
