//! The whole desk in one process, as the dashboard uses it: real threads, real files, the real clock.

#![expect(clippy::print_stdout, reason = "a process to be killed says there how far it has come")]

mod dead;
mod fixture;
mod kill;
mod old_names;
mod rebuild;

use std::time::Duration;

use fixture::TestDesk;
use skstore_domain::answers::{Answer, ErrorCode};
use skstore_domain::breaker::{BreakerMode, BreakerState};
use skstore_domain::faults::Fault;
use skstore_domain::objects::{DeliveryStatus, OrderReason, OrderStatus, PaymentStatus};
use skstore_domain::order::Awaited;
use skstore_domain::signals::{Service, Wait};
use skstore_workers::topology;
use tokio::time::Instant;

/// The payment timeout of 300 ms, and what it takes to notice and answer.
const TIMEOUT_ANSWER: Duration = Duration::from_millis(350);
/// An open breaker answers from memory. The bound is for a quiet machine; the best of several tries meets it.
const REFUSAL_ANSWER: Duration = Duration::from_millis(5);

fn code(answer: &Answer) -> &str {
    answer.code().map_or("ok", ErrorCode::word)
}

#[tokio::test]
async fn an_order_is_paid_delivered_cancelled_and_refunded() {
    let desk = TestDesk::start(&[]).await;
    let (balance, stock) = (desk.balance("kim").await, desk.stock("10").await);

    let placed = desk.place("a", "10", 5, "kim").await;
    assert!(placed.ok, "{placed:?}");
    desk.until_status("a", OrderStatus::Delivering).await;
    assert_eq!(desk.balance("kim").await, balance - 5_000);
    assert_eq!(desk.stock("10").await, stock - 5);

    let cancelled = desk.cancel("a").await;
    assert_eq!(cancelled.order.as_ref().map(|order| order.status), Some(OrderStatus::Cancelled));
    desk.settle().await;
    assert_eq!(desk.payment("a").await, PaymentStatus::Refunded);
    assert_eq!((desk.balance("kim").await, desk.stock("10").await), (balance, stock));
    let order = desk.shown("a").await;
    assert_eq!((order.payment, order.delivery), (PaymentStatus::Refunded, DeliveryStatus::Cancelled));
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let desk = TestDesk::start(&[]).await;
    desk.place("kept", "10", 5, "kim").await;
    desk.until_status("kept", OrderStatus::Delivering).await;
    let balance = desk.balance("kim").await;
    let timeline = desk.detail("kept").await.timeline;

    let desk = desk.restart(&[]).await;
    assert_eq!(desk.shown("kept").await.status, OrderStatus::Delivering);
    assert_eq!(desk.detail("kept").await.timeline, timeline, "the rebuilt timeline is the live one");
    assert_eq!(desk.balance("kim").await, balance, "opening balances are not paid in again");
}

#[tokio::test]
async fn the_same_id_fifty_times_at_once_is_one_order_and_one_charge() {
    let desk = TestDesk::start(&[]).await;
    let balance = desk.balance("kim").await;
    let answers = futures_util::future::join_all((0..50).map(|_| desk.place("same", "10", 5, "kim"))).await;
    for answer in &answers {
        let order = answer.order.as_ref().expect("the order comes along");
        assert!(answer.ok && order.amount.0 == 5_000, "{answer:?}");
        assert_eq!(order.placed_at, answers[0].order.as_ref().expect("an order").placed_at, "one order");
    }
    desk.settle().await;
    assert_eq!(desk.balance("kim").await, balance - 5_000, "charged once");

    let other = desk.place("same", "10", 6, "kim").await;
    assert_eq!(code(&other), "conflict", "{other:?}");
    assert_eq!(desk.shown("same").await.qty, 5);
}

#[tokio::test]
async fn a_cancel_is_right_before_during_and_after_payment() {
    let desk = TestDesk::start(&[]).await;
    let balance = desk.balance("kim").await;

    assert_eq!(code(&desk.cancel("early").await), "not_found");
    let buried = desk.place("early", "10", 1, "kim").await;
    assert_eq!(code(&buried), "cancelled", "a place that comes after its cancel does not happen");

    // Deposit, once it is slow, is to have nothing else to do.
    desk.settle().await;
    desk.desk.inject(Service::Deposit, Fault::Slow { ms: 150 }).await.expect("told");
    let (placed, cancelled) = tokio::join!(desk.place("amid", "10", 1, "kim"), async {
        desk.until_asked("amid", OrderStatus::Paying).await;
        desk.cancel("amid").await
    });
    let asked = cancelled.order.expect("the order comes along");
    assert!(asked.cancel_requested && asked.status == OrderStatus::Paying, "{asked:?}");
    assert_eq!(code(&placed), "cancelled", "{placed:?}");
    desk.desk.inject(Service::Deposit, Fault::None).await.expect("told");

    assert!(desk.place("late", "10", 1, "kim").await.ok);
    desk.until_status("late", OrderStatus::Delivering).await;
    assert!(desk.cancel("late").await.ok);

    desk.settle().await;
    for (id, payment) in [
        ("early", PaymentStatus::Voided),
        ("amid", PaymentStatus::Refunded),
        ("late", PaymentStatus::Refunded),
    ] {
        let order = desk.shown(id).await;
        assert_eq!(
            (order.status, order.reason),
            (OrderStatus::Cancelled, Some(OrderReason::Customer)),
            "{id}"
        );
        assert_eq!(desk.payment(id).await, payment, "{id}");
    }
    assert_eq!(desk.balance("kim").await, balance);
}

#[tokio::test]
async fn a_silent_deposit_times_out_then_trips_the_breaker_which_heals() {
    let desk = TestDesk::start(&[("breaker.open_ms", "1500")]).await;
    let balance = desk.balance("kim").await;
    desk.desk.inject(Service::Deposit, Fault::SILENT).await.expect("told");

    let mut rejected = Vec::new();
    let refused = loop {
        let ids: Vec<String> = (0..5).map(|buyer| format!("silent-{}-{buyer}", rejected.len())).collect();
        let asked = Instant::now();
        let places = ids.iter().map(|id| desk.place(id, "10", 1, "kim"));
        let answers = futures_util::future::join_all(places).await;
        let took = asked.elapsed();
        if let Some(refused) = answers.iter().find(|answer| code(answer) == "try_later") {
            break refused.clone();
        }
        for answer in answers {
            assert_eq!(code(&answer), "payment_timeout", "{answer:?}");
            rejected.push(answer.order.expect("a rejected order comes along"));
        }
        assert!(took < TIMEOUT_ANSWER * 2, "answered after {took:?}");
        assert!(rejected.len() < 100, "the breaker does not open");
    };
    assert!(refused.order.is_none() && refused.error.as_ref().is_some_and(|e| e.retry_after_ms.is_some()));
    assert!(rejected.iter().all(|order| order.status == OrderStatus::Rejected));

    let mut fastest = Duration::MAX;
    for _ in 0..20 {
        let asked = Instant::now();
        let answer = desk.place("refused", "10", 1, "kim").await;
        fastest = fastest.min(asked.elapsed());
        assert_eq!(code(&answer), "try_later");
    }
    assert!(fastest < REFUSAL_ANSWER, "the fastest refusal took {fastest:?}");
    assert_eq!(code(&desk.ask("refused").await), "not_found", "a refused order leaves no trace");

    desk.desk.inject(Service::Deposit, Fault::None).await.expect("told");
    desk.until("the breaker lets orders through again", async || {
        desk.place("healed", "10", 1, "kim").await.ok
    })
    .await;
    desk.settle().await;
    for order in rejected {
        let id = order.order_id.as_str();
        let payment = desk.payment(id).await;
        assert!(matches!(payment, PaymentStatus::Refunded | PaymentStatus::Voided), "{id}: {payment}");
    }
    assert_eq!(desk.balance("kim").await, balance - 1_000, "only the healed one is paid");
}

#[tokio::test]
async fn a_lone_timeout_is_answered_in_time() {
    let desk = TestDesk::start(&[]).await;
    desk.desk.inject(Service::Deposit, Fault::Stopped).await.expect("told");
    let mut fastest = Duration::MAX;
    for order in ["one", "two", "three"] {
        let asked = Instant::now();
        let answer = desk.place(order, "10", 1, "kim").await;
        fastest = fastest.min(asked.elapsed());
        assert_eq!(code(&answer), "payment_timeout", "{answer:?}");
    }
    assert!(fastest < TIMEOUT_ANSWER, "the fastest of three took {fastest:?}");
}

#[tokio::test]
async fn orders_are_taken_while_item_is_down() {
    let desk = TestDesk::start(&[]).await;
    let balance = desk.balance("kim").await;
    desk.desk.inject(Service::Item, Fault::Stopped).await.expect("told");
    assert!(desk.place("kept", "10", 1, "kim").await.ok);
    assert!(desk.place("gone", "10", 1, "kim").await.ok);
    assert!(desk.cancel("gone").await.ok);
    desk.until("the cancelled one is refunded", async || {
        desk.payment("gone").await == PaymentStatus::Refunded
    })
    .await;
    assert_eq!(desk.balance("kim").await, balance - 1_000);
    assert_eq!(desk.asked("kept").await.status, OrderStatus::Placed);

    desk.desk.inject(Service::Item, Fault::None).await.expect("told");
    desk.until_status("kept", OrderStatus::Delivering).await;
    desk.settle().await;
    assert_eq!(desk.asked("gone").await.delivery, DeliveryStatus::Cancelled);
}

/// Places an order of which Item does not hear: it is stopped, and somebody else takes its message.
async fn place_unheard(desk: &TestDesk, id: &str) {
    desk.desk.inject(Service::Item, Fault::Stopped).await.expect("told");
    desk.until("Item takes nothing", async || {
        desk.health().await.iter().any(|beat| beat.service == Service::Item && beat.fault.is_some())
    })
    .await;
    assert!(desk.place(id, "10", 1, "kim").await.ok);
    desk.steal_one(topology::ITEM_EVENTS).await;
    desk.until_status(id, OrderStatus::Placed).await;
}

/// Ten seconds are what it takes until a wait is long.
#[tokio::test]
async fn heartbeats_tell_how_many_orders_wait_for_long_and_for_what() {
    let desk = TestDesk::start(&[("sweeper.every_ms", "50")]).await;
    let waits = async || desk.health().await.into_iter().flat_map(|beat| beat.waits).collect::<Vec<_>>();
    place_unheard(&desk, "waits").await;
    assert_eq!(waits().await, []);
    desk.until("it waits for long", async || !waits().await.is_empty()).await;
    let placed_at = desk.asked("waits").await.updated_at;
    let [Wait { what, count, since, told_again }] = waits().await[..] else { panic!("it is one kind") };
    assert_eq!((what, count, since), (Awaited::Delivery, 1, placed_at));
    assert!((1..=3).contains(&told_again), "{told_again}");
    desk.desk.inject(Service::Item, Fault::None).await.expect("told");
    desk.until("it waits no more", async || waits().await.is_empty()).await;
}

#[tokio::test]
async fn the_timeline_shows_what_was_told_again_because_its_order_waited() {
    let settings = [("sweeper.tell_again_after_ms", "100"), ("sweeper.every_ms", "50")];
    let desk = TestDesk::start(&settings).await;
    let told_again = async |id: &str| -> Vec<_> {
        let timeline = desk.detail(id).await.timeline;
        timeline.iter().filter(|step| step.told_again > 0).map(|step| step.kind.word()).collect()
    };
    assert!(desk.place("at-once", "10", 1, "kim").await.ok);
    desk.until_status("at-once", OrderStatus::Delivering).await;
    place_unheard(&desk, "waits").await;
    desk.until("it is told again", async || !told_again("waits").await.is_empty()).await;
    desk.desk.inject(Service::Item, Fault::None).await.expect("told");
    desk.until_status("waits", OrderStatus::Delivering).await;
    desk.settle().await;
    assert_eq!(told_again("waits").await, ["order.placed"]);
    assert_eq!(told_again("at-once").await, <[&str; 0]>::default());
}

#[tokio::test]
async fn sixty_four_buyers_share_the_last_units() {
    let desk = TestDesk::start(&[]).await;
    let scarce = desk.scarce_item().await;
    let (id, stock, price) = (scarce.item_id.as_str().to_owned(), scarce.stock, scarce.unit_price.0);
    let each = u32::try_from(stock / 10).expect("a small stock").min(1_000);
    let names: Vec<String> = (0..64).map(|buyer| format!("buyer-{buyer}")).collect();
    let balance = desk.balance("kim").await;
    futures_util::future::join_all(names.iter().map(|name| desk.place(name, &id, each, "kim"))).await;
    desk.settle().await;

    let mut delivered = 0;
    for name in &names {
        let order = desk.shown(name).await;
        match order.status {
            OrderStatus::Delivering => delivered += 1,
            OrderStatus::Cancelled => {
                assert_eq!(order.reason, Some(OrderReason::SoldOut), "{name}");
                assert_eq!(desk.payment(name).await, PaymentStatus::Refunded, "{name}");
            }
            other => panic!("{name} is {other}"),
        }
    }
    assert_eq!(delivered, stock / u64::from(each), "as many as the stock was good for");
    assert_eq!(desk.stock(&id).await, i64::try_from(stock % u64::from(each)).expect("a small rest"));
    let paid = i64::try_from(delivered).expect("few") * i64::from(each) * price;
    assert_eq!(desk.balance("kim").await, balance - paid);
}

#[tokio::test]
async fn whoever_cannot_pay_is_declined() {
    let desk = TestDesk::start(&[]).await;
    let answer = desk.place("poor", "10", 1_000, "nobody").await;
    assert_eq!(code(&answer), "declined", "{answer:?}");
    desk.settle().await;
    assert_eq!(desk.payment("poor").await, PaymentStatus::Declined);
    assert_eq!(desk.shown("poor").await.reason, Some(OrderReason::Declined));
}

#[tokio::test]
async fn the_operator_holds_the_breaker() {
    let desk = TestDesk::start(&[]).await;
    desk.desk.force_breaker(None, BreakerMode::Open).await.expect("told");
    desk.until("the breaker is open", async || {
        code(&desk.place("held", "10", 1, "kim").await) == "try_later"
    })
    .await;
    desk.until("the view shows it", async || {
        let health = desk.desk.view().health().await.expect("the view");
        health.services.iter().any(|beat| {
            beat.breaker.as_ref().is_some_and(|breaker| breaker.state == Some(BreakerState::Open))
        })
    })
    .await;
    desk.desk.force_breaker(None, BreakerMode::Closed).await.expect("told");
    desk.until("it lets orders through", async || desk.place("held", "10", 1, "kim").await.ok).await;
}
