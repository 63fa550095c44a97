//! Whose answers a broker closes connections over. Pure books; [`super`] keeps them.
//!
//! An ordinary queue's name has never harmed anyone, nor has a direct reply address of a node that has taken one before.
//! Answers to those go together. One to a node that nobody has heard of yet goes alone, so that it is known what
//! happened over it. Of those that were on their way together when a connection was closed, each caller's goes alone, too.
//! Whoever was alone then is put aside.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use crate::reply_to;

/// How long nothing is sent to one whose answer has cost a connection. Then it is tried again, alone.
pub(super) const PUT_ASIDE: Duration = Duration::from_secs(30);
/// Most that are put aside; the one whose time is up first makes room.
const MAX_ASIDE: usize = 1024;
/// Most nodes that are remembered to have taken answers; clusters have far fewer.
const MAX_PROVEN: usize = 1024;

/// Who may be to blame for what happens over an answer.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Culprit {
    /// All addresses of a node that has not taken an answer yet.
    Node(u32),
    /// One address.
    Name(String),
}

/// How an answer is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// With others.
    Together,
    /// When nothing else is on its way.
    Alone,
    /// Not at all: it has cost a connection just now.
    Nowhere,
}

/// Who has taken answers, and who is put aside, until when.
#[derive(Debug, Default)]
pub(super) struct Blame {
    proven: HashSet<u32>,
    aside: HashMap<Culprit, Instant>,
}

impl Blame {
    pub(super) fn culprit(&self, address: &str) -> Culprit {
        match reply_to::node(address).filter(|node| !self.proven.contains(node)) {
            Some(node) => Culprit::Node(node),
            None => Culprit::Name(address.to_owned()),
        }
    }

    pub(super) fn way(&self, address: &str, now: Instant) -> Way {
        let node = reply_to::node(address).filter(|node| !self.proven.contains(node));
        if node.is_none() && self.aside.is_empty() {
            return Way::Together;
        }
        let culprit = node.map_or_else(|| Culprit::Name(address.to_owned()), Culprit::Node);
        match self.aside.get(&culprit) {
            Some(until) if *until > now => Way::Nowhere,
            Some(_) => Way::Alone,
            None if node.is_some() => Way::Alone,
            None => Way::Together,
        }
    }

    /// An answer that was sent alone has been taken.
    pub(super) fn cleared(&mut self, culprit: &Culprit) {
        self.aside.remove(culprit);
        if let Culprit::Node(node) = culprit {
            if self.proven.len() >= MAX_PROVEN {
                self.proven.clear();
            }
            self.proven.insert(*node);
        }
    }

    /// A connection was closed over an answer that was on its way alone.
    pub(super) fn guilty(&mut self, culprit: Culprit, now: Instant) {
        if self.aside.len() >= MAX_ASIDE
            && let Some(first) =
                self.aside.iter().min_by_key(|(_, until)| **until).map(|(who, _)| who.clone())
        {
            self.aside.remove(&first);
        }
        self.aside.insert(culprit, now + PUT_ASIDE);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of node 9610004, as RabbitMQ made it.
    const DIRECT: &str =
        "amq.rabbitmq.reply-to.g1h2AA1yZXBseUA5NjEwMDA0AABbOQAAAARrCrYa.0s72xMiGstv4M3GXfz+MRw==";
    const OTHER_OF_THAT_NODE: &str =
        "amq.rabbitmq.reply-to.g1h2AA1yZXBseUA5NjEwMDA0AABbOQAAAARrCrYa.AAAAAAAAAAAAAAAAAAAAAA==";

    #[test]
    fn queues_are_trusted_and_nodes_once_they_have_taken_an_answer() {
        let (mut blame, now) = (Blame::default(), Instant::now());
        assert_eq!(blame.way("answers", now), Way::Together);
        assert_eq!(blame.way(DIRECT, now), Way::Alone);
        assert_eq!(blame.culprit(DIRECT), Culprit::Node(9_610_004));
        blame.cleared(&Culprit::Node(9_610_004));
        for address in [DIRECT, OTHER_OF_THAT_NODE] {
            assert_eq!(blame.way(address, now), Way::Together);
            assert_eq!(blame.culprit(address), Culprit::Name(address.to_owned()), "now each for itself");
        }
    }

    #[test]
    fn who_was_alone_is_put_aside_and_tried_again_alone() {
        let (mut blame, now) = (Blame::default(), Instant::now());
        for (address, others) in [("answers", "others"), (DIRECT, "others")] {
            let culprit = blame.culprit(address);
            blame.guilty(culprit.clone(), now);
            assert_eq!(blame.way(address, now), Way::Nowhere, "{address}");
            assert_eq!(blame.way(others, now), Way::Together);
            assert_eq!(blame.way(address, now + PUT_ASIDE), Way::Alone, "{address}");
            blame.cleared(&culprit);
            assert_eq!(blame.way(address, now + PUT_ASIDE), Way::Together, "{address}");
        }
    }

    #[test]
    fn no_crowd_fills_the_memory() {
        let (mut blame, now) = (Blame::default(), Instant::now());
        for number in 0..3 * u32::try_from(MAX_ASIDE).unwrap() {
            blame.guilty(Culprit::Node(number), now + Duration::from_millis(u64::from(number)));
            blame.cleared(&Culprit::Node(1_000_000 + number));
        }
        assert_eq!(blame.aside.len(), MAX_ASIDE);
        assert!(blame.proven.len() <= MAX_PROVEN);
        assert!(!blame.aside.contains_key(&Culprit::Node(0)), "the oldest made room");
    }
}
