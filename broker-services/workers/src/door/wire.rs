//! What is said at the door, in JSON: a greeting from both sides; then questions, each with a number, from the one who
//! came, and answers in any order, by that number.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::SinkExt;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use skstore_domain::commands::{Command, CommandKind, Invalid};
use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::signals::Control;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio_util::bytes::{Bytes, BytesMut};
use tokio_util::codec::{FramedRead, FramedWrite, LengthDelimitedCodec};

use crate::bus::Properties;
use crate::desk::dead::{DeadLetter, Disposition, Operation, Which};
use crate::envelope::ParkedCode;
use crate::view::{Cursor, OrderFilter};

/// What is spoken here. It changes when one side could take what the other says for something else; members and
/// questions that are only new do not.
pub(crate) const PROTOCOL: u32 = 1;

/// The longest question, in bytes: a command and what names it.
pub(crate) const MAX_QUESTION: usize = 1024 * 1024;
/// The longest answer, in bytes: some ten thousand rows, or the largest message there can be.
pub(crate) const MAX_ANSWER: usize = 64 * 1024 * 1024;

/// What both sides say first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Greeting {
    /// The [`PROTOCOL`].
    pub(crate) protocol: u32,
    /// Which version of skstore.
    pub(crate) version: String,
    /// Which process.
    pub(crate) pid: u32,
}

impl Greeting {
    /// This process's.
    pub(crate) fn own() -> Self {
        Self { protocol: PROTOCOL, version: env!("CARGO_PKG_VERSION").to_owned(), pid: std::process::id() }
    }
}

/// A question.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Question<R> {
    /// Its number on this connection.
    pub(crate) id: u64,
    /// What is asked.
    pub(crate) ask: R,
}

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

    /// Whether asking a second time does no more than asking once: commands come with their ids. Of parked messages it is told
    /// piece by piece what becomes of them, so that the second time would tell of the rest only.
    pub(crate) const fn is_repeatable(&self) -> bool {
        match self {
            Self::Ready
            | Self::Command { .. }
            | Self::Control(_)
            | Self::Queues
            | Self::DeadLetter { .. }
            | Self::View(_) => true,
            Self::DeadLetters { .. } | Self::Deal(_) => false,
        }
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

/// What of the view can be asked: the reading part of [`View`](crate::view::View), name by name.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ViewRequest {
    Orders { filter: OrderFilter, after: Option<Cursor>, max: usize },
    OrdersBefore { filter: OrderFilter, before: Option<Cursor>, max: usize },
    Order(OrderId),
    Accounts { after: Option<Customer>, max: usize },
    Items { after: Option<ItemId>, max: usize },
    Counts,
    Written,
    Health,
    Feed { after: u64, max: usize },
    Rebuilds,
    Checkpoints,
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

/// What is said to whoever came.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Told {
    /// First of all.
    Greeting(Greeting),
    /// A piece of an answer that has several.
    Part {
        /// The question's number.
        id: u64,
        /// It.
        part: Box<RawValue>,
    },
    /// The answer, or the end of it.
    Answer {
        /// The question's number.
        id: u64,
        /// It.
        answer: Box<RawValue>,
    },
    /// The question cannot be understood or answered.
    Refused {
        /// Its number.
        id: u64,
        /// Why, in a sentence.
        why: String,
    },
    /// What the view shows has changed.
    Changed,
    /// This process ends: what it has been asked is still answered, what is asked from now on is not.
    Leaving,
}

/// Questions or answers as they come in.
pub(crate) type Incoming = FramedRead<OwnedReadHalf, LengthDelimitedCodec>;
/// Where they go out.
pub(crate) type Outgoing = FramedWrite<OwnedWriteHalf, LengthDelimitedCodec>;

/// What comes in from `half`, none longer than `max` bytes.
pub(crate) fn incoming(half: OwnedReadHalf, max: usize) -> Incoming {
    FramedRead::new(half, codec(max))
}

/// What goes out to `half`, none longer than `max` bytes.
pub(crate) fn outgoing(half: OwnedWriteHalf, max: usize) -> Outgoing {
    FramedWrite::new(half, codec(max))
}

/// Has all that was fed to `out` handed to the system.
///
/// # Errors
/// When the other side is gone.
pub(crate) async fn flush(out: &mut Outgoing) -> std::io::Result<()> {
    SinkExt::<Bytes>::flush(out).await
}

fn codec(max: usize) -> LengthDelimitedCodec {
    LengthDelimitedCodec::builder().max_frame_length(max).new_codec()
}

/// As it is sent.
///
/// # Errors
/// When it is longer than `max` bytes.
pub(crate) fn to_frame(value: &impl Serialize, max: usize) -> Result<Bytes, String> {
    let bytes = serde_json::to_vec(value).map_err(|error| error.to_string())?;
    if bytes.len() > max {
        return Err(format!("it has {} bytes, and no more than {max} can be sent at once", bytes.len()));
    }
    Ok(bytes.into())
}

/// Reads what was sent.
///
/// # Errors
/// What is wrong with it.
pub(crate) fn read<T: DeserializeOwned>(frame: &BytesMut) -> Result<T, serde_json::Error> {
    serde_json::from_slice(frame)
}
