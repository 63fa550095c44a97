//! The real loop on the real view, bus and workers: keys go in, and the screen is read.

use std::time::Duration;

use crossterm::event::KeyCode;
use skstore::dashboard::reading::NAMES_FOR;
use skstore_domain::myinfo::ViewWrite;
use skstore_domain::objects::Item;
use skstore_workers::desk::clock::Clock;
use skstore_workers::desk::config::{Config, Sources};
use skstore_workers::desk::process::Process;

use crate::builders::*;

mod pace;
mod recording;
mod user;

use user::{bare_desk, runtime, watch, written};

#[test]
fn an_order_is_placed_paid_shown_and_cancelled_with_keys() {
    let data = tempfile::tempdir().unwrap();
    let flags = vec![("data_dir".to_owned(), data.path().display().to_string())];
    let config = Config::load(&Sources { file: None, environment: vec![], flags }).unwrap();
    let process = Process::start(&config).unwrap();
    runtime(false).block_on(async {
        process.ready().await;
        let desk = process.desk().await.unwrap();
        watch(desk, Clock::System, |user| async {
            user.sees(&["connected", "No orders yet", "breaker closed"]).await;
            user.press(KeyCode::Char('n'));
            user.sees(&["place an order", "Apple"]).await;
            user.type_in("apple");
            user.press(KeyCode::Enter);
            user.type_in("kim");
            user.press(KeyCode::Enter);
            user.press(KeyCode::Char('+'));
            user.sees(&["total", "2,000 won"]).await;
            user.press(KeyCode::Enter);
            user.sees(&["done:", "Apple × 2", "▸ delivering 1 "]).await;
            user.press(KeyCode::Enter);
            user.sees(&["Deposit answers", "Order answers", "same as shown", "timeline"]).await;
            user.press(KeyCode::Char('c'));
            user.sees(&["Cancel this order?"]).await;
            user.press(KeyCode::Char('y'));
            user.sees(&["⊘ cancelled", "refunded", "delivery cancelled"]).await;
            user.press(KeyCode::Esc);
            user.clicks("2 accounts").await;
            user.type_in("/kim");
            user.press(KeyCode::Enter);
            user.sees(&["payments of kim", "Apple × 2", "order canc"]).await;
            user.clicks("3 items").await;
            user.sees(&["deliveries of", "price (won)"]).await;
            user.type_in("5");
            user.sees(&["delivery started", "refunded"]).await;
            user.type_in("/delivering");
            user.sees(&["order.delivering"]).await;
            user.press(KeyCode::Enter);
            user.press(KeyCode::Enter);
            user.sees(&["Deposit answers", "timeline", "same as shown"]).await;
            user
        })
        .await
        .unwrap();
    });
    process.stop().unwrap();
}

#[test]
fn while_the_breaker_is_forced_open_an_order_is_told_to_try_later_and_placed_once_it_is_free() {
    let data = tempfile::tempdir().unwrap();
    let flags = vec![("data_dir".to_owned(), data.path().display().to_string())];
    let config = Config::load(&Sources { file: None, environment: vec![], flags }).unwrap();
    let process = Process::start(&config).unwrap();
    runtime(false).block_on(async {
        process.ready().await;
        let desk = process.desk().await.unwrap();
        watch(desk, Clock::System, |user| async {
            user.sees(&["breaker closed"]).await;
            user.type_in("b");
            user.press(KeyCode::Down);
            user.press(KeyCode::Enter);
            user.type_in("y");
            user.sees(&["breaker open", "forced open"]).await;
            user.type_in("n");
            user.sees(&["place an order", "Apple"]).await;
            for _ in 0..3 {
                user.press(KeyCode::Enter);
            }
            user.sees(&["try later", "with the same id", "No orders yet"]).await;
            user.type_in("b");
            user.press(KeyCode::Enter);
            user.sees(&["breaker half-open"]).await;
            user.type_in("r");
            user.waits_for("exactly one order", |screen| screen.contains("▸ delivering 1 ")).await;
            user
        })
        .await
        .unwrap();
    });
    process.stop().unwrap();
}

#[test]
fn a_view_with_many_orders_is_walked_through_from_the_newest_to_the_oldest() {
    const ORDERS: i64 = 3_000;
    runtime(true).block_on(async {
        let (desk, view) = bare_desk().await;
        view.apply(&written(0..ORDERS)).await.unwrap();
        watch(desk, Clock::paused_at(NOW), |user| async {
            user.sees(&["delivering 3,000", "following the newest"]).await;
            for _ in 0..ORDERS {
                user.press(KeyCode::PageDown);
                tokio::time::sleep(Duration::from_millis(50)).await;
                if user.glass.text().contains("13:23:21") {
                    break;
                }
            }
            user.sees(&["13:23:21"]).await;
            view.apply(&written(-5..0)).await.unwrap();
            user.sees(&["5 new above", "13:23:21"]).await;
            user.type_in("g");
            user.sees(&["following the newest", "14:13:25"]).await;
            user.type_in("G");
            user.sees(&["13:23:21"]).await;
            for _ in 0..ORDERS {
                user.press(KeyCode::PageUp);
                tokio::time::sleep(Duration::from_millis(50)).await;
                if user.glass.text().contains("following the newest") {
                    break;
                }
            }
            user.sees(&["following the newest", "14:13:25"]).await;
            user
        })
        .await
        .unwrap();
    });
}

#[test]
fn an_item_is_called_by_its_english_name_once_it_is_listed_and_by_another_before_long() {
    runtime(true).block_on(async {
        let (desk, view) = bare_desk().await;
        view.apply(&written(0..1)).await.unwrap();
        let called = |name: &str, revision| {
            let item = Item { name_en: Some(name.into()), revision, ..items().remove(0) };
            [ViewWrite::Item(item)]
        };
        watch(desk, Clock::paused_at(NOW), |user| async {
            user.sees(&["사과 × 5"]).await;
            view.apply(&called("Apple", 1)).await.unwrap();
            user.sees(&["Apple × 5"]).await;
            view.apply(&called("Fuji", 2)).await.unwrap();
            tokio::time::sleep(NAMES_FOR).await;
            view.apply(&written(1..2)).await.unwrap();
            user.sees(&["Fuji × 5"]).await;
            user
        })
        .await
        .unwrap();
    });
}

#[test]
fn a_filter_finds_what_the_view_finds() {
    runtime(true).block_on(async {
        let (desk, view) = bare_desk().await;
        view.apply(&written(0..100)).await.unwrap();
        watch(desk, Clock::paused_at(NOW), |user| async {
            user.sees(&["delivering 100"]).await;
            user.type_in("/000000000042");
            user.sees(&["scanned 100", "14:12:38", "scans the newest 10,000 at a time"]).await;
            user.press(KeyCode::Enter);
            user.type_in("/");
            user.press(KeyCode::End);
            for _ in 0..12 {
                user.press(KeyCode::Backspace);
            }
            user.type_in("status:cancelled");
            user.press(KeyCode::Enter);
            user.sees(&["No order matches"]).await;
            user
        })
        .await
        .unwrap();
    });
}

#[test]
fn an_unanswered_question_is_told_and_the_dashboard_goes_on() {
    runtime(true).block_on(async {
        let (desk, view) = bare_desk().await;
        view.apply(&written(0..1)).await.unwrap();
        watch(desk, Clock::paused_at(NOW), |user| async {
            user.sees(&["delivering 1"]).await;
            user.press(KeyCode::Enter);
            user.sees(&["Deposit answers", "asking"]).await;
            user.sees(&["No answer from deposit within 5 s", "No answer from order within 5 s"]).await;
            user
        })
        .await
        .unwrap();
    });
}

/// What the window of the load tells of the last second; on a busy machine not quite what is asked for.
fn answers_per_second(screen: &str) -> u64 {
    let told = screen.split("answers/s").nth(1).and_then(|rest| rest.split_whitespace().next());
    told.and_then(|number| number.parse().ok()).unwrap_or_default()
}

#[test]
fn load_is_put_on_made_faster_and_ended_and_every_order_is_told_of() {
    let data = tempfile::tempdir().unwrap();
    let flags = vec![
        ("data_dir".to_owned(), data.path().display().to_string()),
        // A busy machine must not make answers late.
        ("payment.timeout_ms".to_owned(), "9000".to_owned()),
    ];
    let config = Config::load(&Sources { file: None, environment: vec![], flags }).unwrap();
    let process = Process::start(&config).unwrap();
    let counted = runtime(false).block_on(async {
        process.ready().await;
        process.settle().await;
        let desk = process.desk().await.unwrap();
        let view = desk.view().clone();
        watch(desk, Clock::System, |user| async {
            user.sees(&["connected", "No orders yet"]).await;
            user.type_in("w");
            user.sees(&["[10]", "for load-1 to load-100"]).await;
            user.press(KeyCode::Enter);
            user.sees(&["load 10/s", "p99", "ok "]).await;
            user.type_in("++");
            user.sees(&["[50]", "load 50/s"]).await;
            user.waits_for("the last second is faster", |screen| answers_per_second(screen) > 20).await;
            user.type_in("x");
            user.sees(&["is over", "became: delivering"]).await;
            user.press(KeyCode::Enter);
            user.sees(&["run ", "in flight"]).await;
            // Left while it runs: what is in flight is answered.
            user.press(KeyCode::Esc);
            user
        })
        .await
        .unwrap();
        process.settle().await;
        view.counts().await.unwrap().orders
    });
    let [paying, placed, delivering, cancelled, rejected] = counted;
    assert!(delivering > 50, "{counted:?}");
    assert_eq!((paying, placed, cancelled, rejected), (0, 0, 0, 0), "in good order: {counted:?}");
    process.stop().unwrap();
}
