//! Which queues are read by nobody, or by others than the workers of their service.

use std::time::Duration;

use skstore_domain::attendance::{Found, Unattended, find_unattended, unattended, workers_heard};
use skstore_domain::signals::{Beat, Service};
use skstore_domain::time::Timestamp;

const PATIENCE: Duration = Duration::from_secs(5);

fn beat(service: Service, at: i64, clock_ahead_ms: Option<i64>) -> Beat {
    let text = format!(
        r#"{{"service":"{service}","instance":"{service}-{at}","version":"1","started_at":"1970-01-01T00:00:00.000Z",
        "at":"1970-01-01T00:00:00.000Z","ready":true,"handled":0,"per_second":0,"in_flight":0,"unsent":0}}"#
    );
    let read: Beat = serde_json::from_str(&text).expect("a heartbeat");
    Beat { at: Timestamp(at), clock_ahead_ms, ..read }
}

#[test]
fn a_queue_is_to_be_read_by_each_worker_that_is_heard_of_and_by_nobody_else() {
    use Unattended::{NoReader, NoWorker, Others};
    let table = [
        (0, None, Some(NoWorker)),
        (0, Some(0), Some(NoWorker)),
        (0, Some(2), Some(NoReader)),
        (1, None, None),
        (1, Some(1), None),
        (1, Some(3), None),
        (1, Some(0), Some(Others { readers: 1, workers: 0 })),
        (3, Some(2), Some(Others { readers: 3, workers: 2 })),
    ];
    for (readers, workers, expected) in table {
        assert_eq!(unattended(readers, workers), expected, "{readers} read, {workers:?} are heard of");
    }
}

#[test]
fn who_was_not_heard_of_lately_is_not_there_and_a_clock_that_is_off_makes_nobody_silent() {
    let beats = [
        beat(Service::Item, 100_000, None),
        beat(Service::Item, 95_000, None),
        beat(Service::Item, 94_999, None),
        beat(Service::Deposit, 3_700_000, Some(3_600_500)),
        beat(Service::Order, 40_000, Some(-60_000)),
    ];
    let heard = workers_heard(&beats, PATIENCE);
    let count = |service| heard[&service];
    assert_eq!(
        [Service::Order, Service::Deposit, Service::Item, Service::MyInfo].map(count),
        [1, 1, 2, 0],
        "{heard:?}"
    );
    assert!(workers_heard(&[], PATIENCE).values().all(|count| *count == 0));
}

#[test]
fn queues_with_the_same_fault_are_told_of_together() {
    let heard = workers_heard(&[beat(Service::Item, 1, None), beat(Service::Order, 1, None)], PATIENCE);
    let queues = [
        ("item.commands", Service::Item, 2),
        ("deposit.commands", Service::Deposit, 0),
        ("item.events", Service::Item, 2),
        ("order.commands", Service::Order, 1),
        ("deposit.events", Service::Deposit, 0),
    ];
    let names = |names: [&str; 2]| names.map(str::to_owned).into();
    let found = find_unattended(queues, Some(&heard));
    let others = Unattended::Others { readers: 2, workers: 1 };
    assert_eq!(
        found,
        [
            Found {
                service: Service::Deposit,
                why: Unattended::NoWorker,
                queues: names(["deposit.events", "deposit.commands"])
            },
            Found { service: Service::Item, why: others, queues: names(["item.commands", "item.events"]) },
        ]
    );
    let unknown = find_unattended(queues, None);
    assert_eq!(unknown.len(), 1, "without heartbeats nothing is known of others: {unknown:?}");
}
