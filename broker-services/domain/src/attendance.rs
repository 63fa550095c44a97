//! Whether the queues of work are read by those who should: the workers of their service, each of which reads each of them
//! once. A queue that nobody reads, and one that somebody else reads too, are how messages are lost that were confirmed.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use crate::signals::{Beat, Service};
use crate::time::Timestamp;

/// Why the readers of a queue are not those who should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unattended {
    /// Nobody reads it, and no worker of its service is heard of.
    NoWorker,
    /// Nobody reads it, although a worker of its service is heard of.
    NoReader,
    /// More read it than there are workers: somebody else does, or one that is not heard of.
    Others {
        /// How many read it.
        readers: usize,
        /// How many workers are heard of.
        workers: usize,
    },
}

/// What is wrong with a queue that so many read; `workers` are those of its service, if anything is known of workers.
#[must_use]
pub const fn unattended(readers: usize, workers: Option<usize>) -> Option<Unattended> {
    match (readers, workers) {
        (0, None | Some(0)) => Some(Unattended::NoWorker),
        (0, Some(_)) => Some(Unattended::NoReader),
        (readers, Some(workers)) if readers > workers => Some(Unattended::Others { readers, workers }),
        // One that takes no work just now, or has just ended, may be counted among the workers.
        (_, None | Some(_)) => None,
    }
}

/// How many workers of each service are heard of: those whose last heartbeat is no more than `within` older than the newest
/// of all, by the clock of MyInfo, which has passed them on. Whether that one is new is for the caller to know.
#[must_use]
pub fn workers_heard(beats: &[Beat], within: Duration) -> BTreeMap<Service, usize> {
    let sent_at = |beat: &Beat| Timestamp(beat.at.0.saturating_sub(beat.clock_ahead_ms.unwrap_or_default()));
    let newest = beats.iter().map(sent_at).max();
    let mut heard: BTreeMap<Service, usize> = Service::ALL.iter().map(|service| (*service, 0)).collect();
    for beat in beats.iter().filter(|beat| newest.is_some_and(|newest| newest.since(sent_at(beat)) <= within))
    {
        *heard.entry(beat.service).or_default() += 1;
    }
    heard
}

/// Queues of one service that are unattended for the same reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Whose workers should read them.
    pub service: Service,
    /// What is wrong.
    pub why: Unattended,
    /// Which.
    pub queues: BTreeSet<String>,
}

/// What is wrong with `queues`, each with the service whose it is and how many read it.
#[must_use]
pub fn find_unattended<'a>(
    queues: impl IntoIterator<Item = (&'a str, Service, usize)>,
    workers: Option<&BTreeMap<Service, usize>>,
) -> Vec<Found> {
    let mut found: BTreeMap<(Service, Unattended), BTreeSet<String>> = BTreeMap::new();
    for (queue, service, readers) in queues {
        let workers = workers.map(|workers| workers.get(&service).copied().unwrap_or_default());
        if let Some(why) = unattended(readers, workers) {
            found.entry((service, why)).or_default().insert(queue.to_owned());
        }
    }
    found.into_iter().map(|((service, why), queues)| Found { service, why, queues }).collect()
}
