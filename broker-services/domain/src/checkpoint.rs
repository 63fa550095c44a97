//! How much of a service's log the view has applied, and whether that log is still the one it was.
//!
//! The bus may lose what it has confirmed. So each log tells how far it goes ([`LogHead`]), each message of events which
//! entries it carries, and whoever applies them keeps a [`Checkpoint`]: what it says is missing can be asked for by range.
//!
//! A log that was put back to an older copy of itself grows again, with other entries under the same numbers. What tells it
//! from the log that was heard is its incarnation, the idea of [Kafka's leader
//! epochs](https://cwiki.apache.org/confluence/display/KAFKA/KIP-101): whoever opens a store to write begins a new one, which
//! says where it began. One that began before the end of what an older one has told took that back.

use serde::{Deserialize, Serialize};

mod seqs;

pub use seqs::{BadSeqs, MAX_RANGES, Seqs};

/// Which log a service has, and how far it goes, as the service tells it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogHead {
    /// The store: minted when it was made, the same in each copy of it.
    pub store: String,
    /// Minted each time somebody opens the store to write.
    pub incarnation: String,
    /// The first entry that this incarnation can have written.
    pub since_seq: i64,
    /// The newest entry; 0 of an empty log.
    pub last_seq: i64,
    /// All entries up to this one were confirmed by the bus.
    pub sent_seq: i64,
    /// The incarnations before it, the newest last: at most [`MAX_INCARNATIONS`]. They tell of a store that was put back and
    /// opened again before anybody heard of the first time.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub earlier: Vec<Began>,
}

/// Where an incarnation began.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Began {
    /// As [`LogHead::incarnation`].
    pub incarnation: String,
    /// As [`LogHead::since_seq`].
    pub since_seq: i64,
}

impl LogHead {
    /// Without what is only needed while it is compared with what was heard.
    fn brief(&self) -> Self {
        Self { earlier: Vec::new(), ..self.clone() }
    }

    fn names(&self, incarnation: &str) -> bool {
        self.incarnation == incarnation || self.earlier.iter().any(|began| began.incarnation == incarnation)
    }

    /// The first entry that is not of `incarnation`, as this log has it.
    fn end_of(&self, incarnation: &str) -> i64 {
        let mut later = self.earlier.iter().skip_while(|began| began.incarnation != incarnation).skip(1);
        later.next().map_or(self.since_seq, |next| next.since_seq)
    }
}

/// Whose entries a message or a page brings.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct LogId {
    /// As [`LogHead::store`].
    pub store: String,
    /// The one that went on when they were sent: they were written in it, or before.
    pub incarnation: String,
}

/// What of a service's log was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The store whose log it is.
    pub store: String,
    /// Its entries that were applied.
    pub applied: Seqs,
    /// The incarnations that were heard last, the newest last.
    #[serde(default)]
    pub incarnations: Vec<Incarnation>,
    /// Those that were heard before the newest rebuild began. What they told it hears again, or removes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outdated: Vec<Incarnation>,
    /// The newest that the service has told of that store. Absent until a rebuild has applied the beginning of the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<LogHead>,
    /// What was in the log's place before, if it is not what became of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former: Option<Former>,
}

/// A log that is gone: another store was put in its place, or an older copy of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Former {
    /// As [`LogHead::store`].
    pub store: String,
    /// The newest entry that was heard of it.
    pub last_seq: i64,
    /// The first entry that is not of it.
    pub until_seq: i64,
}

/// What was heard of an incarnation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incarnation {
    /// It.
    pub id: String,
    /// The highest entry that came in its name, or that it has told of.
    pub high: i64,
    /// Whether it was told where it began, and found to go on where the others had ended.
    pub is_known: bool,
}

/// Incarnations that are told, and half of those that are remembered: what one has sent comes within seconds, in which a store
/// is opened few times.
pub const MAX_INCARNATIONS: usize = 8;

/// What makes a checkpoint advance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advance {
    /// A rebuild is about to begin. What is heard from here on it takes for true, also of a log that is put back meanwhile.
    Restarted,
    /// A rebuild has applied the beginning of a log. What was known of the service's log before is void.
    Begun {
        /// Whose log it is, and how far it went then.
        head: LogHead,
        /// What was applied.
        seqs: Seqs,
    },
    /// More was applied.
    Applied {
        /// Whose entries they are.
        of: LogId,
        /// Which.
        seqs: Seqs,
    },
    /// The service has told how far its log goes.
    Told(LogHead),
}

/// What a service's log is to the one that was heard before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lineage {
    /// The same, or what became of it.
    Same,
    /// That of another store.
    Replaced,
    /// An older copy of it, in which something else may follow.
    RolledBack,
}

impl Checkpoint {
    /// What becomes of the checkpoint `known`, or nothing if it stays what it is. Only a rebuild makes one that counts: who
    /// has not applied the beginning of a log does not know what it lacks.
    #[must_use]
    pub fn advanced(known: Option<&Self>, by: &Advance) -> Option<Self> {
        match (known, by) {
            (Some(known), Advance::Restarted) => {
                let mut next = known.clone();
                next.outdated.append(&mut next.incarnations);
                keep_newest(&mut next.outdated);
                (next != *known).then_some(next)
            }
            (_, Advance::Begun { head, seqs }) => Some(Self::begun(known, head, seqs)),
            (None, Advance::Applied { of, seqs }) => {
                let mut heard = Self::of(of.store.clone(), seqs.clone());
                heard.hear(&of.incarnation, seqs.last().unwrap_or(0));
                Some(heard)
            }
            (Some(known), Advance::Applied { of, seqs }) if known.store == of.store => {
                let mut next = known.clone();
                next.applied.extend(seqs);
                next.hear(&of.incarnation, seqs.last().unwrap_or(0));
                (next != *known).then_some(next)
            }
            (Some(known), Advance::Told(head)) if known.store == head.store && known.is_begun() => {
                let mut next = Self { head: Some(head.brief()), ..known.clone() };
                next.learn(head);
                (next != *known).then_some(next)
            }
            // Of another store, or of one that is not known: the next rebuild begins with it.
            (None, Advance::Restarted) | (Some(_), Advance::Applied { .. }) | (_, Advance::Told(_)) => None,
        }
    }

    fn of(store: String, applied: Seqs) -> Self {
        Self { store, applied, incarnations: Vec::new(), outdated: Vec::new(), head: None, former: None }
    }

    /// A rebuild has heard the log to be `head`. Of what was taken back while it went on the view may show something that
    /// nobody will tell again: then it does not count.
    fn begun(known: Option<&Self>, head: &LogHead, seqs: &Seqs) -> Self {
        let mut begun = Self::of(head.store.clone(), seqs.clone());
        begun.former = known.and_then(|known| known.former_to(head));
        let is_clean =
            known.is_none_or(|known| known.incarnations.is_empty() || known.lineage(head) == Lineage::Same);
        begun.head = is_clean.then(|| head.brief());
        begun.learn(head);
        begun
    }

    /// The incarnations that `head` names, as it names them: the next one has to name them, too. Those that it does not name
    /// were heard, and may still be found to be gone.
    fn learn(&mut self, head: &LogHead) {
        let newest = Began { incarnation: head.incarnation.clone(), since_seq: head.since_seq };
        let ends = head.earlier.iter().chain([&newest]).skip(1).map(|next| next.since_seq - 1);
        let named = head.earlier.iter().zip(ends).chain([(&newest, head.last_seq)]);
        let mut learnt: Vec<Incarnation> = Vec::with_capacity(head.earlier.len() + 1);
        for (Began { incarnation, .. }, end) in named {
            let heard = self.incarnations.iter().find(|heard| heard.id == *incarnation);
            let high = heard.map_or(end, |heard| heard.high.max(end));
            learnt.push(Incarnation { id: incarnation.clone(), high, is_known: true });
        }
        let unnamed = self.incarnations.iter().filter(|heard| !head.names(&heard.id)).cloned();
        let at = learnt.len() - 1;
        learnt.splice(at..at, unnamed.collect::<Vec<_>>());
        keep_newest(&mut learnt);
        self.incarnations = learnt;
    }

    /// Whether the beginning of the log was applied, so that what is missing can be told.
    #[must_use]
    pub const fn is_begun(&self) -> bool {
        self.head.is_some()
    }

    /// What was in the place of the log that is told to be `head`.
    fn former_to(&self, head: &LogHead) -> Option<Former> {
        let heard = [&self.outdated[..], &self.incarnations].concat();
        let last_seq = heard.iter().map(|heard| heard.high).max().unwrap_or(0);
        let gone = |until_seq| Some(Former { store: self.store.clone(), last_seq, until_seq });
        match (Self { incarnations: heard, ..self.clone() }).lineage(head) {
            Lineage::Same => self.former.clone(),
            Lineage::Replaced => gone(1),
            Lineage::RolledBack => gone(head.since_seq),
        }
    }

    fn hear(&mut self, incarnation: &str, high: i64) {
        match self.incarnations.iter_mut().find(|heard| heard.id == incarnation) {
            Some(heard) => heard.high = heard.high.max(high),
            None => self.incarnations.push(Incarnation { id: incarnation.to_owned(), high, is_known: false }),
        }
        keep_newest(&mut self.incarnations);
    }

    /// What the log that is told to be `head` is to this one.
    #[must_use]
    pub fn lineage(&self, head: &LogHead) -> Lineage {
        let is_it = |heard: &&Incarnation| heard.id == head.incarnation;
        if self.store != head.store {
            Lineage::Replaced
        } else if self.incarnations.iter().find(is_it).is_some_and(|heard| heard.is_known) {
            Lineage::Same
        } else if (0..self.incarnations.len()).any(|at| self.is_taken_back(at, head)) {
            Lineage::RolledBack
        } else {
            Lineage::Same
        }
    }

    /// Whether the log that is told to be `head` has lost something of an incarnation that was heard.
    fn is_taken_back(&self, at: usize, head: &LogHead) -> bool {
        let (before, Incarnation { id, high, .. }) = (&self.incarnations[..at], &self.incarnations[at]);
        if *id == head.incarnation {
            false
        } else if !head.names(id) && before.iter().any(|older| head.names(&older.id)) {
            // It knows of an older one, and would know of this one.
            true
        } else {
            *high >= head.end_of(id)
        }
    }
}

fn keep_newest(incarnations: &mut Vec<Incarnation>) {
    let surplus = incarnations.len().saturating_sub(2 * MAX_INCARNATIONS);
    incarnations.drain(..surplus);
}
