//! Makes what others put into their messages fit to be read, before lapin reads it.
//!
//! RabbitMQ passes on names and properties as they came. lapin ends the connection over one that is not UTF-8, and
//! overflows its stack over tables within tables within tables. The broker would then deliver that message again, and so on
//! for ever: one message would stop a worker for good. So the bytes of what is delivered are looked through here:
//! what is not UTF-8 becomes ASCII's sign for it, and tables too deep become plain bytes. Nothing changes its length.
//! Frames come in any pieces; bodies pass through untouched, but for what is [too much](super::cut) of them.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_io::{AsyncRead, AsyncWrite};

use super::cut::{Cuts, limit};
use crate::topology;

/// Bytes before a frame's payload: type, channel, length.
const FRAME_HEAD: usize = 7;
/// The byte that ends a frame.
const FRAME_TAIL: usize = 1;
/// Frame types.
const METHOD: u8 = 1;
const HEADER: u8 = 2;
const BODY: u8 = 3;
const HEARTBEAT: u8 = 8;
/// What ends a frame.
const END: &[u8] = &[0xce];
/// Stands for a frame that is left out: it says that the broker is there.
const BEAT: &[u8] = &[HEARTBEAT, 0, 0, 0, 0, 0, 0, 0xce];
/// Class and method of a delivery, of one that was asked for, and of one that comes back.
const DELIVER: [u8; 4] = [0, 60, 0, 60];
const GOT: [u8; 4] = [0, 60, 0, 71];
const RETURN: [u8; 4] = [0, 60, 0, 50];
/// A content header's class, weight and body size.
const HEADER_HEAD: usize = 12;
/// What a message's properties are, from the highest bit of their flags down.
const PROPERTIES: [Kind; 14] = {
    use Kind::{Bytes, Short, Table};
    [
        Short,
        Short,
        Table,
        Bytes(1),
        Bytes(1),
        Short,
        Short,
        Short,
        Short,
        Bytes(8),
        Short,
        Short,
        Short,
        Short,
    ]
};
/// Tables within tables that are read: far more than anybody means, far less than fill a stack.
const MAX_DEPTH: usize = 16;
/// ASCII's sign in the place of what could not be told. Nothing else means it, so an address that was spoilt here is not
/// taken for somebody else's.
const SUBSTITUTE: u8 = 0x1a;
/// Read at once.
const CHUNK_BYTES: usize = 16 * 1024;

/// How a property or a table's value is laid out.
#[derive(Debug, Clone, Copy)]
enum Kind {
    /// A length of one byte, then text.
    Short,
    /// A length of four bytes, then anything.
    Long,
    /// So many bytes.
    Bytes(usize),
    /// A length of four bytes, then names and values.
    Table,
    /// A length of four bytes, then values.
    Array,
}

impl Kind {
    /// The layout of the value that comes after `tag` in a table.
    const fn of(tag: u8) -> Option<Self> {
        Some(match tag {
            b'V' => Self::Bytes(0),
            b't' | b'b' | b'B' => Self::Bytes(1),
            b's' | b'U' | b'u' => Self::Bytes(2),
            b'I' | b'i' | b'f' => Self::Bytes(4),
            b'D' => Self::Bytes(5),
            b'L' | b'l' | b'd' | b'T' => Self::Bytes(8),
            b'S' | b'x' => Self::Long,
            b'F' => Self::Table,
            b'A' => Self::Array,
            _ => return None,
        })
    }
}

/// A connection to a broker, read through the above.
#[derive(Debug)]
pub(super) struct Clean<S> {
    stream: S,
    frames: Frames,
    chunk: Vec<u8>,
}

impl<S> Clean<S> {
    pub(super) fn new(stream: S) -> Self {
        Self { stream, frames: Frames::default(), chunk: vec![0; CHUNK_BYTES] }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Clean<S> {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        let Self { stream, frames, chunk } = self.get_mut();
        loop {
            let taken = frames.take(buffer);
            if taken > 0 || buffer.is_empty() {
                return Poll::Ready(Ok(taken));
            }
            let read = ready!(Pin::new(&mut *stream).poll_read(context, chunk))?;
            if read == 0 {
                return Poll::Ready(Ok(0));
            }
            frames.feed(&chunk[..read]);
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Clean<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, parts)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_close(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_close(context)
    }
}

/// Bytes of frames, in whatever pieces they come. It never holds more than one frame and what was read at once.
#[derive(Debug, Default)]
struct Frames {
    /// Clean, from `taken` on.
    clean: Vec<u8>,
    taken: usize,
    /// The beginning of a frame that has to be seen whole.
    partial: Vec<u8>,
    /// Bytes to come of a frame that has not.
    passing: usize,
    /// Bytes to come after those that are left out, and what comes in their place.
    dropping: usize,
    instead: &'static [u8],
    cuts: Cuts,
    /// No frames at all: a broker that speaks another version says so. lapin knows what to make of that.
    is_foreign: bool,
}

impl Frames {
    /// Moves what is clean into `buffer`. How much that was.
    fn take(&mut self, buffer: &mut [u8]) -> usize {
        let count = buffer.len().min(self.clean.len() - self.taken);
        buffer[..count].copy_from_slice(&self.clean[self.taken..self.taken + count]);
        self.taken += count;
        if self.taken == self.clean.len() {
            self.clean.clear();
            self.taken = 0;
        }
        count
    }

    fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.is_foreign {
                self.clean.extend_from_slice(bytes);
                return;
            }
            if self.passing > 0 {
                let count = self.passing.min(bytes.len());
                self.clean.extend_from_slice(&bytes[..count]);
                self.passing -= count;
                bytes = &bytes[count..];
                continue;
            }
            if self.dropping > 0 {
                let count = self.dropping.min(bytes.len());
                self.dropping -= count;
                bytes = &bytes[count..];
                if self.dropping == 0 {
                    self.clean.extend_from_slice(self.instead);
                }
                continue;
            }
            let missing = self.whole().unwrap_or(FRAME_HEAD) - self.partial.len();
            let count = missing.min(bytes.len());
            self.partial.extend_from_slice(&bytes[..count]);
            bytes = &bytes[count..];
            self.hand_on();
        }
    }

    /// How long the frame is that has begun, once its head is there.
    fn whole(&self) -> Option<usize> {
        let length = self.partial.get(3..FRAME_HEAD)?;
        let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]);
        Some(
            FRAME_HEAD + usize::try_from(length).unwrap_or(usize::MAX - FRAME_HEAD - FRAME_TAIL) + FRAME_TAIL,
        )
    }

    /// Hands on what need not wait for more.
    fn hand_on(&mut self) {
        let kind = self.partial.first().copied().unwrap_or_default();
        let Some(whole) = self.whole() else {
            self.is_foreign = !matches!(kind, METHOD | HEADER | BODY | HEARTBEAT);
            if self.is_foreign {
                self.clean.append(&mut self.partial);
            }
            return;
        };
        if matches!(kind, METHOD | HEADER) {
            if self.partial.len() < whole {
                return;
            }
            let channel = self.channel();
            let payload = &mut self.partial[FRAME_HEAD..whole - FRAME_TAIL];
            if let Some(limit) = clean(kind, payload) {
                self.cuts.begin(channel, limit);
            } else if kind == HEADER {
                self.cuts.header(channel, payload);
            }
        } else if kind == BODY {
            let length = whole - FRAME_HEAD - FRAME_TAIL;
            match self.cuts.wanted(self.channel(), length) {
                wanted if wanted == length => self.passing = whole - self.partial.len(),
                wanted => return self.leave_out(wanted, length),
            }
        } else {
            self.passing = whole - self.partial.len();
        }
        self.clean.append(&mut self.partial);
    }

    /// Hands on only the first `wanted` bytes of a body's frame, whose head is there.
    fn leave_out(&mut self, wanted: usize, length: usize) {
        self.dropping = length - wanted + FRAME_TAIL;
        self.instead = if wanted == 0 { BEAT } else { END };
        if wanted > 0 {
            let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
            self.partial[3..FRAME_HEAD].copy_from_slice(&wanted.to_be_bytes());
            self.clean.append(&mut self.partial);
        }
        self.partial.clear();
        self.passing = wanted;
    }

    fn channel(&self) -> u16 {
        u16::from_be_bytes([self.partial[1], self.partial[2]])
    }
}

/// Cleans a frame's payload. What is cut short or otherwise unknown stays as it is. How much is wanted of the body that it
/// announces, if that is limited.
fn clean(kind: u8, payload: &mut [u8]) -> Option<u64> {
    let mut rest = Rest(payload);
    // A failure is the end of what can be told; lapin has the last word on it.
    if kind == HEADER {
        let _ = properties(&mut rest);
        return None;
    }
    let method = rest.bytes(4)?;
    let method = [method[0], method[1], method[2], method[3]];
    delivery(method, &mut rest)
}

/// Consumer's tag, number and flag of a delivery; number and flag of one that was asked for; code and text of a return.
/// Then exchange and routing key.
fn delivery(method: [u8; 4], rest: &mut Rest<'_>) -> Option<u64> {
    let wanted = match method {
        DELIVER => {
            let wanted = limit(rest.short()?);
            rest.bytes(9)?;
            wanted
        }
        GOT => {
            rest.bytes(9)?;
            Some(topology::MAX_BYTES as u64 + 1)
        }
        RETURN => {
            rest.bytes(2)?;
            rest.short()?;
            None
        }
        _ => return None,
    };
    // Names that are cut short are lapin's to judge.
    let _ = rest.short().and_then(|_| rest.short());
    wanted
}

fn properties(rest: &mut Rest<'_>) -> Option<()> {
    rest.bytes(HEADER_HEAD)?;
    let flags = rest.bytes(2)?;
    let flags = u16::from_be_bytes([flags[0], flags[1]]);
    for (bit, kind) in PROPERTIES.iter().enumerate() {
        if flags & (1 << (15 - bit)) != 0 {
            rest.skip(*kind, 0)?;
        }
    }
    Some(())
}

/// What is left of a payload.
struct Rest<'a>(&'a mut [u8]);

impl<'a> Rest<'a> {
    fn bytes(&mut self, count: usize) -> Option<&'a mut [u8]> {
        let (taken, rest) = std::mem::take(&mut self.0).split_at_mut_checked(count)?;
        self.0 = rest;
        Some(taken)
    }

    fn short(&mut self) -> Option<&'a [u8]> {
        let length = self.bytes(1)?[0];
        let text = self.bytes(usize::from(length))?;
        if std::str::from_utf8(text).is_err() {
            text.iter_mut().filter(|byte| !byte.is_ascii()).for_each(|byte| *byte = SUBSTITUTE);
        }
        Some(text)
    }

    fn long(&mut self) -> Option<&'a mut [u8]> {
        let length = self.bytes(4)?;
        let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]);
        self.bytes(usize::try_from(length).ok()?)
    }

    fn skip(&mut self, kind: Kind, depth: usize) -> Option<()> {
        match kind {
            Kind::Short => self.short().map(drop),
            Kind::Long => self.long().map(drop),
            Kind::Bytes(count) => self.bytes(count).map(drop),
            Kind::Table | Kind::Array => {
                let mut inside = Rest(self.long()?);
                while !inside.0.is_empty() {
                    if matches!(kind, Kind::Table) {
                        inside.short()?;
                    }
                    inside.value(depth)?;
                }
                Some(())
            }
        }
    }

    /// A value with its tag, in a table or array at `depth`.
    fn value(&mut self, depth: usize) -> Option<()> {
        let tag = &mut self.bytes(1)?[0];
        let kind = Kind::of(*tag)?;
        if depth >= MAX_DEPTH && matches!(kind, Kind::Table | Kind::Array) {
            // Of the same layout, seen from outside.
            *tag = b'x';
            return self.skip(Kind::Long, depth);
        }
        self.skip(kind, depth + 1)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{any, prop};
    use proptest::{prop_assert, prop_assert_eq, proptest};

    use super::*;

    fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        [&[kind, 0, 1], &length[..], payload, &[0xce]].concat()
    }

    fn short(text: &[u8]) -> Vec<u8> {
        [&[u8::try_from(text.len()).unwrap()], text].concat()
    }

    fn long(bytes: &[u8]) -> Vec<u8> {
        [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat()
    }

    /// A content header with headers and a message id.
    fn header(table: &[u8], message_id: &[u8]) -> Vec<u8> {
        let flags: u16 = (1 << 13) | (1 << 7);
        let parts = [&[0; HEADER_HEAD], &flags.to_be_bytes()[..], &long(table), &short(message_id)];
        frame(HEADER, &parts.concat())
    }

    fn deliver(routing_key: &[u8]) -> Vec<u8> {
        let parts = [&DELIVER[..], &short(b"tag"), &[0; 9], &short(b"exchange"), &short(routing_key)];
        frame(METHOD, &parts.concat())
    }

    /// All that comes out, fed in pieces of `size`.
    fn through(bytes: &[u8], size: usize) -> Vec<u8> {
        let (mut frames, mut out) = (Frames::default(), Vec::new());
        for piece in bytes.chunks(size) {
            frames.feed(piece);
            let mut buffer = [0; 5];
            loop {
                match frames.take(&mut buffer) {
                    0 => break,
                    count => out.extend_from_slice(&buffer[..count]),
                }
            }
        }
        out
    }

    #[test]
    fn what_is_not_utf8_is_marked_and_the_rest_stays() {
        let entry = |key: &[u8]| [short(key), b"S".to_vec(), long(b"\xff raw")].concat();
        let table = [
            (deliver("사과".as_bytes()), deliver("사과".as_bytes())),
            (deliver(b"a\xff\xfeb"), deliver(b"a\x1a\x1ab")),
            (header(&entry(b"key"), b"id"), header(&entry(b"key"), b"id")),
            (header(&entry(b"k\xe9y"), b"\xff"), header(&entry(b"k\x1ay"), b"\x1a")),
            (frame(BODY, b"\xff\xfe"), frame(BODY, b"\xff\xfe")),
            (b"AMQP\x00\x00\x09\x01".to_vec(), b"AMQP\x00\x00\x09\x01".to_vec()),
        ];
        for (bytes, expected) in table {
            for size in [1, 2, 3, 7, 8, 1000] {
                assert_eq!(through(&bytes, size), expected, "in pieces of {size}");
            }
        }
    }

    #[test]
    fn what_is_too_much_of_a_body_passes_by() {
        let sized =
            |length: u64| frame(HEADER, &[&[0, 60, 0, 0], &length.to_be_bytes()[..], &[0, 0]].concat());
        let limited = [&DELIVER[..], &short(b"queue#0/5"), &[0; 9], &short(b""), &short(b"key")].concat();
        let limited = frame(METHOD, &limited);
        let bodies = [frame(BODY, b"abc"), frame(BODY, b"defg"), frame(BODY, b"hij")];
        let next = [deliver(b"key"), sized(3), frame(BODY, b"xyz")].concat();
        let sent = [&limited[..], &sized(10), &bodies.concat(), &next].concat();
        let kept = [frame(BODY, b"abc"), frame(BODY, b"de"), BEAT.to_vec()].concat();
        let expected = [&limited[..], &sized(5), &kept, &next].concat();
        for size in [1, 2, 3, 7, 8, 11, 1000] {
            assert_eq!(through(&sent, size), expected, "in pieces of {size}");
        }
        let fits = [&limited[..], &sized(5), &frame(BODY, b"abcde"), &next].concat();
        assert_eq!(through(&fits, 4), fits, "one that is as long as it may be stays whole");
    }

    #[test]
    fn tables_too_deep_become_bytes() {
        let nest = |depth: usize, tag: &[u8]| {
            let inside = |inner: Vec<u8>, tag: &[u8]| [short(b"k"), tag.to_vec(), long(&inner)].concat();
            (0..depth).fold(Vec::new(), |inner, _| inside(inner, tag))
        };
        let shallow = header(&nest(MAX_DEPTH, b"F"), b"id");
        assert_eq!(through(&shallow, 1000), shallow);
        // What comes before the tag of a table that deep, seven bytes for each level.
        let at = FRAME_HEAD + HEADER_HEAD + 2 + 4 + 7 * MAX_DEPTH + 2;
        let deep = header(&nest(10_000, b"F"), b"id");
        let mut expected = deep.clone();
        assert_eq!(std::mem::replace(&mut expected[at], b'x'), b'F');
        assert_eq!(through(&deep, 1000), expected);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic_or_become_more(bytes: Vec<u8>, size in 1..64_usize) {
            // What begins a frame may wait for its end.
            prop_assert!(through(&bytes, size).len() <= bytes.len());
        }

        #[test]
        fn frames_come_out_whole_however_they_are_cut(
            payloads in prop::collection::vec((1..=3_u8, prop::collection::vec(any::<u8>(), 0..80)), 0..8),
            size in 1..64_usize,
        ) {
            let all: Vec<u8> = payloads.iter().flat_map(|(kind, payload)| frame(*kind, payload)).collect();
            let whole = through(&all, all.len().max(1));
            prop_assert_eq!(whole.len(), all.len());
            prop_assert_eq!(through(&all, size), whole);
        }
    }
}
