//! Many at once: for the last units, for the same order, for and against the same order.

use std::time::Duration;

use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use skstore_domain::signals::Service;

use super::books::Books;
use super::buyers::{Buyer, code, place, until};
use super::workers::{At, Workers};
use super::{APPLE, APPLES, UNHURRIED, among_others, run};

/// What the catalogue has twelve of.
const SCARCE: &str = "41";
const SCARCE_STOCK: i64 = 12;

/// Buyers who are connected, so that what they ask next is asked at once; the prices are known.
async fn buyers(at: &At, count: usize) -> Vec<Buyer> {
    let mut buyers: Vec<Buyer> = (0..count).map(|_| Buyer::new(&at.bus)).collect();
    buyers[0].insist("order.place", &json!({ "item_id": "11", "order_id": "first" })).await;
    let hello = json!({ "item_id": APPLE });
    join_all(buyers.iter_mut().map(|buyer| buyer.ask_on("item.query", &hello))).await;
    buyers
}

#[test]
fn each_of_the_last_units_goes_to_one_of_sixty_four_buyers_and_the_others_have_their_money_back() {
    const BUYERS: usize = 64;
    let _others = among_others();
    let workers = Workers::start(At::given(), UNHURRIED);
    run(async {
        let mut buyers = buyers(&workers.at, BUYERS).await;
        let ids: Vec<String> = (0..BUYERS).map(|buyer| format!("scarce-{buyer}")).collect();
        let orders: Vec<Value> = ids.iter().map(|id| place(id, SCARCE)).collect();
        let asking = buyers.iter_mut().zip(&orders).map(|(buyer, order)| buyer.insist("order.place", order));
        for answer in join_all(asking).await {
            assert_eq!(code(&answer), "ok", "accepted and paid, whatever is in stock: {answer}");
        }
        let books = Books::close(&workers.at, &ids, SCARCE, SCARCE_STOCK).await;
        assert_eq!(books.count("delivering"), usize::try_from(SCARCE_STOCK).expect("a few"));
        assert_eq!(books.count("cancelled"), BUYERS - books.count("delivering"));
        for order in books.orders.values().filter(|order| order["status"] == "cancelled") {
            assert_eq!(order["reason"], "sold_out", "{order}");
        }
    });
}

#[test]
fn the_same_id_fifty_times_at_once_is_one_order_and_one_charge() {
    const TIMES: usize = 50;
    let _others = among_others();
    let workers = Workers::start(At::given(), UNHURRIED);
    run(async {
        let mut buyers = buyers(&workers.at, TIMES).await;
        let order = place("same", APPLE);
        let answers = join_all(buyers.iter_mut().map(|buyer| buyer.ask_on("order.place", &order))).await;
        for answer in &answers {
            assert_eq!(code(answer), "ok", "{answer}");
            assert_eq!(answer["order"]["placed_at"], answers[0]["order"]["placed_at"], "one order");
        }
        let other = buyers[1].ask_on("order.place", &place("same", "11")).await;
        assert_eq!(code(&other), "conflict", "{other}");
        let books = Books::close(&workers.at, &["same".to_owned()], APPLE, APPLES).await;
        assert_eq!(books.count("delivering"), 1);
    });
}

#[test]
fn a_cancel_is_right_before_during_and_after_payment_and_delivery() {
    const ORDERS: usize = 64;
    /// From before the place arrives until after the delivery has started.
    const LATEST_MILLIS: u64 = 120;
    let _others = among_others();
    let workers = Workers::start(At::given(), UNHURRIED);
    run(async {
        let mut placing = buyers(&workers.at, ORDERS).await;
        let mut cancelling = buyers(&workers.at, ORDERS).await;
        let ids: Vec<String> = (0..ORDERS).map(|order| format!("regretted-{order}")).collect();
        let races = placing.iter_mut().zip(&mut cancelling).zip(&ids).enumerate();
        let races = races.map(async |(order, ((places, cancels), id))| {
            let (order_body, cancel) = (place(id, APPLE), json!({ "order_id": id }));
            let after = LATEST_MILLIS * order as u64 / ORDERS as u64;
            let (_, cancelled) = join(places.insist("order.place", &order_body), async {
                tokio::time::sleep(Duration::from_millis(after)).await;
                cancels.ask_on("order.cancel", &cancel).await
            })
            .await;
            let answer = code(&cancelled).to_owned();
            assert!(["ok", "not_found"].contains(&answer.as_str()), "{cancelled}");
        });
        join_all(races).await;
        let books = Books::close(&workers.at, &ids, APPLE, APPLES).await;
        assert_eq!(books.count("cancelled"), ORDERS, "every one of them");
    });
}

#[test]
fn while_item_is_down_orders_are_taken_and_refunded_and_deliveries_follow() {
    const ORDERS: usize = 20;
    const CANCELLED: usize = 5;
    let _others = among_others();
    let mut workers = Workers::start(At::given(), UNHURRIED);
    let ids: Vec<String> = (0..ORDERS).map(|order| format!("waiting-{order}")).collect();
    run(async {
        let mut buyer = buyers(&workers.at, 1).await.remove(0);
        workers.end(Service::Item, "TERM");
        for id in &ids {
            let answer = buyer.insist("order.place", &place(id, APPLE)).await;
            assert_eq!((code(&answer), &answer["order"]["status"]), ("ok", &json!("placed")), "{answer}");
        }
        for id in &ids[..CANCELLED] {
            let answer = buyer.ask_on("order.cancel", &json!({ "order_id": id })).await;
            assert_eq!(answer["order"]["status"], "cancelled", "{answer}");
            until("its payment is given back", async || {
                let answer = buyer.ask_on("deposit.query", &json!({ "order_id": id })).await;
                answer["payment"]["status"] == "refunded"
            })
            .await;
        }
        let waits = buyer.ask_on("order.query", &json!({ "order_id": ids[ORDERS - 1] })).await;
        assert_eq!(waits["order"]["status"], "placed", "{waits}");
        workers.start_one(Service::Item);
        let books = Books::close(&workers.at, &ids, APPLE, APPLES).await;
        assert_eq!((books.count("delivering"), books.count("cancelled")), (ORDERS - CANCELLED, CANCELLED));
    });
}
