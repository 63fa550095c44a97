//! What a store is given and gives back: aggregates and events, as every adapter has them.

use std::collections::{BTreeMap, BTreeSet};

use skstore_domain::events::{Event, EventKind};
use skstore_domain::time::Timestamp;

/// Names an aggregate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// What kind of aggregate.
    pub kind: &'static str,
    /// Which one.
    pub id: String,
}

impl Key {
    /// The aggregate `id` of `kind`.
    #[must_use]
    pub fn new(kind: &'static str, id: impl Into<String>) -> Self {
        Self { kind, id: id.into() }
    }
}

/// An aggregate as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Transitions so far, from 1.
    pub revision: u64,
    /// Its state, in JSON.
    pub body: String,
}

/// What was read: absent aggregates are not in it.
pub type Loaded = BTreeMap<Key, Row>;

/// An aggregate to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Write {
    /// The aggregate.
    pub key: Key,
    /// The revision that was read; 0 if it was not there.
    pub read: u64,
    /// The revision after all its transitions in this decision.
    pub revision: u64,
    /// Its state, in JSON.
    pub body: String,
    /// When somebody has to look after it if nothing happens before, for [`Store::due`](super::Store::due).
    pub due: Option<Timestamp>,
}

/// Everything one decision writes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Changes {
    /// Changed aggregates, each once.
    pub writes: Vec<Write>,
    /// What happened, at least one event for every transition.
    pub events: Vec<NewEvent>,
    /// Recorded events that are to be published again.
    pub again: Vec<Again>,
    /// When aggregates that do not change have to be looked after next; nothing happens to one that is not there.
    pub looks: Vec<(Key, Timestamp)>,
}

/// Names a recorded event: the newest of its kind of an aggregate. If there is none, nothing is published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Again {
    /// What happened.
    pub kind: EventKind,
    /// To which aggregate.
    pub aggregate_id: String,
    /// How often it is told again by that, because its aggregate waits; 0 where it only answers somebody.
    pub told_again: u32,
}

impl Changes {
    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.writes.is_empty() && self.events.is_empty() && self.again.is_empty() && self.looks.is_empty()
    }

    /// Finds what contradicts itself, or the rows that were `loaded` for `asked`, so that every adapter refuses the same;
    /// the sentence says what.
    pub(crate) fn check(&self, asked: &BTreeSet<Key>, loaded: &Loaded) -> Result<(), String> {
        let mut written = BTreeSet::new();
        for Write { key, read, revision, .. } in &self.writes {
            let Key { kind, id } = key;
            if revision <= read {
                return Err(format!("{kind} '{id}' goes from revision {read} to {revision}"));
            }
            check_revision(*revision)?;
            if !asked.contains(key) {
                return Err(format!("{kind} '{id}' is written, and was not read"));
            }
            if loaded.get(key).map_or(0, |row| row.revision) != *read {
                return Err(format!("{kind} '{id}' does not have the revision {read} it was read with"));
            }
            if !written.insert(key) {
                return Err(format!("{kind} '{id}' is written twice"));
            }
        }
        self.events.iter().try_for_each(NewEvent::check)
    }
}

/// An event to be appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewEvent {
    /// As [`Event::id`] makes it of the aggregate and its revision: `order/0193…/2`. Unique: a second event
    /// with it is an error.
    pub id: String,
    /// Kind of the aggregate that changed, as [`EventKind::aggregate_kind`] says.
    pub aggregate_kind: &'static str,
    /// The aggregate that changed.
    pub aggregate_id: String,
    /// Its revision after the change.
    pub revision: u64,
    /// What happened.
    pub kind: EventKind,
    /// The event as it is published.
    pub body: String,
}

impl NewEvent {
    /// The stores keep an event unique by its aggregate and revision, and read its kind from its type.
    fn check(&self) -> Result<(), String> {
        let Self { id, aggregate_kind, aggregate_id, revision, kind, .. } = self;
        check_revision(*revision)?;
        if *aggregate_kind != kind.aggregate_kind() {
            return Err(format!("the event '{id}' is a {kind}, which does not happen to a {aggregate_kind}"));
        }
        let rest = id.strip_prefix(aggregate_kind).and_then(|rest| rest.strip_prefix('/'));
        let rest = rest.and_then(|rest| rest.strip_prefix(aggregate_id.as_str()));
        if rest.and_then(|rest| rest.strip_prefix('/')) == Some(revision.to_string().as_str()) {
            Ok(())
        } else {
            Err(format!("the event '{id}' should be '{aggregate_kind}/{aggregate_id}/{revision}'"))
        }
    }
}

/// That the stores can keep it: they have signed numbers of 64 bits. No aggregate comes near the end of them.
fn check_revision(revision: u64) -> Result<(), String> {
    i64::try_from(revision).map(|_| ()).map_err(|_| format!("there is no revision {revision}"))
}

impl From<&Event> for NewEvent {
    fn from(event: &Event) -> Self {
        Self {
            id: event.id(),
            aggregate_kind: event.kind().aggregate_kind(),
            aggregate_id: event.subject().to_owned(),
            revision: event.revision,
            kind: event.kind(),
            body: event.to_json(),
        }
    }
}

/// An event that was appended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its number in this store.
    pub seq: i64,
    /// What was appended.
    pub event: NewEvent,
    /// While it is unsent: what [`Again::told_again`] says, if it was sent before.
    pub told_again: u32,
}

/// Part of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPage {
    /// Bodies of the events, oldest first.
    pub bodies: Vec<String>,
    /// Where the next page starts, if there is one.
    pub next_seq: Option<i64>,
    /// The newest entry's number; 0 for an empty log.
    pub last_seq: i64,
}
