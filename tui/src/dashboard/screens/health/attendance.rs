//! Since when queues are read by nobody, or by others than the workers of their service: workers that start and end are for
//! a moment in one of both counts only.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use skstore_domain::attendance::{Found, find_unattended};
use skstore_domain::signals::Service;
use skstore_domain::time::Timestamp;
use skstore_workers::desk::bus::QueueDepth;
use skstore_workers::desk::topology;

/// How many workers of each service are heard of.
pub type Workers = BTreeMap<Service, usize>;

/// How long it has to last before it is told: by then a worker that has just begun was heard of many times, and one that has
/// just ended is no more counted among those that are heard of.
const TOLD_AFTER: Duration = Duration::from_secs(10);
/// Of what was between two looks that are further apart nothing is known: several times as long as from one to the next.
const LOOKS_WITHIN: Duration = Duration::from_secs(5);

/// The queues that were found unattended at each of the last looks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attendance {
    since: BTreeMap<Arc<str>, Timestamp>,
    looked_at: Option<Timestamp>,
}

impl Attendance {
    /// The queues were looked at; `workers` if anything is known of them.
    pub(crate) fn look(&mut self, queues: &[QueueDepth], workers: Option<&Workers>, now: Timestamp) {
        let last = self.looked_at.replace(now);
        if last.is_none_or(|last| now < last || now.since(last) > LOOKS_WITHIN) {
            self.since.clear();
        }
        let found = find(queues, workers);
        let found = found.iter().flat_map(|found| &found.queues).map(|queue| Arc::from(queue.as_str()));
        let before = std::mem::take(&mut self.since);
        self.since = found
            .map(|queue| {
                let since = before.get(&queue).copied().unwrap_or(now);
                (queue, since)
            })
            .collect();
    }

    /// What was wrong with `queues` for long enough by now.
    pub(crate) fn lasting(
        &self,
        queues: &[QueueDepth],
        workers: Option<&Workers>,
        now: Timestamp,
    ) -> Vec<Found> {
        let mut found = find(queues, workers);
        for Found { queues, .. } in &mut found {
            queues.retain(|queue| {
                self.since.get(queue.as_str()).is_some_and(|since| now.since(*since) >= TOLD_AFTER)
            });
        }
        found.retain(|found| !found.queues.is_empty());
        found
    }
}

/// What is wrong at one look.
fn find(queues: &[QueueDepth], workers: Option<&Workers>) -> Vec<Found> {
    let work = queues
        .iter()
        .filter_map(|queue| Some((&*queue.name, topology::reader_of(&queue.name)?, queue.consumers)));
    find_unattended(work, workers)
}
