//! The command exchange, as any AMQP client finds it: Python's pika and `rabbitmqadmin` ask the workers over a real broker, and
//! `redis-cli` looks at the view.
//!
//! `SKSTORE_TEST_AMQP_URL`, `SKSTORE_TEST_AMQP_API` and `SKSTORE_TEST_REDIS_URL` say where the servers are; `cargo
//! xtask test` starts them. Each test has a virtual host, a database and workers of its own.

mod answers;
mod bad_input;
mod commands;
mod foreign;
mod fuzz;
mod identity;
mod operators;
mod replays;
#[expect(clippy::disallowed_methods, reason = "it waits for processes, outside of any runtime")]
#[path = "../../../../xtask/src/servers/mod.rs"]
mod servers;
#[expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]
#[path = "../amqp/vhost.rs"]
mod vhost;
#[path = "../cluster/workers.rs"]
mod workers;

use foreign::{Foreign, Found, Reply};
use serde_json::{Value, json};
use workers::{At, Workers};

/// None of these tests is about time: on a busy machine no payment may be late.
const UNHURRIED: &[(&str, &str)] = &[("payment.timeout_ms", "9000"), ("breaker.slow_ms", "8000")];
/// A routing key that nothing is bound to.
const NOWHERE: &str = "order.eat";

/// Workers that take orders, and a client that asks them.
struct CommandExchange {
    client: Foreign,
    workers: Workers,
}

impl CommandExchange {
    fn open() -> Self {
        let mut workers = Workers::start(At::given(), UNHURRIED);
        let mut client = Foreign::connect(&workers.at.bus);
        // Order hears of the prices by itself; nothing else says that it has.
        workers.wait_until("Order knows the prices", |_| {
            let order = br#"{"item_id":"23","order_id":"first"}"#;
            code(&client.ask("order.place", order, Reply::Direct, &json!({}))) != "try_later"
        });
        Self { client, workers }
    }

    /// Asks for the answer in one way.
    fn ask(&mut self, reply: Reply, key: &str, body: &Value) -> Value {
        self.client.ask(key, body.to_string().as_bytes(), reply, &json!({}))
    }

    /// Sends, and wants no answer.
    fn tell(&mut self, key: &str, body: &Value) {
        self.client.tell(key, body.to_string().as_bytes(), &json!({}));
    }

    /// A field of an object in the view, as `redis-cli` shows it.
    fn shown(&self, object: &str, field: &str) -> String {
        self.workers.at.redis_cli(&["hget", &format!("myinfo:{object}"), field]).concat()
    }

    fn until_shown(&mut self, object: &str, field: &str, value: &str) {
        let key = format!("myinfo:{object}");
        self.workers.wait_until(&format!("{object} is shown with {field} {value}"), |workers| {
            workers.at.redis_cli(&["hget", &key, field]) == [value]
        });
    }

    /// Has the message that waits in `queue`, or soon does, come as *redelivered*.
    fn give_back(&mut self, queue: &str) {
        let Self { client, workers } = self;
        workers.wait_until(&format!("something waits in {queue}"), |_| client.give_back(queue));
    }

    /// Everything that was parked because of what was sent so far.
    fn parked(&mut self) -> Vec<Found> {
        self.until_all_is_done();
        std::iter::from_fn(|| self.client.take("skstore.dead")).collect()
    }

    /// Waits until every command that was sent so far has been dealt with.
    fn until_all_is_done(&mut self) {
        // Each queue is served in its order, so whoever answers these has done with what came before.
        for key in ["order.query", "deposit.query", "item.query", NOWHERE] {
            let fence = json!({ "order_id": "fence", "item_id": "fence" });
            self.ask(Reply::Direct, key, &fence);
        }
    }

    /// What an operator wants of all workers.
    fn send_control(&mut self, control: &Value) {
        let body = foreign::text(control.to_string().as_bytes());
        self.client.publish(&json!({ "exchange": "skstore.control", "key": "", "body": body }));
    }
}

fn code(answer: &Value) -> &str {
    answer["error"]["code"].as_str().unwrap_or("ok")
}
