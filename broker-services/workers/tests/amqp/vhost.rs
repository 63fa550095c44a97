//! A virtual host for each test: a broker of its own, as far as it can tell.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

/// `amqp://…` of the broker that the tests may use, without a virtual host.
const AMQP_URL: &str = "SKSTORE_TEST_AMQP_URL";
/// `http://…` of its management plugin.
const API_URL: &str = "SKSTORE_TEST_AMQP_API";
/// `guest:guest` in base64.
const GUEST: &str = "Z3Vlc3Q6Z3Vlc3Q=";

/// A virtual host.
#[derive(Debug, Clone)]
pub(crate) struct Vhost {
    pub(crate) name: String,
    /// `amqp://…`
    pub(crate) url: String,
    /// `http://…`
    api: String,
}

/// An empty one on the broker that the tests are given.
pub(crate) fn empty() -> Vhost {
    let given = |name: &str| {
        std::env::var(name)
            .unwrap_or_else(|_| panic!("{name} is not set: run `cargo xtask test`, which starts a broker"))
    };
    create(&given(AMQP_URL), &given(API_URL))
}

/// An empty one on the broker at these URLs.
pub(crate) fn create(amqp: &str, api: &str) -> Vhost {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let name = format!("test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let vhost = Vhost { url: format!("{amqp}/{name}"), api: api.to_owned(), name };
    vhost.create_again();
    vhost
}

#[allow(dead_code, reason = "each of those who include it uses a part")]
impl Vhost {
    /// Creates it, after it was deleted too.
    pub(crate) fn create_again(&self) {
        self.call("PUT", &format!("/api/vhosts/{}", self.name), "");
        let all = r#"{"configure":".*","write":".*","read":".*"}"#;
        self.call("PUT", &format!("/api/permissions/{}/guest", self.name), all);
    }

    /// `http://…` of the management plugin.
    pub(crate) fn api(&self) -> &str {
        &self.api
    }

    /// Calls the management plugin; panics unless it does what it is asked to.
    pub(crate) fn call(&self, method: &str, path: &str, body: &str) -> String {
        let host = self.api.strip_prefix("http://").expect("an http URL");
        let mut stream = TcpStream::connect(host).expect("the management plugin accepts");
        stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Basic {GUEST}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 2"), "{method} {path}: {answer}");
        answer
    }
}
