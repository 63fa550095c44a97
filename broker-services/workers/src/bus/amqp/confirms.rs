//! What became of each message of one publishing channel. Pure books; [`super::publisher`] keeps them.
//!
//! The broker sends an unroutable message back *before* it acks it. lapin queues what comes back and gives
//! the head of that queue to whichever confirm it settles next, of that message or another; acks of several at once it
//! settles in any order. Two facts make the truth of it:
//!
//! - A confirm that came without a message found the queue empty: what had come back for it was given out before.
//! - Every confirm takes one from a queue that is not empty, and what is in the queue belongs to messages that were
//!   published before it was. So what had come back for a confirm that took somebody else's is given out, at the
//!   latest, by the time that all messages then in flight are settled.

use std::collections::{BTreeMap, HashMap};

use tokio::time::Instant;

use crate::bus::PublishOutcome;

/// What tells messages apart that come back. Two of the same key in flight go the same way: they are routed alike.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Key {
    pub(super) exchange: String,
    pub(super) routing_key: String,
    pub(super) message_id: String,
}

/// A confirm as lapin gives it.
#[derive(Debug)]
pub(super) struct Settled {
    /// Of the message published as the how manieth on this channel.
    pub(super) number: u64,
    /// The broker took it, or refused.
    pub(super) acked: bool,
    /// Whatever message came back last; not necessarily this one.
    pub(super) returned: Option<Key>,
}

/// One channel's messages without an answer. `T` is what waits for it.
#[derive(Debug)]
pub(super) struct Confirms<T> {
    next: u64,
    /// In flight, by number; so the first has waited longest.
    in_flight: BTreeMap<u64, Waiting<T>>,
    /// Acked, with somebody else's message: it has its answer once all below the barrier are settled.
    unsure: Vec<(u64, Waiting<T>)>,
    /// Came back, how often, and not claimed yet.
    returned: HashMap<Key, usize>,
}

#[derive(Debug)]
struct Waiting<T> {
    key: Key,
    deadline: Instant,
    who: T,
}

impl<T> Confirms<T> {
    pub(super) fn new() -> Self {
        Self { next: 0, in_flight: BTreeMap::new(), unsure: Vec::new(), returned: HashMap::new() }
    }

    /// A message goes out; its number.
    pub(super) fn sent(&mut self, key: Key, deadline: Instant, who: T) -> u64 {
        let number = self.next;
        self.next += 1;
        self.in_flight.insert(number, Waiting { key, deadline, who });
        number
    }

    /// All confirms that were there to be had: the answers that they make certain.
    pub(super) fn settle(&mut self, batch: Vec<Settled>) -> Vec<(T, PublishOutcome)> {
        for returned in batch.iter().filter_map(|settled| settled.returned.clone()) {
            *self.returned.entry(returned).or_default() += 1;
        }
        let mut answers = Vec::new();
        for Settled { number, acked, returned } in batch {
            // What was given up on has had its answer.
            let Some(waiting) = self.in_flight.remove(&number) else { continue };
            match returned {
                _ if !acked => answers.push((waiting.who, PublishOutcome::Nacked)),
                Some(other) if other != waiting.key => self.unsure.push((self.next, waiting)),
                _ => answers.push(self.answer(waiting)),
            }
        }
        let oldest = self.in_flight.keys().next().copied().unwrap_or(self.next);
        let (sure, unsure) = std::mem::take(&mut self.unsure)
            .into_iter()
            .partition(|(until, waiting)| *until <= oldest || self.returned.contains_key(&waiting.key));
        self.unsure = unsure;
        let sure: Vec<_> = sure;
        answers.extend(sure.into_iter().map(|(_, waiting)| self.answer(waiting)));
        if self.is_empty() {
            self.returned.clear();
        }
        answers
    }

    /// Gives up on what has waited until `now`.
    pub(super) fn expire(&mut self, now: Instant) -> Vec<T> {
        let mut expired = Vec::new();
        while let Some(first) = self.in_flight.first_entry() {
            if first.get().deadline > now {
                break;
            }
            expired.push(first.remove().who);
        }
        if !expired.is_empty() {
            // What came back for them may have gone with a confirm that nobody waits for any more.
            expired.extend(std::mem::take(&mut self.unsure).into_iter().map(|(_, waiting)| waiting.who));
        }
        expired
    }

    /// Gives up on all.
    pub(super) fn give_up(&mut self) -> Vec<T> {
        let unsure = std::mem::take(&mut self.unsure).into_iter().map(|(_, waiting)| waiting.who);
        let all = std::mem::take(&mut self.in_flight).into_values().map(|waiting| waiting.who).chain(unsure);
        self.returned.clear();
        all.collect()
    }

    /// When the next one has waited long enough.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.in_flight.values().next().map(|waiting| waiting.deadline)
    }

    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.in_flight.is_empty() && self.unsure.is_empty()
    }

    fn answer(&mut self, waiting: Waiting<T>) -> (T, PublishOutcome) {
        let Some(times) = self.returned.get_mut(&waiting.key) else {
            return (waiting.who, PublishOutcome::Confirmed);
        };
        *times -= 1;
        if *times == 0 {
            self.returned.remove(&waiting.key);
        }
        (waiting.who, PublishOutcome::Returned)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::VecDeque;
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    fn key(number: u64) -> Key {
        Key { exchange: "e".into(), routing_key: "k".into(), message_id: number.to_string() }
    }

    /// A broker that returns some messages before it settles them, and lapin's queue of what came back.
    #[derive(Debug, Clone)]
    struct Plan {
        /// Whether each message can be routed, and whether a queue that wanted it is full.
        messages: Vec<(bool, bool)>,
        /// How many go out, which are settled (counted round), and whether somebody looks at the confirms.
        turns: Vec<(usize, Vec<usize>, bool)>,
    }

    fn plans() -> impl Strategy<Value = Plan> {
        let messages = prop::collection::vec((any::<bool>(), prop::bool::weighted(0.1)), 1..24);
        let turn = (0..6_usize, prop::collection::vec(0..24_usize, 0..6), any::<bool>());
        (messages, prop::collection::vec(turn, 1..40)).prop_map(|(messages, turns)| Plan { messages, turns })
    }

    proptest! {
        #[test]
        fn every_message_gets_its_own_answer_however_the_returns_are_given_out(plan in plans()) {
            let deadline = Instant::now() + Duration::from_secs(1);
            let mut confirms = Confirms::new();
            let mut unpublished: VecDeque<_> = plan.messages.iter().copied().enumerate().collect();
            let (mut came_back, mut unsettled) = (VecDeque::new(), Vec::new());
            let (mut seen, mut answers) = (Vec::new(), BTreeMap::new());
            let rest = std::iter::repeat_n((24, vec![0; 24], true), 24);
            for (published, settled, looks) in plan.turns.into_iter().chain(rest) {
                for (who, (routed, full)) in unpublished.drain(..published.min(unpublished.len())) {
                    let number = confirms.sent(key(who as u64), deadline, who);
                    if !routed {
                        came_back.push_back(key(who as u64));
                    }
                    unsettled.push((number, routed, full));
                }
                for index in settled {
                    if unsettled.is_empty() {
                        break;
                    }
                    let (number, routed, full) = unsettled.remove(index % unsettled.len());
                    seen.push(Settled { number, acked: !(routed && full), returned: came_back.pop_front() });
                }
                if looks {
                    for (who, confirm) in confirms.settle(std::mem::take(&mut seen)) {
                        prop_assert_eq!(answers.insert(who, confirm), None, "answered twice");
                    }
                }
            }
            prop_assert!(confirms.is_empty(), "left without an answer: {:?}", confirms);
            for (who, (routed, full)) in plan.messages.into_iter().enumerate() {
                let expected = match (routed, full) {
                    (false, _) => PublishOutcome::Returned,
                    (true, true) => PublishOutcome::Nacked,
                    (true, false) => PublishOutcome::Confirmed,
                };
                prop_assert_eq!(answers[&who], expected, "message {}", who);
            }
        }
    }

    #[test]
    fn who_has_waited_long_enough_is_given_up_on_and_a_late_confirm_is_harmless() {
        let now = Instant::now();
        let mut confirms = Confirms::new();
        let first = confirms.sent(key(0), now, "first");
        let second = confirms.sent(key(1), now + Duration::from_secs(1), "second");
        assert_eq!(confirms.deadline(), Some(now));
        assert_eq!(confirms.expire(now), ["first"]);
        let late = confirms.settle(vec![Settled { number: first, acked: true, returned: None }]);
        assert!(late.is_empty(), "{late:?}");
        let in_time = confirms.settle(vec![Settled { number: second, acked: true, returned: None }]);
        assert_eq!(in_time, [("second", PublishOutcome::Confirmed)]);
        assert!(confirms.is_empty() && confirms.deadline().is_none());
    }

    #[test]
    fn a_lost_channel_leaves_nobody_waiting() {
        let mut confirms = Confirms::new();
        let now = Instant::now();
        confirms.sent(key(0), now, 0);
        let other = confirms.sent(key(1), now, 1);
        let none = confirms.settle(vec![Settled { number: other, acked: true, returned: Some(key(0)) }]);
        assert!(none.is_empty(), "who took another's return cannot be sure yet: {none:?}");
        assert_eq!(confirms.give_up(), [0, 1]);
        assert!(confirms.is_empty());
    }
}
