//! Frames of AMQP 0-9-1, as far as whoever stands between a client and its broker has to understand them.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind, Read};

const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;
/// Type, channel and size.
const BEGIN_BYTES: usize = 7;
const END: u8 = 0xCE;
/// More than any frame that is agreed on here.
const MAX_BYTES: usize = 16 * 1024 * 1024;

/// A method, by its class and its number.
type Method = (u16, u16);
pub(crate) const CONSUME: Method = (60, 20);
pub(crate) const CONSUME_OK: Method = (60, 21);
pub(crate) const DELIVER: Method = (60, 60);
const ACK: Method = (60, 80);
/// Publish, return, deliver and get-ok: a header and bodies follow.
const WITH_CONTENT: [Method; 4] = [(60, 40), (60, 50), DELIVER, (60, 71)];

/// A whole one, from its first byte to its last.
pub(crate) struct Frame(Vec<u8>);

impl Frame {
    pub(crate) fn read(from: &mut impl Read) -> io::Result<Self> {
        let mut bytes = vec![0; BEGIN_BYTES];
        from.read_exact(&mut bytes)?;
        let size = Fields(&bytes[3..]).long().and_then(|size| usize::try_from(size).ok());
        let size = size.filter(|size| *size <= MAX_BYTES).ok_or(ErrorKind::InvalidData)?;
        bytes.resize(BEGIN_BYTES + size + 1, 0);
        from.read_exact(&mut bytes[BEGIN_BYTES..])?;
        if bytes.last() != Some(&END) {
            return Err(ErrorKind::InvalidData.into());
        }
        Ok(Self(bytes))
    }

    /// Acks the one delivery of that number.
    pub(crate) fn ack(channel: u16, delivery: u64) -> Self {
        let mut payload = Vec::new();
        payload.extend(ACK.0.to_be_bytes());
        payload.extend(ACK.1.to_be_bytes());
        payload.extend(delivery.to_be_bytes());
        // Not *multiple*.
        payload.push(0);
        let size = u32::try_from(payload.len()).unwrap_or_default();
        let mut bytes = vec![METHOD];
        bytes.extend(channel.to_be_bytes());
        bytes.extend(size.to_be_bytes());
        bytes.extend(payload);
        bytes.push(END);
        Self(bytes)
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }

    pub(crate) fn channel(&self) -> u16 {
        u16::from_be_bytes([self.0[1], self.0[2]])
    }

    fn payload(&self) -> &[u8] {
        &self.0[BEGIN_BYTES..self.0.len() - 1]
    }

    /// What a method has to say, if it is this one.
    pub(crate) fn arguments(&self, method: Method) -> Option<Fields<'_>> {
        self.method().filter(|(which, _)| *which == method).map(|(_, arguments)| arguments)
    }

    fn method(&self) -> Option<(Method, Fields<'_>)> {
        let mut fields = Fields(self.payload());
        (self.0[0] == METHOD).then_some(())?;
        Some(((fields.short()?, fields.short()?), fields))
    }
}

/// Reads one field after the other. `None`: there are no more.
#[derive(Clone)]
pub(crate) struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take<const BYTES: usize>(&mut self) -> Option<[u8; BYTES]> {
        let (taken, rest) = self.0.split_first_chunk::<BYTES>()?;
        self.0 = rest;
        Some(*taken)
    }

    pub(crate) fn octet(&mut self) -> Option<u8> {
        self.take().map(u8::from_be_bytes)
    }

    pub(crate) fn short(&mut self) -> Option<u16> {
        self.take().map(u16::from_be_bytes)
    }

    fn long(&mut self) -> Option<u32> {
        self.take().map(u32::from_be_bytes)
    }

    pub(crate) fn longlong(&mut self) -> Option<u64> {
        self.take().map(u64::from_be_bytes)
    }

    pub(crate) fn text(&mut self) -> Option<&'a [u8]> {
        let length = usize::from(self.octet()?);
        let (text, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(text)
    }
}

/// The messages that are on their way, one on a channel at a time: between their frames no other of that channel may come.
#[derive(Default)]
pub(crate) struct Contents(BTreeMap<u16, Due>);

enum Due {
    Header,
    Bytes(u64),
}

impl Contents {
    /// This frame is the next.
    pub(crate) fn pass(&mut self, frame: &Frame) {
        let payload = frame.payload();
        let due = match (frame.0[0], self.0.remove(&frame.channel())) {
            (METHOD, _) => {
                frame.method().filter(|(method, _)| WITH_CONTENT.contains(method)).map(|_| Due::Header)
            }
            (HEADER, Some(Due::Header)) => {
                // Behind class and weight.
                payload.get(4..).and_then(|rest| Fields(rest).longlong()).map(Due::Bytes)
            }
            (BODY, Some(Due::Bytes(due))) => Some(Due::Bytes(due.saturating_sub(payload.len() as u64))),
            (_, due) => due,
        };
        if let Some(due) = due.filter(|due| !matches!(due, Due::Bytes(0))) {
            self.0.insert(frame.channel(), due);
        }
    }

    /// Whether more of a message is to come on this channel.
    pub(crate) fn is_amid(&self, channel: u16) -> bool {
        self.0.contains_key(&channel)
    }
}
