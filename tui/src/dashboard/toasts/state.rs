//! Short messages: what was sent, what was answered, and what can be sent again.

use std::time::Duration;

use skstore_domain::answers::{Answer, AnswerError, ErrorCode};
use skstore_domain::time::Timestamp;
use skstore_workers::desk::{DeadError, DeskError};

use crate::dashboard::message::Request;
use crate::dashboard::screens::dead_letters::state::{Deal, DealReport};
use crate::dashboard::screens::health::recording::state::{Ended, Trouble};
use crate::dashboard::screens::orders::filter::BadFilter;
use crate::text::Text;

/// Messages kept. With more, the oldest of those that cannot be sent again goes first.
pub const MAX_TOASTS: usize = 4;
/// How long a good answer stays.
const GOOD_FOR: Duration = Duration::from_secs(5);
/// How long a refusal stays: long enough to read a sentence twice.
const REFUSED_FOR: Duration = Duration::from_secs(12);
/// How long it stays where a recording is: long enough to mark and copy the command that replays it.
const RECORDED_FOR: Duration = Duration::from_secs(60);

/// What a message says. It is put into words when it is drawn, so that it changes with the language.
#[derive(Debug, Clone)]
pub enum Notice {
    /// Why something is not possible.
    Reason(Text),
    /// Where the gateway beside this dashboard listens, or why there is none.
    Gateway(Result<String, String>),
    /// It is in the clipboard.
    CopySent(String),
    /// Times are shown by the clocks of a zone that is called so.
    Zone(String),
    /// Several keys came as one syllable.
    Syllable {
        /// The syllable.
        syllable: char,
        /// The Latin letters on its keys.
        keys: String,
    },
    /// What became of parked messages, or that nothing would.
    Summary(Deal, DealReport),
    /// Why nothing could be done with parked messages.
    NotDealt(DeadError),
    /// What is wrong with a filter.
    Filter(BadFilter),
    /// The breaker of this instance is recorded from now on.
    RecordingBegun(String),
    /// Where a recording is that is over.
    Recorded(Ended),
    /// Why there is none.
    NotRecorded(Trouble),
    /// How a request stands.
    Request(Request, Outcome),
}

/// How a request stands.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It was sent.
    Waiting,
    /// It is done.
    Done(Box<Answer>),
    /// It was refused for good.
    Refused(AnswerError),
    /// Nothing happened; it can be sent again from then on.
    TryLater(AnswerError, Timestamp),
    /// Nobody can say.
    NoAnswer(DeskError),
    /// Nothing was sent.
    Unreachable(String),
}

impl Outcome {
    fn of(result: Result<Option<Answer>, DeskError>, now: Timestamp) -> Self {
        match result {
            Ok(None) => Self::Done(Box::default()),
            Ok(Some(mut answer)) => match answer.error.take() {
                None => Self::Done(Box::new(answer)),
                Some(error) if error.code == ErrorCode::TryLater => {
                    let wait = Duration::from_millis(error.retry_after_ms.unwrap_or(0));
                    Self::TryLater(error, now.after(wait))
                }
                Some(error) => Self::Refused(error),
            },
            Err(DeskError::Unreachable(cause)) => Self::Unreachable(cause),
            Err(error @ (DeskError::NoAnswer { .. } | DeskError::Lost { .. })) => Self::NoAnswer(error),
        }
    }

    /// Whether the same request can be sent again, with the same id.
    #[must_use]
    pub const fn can_be_repeated(&self) -> bool {
        match self {
            Self::TryLater(..) | Self::NoAnswer(_) | Self::Unreachable(_) => true,
            Self::Waiting | Self::Done(_) | Self::Refused(_) => false,
        }
    }
}

/// A short message.
#[derive(Debug, Clone)]
pub struct Toast {
    /// What it says.
    pub notice: Notice,
    /// When it goes away by itself.
    pub until: Option<Timestamp>,
}

/// The messages, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Toasts(Vec<Toast>);

impl Toasts {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, oldest first.
    #[must_use]
    pub fn all(&self) -> &[Toast] {
        &self.0
    }

    /// Says why something is not possible, or what is wrong. The same said again only stays longer; where a recording is stays
    /// beside it.
    pub fn say(&mut self, notice: Notice, now: Timestamp) {
        self.0.retain(|toast| matches!(toast.notice, Notice::Request(..) | Notice::Recorded(_)));
        let stays = match notice {
            Notice::Recorded(_) => RECORDED_FOR,
            Notice::NotRecorded(_) => REFUSED_FOR,
            _ => GOOD_FOR,
        };
        self.push(Toast { notice, until: Some(now.after(stays)) });
    }

    /// Says that a request was sent. Sent again, it takes the place of its last message.
    pub fn sent(&mut self, request: Request) {
        self.0.retain(|toast| !toast.is_about(&request));
        self.push(Toast { notice: Notice::Request(request, Outcome::Waiting), until: None });
    }

    /// Says what came of a request.
    pub fn answered(&mut self, request: Request, result: Result<Option<Answer>, DeskError>, now: Timestamp) {
        let outcome = Outcome::of(result, now);
        let until = match outcome {
            Outcome::Done(_) => Some(now.after(GOOD_FOR)),
            Outcome::Refused(_) => Some(now.after(REFUSED_FOR)),
            Outcome::Waiting | Outcome::TryLater(..) | Outcome::NoAnswer(_) | Outcome::Unreachable(_) => None,
        };
        self.0.retain(|toast| !toast.is_about(&request));
        self.push(Toast { notice: Notice::Request(request, outcome), until });
    }

    fn push(&mut self, toast: Toast) {
        if self.0.len() >= MAX_TOASTS {
            let oldest = self.0.iter().position(|toast| !toast.can_be_repeated()).unwrap_or(0);
            self.0.remove(oldest);
        }
        self.0.push(toast);
    }

    /// Drops what has been there long enough.
    pub fn expire(&mut self, now: Timestamp) {
        self.0.retain(|toast| toast.until.is_none_or(|until| now < until));
    }

    /// Drops the newest.
    pub fn dismiss(&mut self) {
        self.0.pop();
    }

    /// The newest request that can be sent again.
    #[must_use]
    pub fn repeatable(&self) -> Option<&Request> {
        self.0.iter().rev().find_map(|toast| match &toast.notice {
            Notice::Request(request, outcome) if outcome.can_be_repeated() => Some(request),
            Notice::Request(..)
            | Notice::Reason(_)
            | Notice::Gateway(_)
            | Notice::CopySent(_)
            | Notice::Zone(_)
            | Notice::Syllable { .. }
            | Notice::Summary(..)
            | Notice::NotDealt(_)
            | Notice::Filter(_)
            | Notice::RecordingBegun(_)
            | Notice::Recorded(_)
            | Notice::NotRecorded(_) => None,
        })
    }
}

impl Toast {
    fn is_about(&self, request: &Request) -> bool {
        matches!(&self.notice, Notice::Request(known, _) if known == request)
    }

    fn can_be_repeated(&self) -> bool {
        matches!(&self.notice, Notice::Request(_, outcome) if outcome.can_be_repeated())
    }
}
