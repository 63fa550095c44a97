//! Short ways to write and read.

use std::collections::BTreeSet;

use skstore_domain::events::{EventKind, OrderKind};
use skstore_domain::time::Timestamp;
use skstore_workers::store::{Changes, Key, Loaded, NewEvent, Store, StoreError, StoredEvent, Write};

/// More than any test stores.
pub(crate) const ALL: usize = 1_000_000;

pub(crate) fn order(id: &str) -> Key {
    Key::new("order", id)
}

pub(crate) fn keys<'a>(keys: impl IntoIterator<Item = &'a Key>) -> BTreeSet<Key> {
    keys.into_iter().cloned().collect()
}

/// The transition of an aggregate from the revision `read` to the next.
pub(crate) fn write(key: &Key, read: u64) -> Write {
    let revision = read + 1;
    Write { key: key.clone(), read, revision, body: format!("{{\"revision\":{revision}}}"), due: None }
}

/// What tells the transition of the order `id` to `revision`.
pub(crate) fn event(id: &str, revision: u64) -> NewEvent {
    let kind = match revision {
        1 => EventKind::Order(OrderKind::Paying),
        2 => EventKind::Order(OrderKind::Placed),
        _ => EventKind::Order(OrderKind::Noted),
    };
    NewEvent {
        id: format!("order/{id}/{revision}"),
        aggregate_kind: "order",
        aggregate_id: id.to_owned(),
        revision,
        kind,
        body: format!("{{\"order\":\"{id}\",\"revision\":{revision}}}"),
    }
}

/// The transition of the order `key` from `read`, with its event.
pub(crate) fn step(key: &Key, read: u64) -> Changes {
    Changes { writes: vec![write(key, read)], events: vec![event(&key.id, read + 1)], ..Changes::default() }
}

/// Takes each of `keys` one transition further, in one commit.
pub(crate) async fn advance(store: &Store, keys: &BTreeSet<Key>) -> Result<Vec<StoredEvent>, StoreError> {
    let decide = |loaded: &Loaded| {
        let mut changes = Changes::default();
        for key in keys {
            let Changes { writes, events, .. } = step(key, loaded.get(key).map_or(0, |row| row.revision));
            changes.writes.extend(writes);
            changes.events.extend(events);
        }
        (changes, ())
    };
    store.transact(keys, decide).await.map(|((), events)| events)
}

/// Commits just this, whatever is there.
pub(crate) async fn commit(store: &Store, changes: Changes) -> Result<Vec<StoredEvent>, StoreError> {
    let written = changes.writes.iter().map(|write| &write.key);
    store.transact(&keys(written), |_| (changes.clone(), ())).await.map(|((), events)| events)
}

/// Writes one aggregate without an event.
pub(crate) async fn put(store: &Store, key: &Key, read: u64, due: Option<i64>) {
    let write = Write { due: due.map(Timestamp), ..write(key, read) };
    commit(store, Changes { writes: vec![write], events: Vec::new(), ..Changes::default() }).await.unwrap();
}

/// What is stored of `wanted`.
pub(crate) async fn read(store: &Store, wanted: &BTreeSet<Key>) -> Loaded {
    let (loaded, _) = store.transact(wanted, |loaded| (Changes::default(), loaded.clone())).await.unwrap();
    loaded
}

/// The revision of one aggregate; 0 if it is not there.
pub(crate) async fn revision(store: &Store, key: &Key) -> u64 {
    read(store, &keys([key])).await.get(key).map_or(0, |row| row.revision)
}

/// Bodies of the whole log.
pub(crate) async fn whole_log(store: &Store) -> Vec<String> {
    let page = store.log(0..=i64::MAX, ALL, usize::MAX).await.unwrap();
    assert_eq!(page.next_seq, None, "the whole log is one page");
    page.bodies
}

pub(crate) fn seqs(events: &[StoredEvent]) -> Vec<i64> {
    events.iter().map(|stored| stored.seq).collect()
}
