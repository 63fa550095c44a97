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
}

/// What of a service's log was applied.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The store whose log it is.
    pub store: String,
    /// Its entries that were applied.
    pub applied: Seqs,
    /// The newest that the service has told of that store.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<LogHead>,
}

/// What makes a checkpoint advance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Advance {
    /// A rebuild has applied the beginning of the log of `store`. What was known of the log before is void.
    Begun {
        /// Whose log it is.
        store: String,
        /// What was applied.
        seqs: Seqs,
    },
    /// More was applied.
    Applied {
        /// Whose entries they are.
        store: String,
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
    /// What becomes of the checkpoint `known`, or nothing if it stays what it is. Only a rebuild makes one: who has not
    /// applied the beginning of a log does not know what it lacks.
    #[must_use]
    pub fn advanced(known: Option<&Self>, by: &Advance) -> Option<Self> {
        match (known, by) {
            (_, Advance::Begun { store, seqs }) => {
                Some(Self { store: store.clone(), applied: seqs.clone(), head: None })
            }
            (Some(known), Advance::Applied { store, seqs }) if known.store == *store => {
                let mut next = known.clone();
                next.applied.extend(seqs);
                (next != *known).then_some(next)
            }
            (Some(known), Advance::Told(head)) if known.store == head.store => {
                let is_news = known.head.as_ref() != Some(head);
                is_news.then(|| Self { head: Some(head.clone()), ..known.clone() })
            }
            // Of another store, or of one that is not known: the next rebuild begins with it.
            (Some(_) | None, Advance::Applied { .. } | Advance::Told(_)) => None,
        }
    }

    /// What the log that is told to be `head` is to this one.
    #[must_use]
    pub fn lineage(&self, head: &LogHead) -> Lineage {
        match &self.head {
            _ if self.store != head.store => Lineage::Replaced,
            Some(known) if known.incarnation != head.incarnation && head.since_seq <= known.last_seq => {
                Lineage::RolledBack
            }
            Some(_) | None => Lineage::Same,
        }
    }

    /// The first entries up to `last` that were not applied: from, to.
    #[must_use]
    pub fn first_missing(&self, last: i64) -> Option<(i64, i64)> {
        self.applied.first_missing(last)
    }

    /// How many of the entries up to `last` were not applied.
    #[must_use]
    pub fn missing(&self, last: i64) -> u64 {
        self.applied.missing(last)
    }
}
