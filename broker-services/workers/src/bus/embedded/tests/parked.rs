//! Parked messages outlive the process, whatever it was doing when it died.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use super::{
    BusError, Duration, EmbeddedBus, Message, Properties, PublishOutcome, ack_all, consumer, message, ours,
    peek, ready, text,
};
use crate::bus::embedded::{journal, state::State};
use crate::topology::DEAD;

fn open(path: &Path) -> EmbeddedBus {
    EmbeddedBus::with_dead_letters(path).unwrap()
}

fn parked(body: impl AsRef<[u8]>) -> Message {
    message(DEAD, "order.place", body)
}

fn bodies(bus: &EmbeddedBus) -> Vec<String> {
    let parked = bus.dead_letters(usize::MAX);
    parked.iter().map(|message| String::from_utf8_lossy(&message.body).into_owned()).collect()
}

#[tokio::test]
async fn a_parked_message_survives_a_restart_as_it_was() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dead.jsonl");
    let properties = Properties {
        message_id: Some("id".to_owned()),
        correlation_id: Some("사과".to_owned()),
        reply_to: Some("desk.me".to_owned()),
        content_type: Some("text/plain".to_owned()),
        expiration: Some(Duration::from_millis(1500)),
        priority: Some(7),
        headers: [("reason".to_owned(), "no\nJSON".to_owned())].into(),
    };
    let bodies: [&[u8]; 4] =
        [b"", "line\nbreak \u{0} 사과 \"quoted\"".as_bytes(), &[0, 159, 146, 150, 10], b"{}"];
    let bus = open(&path);
    for body in bodies {
        let message = Message { properties: properties.clone(), ..parked(body) };
        assert_eq!(bus.publish(message).await, PublishOutcome::Confirmed);
    }
    drop(bus);
    let again = open(&path).dead_letters(10);
    assert_eq!(again.iter().map(|message| &*message.body).collect::<Vec<_>>(), bodies);
    for message in again {
        assert_eq!(message.properties, properties);
        assert_eq!((&*message.exchange, &*message.routing_key), (DEAD, "order.place"));
    }
}

#[tokio::test]
async fn a_receipt_means_that_it_is_on_disk() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dead.jsonl");
    let bus = open(&path);
    assert_eq!(bus.publish(parked("look here")).await, PublishOutcome::Confirmed);
    let file = fs::read_to_string(&path).unwrap();
    assert!(file.contains("look here") && file.ends_with('\n'), "confirmed, but the file says {file:?}");
}

#[test]
fn without_a_file_it_is_safe_as_long_as_the_bus_is() {
    let bus = EmbeddedBus::new();
    let mut receipt = bus.publish(parked("x"));
    assert_eq!(peek(&mut receipt), Some(PublishOutcome::Confirmed), "parking must not wait for a person");
    assert_eq!(bodies(&bus), ["x"]);
}

#[tokio::test]
async fn what_was_dealt_with_is_gone_and_the_rest_stays_in_order() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dead.jsonl");
    let bus = open(&path);
    for number in 0..6 {
        assert_eq!(bus.publish(parked(number.to_string())).await, PublishOutcome::Confirmed);
    }
    let mut operator = consumer(&bus, ours(DEAD), 10);
    let mut held = ready(&mut operator, 10);
    ack_all(vec![held.remove(3), held.remove(0)]);
    drop((held, operator, bus));

    let bus = open(&path);
    assert_eq!(bodies(&bus), ["1", "2", "4", "5"]);
    assert_eq!(bus.dead_letters(2).len(), 2);
    assert_eq!(bus.publish(parked("6")).await, PublishOutcome::Confirmed);
    let mut operator = consumer(&bus, ours(DEAD), 10);
    let held = ready(&mut operator, 10);
    let told: Vec<_> = held.iter().map(|delivery| (text(delivery), delivery.redelivered)).collect();
    let expected = [("1", true), ("2", true), ("4", true), ("5", true), ("6", false)];
    assert_eq!(told, expected.map(|(body, again)| (body.to_owned(), again)));
    ack_all(held);
    drop((operator, bus));
    assert!(bodies(&open(&path)).is_empty());
    assert_eq!(fs::read_to_string(&path).unwrap(), "", "an empty queue needs no records");
}

#[tokio::test]
async fn a_torn_last_line_costs_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dead.jsonl");
    let bus = open(&path);
    for body in ["whole", "torn"] {
        assert_eq!(bus.publish(parked(body)).await, PublishOutcome::Confirmed);
    }
    drop(bus);
    let file = fs::read(&path).unwrap();
    let second_line = file.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for cut in second_line..file.len() {
        fs::write(&path, &file[..cut]).unwrap();
        let bus = open(&path);
        assert_eq!(bodies(&bus), ["whole"], "cut at byte {cut}");
        assert_eq!(bus.publish(parked("new")).await, PublishOutcome::Confirmed);
        drop(bus);
        assert_eq!(bodies(&open(&path)), ["whole", "new"], "cut at byte {cut}");
    }
}

#[tokio::test]
async fn an_unreadable_line_is_put_aside() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dead.jsonl");
    fs::write(&path, "{\"parked\":what?}\n").unwrap();
    let bus = open(&path);
    assert_eq!(bus.publish(parked("good")).await, PublishOutcome::Confirmed);
    drop(bus);
    assert_eq!(bodies(&open(&path)), ["good"]);
    let aside = fs::read_to_string(directory.path().join("dead.jsonl.unreadable")).unwrap();
    assert_eq!(aside, "{\"parked\":what?}\n");
}

#[tokio::test]
async fn a_burst_is_parked_whole_and_compacted_when_dealt_with() {
    const BURST: usize = 12_000;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dead.jsonl");
    let bus = open(&path);
    let receipts: Vec<_> = (0..BURST).map(|number| bus.publish(parked(number.to_string()))).collect();
    for receipt in receipts {
        assert_eq!(receipt.await, PublishOutcome::Confirmed);
    }
    let mut operator = consumer(&bus, ours(DEAD), BURST);
    let mut held = operator.receive(BURST).await.unwrap();
    let kept = held.split_off(BURST - 1);
    ack_all(held);
    drop((kept, operator));
    assert_eq!(bus.publish(parked("after")).await, PublishOutcome::Confirmed);
    // Dropping waits for the file.
    drop(bus);
    let lines = fs::read_to_string(&path).unwrap().lines().count();
    assert!(lines < BURST, "{lines} lines for two messages: never compacted");
    assert_eq!(bodies(&open(&path)), [(BURST - 1).to_string(), "after".to_owned()]);
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("missing").join("dead.jsonl");
    match EmbeddedBus::with_dead_letters(&path) {
        Err(BusError::Topology(why)) => assert!(why.contains("dead.jsonl"), "{why}"),
        other => panic!("opened a file in no directory: {other:?}"),
    }
}

#[tokio::test]
async fn dead_letters_of_any_queue_end_in_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dead.jsonl");
    let bus = open(&path);
    let mut mortal = super::small("mortal", 1);
    mortal.overflow = super::Overflow::DropHead;
    mortal.dead_letter = Some(DEAD);
    let _own = consumer(&bus, mortal, 1);
    let pushed_out = bus.publish(super::direct("mortal", "old"));
    bus.send(super::direct("mortal", "new"));
    assert_eq!(pushed_out.await, PublishOutcome::Confirmed);
    assert!(fs::read_to_string(&path).unwrap().contains("old"), "settled before it was on disk");
}

/// A bus whose file is left as after a failed write.
fn after_failure(path: &Path, whole_bytes: Option<u64>) -> EmbeddedBus {
    let mut state = State::new();
    state.restore(journal::start_after_failure(path, whole_bytes), BTreeMap::new());
    EmbeddedBus::from(state)
}

#[tokio::test]
async fn half_a_write_leaves_no_trace() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("dead.jsonl");
    let bus = open(&path);
    assert_eq!(bus.publish(parked("whole")).await, PublishOutcome::Confirmed);
    drop(bus);
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{whole}{}", "half a record ".repeat(100))).unwrap();
    let bus = after_failure(&path, Some(whole.len() as u64));
    for body in ["next", "last"] {
        assert_eq!(bus.publish(parked(body)).await, PublishOutcome::Confirmed);
    }
    drop(bus);
    let lines = fs::read_to_string(&path).unwrap();
    assert_eq!((lines.lines().count(), lines.contains("half")), (3, false), "{lines}");
}

#[tokio::test]
async fn parking_waits_while_the_disk_fails_and_then_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("not mounted yet").join("dead.jsonl");
    let bus = after_failure(&path, None);
    let mut receipt = bus.publish(parked("given up"));
    let waited = tokio::time::timeout(Duration::from_millis(50), &mut receipt).await;
    assert!(waited.is_err(), "confirmed though nothing was written: {waited:?}");
    assert_eq!(bodies(&bus), ["given up"], "an operator sees it all the same");
    drop(bus);
    assert_eq!(receipt.await, PublishOutcome::Unknown);

    let bus = after_failure(&path, None);
    let receipts = ["one", "two"].map(|body| bus.publish(parked(body)));
    fs::create_dir(path.parent().unwrap()).unwrap();
    for receipt in receipts {
        assert_eq!(receipt.await, PublishOutcome::Confirmed);
    }
    drop(bus);
    assert_eq!(bodies(&open(&path)), ["one", "two"]);
}
