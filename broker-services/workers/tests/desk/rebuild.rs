//! The view is built anew when an operator asks for it.

use skstore_domain::myinfo::ViewWrite;
use skstore_domain::objects::OrderStatus;

use super::fixture::TestDesk;

#[tokio::test]
async fn a_view_that_shows_what_is_not_so_is_right_after_a_rebuild() {
    let desk = TestDesk::start(&[]).await;
    desk.place("kept", "10", 1, "kim").await;
    desk.until_status("kept", OrderStatus::Delivering).await;
    desk.settle().await;
    let view = desk.desk.view();
    let timeline = desk.detail("kept").await.timeline;
    let mut ghost = desk.shown("kept").await;
    ghost.order_id = super::fixture::order_id("ghost");
    view.apply(&[ViewWrite::Order(ghost)]).await.expect("a view");

    let before = view.rebuilds().await.expect("a view");
    assert!(before.last > 0 && !before.is_running, "{before:?}");
    desk.desk.rebuild_view().await.expect("told");
    desk.until("a rebuild has begun and ended", async || {
        let now = view.rebuilds().await.expect("a view");
        now.last > before.last && !now.is_running
    })
    .await;
    let ghost = view.order(&super::fixture::order_id("ghost")).await.expect("a view");
    assert_eq!(ghost, None, "no log tells of it");
    assert_eq!(desk.shown("kept").await.status, OrderStatus::Delivering);
    assert_eq!(desk.detail("kept").await.timeline, timeline);
}
