//! What an outside caller gives as the address for its answers can cost only its own answers.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Connection, ConnectionProperties};
use serde_json::json;
use skstore_workers::topology::COMMANDS;

use super::{CommandExchange, Reply, code};

/// How often the one with the address asks.
const EVERY: Duration = Duration::from_millis(200);
/// How often at least, while the others go on.
const TIMES: usize = 15;
/// How many orders the others place at least.
const ORDERS: usize = 40;
/// An address as RabbitMQ makes them, of a node that is in no cluster: 3.10 closes the connection that sends there.
const OF_NO_NODE: &str = "amq.rabbitmq.reply-to.g1h2AAdyZXBseUA3AAAABQAAAAAAAAAB.eJPUpYyPfEGYdqyaXmLKzA==";

/// Orders with answers to `address` come in all the time, while others place orders of theirs. How many it were.
fn place_beside(exchange: &mut CommandExchange, address: &str) -> usize {
    let (url, is_over, sent) = (exchange.workers.at.bus.clone(), AtomicBool::new(false), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
            runtime.block_on(ask_for_answers_at(&url, address, &is_over, &sent));
        });
        // Also when an order fails, or nobody would ever learn of it.
        let _over = Over(&is_over);
        let mut placed = 0;
        while placed < ORDERS || sent.load(Ordering::Acquire) < TIMES {
            let order = json!({ "item_id": "10", "customer": "kim", "order_id": format!("good-{placed}") });
            let answer = exchange.ask(Reply::BOTH[placed % 2], "order.place", &order);
            assert_eq!(code(&answer), "ok", "order {placed}, beside answers to {address}: {answer}");
            placed += 1;
        }
    });
    let said = exchange.workers.everything_said();
    for trouble in
        ["the breaker changed", "starting again", "cannot publish", "connection that publishes is lost"]
    {
        let line = said.lines().find(|line| line.contains(trouble));
        assert_eq!(line, None, "beside answers to {address}");
    }
    exchange.workers.assert_none_has_ended();
    sent.into_inner()
}

/// Has it end.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

async fn ask_for_answers_at(url: &str, address: &str, is_over: &AtomicBool, sent: &AtomicUsize) {
    let connection = Connection::connect(url, ConnectionProperties::default()).await.expect("the broker");
    let channel = connection.create_channel().await.expect("a channel");
    // What counts as sent is in its queue, ahead of whatever is asked later by others.
    channel.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
    let mut every = tokio::time::interval(EVERY);
    while !is_over.load(Ordering::Acquire) {
        every.tick().await;
        let number = sent.load(Ordering::Acquire);
        let body = json!({ "item_id": "11", "customer": "kim", "order_id": format!("bad-{number}") });
        let asks = BasicProperties::default().with_reply_to(address.into()).with_correlation_id("bad".into());
        let (body, options) = (body.to_string(), BasicPublishOptions::default());
        let placing =
            channel.basic_publish(COMMANDS.into(), "order.place".into(), options, body.as_bytes(), asks);
        let confirm = placing.await.expect("the broker takes it").await.expect("the broker confirms it");
        assert!(confirm.is_ack(), "{confirm:?}");
        sent.fetch_add(1, Ordering::AcqRel);
    }
}

#[test]
fn an_address_that_cannot_be_right_is_refused_and_costs_nobody_else_an_answer() {
    const ADDRESS: &str = "amq.rabbitmq.reply-to.x.y";
    let mut exchange = CommandExchange::open();
    let sent = place_beside(&mut exchange, ADDRESS);
    let parked = exchange.parked();
    assert_eq!(parked.len(), sent, "each that cannot be answered is parked, once");
    for one in parked {
        assert!(one.header("reason").contains("reply_to"), "{one:?}");
        assert_eq!(one.reply_to.as_deref(), Some(ADDRESS));
    }
    assert_eq!(exchange.shown("order:bad-0", "status"), "", "it did not happen");
}

#[test]
fn an_address_that_kills_the_connection_of_answers_costs_nobody_else_an_answer() {
    let mut exchange = CommandExchange::open();
    let sent = place_beside(&mut exchange, OF_NO_NODE);
    for number in 0..sent {
        exchange.until_shown(&format!("order:bad-{number}"), "status", "delivering");
    }
    let said = exchange.workers.everything_said();
    let losses = said.lines().filter(|line| line.contains("put aside")).count();
    assert!((1..TIMES).contains(&losses), "{losses} losses for {sent} answers: whoever does it is put aside");
}
