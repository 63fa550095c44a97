//! Why a command was not done: for people on stderr, for programs on stdout, and as an exit status.

use serde_json::{Value, json};
use skstore::text::fit::clean;
use skstore_domain::answers::{Answer, ErrorCode};
use skstore_domain::ids::OrderId;
use skstore_workers::desk::view::ViewError;
use skstore_workers::desk::{DeadError, DeskError};

/// Done.
pub(crate) const DONE: u8 = 0;
/// Asked for and refused, or violated.
pub(crate) const REFUSED: u8 = 1;
/// Wrong arguments or settings.
pub(crate) const USAGE: u8 = 2;
/// A part cannot be reached, or somebody else holds the data.
pub(crate) const UNREACHABLE: u8 = 3;

/// Why a command was not done.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    /// A service said no.
    #[error("{}", .0.error.as_ref().map_or("the answer says neither yes nor no", |error| &error.message))]
    Refused(Box<Answer>),
    /// An order was not placed, or it is not known whether it was.
    #[error("{cause}")]
    Place {
        /// Its id, to repeat it, undo it or ask for it.
        order_id: OrderId,
        /// The cause, in a sentence.
        cause: Box<Failure>,
    },
    /// So many lines of a file of orders were refused or are wrong.
    #[error("lines that were not placed: {0}")]
    NotAllPlaced(u64),
    /// There is no such thing in the view.
    #[error("{0}")]
    NotFound(String),
    /// Something that was named was left as it is.
    #[error("{0}")]
    Stays(String),
    /// Something was checked and is not as it must be.
    #[error("{0}")]
    Unwell(String),
    /// The audit found so many promises broken.
    #[error("{0} promises do not hold")]
    Violated(u64),
    /// The audit found so many differences that a restored store explains.
    #[error(
        "differences left by a store that was put back to an older copy: {0}. To see what settles them: skstore reconcile"
    )]
    Forgotten(u64),
    /// The services differ on so many orders.
    #[error("orders on which the services differ: {0}")]
    Unsettled(usize),
    /// So many orders were to be settled, and are not.
    #[error("orders that are not settled: {0}")]
    LeftUnsettled(usize),
    /// Whoever asked is not let in, or may not do this.
    #[error("{0}")]
    Forbidden(String),
    /// Orders of a load failed, or have not ended; the report, which is the output, says which.
    #[error(
        "of the orders, cancels and repeats failed: {failed}; orders that {}: {open}",
        if *is_followed { "have not ended" } else { "were not followed to their end" }
    )]
    Load {
        /// So many had no answer, or a wrong one.
        failed: u64,
        /// So many have not ended, as far as they were followed.
        open: u64,
        /// Whether they were.
        is_followed: bool,
    },
    /// The arguments or settings are wrong.
    #[error("{0}")]
    Usage(String),
    /// A part cannot be reached, or the data is held by somebody else.
    #[error("{0}")]
    Unreachable(String),
    /// A command was sent and nobody answered.
    #[error("{0}")]
    NoAnswer(String),
    /// Whoever read our output has gone: no failure of ours.
    #[error("the output was closed")]
    OutputClosed,
    /// The output cannot be written.
    #[error("the output cannot be written: {0}")]
    Output(std::io::Error),
}

impl Failure {
    /// The exit status.
    pub(crate) fn status(&self) -> u8 {
        match self {
            Self::Place { cause, .. } => cause.status(),
            Self::Refused(_)
            | Self::NotAllPlaced(_)
            | Self::Load { .. }
            | Self::Forbidden(_)
            | Self::NotFound(_)
            | Self::Stays(_)
            | Self::Unwell(_)
            | Self::Violated(_)
            | Self::Forgotten(_)
            | Self::Unsettled(_)
            | Self::LeftUnsettled(_) => REFUSED,
            Self::Usage(_) => USAGE,
            Self::Unreachable(_) | Self::NoAnswer(_) | Self::Output(_) => UNREACHABLE,
            Self::OutputClosed => DONE,
        }
    }

    /// `{"error":{"code","message","retry_after_ms"?}}`, with `order` where a refused order exists and `order_id`
    /// where one was to be placed. The codes are those of answers, and `not_all_placed`, `load`, `stays`, `forbidden`, `unwell`, `violated`, `unsettled`, `usage`, `unreachable` and
    /// `no_answer`.
    pub(crate) fn to_json(&self) -> Value {
        match self {
            Self::Place { order_id, cause } => {
                let mut object = cause.to_json();
                object["order_id"] = json!(order_id);
                object
            }
            Self::Refused(answer) => {
                let mut object = json!({ "error": answer.error });
                if let Some(order) = &answer.order {
                    object["order"] = json!(order);
                }
                object
            }
            Self::NotAllPlaced(_) => error("not_all_placed", &self.to_string()),
            Self::Load { .. } => error("load", &self.to_string()),
            Self::NotFound(message) => error(ErrorCode::NotFound.word(), message),
            Self::Stays(message) => error("stays", message),
            Self::Forbidden(message) => error("forbidden", message),
            Self::Unwell(message) => error("unwell", message),
            Self::Violated(_) => error("violated", &self.to_string()),
            Self::Forgotten(_) | Self::Unsettled(_) | Self::LeftUnsettled(_) => {
                error("unsettled", &self.to_string())
            }
            Self::Usage(message) => error("usage", message),
            Self::NoAnswer(message) => error("no_answer", message),
            Self::Unreachable(_) | Self::OutputClosed | Self::Output(_) => {
                error("unreachable", &self.to_string())
            }
        }
    }

    /// Whether the output says it already, in more words.
    pub(crate) const fn is_reported(&self) -> bool {
        matches!(self, Self::Load { .. })
    }

    /// For people: what happened, and what to do about it.
    pub(crate) fn to_text(&self) -> String {
        let hint = match self {
            Self::Place { order_id, cause } => match &**cause {
                Self::NoAnswer(_) => format!("Ask what became of it: skstore order {order_id} --ask"),
                Self::Refused(answer) => {
                    match answer.error.as_ref().map(|error| (error.code, error.retry_after_ms)) {
                        Some((ErrorCode::TryLater, Some(after_ms))) => format!(
                            "Try again in {} s with --order-id {order_id}, or make sure that it never happens: \
                         skstore cancel {order_id}",
                            after_ms.div_ceil(1000)
                        ),
                        _ => String::new(),
                    }
                }
                _ => String::new(),
            },
            Self::Unsettled(_) => "To settle them: skstore reconcile --settle".to_owned(),
            _ => String::new(),
        };
        format!("skstore: {}\n{hint}", clean(&self.to_string())).trim_end().to_owned()
    }
}

fn error(code: &str, message: &str) -> Value {
    json!({ "error": { "code": code, "message": message } })
}

impl From<DeskError> for Failure {
    fn from(error: DeskError) -> Self {
        match error {
            DeskError::NoAnswer { .. } | DeskError::Lost { .. } => Self::NoAnswer(error.to_string()),
            DeskError::Unreachable(_) => Self::Unreachable(error.to_string()),
        }
    }
}

impl From<DeadError> for Failure {
    fn from(error: DeadError) -> Self {
        match error {
            DeadError::Occupied(_) | DeadError::Unreachable(_) => Self::Unreachable(error.to_string()),
        }
    }
}

impl From<ViewError> for Failure {
    fn from(error: ViewError) -> Self {
        Self::Unreachable(error.to_string())
    }
}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::BrokenPipe => Self::OutputClosed,
            _ => Self::Output(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn every_failure_has_a_status_and_a_shape() {
        let later = Answer::try_later("deposit is busy", Duration::from_secs(5));
        let table = [
            (
                Failure::Refused(Box::new(later)),
                1,
                r#"{"error":{"code":"try_later","message":"deposit is busy","retry_after_ms":5000}}"#,
            ),
            (
                Failure::NotFound("no order x".into()),
                1,
                r#"{"error":{"code":"not_found","message":"no order x"}}"#,
            ),
            (
                Failure::Load { failed: 1, open: 2, is_followed: true },
                1,
                r#"{"error":{"code":"load","message":"of the orders, cancels and repeats failed: 1; orders that have not ended: 2"}}"#,
            ),
            (
                Failure::Load { failed: 0, open: 2, is_followed: false },
                1,
                r#"{"error":{"code":"load","message":"of the orders, cancels and repeats failed: 0; orders that were not followed to their end: 2"}}"#,
            ),
            (
                Failure::Forbidden("no token".into()),
                1,
                r#"{"error":{"code":"forbidden","message":"no token"}}"#,
            ),
            (Failure::Unwell("ill".into()), 1, r#"{"error":{"code":"unwell","message":"ill"}}"#),
            (Failure::Usage("bad".into()), 2, r#"{"error":{"code":"usage","message":"bad"}}"#),
            (Failure::Unreachable("gone".into()), 3, r#"{"error":{"code":"unreachable","message":"gone"}}"#),
            (Failure::NoAnswer("late".into()), 3, r#"{"error":{"code":"no_answer","message":"late"}}"#),
        ];
        for (failure, status, json) in table {
            assert_eq!(failure.status(), status, "{failure}");
            assert_eq!(failure.to_json().to_string(), json, "{failure}");
        }
    }

    #[test]
    fn an_order_that_was_not_placed_can_be_repeated_or_undone() {
        let place = |cause| Failure::Place { order_id: OrderId::new("a-1").unwrap(), cause: Box::new(cause) };
        let later = Answer::try_later("deposit is busy", Duration::from_millis(4001));
        let table = [
            (
                place(Failure::Refused(Box::new(later))),
                "skstore: deposit is busy\nTry again in 5 s with --order-id a-1, or make sure that it never happens: \
                 skstore cancel a-1",
            ),
            (
                place(Failure::NoAnswer("no answer from order".into())),
                "skstore: no answer from order\nAsk what became of it: skstore order a-1 --ask",
            ),
            (place(Failure::Unreachable("no bus\u{1b}[2J".into())), "skstore: no bus[2J"),
        ];
        for (failure, text) in table {
            assert_eq!(failure.to_text(), text);
            assert_eq!(failure.to_json()["order_id"], "a-1", "{failure}");
        }
    }

    #[test]
    fn a_reader_that_has_seen_enough_is_no_failure() {
        let closed = Failure::from(std::io::Error::from(std::io::ErrorKind::BrokenPipe));
        assert_eq!(closed.status(), DONE, "`skstore orders | head -1` must not fail");
    }
}
