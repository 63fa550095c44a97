//! The view is built anew when an operator asks for it.

use skstore_domain::answers::{Answer, ReplayPage};
use skstore_domain::myinfo::ViewWrite;
use skstore_domain::objects::OrderStatus;
use skstore_workers::bus::{Message, Properties, PublishOutcome};
use skstore_workers::topology;

use super::fixture::{TestDesk, order_id};

#[tokio::test]
async fn a_view_that_shows_what_is_not_so_is_right_after_a_rebuild() {
    let desk = TestDesk::start(&[]).await;
    desk.place("kept", "10", 1, "kim").await;
    desk.until_status("kept", OrderStatus::Delivering).await;
    desk.settle().await;
    let view = desk.desk.view();
    let timeline = desk.detail("kept").await.timeline;
    let mut ghost = desk.shown("kept").await;
    ghost.order_id = order_id("ghost");
    view.apply(&[ViewWrite::Order(ghost)]).await.expect("a view");

    let before = view.rebuilds().await.expect("a view");
    assert!(before.last > 0 && !before.is_running, "{before:?}");
    desk.desk.rebuild_view().await.expect("told");
    desk.until("a rebuild has begun and ended", async || {
        let now = view.rebuilds().await.expect("a view");
        now.last > before.last && !now.is_running
    })
    .await;
    let ghost = view.order(&order_id("ghost")).await.expect("a view");
    assert_eq!(ghost, None, "no log tells of it");
    assert_eq!(desk.shown("kept").await.status, OrderStatus::Delivering);
    assert_eq!(desk.detail("kept").await.timeline, timeline);
}

/// A page that says that a log is at its end and empty.
fn empty_page(named: &str) -> Message {
    let page = Answer::replay(ReplayPage { events: Vec::new(), next_seq: None, last_seq: 0, log: None });
    Message {
        exchange: topology::DEFAULT.to_owned(),
        routing_key: topology::MYINFO_REBUILD.to_owned(),
        body: page.to_json().into(),
        properties: Properties { correlation_id: Some(named.to_owned()), ..Properties::default() },
    }
}

#[tokio::test]
async fn a_page_that_answers_another_question_takes_nothing_out_of_the_view() {
    let desk = TestDesk::start(&[]).await;
    desk.place("kept", "10", 1, "kim").await;
    desk.until_status("kept", OrderStatus::Delivering).await;
    desk.settle().await;
    let view = desk.desk.view();
    let publisher = desk.bus().publisher().await.expect("a publisher");
    // What was asked for by this very process in the rebuild with which it began, and what nobody asked for.
    let first = view.rebuilds().await.expect("a view").last;
    for source in ["order", "deposit", "item"] {
        for named in [format!("{source}/0"), format!("{first}/{source}/0"), source.to_owned(), String::new()]
        {
            assert_eq!(publisher.publish(empty_page(&named)).await, PublishOutcome::Confirmed);
        }
    }
    desk.desk.rebuild_view().await.expect("told");
    desk.until("a rebuild has begun and ended", async || {
        let now = view.rebuilds().await.expect("a view");
        now.last > first && !now.is_running
    })
    .await;
    let kept = view.order(&order_id("kept")).await.expect("a view");
    assert!(kept.is_some(), "a stray page was taken for a part of the log");
}
