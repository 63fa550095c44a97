//! Outside clients: each on a connection of its own, which it makes anew after every loss, asking again with the same
//! id until it is answered.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use futures_util::StreamExt;
use lapin::options::{BasicConsumeOptions, BasicPublishOptions};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, timeout};

use crate::workers::PATIENCE;

/// Where it hears its answers.
const REPLY_TO: &str = "amq.rabbitmq.reply-to";
/// How long it waits for an answer before it asks again, and for a connection: many times what either takes while
/// everything works.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);
/// The same for one who wants to know when all works again.
const IMPATIENT: Duration = Duration::from_millis(500);
/// How long it waits before it tries again to connect.
const CONNECT_PAUSE: Duration = Duration::from_millis(100);
/// The longest that it waits when told to try later: it would rather know.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);
/// Questions that are asked at once.
const PIPELINED: usize = 256;

/// One of them. Nothing is connected until it asks.
pub(crate) struct Buyer {
    /// A URL for each host, the one that is tried next first.
    urls: VecDeque<String>,
    link: Option<Link>,
    asked: u64,
    answer_within: Duration,
}

struct Link {
    channel: Channel,
    answers: Consumer,
    // Closed with it.
    _connection: Connection,
}

impl Buyer {
    pub(crate) fn new(url: &str) -> Self {
        Self { urls: each_host(url), link: None, asked: 0, answer_within: ANSWER_WITHIN }
    }

    /// One who does not wait long.
    pub(crate) fn impatient(url: &str) -> Self {
        Self { answer_within: IMPATIENT, ..Self::new(url) }
    }

    /// Asks once. `None`: nobody knows whether it was heard.
    pub(crate) async fn ask(&mut self, key: &str, body: &Value) -> Option<Value> {
        self.ask_all(&[(key, body.clone())]).await?.pop()
    }

    /// Asks until somebody answers.
    pub(crate) async fn ask_on(&mut self, key: &str, body: &Value) -> Value {
        let asking = async {
            loop {
                match self.ask(key, body).await {
                    Some(answer) => return answer,
                    None => sleep(CONNECT_PAUSE).await,
                }
            }
        };
        timeout(PATIENCE, asking).await.unwrap_or_else(|_| panic!("nobody answers {key} {body}"))
    }

    /// Asks until there is an answer that is not *try later*.
    pub(crate) async fn insist(&mut self, key: &str, body: &Value) -> Value {
        let insisting = async {
            loop {
                let answer = self.ask_on(key, body).await;
                match answer["error"]["retry_after_ms"].as_u64() {
                    Some(millis) => sleep(Duration::from_millis(millis).min(LONGEST_PAUSE)).await,
                    None => return answer,
                }
            }
        };
        timeout(PATIENCE, insisting).await.unwrap_or_else(|_| panic!("told to try later for ever: {body}"))
    }

    /// Asks many things at once. The answers, in their order; `None` if the connection is lost or one does not come.
    pub(crate) async fn ask_all(&mut self, questions: &[(&str, Value)]) -> Option<Vec<Value>> {
        let first = self.asked;
        self.asked += questions.len() as u64;
        let within = self.answer_within;
        let asking = async {
            let link = self.link().await?;
            let mut heard = BTreeMap::new();
            for (chunk, from) in questions.chunks(PIPELINED).zip((first..).step_by(PIPELINED)) {
                for ((key, body), number) in chunk.iter().zip(from..) {
                    link.publish(key, body, number).await?;
                }
                while heard.len() < usize::try_from(from - first).ok()? + chunk.len() {
                    let answer = timeout(within, link.answers.next()).await.ok()??.ok()?;
                    let id = answer.properties.correlation_id().as_ref()?.as_str().parse::<u64>().ok()?;
                    // One that comes too late was asked again.
                    if id >= first {
                        heard.insert(id, serde_json::from_slice(&answer.data).ok()?);
                    }
                }
            }
            Some(heard.into_values().collect())
        };
        let answers = asking.await;
        if answers.is_none() {
            self.link = None;
        }
        answers
    }

    /// What an operator wants of all workers.
    pub(crate) async fn wish(&mut self, wish: &Value) {
        let link = self.link().await.expect("a connection");
        let (exchange, options) = ("skstore.control".into(), BasicPublishOptions::default());
        let body = wish.to_string();
        let sent = link.channel.basic_publish(
            exchange,
            "".into(),
            options,
            body.as_bytes(),
            BasicProperties::default(),
        );
        sent.await.expect("it is sent");
    }

    async fn link(&mut self) -> Option<&mut Link> {
        if self.link.is_none() {
            self.link = timeout(ANSWER_WITHIN, Link::open(&self.urls[0])).await.ok().and_then(Result::ok);
            if self.link.is_none() {
                self.urls.rotate_left(1);
            }
        }
        self.link.as_mut()
    }
}

/// `amqp://USER:PASSWORD@HOST,HOST…/VHOST` as a URL for each host.
fn each_host(url: &str) -> VecDeque<String> {
    let (login, rest) = url.split_once('@').expect("a URL with a login");
    let (hosts, vhost) =
        rest.split_once('/').map_or((rest, String::new()), |(hosts, vhost)| (hosts, format!("/{vhost}")));
    hosts.split(',').map(|host| format!("{login}@{host}{vhost}")).collect()
}

impl Link {
    async fn open(url: &str) -> lapin::Result<Self> {
        let connection = Connection::connect(url, ConnectionProperties::default()).await?;
        let channel = connection.create_channel().await?;
        let options = BasicConsumeOptions { no_ack: true, ..Default::default() };
        let answers =
            channel.basic_consume(REPLY_TO.into(), "".into(), options, FieldTable::default()).await?;
        Ok(Self { channel, answers, _connection: connection })
    }

    async fn publish(&self, key: &str, body: &Value, number: u64) -> Option<()> {
        let properties = BasicProperties::default()
            .with_reply_to(REPLY_TO.into())
            .with_correlation_id(number.to_string().into());
        let (exchange, options) = ("skstore.commands".into(), BasicPublishOptions::default());
        let body = body.to_string();
        self.channel.basic_publish(exchange, key.into(), options, body.as_bytes(), properties).await.ok()?;
        Some(())
    }
}

/// A place of one unit, by kim.
pub(crate) fn place(id: &str, item: &str) -> Value {
    json!({ "item_id": item, "customer": "kim", "order_id": id })
}

pub(crate) fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or("ok")
}

/// Waits until `condition`, and says how long that took.
pub(crate) async fn until(what: &str, mut condition: impl AsyncFnMut() -> bool) -> Duration {
    let started = Instant::now();
    while !condition().await {
        assert!(started.elapsed() < PATIENCE, "not within {PATIENCE:?}: {what}");
        sleep(crate::workers::LOOK_EVERY).await;
    }
    started.elapsed()
}
