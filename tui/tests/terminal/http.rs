//! The dashboard with a gateway beside it.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use crate::ENGLISH;
use crate::person::{Person, line_with, skstore};

/// An address at which nobody listens.
fn free() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap()
}

fn places_an_order(at: SocketAddr) -> String {
    let body = r#"{"productId":"10","qty":"5"}"#;
    let mut stream = TcpStream::connect(at).unwrap();
    let length = body.len();
    write!(
        stream,
        "POST /orders HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn what_is_ordered_over_http_is_seen_at_once_and_the_gateway_ends_with_the_dashboard() {
    let home = tempfile::tempdir().unwrap();
    let at = free();
    let setting = format!("gateway.listen={at}");
    let arguments = ["--set", &setting];
    let mut person = Person::starts(skstore(home.path(), &arguments, ENGLISH));
    person.sees_text("breaker closed");
    let answer = places_an_order(at);
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    person.sees("the order on its way", |screen| line_with(screen, "× 5", "delivering").is_some());

    // Another dashboard with the same settings finds the address taken, and opens all the same.
    let mut other = Person::starts(skstore(home.path(), &arguments, ENGLISH));
    other.sees("the order there, too", |screen| line_with(screen, "× 5", "delivering").is_some());
    other.leaves();
    person.leaves();
    assert!(TcpStream::connect(at).is_err(), "it still listens");
}
