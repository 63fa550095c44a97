//! The process is killed in the midst of orders, by the signal that nobody can catch, and started again.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use skstore_domain::objects::{OrderStatus, PaymentStatus};
use skstore_workers::process::Process;
use skstore_workers::view::OrderFilter;

use super::fixture::{TestDesk, config};

/// Tells the test binary that it is the one to be killed, and where its data is.
const VICTIM: &str = "SKSTORE_TEST_VICTIM";
/// Orders that are being placed.
const ORDERS: usize = 1_000;
/// Buyers who place them.
const BUYERS: usize = 64;
/// Answers after which the kill comes: somewhere in the midst of all.
const ANSWERS_BEFORE_KILL: usize = 400;

/// Not a test of its own: what the killed process does. Without its variable it has nothing to do.
#[tokio::test]
async fn the_victim_places_orders_until_it_is_killed() {
    let Some(data) = std::env::var_os(VICTIM) else { return };
    let process = Process::start(&config(data.as_ref(), &[])).expect("the workers start");
    let desk = process.desk().await.expect("a desk");
    process.ready().await;
    let buy = async |buyer: usize| {
        for order in (buyer..ORDERS).step_by(BUYERS) {
            let place = skstore_domain::commands::Place {
                item_id: skstore_domain::ids::ItemId::new("10").expect("an id"),
                qty: 1,
                customer: skstore_domain::ids::Customer::new("kim").ok(),
                order_id: Some(super::fixture::order_id(&format!("order-{order}"))),
                unit_price: None,
            };
            let answer = desk.place(&place).await.expect("an answer");
            println!("answered {order} {}", answer.ok);
            if order % 7 == 0 {
                desk.cancel(&super::fixture::order_id(&format!("order-{order}"))).await.expect("an answer");
            }
        }
    };
    futures_util::future::join_all((0..BUYERS).map(buy)).await;
    println!("done");
    process.settle().await;
}

#[tokio::test]
async fn after_a_kill_in_the_midst_of_orders_every_order_ends_and_the_books_are_right() {
    let data = tempfile::tempdir().expect("a directory");
    let mut victim = Command::new(std::env::current_exe().expect("this test"))
        .args(["--exact", "kill::the_victim_places_orders_until_it_is_killed", "--nocapture"])
        .env(VICTIM, data.path())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the victim");
    let mut promised = Vec::new();
    let mut told = BufReader::new(victim.stdout.take().expect("its output")).lines();
    while promised.len() < ANSWERS_BEFORE_KILL {
        let line = told.next().expect("the victim lives").expect("a line");
        let Some(answer) = line.split("answered ").nth(1) else { continue };
        let Some((order, ok)) = answer.split_once(' ') else { continue };
        if ok == "true" {
            promised.push(format!("order-{order}"));
        }
    }
    victim.kill().expect("a kill");
    victim.wait().expect("its end");

    let desk = TestDesk::start_on(data, &[]).await;
    desk.until("every order has ended", async || {
        let counts = desk.desk.view().counts().await.expect("the view").orders;
        let waiting = [OrderStatus::Paying, OrderStatus::Placed];
        OrderStatus::ALL.iter().zip(counts).all(|(status, count)| count == 0 || !waiting.contains(status))
    })
    .await;
    desk.settle().await;

    let page = desk.desk.view().orders(&OrderFilter::default(), None, ORDERS + 1).await.expect("the view");
    let mut paid = 0;
    for row in &page.rows {
        let id = row.order.order_id.as_str();
        let payment = desk.payment(id).await;
        match row.order.status {
            OrderStatus::Delivering => {
                assert_eq!(payment, PaymentStatus::Paid, "{id}");
                paid += row.order.amount.0;
            }
            OrderStatus::Cancelled | OrderStatus::Rejected => {
                let is_given_back = matches!(payment, PaymentStatus::Refunded | PaymentStatus::Voided);
                assert!(is_given_back, "{id} is {} and its payment {payment}", row.order.status);
            }
            OrderStatus::Paying | OrderStatus::Placed => panic!("{id} is {}", row.order.status),
        }
    }
    for id in &promised {
        let order = desk.shown(id).await;
        assert!(
            matches!(order.status, OrderStatus::Delivering | OrderStatus::Cancelled),
            "{id} was promised, and is {}",
            order.status
        );
    }
    let opening = 500_000_000;
    assert_eq!(desk.balance("kim").await, opening - paid, "topped up = balance + charges not refunded");
    let delivered = page.rows.iter().filter(|row| row.order.status == OrderStatus::Delivering).count();
    assert_eq!(desk.stock("10").await, 10_000_000 - i64::try_from(delivered).expect("few"));
}
