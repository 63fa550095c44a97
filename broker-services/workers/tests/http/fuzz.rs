//! Requests that make no sense, or hardly any, over many connections: nothing panics, nothing happens, and whoever sends
//! sense is answered.
//!
//! `SKSTORE_FUZZ_SEED` repeats a run, as far as threads let it; `SKSTORE_FUZZ_REQUESTS` makes it longer.

#![expect(clippy::print_stderr, reason = "the seed of a run that fails, and what it came to")]

use std::collections::BTreeMap;

use fastrand::Rng;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::child::Gateway;
use crate::fuzz::nonsense::{Request, nonsense};
use crate::served::PATIENCE;

mod nonsense;

/// How many requests, if nobody says otherwise.
const REQUESTS: usize = 5_000;
/// Connections at once.
const CONNECTIONS: usize = 32;

fn variable<T: std::str::FromStr>(name: &str) -> Option<T> {
    std::env::var(name).ok()?.parse().ok()
}

/// All that the view shows, but for the workers' health.
async fn books(gateway: &Gateway) -> Vec<String> {
    let mut books = Vec::new();
    for path in ["/orders?limit=200", "/accounts?limit=200", "/products?limit=200", "/myinfo/counts"] {
        let answer = gateway.ask(&format!("GET {path}"), "", "").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        books.push(answer.split_once("\r\n\r\n").expect("a body").1.to_owned());
    }
    books
}

#[tokio::test]
async fn requests_that_make_no_sense_do_nothing() {
    let seed = variable("SKSTORE_FUZZ_SEED").unwrap_or_else(|| fastrand::u64(..));
    let requests = variable("SKSTORE_FUZZ_REQUESTS").unwrap_or(REQUESTS);
    eprintln!("SKSTORE_FUZZ_SEED={seed}");
    let gateway = Gateway::start(&[]);
    gateway.ready().await;
    let body = r#"{"productId":"10","order_id":"sense"}"#;
    let json = "Content-Type: application/json\r\n";
    let placed = gateway.ask("POST /orders", json, body).await;
    assert!(placed.starts_with("HTTP/1.1 201"), "{placed}");
    let is_shown = async {
        while !gateway.ask("GET /orders/sense", "", "").await.contains("\"status\":\"delivering\"") {}
    };
    timeout(PATIENCE, is_shown).await.expect("the order is delivered");
    let (before, began) = (books(&gateway).await, Instant::now());
    let mut senders = JoinSet::new();
    for number in 0..CONNECTIONS {
        let rng = Rng::with_seed(seed.wrapping_add(number as u64));
        let count = requests / CONNECTIONS + usize::from(number < requests % CONNECTIONS);
        senders.spawn(send(gateway.address, rng, count));
    }
    let mut statuses: BTreeMap<u16, usize> = BTreeMap::new();
    for counted in senders.join_all().await {
        for (status, count) in counted {
            *statuses.entry(status).or_default() += count;
        }
    }
    eprintln!(
        "{requests} requests in {:.1} s; 0 stands for none: {statuses:?}",
        began.elapsed().as_secs_f64()
    );
    assert!(statuses.keys().all(|status| *status < 500), "seed {seed}: {statuses:?}");
    assert!(statuses.len() > 5, "seed {seed}: there is little variety in {statuses:?}");
    assert_eq!(books(&gateway).await, before, "seed {seed}: something happened");
    let panicked = gateway.log().lines().find(|line| line.contains("panicked")).map(str::to_owned);
    assert_eq!(panicked, None, "seed {seed}");
    let after = gateway.ask("POST /orders", json, r#"{"productId":"10"}"#).await;
    assert!(after.starts_with("HTTP/1.1 201"), "seed {seed}: {after}");
}

/// Sends so many requests, on the same connection for as long as that is kept. How many got which status.
async fn send(to: std::net::SocketAddr, mut rng: Rng, count: usize) -> BTreeMap<u16, usize> {
    let mut statuses = BTreeMap::new();
    let mut kept: Option<TcpStream> = None;
    for _ in 0..count {
        let Request { bytes, is_whole } = nonsense(&mut rng);
        let mut stream = match kept.take() {
            Some(stream) => stream,
            None => TcpStream::connect(to).await.expect("it is there"),
        };
        let exchange = async {
            // It may have said no, and gone, before all of it was there.
            let _ = stream.write_all(&bytes).await;
            if !is_whole {
                let _ = stream.shutdown().await;
            }
            answer(&mut stream).await
        };
        let (status, is_kept) = timeout(PATIENCE, exchange)
            .await
            .unwrap_or_else(|_| panic!("neither answered nor closed: {:?}", String::from_utf8_lossy(&bytes)));
        *statuses.entry(status).or_default() += 1;
        kept = (is_kept && is_whole).then_some(stream);
    }
    statuses
}

/// The status of the next answer, 0 if there is none, and whether the connection is kept.
async fn answer(stream: &mut TcpStream) -> (u16, bool) {
    let mut read = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&read);
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a status");
            let lower = head.to_ascii_lowercase();
            let header =
                |name: &str| lower.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned);
            let length = header("content-length: ").and_then(|length| length.parse::<usize>().ok());
            if status == 100 {
                read = read[head.len() + 4..].to_vec();
                continue;
            }
            if length.is_some_and(|length| body.len() >= length) {
                let is_kept =
                    body.len() == length.unwrap_or_default() && header("connection: close").is_none();
                return (status, is_kept);
            }
            if length.is_none() {
                return (status, false);
            }
        }
        let mut more = [0; 4096];
        match stream.read(&mut more).await {
            Ok(0) | Err(_) => {
                let status = text.split(' ').nth(1).and_then(|word| word.parse().ok());
                return (status.unwrap_or(0), false);
            }
            Ok(count) => read.extend_from_slice(&more[..count]),
        }
    }
}
