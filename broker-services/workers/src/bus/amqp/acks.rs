//! Which acks and rejections to send: as few frames as the protocol's *multiple* allows. Pure books of one channel.

use std::collections::BTreeSet;

/// One frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) tag: u64,
    /// This one and every one below it.
    pub(super) multiple: bool,
    /// Rejected: its queue gives it up.
    pub(super) rejects: bool,
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
    /// The frames that ack `tags` and reject `rejected`, each of which is new. Rejections go first, so that no row acks
    /// what it encloses. Those that complete an unbroken row go as one; that frame names the highest
    /// *new* tag of the row, as the broker closes a channel that acks a tag it no longer knows.
    pub(super) fn add(&mut self, tags: &[u64], rejected: &[u64]) -> Vec<Frame> {
        self.beyond.extend(tags);
        self.beyond.extend(rejected);
        while self.beyond.first() == Some(&(self.floor + 1)) {
            self.floor += 1;
            self.beyond.pop_first();
        }
        let row = tags.iter().copied().filter(|tag| *tag <= self.floor);
        let multiple = row.clone().count() > 1;
        let single = tags.iter().copied().filter(|tag| *tag > self.floor);
        let row = row.max().map(|tag| Frame { tag, multiple, rejects: false });
        let single = single.map(|tag| Frame { tag, multiple: false, rejects: false });
        let rejected = rejected.iter().map(|tag| Frame { tag: *tag, multiple: false, rejects: true });
        rejected.chain(row).chain(single).collect()
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
            rejects: u64,
        ) {
            let mut acks = Acks::default();
            let mut unacked: BTreeSet<u64> = (1..=40).collect();
            let mut given_up = BTreeSet::new();
            let mut left = order.as_slice();
            for size in sizes {
                let (batch, rest) = left.split_at(size.min(left.len()));
                left = rest;
                let expected: BTreeSet<u64> = unacked.iter().copied().filter(|tag| !batch.contains(tag)).collect();
                let (rejected, acked): (Vec<u64>, Vec<u64>) =
                    batch.iter().partition(|tag| rejects >> **tag & 1 == 1);
                for Frame { tag, multiple, rejects } in acks.add(&acked, &rejected) {
                    prop_assert!(unacked.contains(&tag), "unknown delivery tag {tag}");
                    if rejects {
                        given_up.insert(tag);
                    } else {
                        let below = unacked.range(..tag).any(|below| multiple && rejected.contains(below));
                        prop_assert!(!below, "the row up to {tag} acks what is rejected");
                    }
                    unacked.retain(|known| if multiple { *known > tag } else { *known != tag });
                }
                prop_assert_eq!(&unacked, &expected);
            }
            let expected: BTreeSet<u64> = order.iter().copied().filter(|tag| rejects >> *tag & 1 == 1).collect();
            prop_assert!(given_up.is_subset(&expected) && expected.difference(&given_up).all(|tag| left.contains(tag)));
        }
    }

    #[test]
    fn a_batch_in_order_is_one_frame() {
        let mut acks = Acks::default();
        let ack = |tag, multiple| Frame { tag, multiple, rejects: false };
        assert_eq!(acks.add(&[1, 2, 3], &[]), [ack(3, true)]);
        assert_eq!(acks.add(&[5], &[]), [ack(5, false)]);
        assert_eq!(acks.add(&[4], &[]), [ack(4, false)]);
        assert_eq!(acks.add(&[7, 6, 9], &[]), [ack(7, true), ack(9, false)]);
        let reject = Frame { tag: 8, multiple: false, rejects: true };
        assert_eq!(acks.add(&[10], &[8]), [reject, ack(10, false)]);
    }
}
