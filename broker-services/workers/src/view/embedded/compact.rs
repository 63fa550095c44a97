//! Order ids as they are kept: UUIDs as numbers, so that comparing two needs no look elsewhere in memory.
//!
//! Most ids are UUIDs, many of the same millisecond. Every step down an index compares some; when each
//! comparison follows two pointers to texts, that is most of what a write costs.

use std::cmp::Ordering;

use skstore_domain::ids::{BadId, OrderId};
use skstore_domain::time::Timestamp;

use crate::view::Cursor;

/// Characters of a UUID with its hyphens.
pub(super) const UUID_CHARS: usize = 36;
/// Where the hyphens are.
const HYPHENS: [usize; 4] = [8, 13, 18, 23];
const HEX: &[u8; 16] = b"0123456789abcdef";

/// An order's id. Sorted as its text is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CompactId {
    /// A UUID in lower case, as its upper and lower half.
    Uuid(u64, u64),
    /// Any other id.
    Text(OrderId),
}

/// An order's place among all orders.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) placed_at: Timestamp,
    pub(super) id: CompactId,
}

impl CompactId {
    pub(super) fn new(id: &OrderId) -> Self {
        parse(id.as_str()).map_or_else(|| Self::Text(id.clone()), |(high, low)| Self::Uuid(high, low))
    }

    /// The id itself.
    ///
    /// # Errors
    /// None: what is kept was an id.
    pub(super) fn restore(&self) -> Result<OrderId, BadId> {
        match self {
            Self::Uuid(..) => OrderId::new(self.text(&mut [0; UUID_CHARS])),
            Self::Text(id) => Ok(id.clone()),
        }
    }

    /// Its text, written to `buffer` if it is not there as such.
    pub(super) fn text<'a>(&'a self, buffer: &'a mut [u8; UUID_CHARS]) -> &'a str {
        match self {
            Self::Uuid(high, low) => {
                *buffer = format(*high, *low);
                str::from_utf8(buffer).unwrap_or_default()
            }
            Self::Text(id) => id.as_str(),
        }
    }

    pub(super) fn starts_with(&self, prefix: &str) -> bool {
        self.text(&mut [0; UUID_CHARS]).starts_with(prefix)
    }
}

impl Ord for CompactId {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Uuid(high, low), Self::Uuid(other_high, other_low)) => {
                (high, low).cmp(&(other_high, other_low))
            }
            (Self::Text(id), Self::Text(other)) => id.cmp(other),
            (Self::Uuid(..), Self::Text(other)) => self.text(&mut [0; UUID_CHARS]).cmp(other.as_str()),
            (Self::Text(id), Self::Uuid(..)) => id.as_str().cmp(other.text(&mut [0; UUID_CHARS])),
        }
    }
}

impl PartialOrd for CompactId {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Place {
    pub(super) fn new(cursor: &Cursor) -> Self {
        Self { placed_at: cursor.placed_at, id: CompactId::new(&cursor.order_id) }
    }
}

fn parse(text: &str) -> Option<(u64, u64)> {
    let text: &[u8; UUID_CHARS] = text.as_bytes().try_into().ok()?;
    let (mut value, mut valid) = (0_u128, true);
    for (at, byte) in text.iter().enumerate() {
        if HYPHENS.contains(&at) {
            valid &= *byte == b'-';
            continue;
        }
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        value = value << 4 | u128::from(digit);
    }
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is wanted")]
    let halves = ((value >> 64) as u64, value as u64);
    valid.then_some(halves)
}

fn format(high: u64, low: u64) -> [u8; UUID_CHARS] {
    let mut rest = u128::from(high) << 64 | u128::from(low);
    let mut text = [b'-'; UUID_CHARS];
    for at in (0..UUID_CHARS).rev().filter(|at| !HYPHENS.contains(at)) {
        text[at] = HEX[(rest & 15) as usize];
        rest >>= 4;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    const IDS: [&str; 12] = [
        "01931f2a-0000-7abc-8def-0123456789ab",
        "01931f2a-0000-7abc-8def-0123456789ac",
        "f1931f2a-0000-7abc-8def-0123456789ab",
        "00000000-0000-0000-0000-000000000000",
        "ffffffff-ffff-ffff-ffff-ffffffffffff",
        // Almost UUIDs: they must stay the texts that they are.
        "01931F2A-0000-7ABC-8DEF-0123456789AB",
        "01931f2a00000-7abc-8def-0123456789ab",
        "01931f2a-0000-7abc-8def-0123456789a",
        "01931f2a-0000-7abc-8def-0123456789a_",
        "01931f2a-0000-7abc-8def-0123456789abc",
        "0",
        "zebra",
    ];

    #[test]
    fn an_id_comes_back_as_it_was() {
        for text in IDS {
            let id = OrderId::new(text).unwrap();
            assert_eq!(CompactId::new(&id).restore().unwrap(), id);
        }
    }

    #[test]
    fn ids_are_sorted_as_their_texts_are() {
        for one in IDS {
            for other in IDS {
                let [a, b] = [one, other].map(|text| CompactId::new(&OrderId::new(text).unwrap()));
                assert_eq!(a.cmp(&b), one.cmp(other), "{one} and {other}");
            }
        }
    }
}
