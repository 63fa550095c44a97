//! Parked messages, looked at and dealt with at the desk.

use std::collections::BTreeMap;

use skstore_domain::objects::OrderStatus;
use skstore_workers::bus::{Message, Properties, PublishOutcome};
use skstore_workers::desk::{DeadLetter, Disposition, Summary, Which};
use skstore_workers::topology::{COMMANDS, DEAD};

use super::fixture::TestDesk;

/// As `rabbitmqadmin` sends it: no id, nobody to be told.
fn anonymous(key: &str, body: &str) -> Message {
    Message {
        exchange: COMMANDS.to_owned(),
        routing_key: key.to_owned(),
        body: body.as_bytes().into(),
        properties: Properties::default(),
    }
}

/// A place as a worker parks it that had no id and came again after a crash.
fn doubtful(parked_id: &str) -> Message {
    let headers = [
        ("parked_id", parked_id),
        ("reason", "the order has no id and may already have been placed"),
        ("exchange", COMMANDS),
        ("routing_key", "order.place"),
        ("queue", "order.commands"),
        ("service", "order"),
    ];
    let headers: BTreeMap<_, _> = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let message_id = Some(parked_id.to_owned());
    Message {
        exchange: DEAD.to_owned(),
        properties: Properties { message_id, headers, ..Properties::default() },
        ..anonymous("order.place", r#"{"item_id":"10","qty":1,"customer":"kim"}"#)
    }
}

async fn send(desk: &TestDesk, message: Message) {
    assert_eq!(
        desk.bus().publisher().await.expect("it works").publish(message).await,
        PublishOutcome::Confirmed
    );
}

async fn listed(desk: &TestDesk) -> Vec<DeadLetter> {
    let page = desk.desk.dead_letters(100).await.expect("it works");
    assert_eq!(page.total, page.letters.len());
    page.letters
}

/// What `replay` or `drop` tells of each, by id.
async fn replay(desk: &TestDesk, which: &Which, dry_run: bool) -> (Summary, BTreeMap<String, Disposition>) {
    let mut dispositions = BTreeMap::new();
    let told = |letter: &DeadLetter, disposition: &Disposition| {
        drop(dispositions.insert(letter.id.clone(), disposition.clone()));
    };
    let summary = desk.desk.replay_dead(which, dry_run, told).await.expect("it works");
    (summary, dispositions)
}

#[tokio::test]
async fn a_bad_message_is_listed_shown_and_dropped_over_a_restart() {
    let desk = TestDesk::start(&[]).await;
    send(&desk, anonymous("order.place", r#"{"item_id":"10","qty":"many"}"#)).await;
    let desk = desk.restart(&[]).await;
    let letters = listed(&desk).await;
    let [letter] = letters.as_slice() else { panic!("not one: {letters:?}") };
    assert_eq!((&*letter.queue, &*letter.routing_key), ("order.commands", "order.place"));
    assert!(letter.reason.contains("'qty' must be a whole number"), "{}", letter.reason);
    assert_eq!(&*letter.body, br#"{"item_id":"10","qty":"many"}"#);
    assert_eq!(letter.properties.message_id, None, "it came without one");
    assert!(letter.at.starts_with("20") && letter.service == "order", "{letter:?}");
    assert_eq!(desk.desk.dead_letter(&letter.id).await.expect("it works").as_ref(), Some(letter));
    assert_eq!(desk.desk.dead_letter("another").await.expect("it works"), None);

    let one = Which::One(letter.id.clone());
    let summary = desk
        .desk
        .drop_dead(&one, true, |_, disposition| assert_eq!(*disposition, Disposition::WouldDrop))
        .await
        .expect("it works");
    assert_eq!((summary.done, listed(&desk).await.len()), (1, 1), "a dry run changes nothing");
    let summary = desk
        .desk
        .drop_dead(&one, false, |_, disposition| assert_eq!(*disposition, Disposition::Dropped))
        .await
        .expect("it works");
    assert_eq!(summary, Summary { done: 1, stay: 0, left: 0 });
    let desk = desk.restart(&[]).await;
    assert!(listed(&desk).await.is_empty(), "it came back");
}

#[tokio::test]
async fn replaying_all_leaves_alone_what_is_refused_again_or_might_be_done_twice() {
    let desk = TestDesk::start(&[]).await;
    let balance = desk.balance("kim").await;
    send(&desk, anonymous("order.steal", "{}")).await;
    send(&desk, doubtful("doubt")).await;
    let mut sure = doubtful("sure");
    sure.body = br#"{"item_id":"10","qty":1,"customer":"kim","order_id":"sure"}"#.as_slice().into();
    send(&desk, sure).await;
    let ids: Vec<_> = listed(&desk).await.into_iter().map(|letter| letter.id).collect();
    let bad = ids.iter().find(|id| *id != "doubt" && *id != "sure").expect("it works").clone();

    let (summary, planned) = replay(&desk, &Which::All, true).await;
    assert_eq!(summary, Summary { done: 1, stay: 2, left: 0 });
    assert_eq!(planned["sure"], Disposition::WouldReplay);
    assert!(matches!(&planned[&bad], Disposition::Stays(why) if why.contains("no command")), "{planned:?}");
    assert!(
        matches!(&planned["doubt"], Disposition::Stays(why) if why.contains("by name: doubt")),
        "{planned:?}"
    );
    assert_eq!(listed(&desk).await.len(), 3, "a dry run changes nothing");

    let (summary, dispositions) = replay(&desk, &Which::All, false).await;
    assert_eq!(
        (summary, &dispositions["sure"]),
        (Summary { done: 1, stay: 2, left: 0 }, &Disposition::Replayed)
    );
    desk.until_status("sure", OrderStatus::Delivering).await;
    assert_eq!(listed(&desk).await.len(), 2);

    // Whoever names it has decided. As often as it is replayed, it is one order.
    for _ in 0..2 {
        let (_, dispositions) = replay(&desk, &Which::One("doubt".into()), false).await;
        assert_eq!(dispositions["doubt"], Disposition::Replayed);
        send(&desk, doubtful("doubt")).await;
    }
    desk.until_status("doubt", OrderStatus::Delivering).await;
    desk.settle().await;
    assert_eq!(desk.balance("kim").await, balance - 2_000, "one charge for each of the two orders");

    let (summary, dispositions) = replay(&desk, &Which::One(bad.clone()), false).await;
    assert_eq!((summary.done, &dispositions[&bad]), (1, &Disposition::Replayed));
    let again = listed(&desk).await;
    let again = again.iter().find(|letter| letter.routing_key == "order.steal").expect("parked again");
    assert_ne!(again.id, bad, "it was parked anew");
    let none = replay(&desk, &Which::One("nobody".into()), false).await;
    assert_eq!((none.0.done, none.0.stay), (0, 0), "{none:?}");
}

#[tokio::test]
async fn queues_tell_how_full_they_are() {
    let desk = TestDesk::start(&[]).await;
    send(&desk, anonymous("order.place", "{")).await;
    let depths = desk.desk.queues().await.expect("it works");
    let of = |name: &str| depths.iter().find(|depth| &*depth.name == name).expect("a queue");
    assert_eq!((of(DEAD).ready, of(DEAD).consumers), (1, 0));
    assert_eq!(of("order.commands").consumers, 1);
}
