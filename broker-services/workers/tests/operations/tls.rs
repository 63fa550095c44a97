//! Encrypted connections, by URL, with a certificate authority of one's own.

use std::path::{Path, PathBuf};
use std::process::Command;

use lapin::options::{BasicConsumeOptions, BasicPublishOptions};
use lapin::tcp::OwnedTLSConfig;
use lapin::{BasicProperties, Connection, ConnectionProperties, runtime};

use crate::servers::{Rabbit, Redis};
use crate::workers::{Worker, command, healthy, until};

/// An authority, and a certificate that it has signed for `localhost`.
pub(crate) struct Certificates {
    directory: tempfile::TempDir,
}

impl Certificates {
    fn make() -> Self {
        let made = Self { directory: tempfile::tempdir().unwrap() };
        let key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
        std::fs::write(made.path("names"), "subjectAltName = DNS:localhost\n").unwrap();
        made.openssl(
            &["req", "-x509", "-days", "2", "-subj", "/CN=authority", "-keyout", "ca.key", "-out", "ca.pem"],
            &key,
        );
        made.openssl(&["req", "-subj", "/CN=server", "-keyout", "key.pem", "-out", "request"], &key);
        let sign = ["x509", "-req", "-days", "2", "-in", "request", "-out", "cert.pem", "-extfile", "names"];
        made.openssl(&sign, &["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]);
        made
    }

    fn openssl(&self, words: &[&str], more: &[&str]) {
        let made = Command::new("openssl").args(words).args(more).current_dir(self.directory.path()).output();
        let made = made.expect("openssl is Debian's package of that name");
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Its own certificate, for those who shall trust it.
    fn authority(&self) -> PathBuf {
        self.path("ca.pem")
    }
}

/// Settings of workers that reach both servers by `host`.
fn settings(rabbit: &Rabbit, redis: &Redis, host: &str, data: &Path) -> Vec<(String, String)> {
    vec![
        ("bus.url".to_owned(), rabbit.amqp_url().replace("127.0.0.1", host)),
        ("view.url".to_owned(), redis.url().replace("127.0.0.1", host)),
        ("data_dir".to_owned(), data.display().to_string()),
    ]
}

/// Asks for an item's price and stock over an encrypted connection of a client that is not ours; the answer's text.
async fn ask(url: &str, authority: &str) -> String {
    const REPLY_TO: &str = "amq.rabbitmq.reply-to";
    let trusted = OwnedTLSConfig { cert_chain: Some(authority.to_owned()), ..OwnedTLSConfig::default() };
    let connection = Connection::connect_with_config(
        url,
        ConnectionProperties::default(),
        trusted,
        runtime::default_runtime().unwrap(),
    );
    let channel = connection.await.unwrap().create_channel().await.unwrap();
    let options = BasicConsumeOptions { no_ack: true, ..BasicConsumeOptions::default() };
    let mut answers =
        channel.basic_consume(REPLY_TO.into(), "".into(), options, Default::default()).await.unwrap();
    let properties = BasicProperties::default().with_reply_to(REPLY_TO.into());
    channel
        .basic_publish(
            "skstore.commands".into(),
            "order.place".into(),
            BasicPublishOptions::default(),
            br#"{"item_id":"10","qty":1,"customer":"kim","order_id":"encrypted"}"#,
            properties,
        )
        .await
        .unwrap();
    let answer = futures_util::StreamExt::next(&mut answers).await.unwrap().unwrap();
    String::from_utf8(answer.data).unwrap()
}

#[tokio::test]
async fn workers_reach_encrypted_servers_and_trust_nobody_else() {
    let certificates = Certificates::make();
    let (cert, key) = (certificates.path("cert.pem"), certificates.path("key.pem"));
    let rabbit = Rabbit::start_encrypted(&cert, &key).unwrap();
    let redis = Redis::start_encrypted(&cert, &key).unwrap();
    let data = tempfile::tempdir().unwrap();
    let by = |host: &str| settings(&rabbit, &redis, host, data.path());
    let authority = certificates.authority().display().to_string();
    let trusting = [("SSL_CERT_FILE", authority.as_str())];
    let all = ["order", "deposit", "item", "myinfo"];

    let settings = by("localhost");
    let health = || healthy(&command(&["health", "order", "myinfo"], &settings).output().unwrap());
    let said = |parts: [&str; 2]| health().is_err_and(|why| parts.iter().all(|part| why.contains(part)));
    let untrusted = Worker::start(&all, &by("localhost"), &[]);
    until("nobody is trusted", async || said(["SSL_CERT_FILE", "message broker localhost"])).await;
    drop(untrusted);
    let another = Worker::start(&all, &by("127.0.0.1"), &trusting);
    until("another host is noticed", async || said(["its certificate is for another host", "127.0.0.1"]))
        .await;
    drop(another);

    let worker = Worker::start(&all, &settings, &trusting);
    until("all are at work", async || health().is_ok()).await;
    let url = rabbit.amqp_url().replace("127.0.0.1", "localhost");
    let trusted = std::fs::read_to_string(certificates.authority()).unwrap();
    until("an order is accepted", async || ask(&url, &trusted).await.contains(r#""ok":true"#)).await;
    drop(worker);

    // The broker is reached without encryption problems here; what is wrong is told of Redis alone.
    let mut half = by("localhost");
    half[1].1 = redis.url();
    let worker = Worker::start(&all, &half, &trusting);
    until("myinfo says what is wrong with Redis", async || {
        health().is_err_and(|why| why.contains("myinfo") && why.contains("certificate is for another host"))
    })
    .await;
    drop(worker);
}
