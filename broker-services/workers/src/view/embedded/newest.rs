//! Objects by key, each at its highest revision: accounts and items.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::Epoch;

/// Objects by key. Each carries the last rebuild that named it.
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
        *named = epoch;
        if !supersedes(revision(object), revision(old), rebuilding) {
            return Put::Kept;
        }
        Put::Taken(Some(std::mem::replace(old, object.clone())))
    }

    /// At most `most` by key, from after `after`.
    pub(super) fn page(&self, after: Option<&K>, most: usize) -> Vec<T> {
        self.from(after).take(most).map(|(_, (object, _))| object.clone()).collect()
    }

    /// Removes those of the `most` objects after `after` that were not named in `epoch`. What was removed, and
    /// the key after which to go on.
    pub(super) fn sweep(&mut self, after: Option<&K>, most: usize, epoch: Epoch) -> (Vec<T>, Option<K>) {
        let seen: Vec<(K, bool)> =
            self.from(after).take(most).map(|(key, (_, named))| (key.clone(), *named == epoch)).collect();
        let unnamed = seen.iter().filter(|(_, named)| !named);
        let removed = unnamed.filter_map(|(key, _)| Some(self.held.remove(key)?.0)).collect();
        (removed, seen.into_iter().last().map(|(key, _)| key))
    }

    fn from(&self, after: Option<&K>) -> impl Iterator<Item = (&K, &(T, Epoch))> {
        let start = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.held.range::<K, _>((start, Bound::Unbounded))
    }
}
