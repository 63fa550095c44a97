//! The last events, numbered since the view began, each once.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use skstore_domain::myinfo::FeedEntry;

use crate::view::FEED_ENTRIES;

/// A ring of entries.
#[derive(Debug, Default)]
pub(super) struct Feed {
    entries: VecDeque<FeedEntry>,
    /// The number of the entry whose id has this hash. Should two ids share one, the older can come twice.
    numbers: HashMap<u64, u64>,
    /// The number of the last entry; the first was number 1.
    last: u64,
}

impl Feed {
    /// Adds an entry unless the ring has one of the same id. Whether it was added.
    pub(super) fn push(&mut self, entry: &FeedEntry) -> bool {
        let hash = hash(&entry.id);
        let known = self.numbers.get(&hash).and_then(|number| self.entry(*number));
        if known.is_some_and(|known| known.id == entry.id) {
            return false;
        }
        if self.entries.len() >= FEED_ENTRIES {
            self.drop_oldest();
        }
        self.entries.push_back(entry.clone());
        self.last += 1;
        self.numbers.insert(hash, self.last);
        true
    }

    /// The newest entries after number `after`, oldest first, at most `max`; and the number of the last.
    pub(super) fn since(&self, after: u64, max: usize) -> (Vec<FeedEntry>, u64) {
        let new = usize::try_from(self.last.saturating_sub(after)).unwrap_or(usize::MAX);
        let shown = new.min(max).min(self.entries.len());
        (self.entries.range(self.entries.len() - shown..).cloned().collect(), self.last)
    }

    fn drop_oldest(&mut self) {
        let number = self.first();
        let Some(oldest) = self.entries.pop_front() else { return };
        let hash = hash(&oldest.id);
        if self.numbers.get(&hash) == Some(&number) {
            self.numbers.remove(&hash);
        }
    }

    fn entry(&self, number: u64) -> Option<&FeedEntry> {
        self.entries.get(usize::try_from(number.checked_sub(self.first())?).ok()?)
    }

    /// The number of the oldest entry in the ring.
    fn first(&self) -> u64 {
        self.last + 1 - self.entries.len() as u64
    }
}

fn hash(id: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    id.hash(&mut hasher);
    hasher.finish()
}
