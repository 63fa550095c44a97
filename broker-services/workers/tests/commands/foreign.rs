//! A client that is none of ours: Python's pika, as anybody would use it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// Debian's Python, for which `cargo xtask test` installs pika.
const PYTHON: &str = "/usr/bin/python3";
const CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/commands/client.py");

/// How it wants to hear the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Without a queue: `amq.rabbitmq.reply-to`.
    Direct,
    /// On a queue of its own.
    Queue,
}

impl Reply {
    pub(crate) const BOTH: [Self; 2] = [Self::Direct, Self::Queue];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Queue => "queue",
        }
    }
}

/// A message that was taken off a queue.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) body: Vec<u8>,
    pub(crate) headers: Value,
    pub(crate) reply_to: Option<String>,
    pub(crate) message_id: Option<String>,
    pub(crate) priority: Option<u64>,
    pub(crate) expiration: Option<String>,
}

impl Found {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].as_str().unwrap_or_default()
    }
}

/// The client, a process.
#[derive(Debug)]
pub(crate) struct Foreign {
    child: Child,
    tell: Option<ChildStdin>,
    told: BufReader<ChildStdout>,
    asked: u32,
}

impl Foreign {
    pub(crate) fn connect(url: &str) -> Self {
        let mut child = Command::new(PYTHON)
            .args([CLIENT, url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("Python comes with RabbitMQ");
        let tell = child.stdin.take();
        let told = BufReader::new(child.stdout.take().expect("its output"));
        Self { child, tell, told, asked: 0 }
    }

    /// Asks, and returns the answer. Panics if none comes.
    pub(crate) fn ask(&mut self, key: &str, body: &[u8], reply: Reply, properties: &Value) -> Value {
        self.asked += 1;
        let id = format!("question-{}", self.asked);
        let answer = self.has(&json!({
            "do": "ask", "key": key, "body": text(body), "reply": reply.word(), "correlation_id": id,
            "properties": properties,
        }));
        assert!(answer.is_object(), "no answer to {key} {}", String::from_utf8_lossy(body));
        answer
    }

    /// Sends, and wants no answer.
    pub(crate) fn tell(&mut self, key: &str, body: &[u8], properties: &Value) {
        self.publish(&json!({ "key": key, "body": text(body), "properties": properties }));
    }

    /// Sends to wherever the members `exchange`, `key` and `reply_to` of `message` say.
    pub(crate) fn publish(&mut self, message: &Value) {
        let mut told = message.clone();
        told["do"] = json!("tell");
        self.has(&told);
    }

    /// Takes the next message off `queue`, if there is one.
    pub(crate) fn take(&mut self, queue: &str) -> Option<Found> {
        found(&self.has(&json!({ "do": "get", "queue": queue })))
    }

    /// Takes the next message off `queue` and gives it back, so that it comes as *redelivered*.
    pub(crate) fn give_back(&mut self, queue: &str) -> bool {
        self.has(&json!({ "do": "get", "queue": queue, "requeue": true })).is_object()
    }

    /// Messages that wait in `queue`.
    pub(crate) fn length(&mut self, queue: &str) -> u64 {
        self.has(&json!({ "do": "length", "queue": queue })).as_u64().expect("a number")
    }

    fn has(&mut self, told: &Value) -> Value {
        let input = self.tell.as_mut().expect("its input");
        writeln!(input, "{told}").expect("the client lives");
        let mut line = String::new();
        self.told.read_line(&mut line).expect("a line");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("the client has ended ({error}): {told}"))
    }
}

impl Drop for Foreign {
    fn drop(&mut self) {
        // The end of its input ends it.
        self.tell = None;
        let _ = self.child.wait();
    }
}

/// As the client is told bytes: a character for each.
pub(crate) fn text(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

fn found(said: &Value) -> Option<Found> {
    let body = said["body"].as_str()?.chars().map(|byte| u8::try_from(byte).expect("a byte")).collect();
    let text = |name: &str| said[name].as_str().map(str::to_owned);
    Some(Found {
        body,
        headers: said["headers"].clone(),
        reply_to: text("reply_to"),
        message_id: text("message_id"),
        priority: said["priority"].as_u64(),
        expiration: text("expiration"),
    })
}
