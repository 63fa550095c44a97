//! What can be asked of a desk at the door of the process that has the workers, and what is answered.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use skstore_domain::commands::{Command, CommandKind, Invalid};
use skstore_domain::signals::Control;

use super::dead::{DeadLetter, Disposition, Operation, Which};
use crate::bus::Properties;
use crate::envelope::ParkedCode;
use crate::view::asked::ViewRequest;

/// What can be asked. Behind each: what is answered.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Request {
    /// `()`, once the workers take work and the view is complete.
    Ready,
    /// `Result<Answer, DeskError>`.
    Command {
        /// Its kind, as its routing key has it.
        kind: String,
        /// Its body.
        body: Box<RawValue>,
    },
    /// `Result<(), DeskError>`.
    Control(Control),
    /// `Result<Vec<QueueDepth>, DeskError>`.
    Queues,
    /// [`Letter`]s, then `Result<Listed, DeadError>`.
    DeadLetters {
        /// At most so many.
        max: usize,
    },
    /// `Result<Option<Letter>, DeadError>`.
    DeadLetter {
        /// The one that is meant.
        id: String,
    },
    /// [`Dealt`]s, then `Result<Summary, DeadError>`.
    Deal(Dealing),
    /// `Result<…, ViewError>`.
    View(ViewRequest),
}

impl Request {
    /// The request for `command`.
    pub(crate) fn command(command: &Command) -> Self {
        let body = RawValue::from_string(command.to_json()).unwrap_or_else(|_| RawValue::NULL.to_owned());
        Self::Command { kind: command.kind().word().to_owned(), body }
    }
}

/// Reads a command that was asked for.
///
/// # Errors
/// A sentence.
pub(crate) fn command(kind: &str, body: &RawValue) -> Result<Command, String> {
    let kind = CommandKind::from_word(kind).ok_or_else(|| format!("there is no command '{kind}'"))?;
    Command::from_json(kind, body.get().as_bytes()).map_err(|error: Invalid| error.to_string())
}

/// What is to be done with parked messages.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Dealing {
    pub(crate) operation: Operation,
    pub(crate) which: Which,
    pub(crate) dry_run: bool,
}

/// How many parked messages there are in all.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Listed {
    pub(crate) total: usize,
}

/// What became of a parked message.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Dealt {
    pub(crate) letter: Letter,
    pub(crate) disposition: Disposition,
}

/// A parked message as it is handed over, with its whole body.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Letter {
    id: String,
    reason: String,
    code: String,
    exchange: String,
    routing_key: String,
    queue: String,
    service: String,
    at: String,
    properties: Properties,
    #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
    body: Arc<[u8]>,
    is_cut: bool,
}

impl From<&DeadLetter> for Letter {
    fn from(letter: &DeadLetter) -> Self {
        let DeadLetter {
            id,
            reason,
            code,
            exchange,
            routing_key,
            queue,
            service,
            at,
            properties,
            body,
            is_cut,
        } = letter.clone();
        let code = code.word().to_owned();
        Self { id, reason, code, exchange, routing_key, queue, service, at, properties, body, is_cut }
    }
}

impl From<Letter> for DeadLetter {
    fn from(letter: Letter) -> Self {
        let Letter { id, reason, code, exchange, routing_key, queue, service, at, properties, body, is_cut } =
            letter;
        let code = ParkedCode::of(Some(&code), &reason);
        Self { id, reason, code, exchange, routing_key, queue, service, at, properties, body, is_cut }
    }
}

fn to_base64<S: Serializer>(body: &Arc<[u8]>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&STANDARD.encode(body))
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Arc<[u8]>, D::Error> {
    let text = String::deserialize(deserializer)?;
    STANDARD.decode(text).map(Arc::from).map_err(serde::de::Error::custom)
}
