//! Which acks to send: as few frames as the protocol's *multiple* allows. Pure books of one channel.

use std::collections::BTreeSet;

/// One frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) tag: u64,
    /// This one and every one below it.
    pub(super) multiple: bool,
}

/// What is acked on one channel, whose deliveries are numbered from 1.
#[derive(Debug, Default)]
pub(super) struct Acks {
    /// All up to this are acked.
    floor: u64,
    /// Acked beyond it; at most the channel's prefetch.
    beyond: BTreeSet<u64>,
}

impl Acks {
    /// The frames that ack `tags`, each of which is new. Those that complete an unbroken row go as one; that frame names the highest
    /// *new* tag of the row, as the broker closes a channel that acks a tag it no longer knows.
    pub(super) fn add(&mut self, tags: &[u64]) -> Vec<Frame> {
        self.beyond.extend(tags);
        while self.beyond.first() == Some(&(self.floor + 1)) {
            self.floor += 1;
            self.beyond.pop_first();
        }
        let row = tags.iter().copied().filter(|tag| *tag <= self.floor);
        let multiple = row.clone().count() > 1;
        let single = tags.iter().copied().filter(|tag| *tag > self.floor);
        let row = row.max().map(|tag| Frame { tag, multiple });
        row.into_iter().chain(single.map(|tag| Frame { tag, multiple: false })).collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// A broker's view: it forgets exactly what was acked, and never hears of a tag it does not know.
        #[test]
        fn the_broker_forgets_what_is_acked_and_nothing_else(
            order in Just((1..=40_u64).collect::<Vec<_>>()).prop_shuffle(),
            sizes in prop::collection::vec(1..8_usize, 40),
        ) {
            let mut acks = Acks::default();
            let mut unacked: BTreeSet<u64> = (1..=40).collect();
            let mut left = order.as_slice();
            for size in sizes {
                let (batch, rest) = left.split_at(size.min(left.len()));
                left = rest;
                let expected: BTreeSet<u64> = unacked.iter().copied().filter(|tag| !batch.contains(tag)).collect();
                for Frame { tag, multiple } in acks.add(batch) {
                    prop_assert!(unacked.contains(&tag), "unknown delivery tag {tag}");
                    unacked.retain(|known| if multiple { *known > tag } else { *known != tag });
                }
                prop_assert_eq!(&unacked, &expected);
            }
        }
    }

    #[test]
    fn a_batch_in_order_is_one_frame() {
        let mut acks = Acks::default();
        assert_eq!(acks.add(&[1, 2, 3]), [Frame { tag: 3, multiple: true }]);
        assert_eq!(acks.add(&[5]), [Frame { tag: 5, multiple: false }]);
        assert_eq!(acks.add(&[4]), [Frame { tag: 4, multiple: false }]);
        assert_eq!(
            acks.add(&[7, 6, 9]),
            [Frame { tag: 7, multiple: true }, Frame { tag: 9, multiple: false }]
        );
    }
}
