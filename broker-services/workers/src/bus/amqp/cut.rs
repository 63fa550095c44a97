//! Leaves out what is too much of a message's body, before lapin reads it.
//!
//! Prefetch counts messages, not bytes, a broker lets a message have 128 MiB or more, and lapin gathers all of it: some
//! dozens of those in a queue would be the end of a worker, each time that it comes back. So a queue's consumer says in its
//! tag, which the broker repeats with each delivery, how much of a body it wants. Of a longer one the rest passes by, and
//! the header says that it is as long as what is left. Whoever receives one that is longer than it may be knows that it is
//! the beginning of something else.

use std::collections::HashMap;

use crate::topology::QueueSpec;

/// The byte before the limit in a consumer's tag.
const LIMIT: char = '/';
/// Where a content header has the length of the body, in its payload.
const LENGTH: std::ops::Range<usize> = 4..12;

/// The tag of the consumer of that number of `queue`. What is too long is delivered one byte too long.
pub(super) fn tag(queue: &QueueSpec, number: usize) -> String {
    format!("{}#{number}{LIMIT}{}", queue.name, queue.max_bytes() + 1)
}

/// The limit that a consumer's tag names.
pub(super) fn limit(tag: &[u8]) -> Option<u64> {
    std::str::from_utf8(tag).ok()?.rsplit_once(LIMIT)?.1.parse().ok()
}

/// The bodies that are under way, at most one for each channel.
#[derive(Debug, Default)]
pub(super) struct Cuts {
    bodies: HashMap<u16, Body>,
}

#[derive(Debug)]
struct Body {
    /// Bytes that are passed on.
    left: u64,
    /// Bytes that come.
    coming: u64,
}

impl Cuts {
    /// A message begins on `channel`, of which `limit` bytes are wanted.
    pub(super) fn begin(&mut self, channel: u16, limit: u64) {
        self.bodies.insert(channel, Body { left: limit, coming: 0 });
    }

    /// Its header comes, whose payload this is.
    pub(super) fn header(&mut self, channel: u16, payload: &mut [u8]) {
        let Some(body) = self.bodies.get_mut(&channel) else { return };
        let told = payload.get_mut(LENGTH).map(|length| (long(length), length));
        let Some((coming, length)) = told.filter(|(coming, _)| *coming > body.left) else {
            self.bodies.remove(&channel);
            return;
        };
        body.coming = coming;
        length.copy_from_slice(&body.left.to_be_bytes());
    }

    /// How many of the `length` bytes of a frame of a body are wanted.
    pub(super) fn wanted(&mut self, channel: u16, length: usize) -> usize {
        let Some(body) = self.bodies.get_mut(&channel) else { return length };
        let wanted = usize::try_from(body.left).unwrap_or(usize::MAX).min(length);
        body.left = body.left.saturating_sub(wanted as u64);
        body.coming = body.coming.saturating_sub(length as u64);
        if body.coming == 0 {
            self.bodies.remove(&channel);
        }
        wanted
    }
}

/// A number as AMQP writes it.
fn long(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::topology;

    #[test]
    fn a_tag_says_how_much_is_wanted() {
        for queue in topology::queues() {
            let tag = tag(&queue, 7);
            assert_eq!(limit(tag.as_bytes()), Some(queue.max_bytes() as u64 + 1), "{tag}");
        }
        for other in ["amq.ctag-x", "", "queue/", "queue/many"] {
            assert_eq!(limit(other.as_bytes()), None, "{other}");
        }
    }

    #[test]
    fn a_body_is_cut_where_it_is_too_long_and_the_next_is_not() {
        let mut cuts = Cuts::default();
        let header = |cuts: &mut Cuts, length: u64| {
            let mut payload = [&[0, 60, 0, 0], &length.to_be_bytes()[..], &[0, 0]].concat();
            cuts.header(1, &mut payload);
            long(&payload[LENGTH])
        };
        cuts.begin(1, 10);
        assert_eq!(header(&mut cuts, 25), 10);
        assert_eq!(cuts.wanted(2, 100), 100, "another channel");
        assert_eq!([8, 8, 8, 1].map(|length| cuts.wanted(1, length)), [8, 2, 0, 0]);
        assert_eq!(cuts.wanted(1, 100), 100, "of a message that nobody has limited");
        cuts.begin(1, 10);
        assert_eq!(header(&mut cuts, 10), 10);
        assert_eq!(cuts.wanted(1, 10), 10);
        assert!(cuts.bodies.is_empty());
    }
}
