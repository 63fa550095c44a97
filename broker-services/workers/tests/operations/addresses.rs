//! What is written in `bus.url` is what is used: the broker is nowhere else, and each of its hosts is tried.

use std::time::Duration;

use skstore_workers::bus::amqp::AmqpBus;
use skstore_workers::bus::{Bus, BusError};
use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::proxy::Proxy;
use crate::vhost::{self, Vhost};
use crate::workers::until;

/// The promise: back to work so soon after a lost part accepts connections again.
const BACK_WITHIN: Duration = Duration::from_secs(6);

/// Where the broker of `vhost` listens.
fn broker(vhost: &Vhost) -> &str {
    vhost.url.split(['@', '/']).nth(3).unwrap()
}

/// The URL of `vhost`, with these hosts in place of its own.
fn by(vhost: &Vhost, hosts: &str) -> String {
    vhost.url.replace(broker(vhost), hosts)
}

#[tokio::test]
async fn a_broker_at_an_address_in_brackets_is_reached_there() {
    let vhost = vhost::empty();
    let proxy = Proxy::start("[::1]:0", broker(&vhost)).await;
    let url = by(&vhost, &proxy.at());
    let bus = Bus::Amqp(AmqpBus::connect(&url).await.unwrap());
    assert!(!bus.depths().await.unwrap().is_empty());
    assert!(proxy.connections() > 0, "{url} was reached elsewhere");
}

#[tokio::test]
async fn a_password_is_sent_to_nobody_but_the_host_that_is_named() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    // Of the range that is kept for documents: nobody has it.
    let url = format!("amqp://kim:secret@[2001:db8::1]:{port}");
    let error = tokio::select! {
        error = AmqpBus::connect(&url) => error.unwrap_err().to_string(),
        other = listener.accept() => panic!("it connects to {:?} instead", other.unwrap().0.local_addr()),
    };
    assert!(error.contains(&format!("[2001:db8::1]:{port}")) && !error.contains("secret"), "{error}");
}

#[tokio::test]
async fn the_hosts_of_a_broker_are_tried_in_turn_and_each_says_why_not() {
    let vhost = vhost::empty();
    let nowhere = AmqpBus::connect(&by(&vhost, "127.0.0.1:1,[::1]:1")).await.unwrap_err();
    let said = nowhere.to_string();
    assert!(matches!(nowhere, BusError::Lost(_)), "somebody may start one: {said}");
    assert!(said.contains("127.0.0.1:1: ") && said.contains("[::1]:1: "), "{said}");

    let (first, second) = (
        Proxy::start("127.0.0.1:0", broker(&vhost)).await,
        Proxy::start("127.0.0.1:0", broker(&vhost)).await,
    );
    let hosts = format!("127.0.0.1:1,{},{}", first.at(), second.at());
    let bus = Bus::Amqp(AmqpBus::connect(&by(&vhost, &hosts)).await.unwrap());
    bus.depths().await.unwrap();
    assert!(first.connections() > 0, "the first that listens is used");
    assert_eq!(second.connections(), 0, "and no other one");

    drop(first);
    let lost = Instant::now();
    until("the next host is used", async || bus.depths().await.is_ok()).await;
    assert!(second.connections() > 0, "by the next host");
    assert!(lost.elapsed() < BACK_WITHIN, "back only after {:?}", lost.elapsed());
}
