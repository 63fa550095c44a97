//! Objects by key, each at its highest revision: accounts and items.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::epoch::{Epoch, Removed, dispute};

/// Objects by key. Each carries the last rebuild that told it.
#[derive(Debug)]
pub(super) struct Newest<K, T> {
    held: BTreeMap<K, (T, Epoch)>,
}

/// What became of an object that was handed in.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Put<T> {
    /// The one that is there is as new or newer.
    Kept,
    /// It was taken; what was there before, if anything.
    Taken(Option<T>),
}

/// Whether an object of `revision` is to be taken where one of the revision `old` is.
pub(super) const fn supersedes(revision: u64, old: u64, rebuilding: bool) -> bool {
    revision > old || (rebuilding && revision == old)
}

impl<K: Ord + Clone, T: Clone> Newest<K, T> {
    pub(super) const fn new() -> Self {
        Self { held: BTreeMap::new() }
    }

    pub(super) fn len(&self) -> usize {
        self.held.len()
    }

    /// Takes `object` if its revision, which `revision` reads, is higher than what is there; while a rebuild runs, also
    /// if it is the same.
    pub(super) fn put(
        &mut self,
        key: &K,
        object: &T,
        revision: impl Fn(&T) -> u64,
        epoch: Epoch,
        rebuilding: bool,
    ) -> Put<T> {
        let Some((old, named)) = self.held.get_mut(key) else {
            self.held.insert(key.clone(), (object.clone(), epoch));
            return Put::Taken(None);
        };
        if !supersedes(revision(object), revision(old), rebuilding) {
            dispute(named, epoch, rebuilding);
            return Put::Kept;
        }
        *named = epoch;
        Put::Taken(Some(std::mem::replace(old, object.clone())))
    }

    /// At most `max` by key, from after `after`.
    pub(super) fn page(&self, after: Option<&K>, max: usize) -> Vec<T> {
        self.from(after).take(max).map(|(_, (object, _))| object.clone()).collect()
    }

    /// Removes those of the `max` objects after `after` that were not told in `epoch`, and hands them to `take`. What they
    /// were, and the key after which to go on.
    pub(super) fn sweep(
        &mut self,
        after: Option<&K>,
        max: usize,
        epoch: Epoch,
        mut take: impl FnMut(T),
    ) -> (Removed, Option<K>) {
        let seen: Vec<(K, Epoch)> =
            self.from(after).take(max).map(|(key, (_, named))| (key.clone(), *named)).collect();
        let mut removed = Removed::default();
        for (key, named) in seen.iter().filter(|(_, named)| *named != epoch) {
            removed.add(*named, epoch);
            if let Some((object, _)) = self.held.remove(key) {
                take(object);
            }
        }
        (removed, seen.into_iter().last().map(|(key, _)| key))
    }

    fn from(&self, after: Option<&K>) -> impl Iterator<Item = (&K, &(T, Epoch))> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.held.range::<K, _>((start, Bound::Unbounded))
    }
}
