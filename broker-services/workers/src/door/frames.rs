//! What is said at the door, in JSON: a greeting from both sides; then questions, each with a number, from the one who
//! came, and answers in any order, by that number.

use futures_util::SinkExt;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio_util::bytes::{Bytes, BytesMut};
use tokio_util::codec::{FramedRead, FramedWrite, LengthDelimitedCodec};

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
