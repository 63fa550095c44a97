//! The last events, numbered since the view began, each once.

use std::collections::{BTreeSet, VecDeque};

use skstore_domain::myinfo::FeedEntry;

use crate::view::FEED_ENTRIES;

/// A ring of entries.
#[derive(Debug, Default)]
pub(super) struct Feed {
    entries: VecDeque<FeedEntry>,
    ids: BTreeSet<String>,
    /// The number of the last entry; the first was number 1.
    last: u64,
}

impl Feed {
    /// Adds an entry unless the ring has one of the same id. Whether it was added.
    pub(super) fn push(&mut self, entry: &FeedEntry) -> bool {
        if !self.ids.insert(entry.id.clone()) {
            return false;
        }
        if self.entries.len() >= FEED_ENTRIES
            && let Some(oldest) = self.entries.pop_front()
        {
            self.ids.remove(&oldest.id);
        }
        self.entries.push_back(entry.clone());
        self.last += 1;
        true
    }

    /// The newest entries after number `after`, oldest first, at most `most`; and the number of the last.
    pub(super) fn since(&self, after: u64, most: usize) -> (Vec<FeedEntry>, u64) {
        let new = usize::try_from(self.last.saturating_sub(after)).unwrap_or(usize::MAX);
        let shown = new.min(most).min(self.entries.len());
        (self.entries.range(self.entries.len() - shown..).cloned().collect(), self.last)
    }
}
