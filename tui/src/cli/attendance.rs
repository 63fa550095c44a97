//! Which queues are not read by those who should, for a command that looks only once.

use std::time::Duration;

use skstore::dashboard::state::SILENT_AFTER;
use skstore_domain::attendance::{Found, find_unattended, workers_heard};
use skstore_workers::desk::clock::Clock;
use skstore_workers::desk::{Desk, topology};

/// How far the two looks are apart: two heartbeats. A worker that begins or ends is missing in one of both counts for less.
const LOOK_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// What both of two looks have found; where the first one finds nothing there is no second. What cannot be looked at is not
/// told of.
pub(crate) async fn unattended(desk: &Desk) -> Vec<Found> {
    let first = look(desk).await;
    if first.is_empty() {
        return first;
    }
    tokio::time::sleep(LOOK_AGAIN_AFTER).await;
    both(&first, look(desk).await)
}

/// What `second` has found of queues that `first` has found too.
fn both(first: &[Found], mut second: Vec<Found>) -> Vec<Found> {
    for found in &mut second {
        found.queues.retain(|queue| first.iter().any(|before| before.queues.contains(queue)));
    }
    second.retain(|found| !found.queues.is_empty());
    second
}

async fn look(desk: &Desk) -> Vec<Found> {
    let (Ok(queues), Ok(health)) = (desk.queues().await, desk.view().health().await) else {
        return Vec::new();
    };
    let now = Clock::System.now();
    let is_new = health.services.iter().any(|beat| now.since(beat.at) <= SILENT_AFTER);
    let workers = is_new.then(|| workers_heard(&health.services, SILENT_AFTER));
    let work = queues
        .iter()
        .filter_map(|queue| Some((&*queue.name, topology::reader_of(&queue.name)?, queue.consumers)));
    find_unattended(work, workers.as_ref())
}

#[cfg(test)]
mod tests {
    use skstore_domain::attendance::Unattended;
    use skstore_domain::signals::Service;

    use super::*;

    #[test]
    fn only_what_both_looks_have_found_is_told_as_the_second_one_has_it() {
        let others = Unattended::Others { readers: 2, workers: 1 };
        let found = |why, queues: &[&str]| Found {
            service: Service::Item,
            why,
            queues: queues.iter().map(ToString::to_string).collect(),
        };
        let first = [found(Unattended::NoWorker, &["item.commands", "item.events"])];
        let second = vec![found(Unattended::NoReader, &["item.events"]), found(others, &["order.events"])];
        assert_eq!(both(&first, second), [found(Unattended::NoReader, &["item.events"])]);
    }
}
