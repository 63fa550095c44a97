//! Those who listen to events miss none, or are told that they do.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::served::{PATIENCE, Served};

/// A message of the stream.
#[derive(Debug, Default)]
struct Told {
    id: String,
    event: String,
    data: Value,
}

struct Listener(BufReader<TcpStream>);

impl Listener {
    async fn at(gateway: &Served, path: &str, headers: &str) -> Self {
        let mut stream = gateway.connect().await;
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n");
        stream.write_all(request.as_bytes()).await.expect("it reads");
        let mut listener = Self(BufReader::new(stream));
        let head = listener.lines_to("").await;
        assert!(head[0].starts_with("HTTP/1.1 200"), "{head:?}");
        assert!(head.iter().any(|line| line == "content-type: text/event-stream"), "{head:?}");
        listener
    }

    async fn lines_to(&mut self, end: &str) -> Vec<String> {
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            let read = timeout(PATIENCE, self.0.read_line(&mut line)).await.expect("a line").expect("a line");
            assert!(read > 0, "it has ended after {lines:?}");
            if line.trim_end() == end {
                return lines;
            }
            lines.push(line.trim_end().to_owned());
        }
    }

    /// The next message, without the framing of chunks, heartbeats and the time to come back.
    async fn next(&mut self) -> Told {
        loop {
            let mut told = Told::default();
            for line in self.lines_to("").await {
                match line.split_once(": ") {
                    Some(("id", id)) => told.id = id.to_owned(),
                    Some(("event", event)) => told.event = event.to_owned(),
                    Some(("data", data)) => told.data = serde_json::from_str(data).expect("JSON"),
                    _ => {}
                }
            }
            if told.data != Value::Null {
                return told;
            }
        }
    }

    /// What happens to an order, up to its delivery.
    async fn until_delivered(&mut self, order: &str) -> Vec<Told> {
        let mut all = Vec::new();
        loop {
            let told = self.next().await;
            let is_last =
                told.data["subject"] == json!(order) && told.data["kind"] == json!("order.delivering");
            all.push(told);
            if is_last {
                return all;
            }
        }
    }
}

async fn place(gateway: &Served, id: &str) {
    let placed = gateway.post("/orders", "", &json!({ "productId": "10", "order_id": id })).await;
    assert_eq!(placed.status, 201, "{}", placed.body);
}

#[tokio::test]
async fn who_was_cut_off_goes_on_where_it_was() {
    let gateway = Served::start().await;
    let mut listener = Listener::at(&gateway, "/events", "").await;
    place(&gateway, "first").await;
    let seen = listener.until_delivered("first").await;
    drop(listener);
    place(&gateway, "meanwhile").await;
    gateway.process.settle().await;
    let last = &seen[0].id;
    for (path, headers) in [
        ("/events".to_owned(), format!("Last-Event-ID: {last}\r\n")),
        (format!("/events?after={last}"), String::new()),
        ("/events?after=0".to_owned(), format!("Last-Event-ID: {last}\r\n")),
    ] {
        let mut again = Listener::at(&gateway, &path, &headers).await;
        let rest = again.until_delivered("meanwhile").await;
        let ids = |told: &[Told]| told.iter().map(|told| told.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(&rest[..seen.len() - 1]), ids(&seen[1..]), "{path} {headers}");
    }
    let mut all = Listener::at(&gateway, "/events?after=0", "").await;
    assert!(all.next().await.id.starts_with("1."), "from the oldest on");
}

#[tokio::test]
async fn a_place_may_have_any_letters_that_names_have() {
    let gateway = Served::start().await;
    let mut listener = Listener::at(&gateway, "/events", "").await;
    for amount in [1, 2] {
        let path = "/accounts/%EA%B9%80%20%EC%B2%A0%EC%88%98/topups";
        assert_eq!(gateway.post(path, "", &json!({ "amount": amount })).await.status, 200);
    }
    let first = listener.next().await;
    assert!(first.id.contains("김 철수"), "{first:?}");
    let mut again = Listener::at(&gateway, "/events", &format!("Last-Event-ID: {}\r\n", first.id)).await;
    let second = again.next().await;
    assert_eq!((second.event.as_str(), second.id), ("", listener.next().await.id), "it is the next one");
}

#[tokio::test]
async fn who_comes_from_another_feed_is_told_that_something_is_missing() {
    let gateway = Served::start().await;
    place(&gateway, "one").await;
    gateway.process.settle().await;
    for last in ["3.somebody-else", "999999.order"] {
        let mut listener = Listener::at(&gateway, "/events", &format!("Last-Event-ID: {last}\r\n")).await;
        let told = listener.next().await;
        assert_eq!(
            (told.event.as_str(), &told.data["continues_with"]),
            ("gap", &json!(1)),
            "{last}: {told:?}"
        );
        assert!(listener.next().await.id.starts_with("1."), "it goes on with the oldest");
    }
    for wrong in ["x", "7", "0.x"] {
        assert_eq!(gateway.get(&format!("/events?after={wrong}")).await.status, 400, "{wrong}");
    }
}

#[tokio::test]
async fn those_who_listen_have_seats_and_the_end_of_the_gateway_is_theirs() {
    let mut gateway = Served::start().await;
    let mut listeners = Vec::new();
    let full = loop {
        let mut stream = gateway.connect().await;
        stream.write_all(b"GET /events HTTP/1.1\r\nHost: localhost\r\n\r\n").await.expect("it reads");
        let mut head = [0; 12];
        timeout(PATIENCE, stream.read_exact(&mut head)).await.expect("a head").expect("a head");
        if &head != b"HTTP/1.1 200" {
            break String::from_utf8_lossy(&head).into_owned();
        }
        listeners.push(stream);
    };
    assert_eq!((full.as_str(), listeners.len()), ("HTTP/1.1 503", 64));
    assert_eq!(gateway.get("/accounts").await.status, 200, "others are served");
    drop(gateway.stop.take());
    timeout(Duration::from_secs(4), &mut gateway.served)
        .await
        .expect("it waits for no listener")
        .expect("no panic");
}
