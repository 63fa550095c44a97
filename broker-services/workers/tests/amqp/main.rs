//! What only the bus over a real broker has to promise: brokers die, connections are closed, queues are deleted,
//! and what is declared there may be somebody else's. Each test has a virtual host or a broker of its own.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(clippy::disallowed_methods, reason = "it waits for processes, outside of any runtime")]
#[path = "../../../../xtask/src/servers/mod.rs"]
mod servers;
mod vhost;

use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use lapin::options::{BasicConsumeOptions, BasicGetOptions, BasicPublishOptions, QueueDeclareOptions};
use lapin::{BasicProperties, Connection, ConnectionProperties};
use skstore_workers::bus::amqp::{AmqpBus, CONFIRM_WITHIN, MAX_UNCONFIRMED};
use skstore_workers::bus::{Bus, BusError, Consumer, Message, Properties, PublishOutcome, Subscription};
use skstore_workers::config::address::BrokerAddress;
use skstore_workers::topology::{
    self, COMMANDS, DEFAULT, DEPOSIT_PAYMENTS, ORDER_COMMANDS, PAYMENTS, QueueSpec,
};
use tokio::time::{Instant, timeout};

use servers::Rabbit;

/// The promise: back to work so soon after a lost part accepts connections again.
const BACK_WITHIN: Duration = Duration::from_secs(6);
/// Longer than anything here may take but a start of RabbitMQ, and than a worker waits between two attempts.
const PATIENCE: Duration = Duration::from_secs(120);
/// How long a worker waits before it tries again; a test need not back off.
const PAUSE: Duration = Duration::from_millis(50);

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { assert!(timeout(PATIENCE, test).await.is_ok(), "it hangs") });
}

fn ours(name: &str) -> QueueSpec {
    topology::queues().into_iter().find(|queue| queue.name == name).unwrap()
}

fn message(exchange: &str, routing_key: &str, body: &str) -> Message {
    Message {
        exchange: exchange.to_owned(),
        routing_key: routing_key.to_owned(),
        body: Arc::from(body.as_bytes()),
        properties: Properties::default(),
    }
}

async fn consumer(bus: &Bus, queue: &str) -> Result<Consumer, BusError> {
    bus.consumer(vec![Subscription { queue: ours(queue), prefetch: 100 }]).await
}

/// As a worker does: tries again until it works.
async fn consumer_at_last(bus: &Bus, queue: &str) -> Consumer {
    loop {
        match consumer(bus, queue).await {
            Ok(consumer) => return consumer,
            Err(BusError::Lost(_)) => tokio::time::sleep(PAUSE).await,
            Err(error @ (BusError::Topology(_) | BusError::Occupied(_))) => panic!("{error}"),
        }
    }
}

/// Waits for the next message and acks it.
async fn take(consumer: &mut Consumer) -> String {
    let delivery = consumer.receive(1).await.unwrap().remove(0);
    let body = String::from_utf8(delivery.message.body.to_vec()).unwrap();
    delivery.unacked.ack();
    body
}

#[test]
fn nothing_confirmed_is_lost_when_the_broker_is_killed_and_it_is_soon_back_at_work() {
    let mut rabbit = Rabbit::start().unwrap();
    run(async {
        let bus = Bus::Amqp(AmqpBus::connect(&rabbit.amqp_url()).await.unwrap());
        let publisher = bus.publisher().await.unwrap();
        let (mut confirmed, mut received) = (BTreeSet::new(), BTreeSet::new());
        let mut consumer = Some(consumer(&bus, ORDER_COMMANDS).await.unwrap());
        let (mut number, mut restarted, mut back) = (0_u32, None, None);
        while back.is_none() {
            // Bursts, so that some are on their way when it dies.
            let burst: Vec<_> = (0..50)
                .map(|_| {
                    number += 1;
                    number
                })
                .collect();
            let receipts: Vec<_> = burst
                .iter()
                .map(|number| publisher.publish(message(COMMANDS, "order.place", &number.to_string())))
                .collect();
            if confirmed.len() > 500 && restarted.is_none() {
                rabbit.kill();
                rabbit.restart().unwrap();
                restarted = Some(Instant::now());
            }
            for (number, receipt) in burst.into_iter().zip(receipts) {
                match receipt.await {
                    PublishOutcome::Confirmed => drop(confirmed.insert(number)),
                    PublishOutcome::Unknown => tokio::time::sleep(Duration::from_millis(1)).await,
                    other => panic!("{other:?}"),
                }
            }
            let Some(ear) = consumer.as_mut() else {
                consumer = self::consumer(&bus, ORDER_COMMANDS).await.ok();
                continue;
            };
            match timeout(PAUSE, ear.receive(100)).await {
                Ok(Ok(batch)) => {
                    let newest = confirmed.last().copied().unwrap_or_default();
                    for delivery in batch {
                        received.insert(body(&delivery.message));
                        delivery.unacked.ack();
                    }
                    // Both ways work when something that was published after the restart has been confirmed.
                    let after = restarted.filter(|_| newest > number - 50);
                    back = after.map(|since| since.elapsed());
                }
                Ok(Err(BusError::Lost(_))) => consumer = None,
                Ok(Err(error)) => panic!("{error}"),
                Err(_) => {}
            }
        }
        let took = back.unwrap();
        assert!(took <= BACK_WITHIN, "back at work only {took:?} after the broker accepted connections");
        let mut consumer = match consumer {
            Some(consumer) => consumer,
            None => consumer_at_last(&bus, ORDER_COMMANDS).await,
        };
        while !confirmed.is_subset(&received) {
            for delivery in consumer.receive(100).await.unwrap() {
                received.insert(body(&delivery.message));
                delivery.unacked.ack();
            }
        }
    });
}

fn body(message: &Message) -> u32 {
    std::str::from_utf8(&message.body).unwrap().parse().unwrap()
}

#[test]
fn a_connection_that_the_operator_closes_is_made_anew() {
    let rabbit = Rabbit::start().unwrap();
    run(async {
        let bus = Bus::Amqp(AmqpBus::connect(&rabbit.amqp_url()).await.unwrap());
        let publisher = bus.publisher().await.unwrap();
        let mut ear = consumer(&bus, ORDER_COMMANDS).await.unwrap();
        assert_eq!(publisher.publish(message(COMMANDS, "order.place", "1")).await, PublishOutcome::Confirmed);
        assert_eq!(take(&mut ear).await, "1");
        rabbit.ctl(&["close_all_connections", "maintenance"]).unwrap();
        let closed = Instant::now();
        let ended = loop {
            if let Err(ended) = ear.receive(1).await {
                break ended;
            }
        };
        assert!(matches!(&ended, BusError::Lost(why) if why.contains("maintenance")), "{ended}");
        drop(ear);
        let mut ear = consumer_at_last(&bus, ORDER_COMMANDS).await;
        while publisher.publish(message(COMMANDS, "order.place", "2")).await != PublishOutcome::Confirmed {
            tokio::time::sleep(PAUSE).await;
        }
        while take(&mut ear).await != "2" {}
        assert!(closed.elapsed() < BACK_WITHIN, "back at work only after {:?}", closed.elapsed());
    });
}

#[test]
fn a_channel_that_a_mistake_has_closed_is_opened_anew() {
    let vhost = vhost::empty();
    run(async {
        let bus = Bus::Amqp(AmqpBus::connect(&vhost.url).await.unwrap());
        let publisher = bus.publisher().await.unwrap();
        let mut ear = consumer(&bus, ORDER_COMMANDS).await.unwrap();
        assert_eq!(
            publisher.publish(message("no.such.exchange", "order.place", "0")).await,
            PublishOutcome::Unknown
        );
        let closed = Instant::now();
        while publisher.publish(message(COMMANDS, "order.place", "1")).await != PublishOutcome::Confirmed {
            tokio::time::sleep(PAUSE).await;
        }
        assert_eq!(take(&mut ear).await, "1");
        assert!(closed.elapsed() < BACK_WITHIN, "back at work only after {:?}", closed.elapsed());
    });
}

#[test]
fn what_is_merely_sent_gets_through_again_after_a_mistake_and_so_does_what_is_published() {
    let vhost = vhost::empty();
    run(async {
        let bus = Bus::Amqp(AmqpBus::connect(&vhost.url).await.unwrap());
        let publisher = bus.publisher().await.unwrap();
        let mut ear = consumer(&bus, ORDER_COMMANDS).await.unwrap();
        publisher.send(message("no.such.exchange", "order.place", "0"));
        let closed = Instant::now();
        // Until the broker has closed the channel, what is written on it is lost without a word.
        let taken = loop {
            publisher.send(message(COMMANDS, "order.place", "1"));
            if let Ok(taken) = timeout(PAUSE, take(&mut ear)).await {
                break taken;
            }
        };
        assert_eq!(taken, "1");
        assert!(closed.elapsed() < BACK_WITHIN, "back at work only after {:?}", closed.elapsed());
        while publisher.publish(message(COMMANDS, "order.place", "2")).await != PublishOutcome::Confirmed {
            tokio::time::sleep(PAUSE).await;
        }
        while take(&mut ear).await != "2" {}
    });
}

#[test]
fn a_channel_that_the_broker_closes_gives_back_what_it_held_to_a_new_one() {
    let rabbit = Rabbit::start().unwrap();
    // For channels that are opened from now on: how long a delivery may be held, and how often that is looked after.
    let patience = |ms: u32| {
        let sets = format!(
            "application:set_env(rabbit, consumer_timeout, {ms}), \
             application:set_env(rabbit, channel_tick_interval, 200)."
        );
        rabbit.ctl(&["eval", &sets]).unwrap();
    };
    patience(500);
    run(async {
        let bus = Bus::Amqp(AmqpBus::connect(&rabbit.amqp_url()).await.unwrap());
        let publisher = bus.publisher().await.unwrap();
        let mut ear = consumer(&bus, ORDER_COMMANDS).await.unwrap();
        assert_eq!(publisher.publish(message(COMMANDS, "order.place", "1")).await, PublishOutcome::Confirmed);
        let held = ear.receive(1).await.unwrap();
        let ended = ear.receive(1).await.unwrap_err();
        assert!(matches!(&ended, BusError::Lost(why) if why.contains("timed out")), "{ended}");
        let closed = Instant::now();
        drop((held, ear));
        patience(60_000);
        let mut ear = consumer_at_last(&bus, ORDER_COMMANDS).await;
        assert_eq!(take(&mut ear).await, "1");
        assert!(closed.elapsed() < BACK_WITHIN, "back at work only after {:?}", closed.elapsed());
    });
}

#[test]
fn a_broker_without_memory_takes_no_messages_but_acks() {
    let rabbit = Rabbit::start().unwrap();
    run(async {
        let bus = Bus::Amqp(AmqpBus::connect(&rabbit.amqp_url()).await.unwrap());
        let publisher = bus.publisher().await.unwrap();
        let mut ear = consumer(&bus, ORDER_COMMANDS).await.unwrap();
        for number in 0..10 {
            let receipt = publisher.publish(message(COMMANDS, "order.place", &number.to_string()));
            assert_eq!(receipt.await, PublishOutcome::Confirmed);
        }
        rabbit.ctl(&["set_vm_memory_high_watermark", "0.00001"]).unwrap();
        let asked = Instant::now();
        while publisher.publish(message(COMMANDS, "order.place", "more")).await == PublishOutcome::Confirmed {
        }
        let crowd: Vec<_> =
            (0..2_000).map(|_| publisher.publish(message(COMMANDS, "order.place", "more"))).collect();
        for receipt in crowd {
            assert_eq!(receipt.await, PublishOutcome::Unknown);
        }
        let waited = asked.elapsed();
        assert!(waited < CONFIRM_WITHIN * 3, "receipts took {waited:?}");
        for number in 0..10 {
            assert_eq!(take(&mut ear).await, number.to_string());
        }
        let unacked = || rabbit.ctl(&["-q", "list_queues", "name", "messages_unacknowledged"]).unwrap();
        while !unacked().lines().any(|line| line.split_whitespace().eq([ORDER_COMMANDS, "0"])) {
            let _ = timeout(PAUSE, take(&mut ear)).await;
        }
        rabbit.ctl(&["set_vm_memory_high_watermark", "0.4"]).unwrap();
        let back = Instant::now();
        while publisher.publish(message(COMMANDS, "order.place", "again")).await != PublishOutcome::Confirmed
        {
        }
        assert!(back.elapsed() < BACK_WITHIN, "back at work only after {:?}", back.elapsed());
    });
}

#[test]
fn a_deleted_queue_ends_its_consumer_and_is_declared_anew() {
    let vhost = vhost::empty();
    run(async {
        let bus = Bus::Amqp(AmqpBus::connect(&vhost.url).await.unwrap());
        let mut ear = consumer(&bus, ORDER_COMMANDS).await.unwrap();
        vhost.call("DELETE", &format!("/api/queues/{}/{ORDER_COMMANDS}", vhost.name), "");
        let ended = ear.receive(1).await.unwrap_err();
        let deleted = Instant::now();
        assert!(matches!(&ended, BusError::Lost(why) if why.contains(ORDER_COMMANDS)), "{ended}");
        drop(ear);
        let mut ear = consumer_at_last(&bus, ORDER_COMMANDS).await;
        let publisher = bus.publisher().await.unwrap();
        assert_eq!(publisher.publish(message(COMMANDS, "order.place", "1")).await, PublishOutcome::Confirmed);
        assert_eq!(take(&mut ear).await, "1");
        assert!(deleted.elapsed() < BACK_WITHIN, "back at work only after {:?}", deleted.elapsed());
    });
}

#[test]
fn a_queue_that_is_there_otherwise_is_named_with_the_remedy() {
    let vhost = vhost::empty();
    let path = format!("/api/queues/{}/{DEPOSIT_PAYMENTS}", vhost.name);
    vhost.call("PUT", &path, r#"{"durable":true,"arguments":{"x-queue-type":"classic"}}"#);
    run(async {
        let refused = AmqpBus::connect(&vhost.url).await.unwrap_err();
        let sentence = refused.to_string();
        assert!(matches!(refused, BusError::Topology(_)), "{sentence}");
        for part in ["deposit.payments", "x-max-length", "rabbitmqctl", "delete_queue"] {
            assert!(sentence.contains(part), "'{part}' is missing: {sentence}");
        }
    });
}

#[test]
fn a_person_is_told_what_to_put_right() {
    let vhost = vhost::empty();
    let elsewhere = vhost.url.replace(&vhost.name, "nowhere");
    let wrong_password = vhost.url.replace("guest:guest", "guest:wrong");
    run(async {
        let table = [
            (wrong_password, "correct user and password in bus.url"),
            (elsewhere, "create the virtual host 'nowhere'"),
            ("amqp:broker".to_owned(), "bus.url"),
        ];
        for (url, part) in table {
            let refused = AmqpBus::connect(&url).await.unwrap_err();
            let sentence = refused.to_string();
            assert!(matches!(refused, BusError::Topology(_)), "{url}: {sentence}");
            assert!(sentence.contains(part) && !sentence.contains("wrong"), "{url}: {sentence}");
        }
        let nobody = AmqpBus::connect("amqp://127.0.0.1:1").await.unwrap_err();
        assert!(matches!(nobody, BusError::Lost(_)), "somebody may start it: {nobody}");
    });
}

#[test]
fn any_amqp_client_can_ask_and_is_answered() {
    const REPLY_TO: &str = "amq.rabbitmq.reply-to";
    let vhost = vhost::empty();
    run(async {
        let bus = Bus::Amqp(AmqpBus::connect(&vhost.url).await.unwrap());
        let mut service = consumer(&bus, ORDER_COMMANDS).await.unwrap();
        let publisher = bus.publisher().await.unwrap();
        let outside = Connection::connect(&vhost.url, ConnectionProperties::default()).await.unwrap();
        let channel = outside.create_channel().await.unwrap();
        let options = BasicConsumeOptions { no_ack: true, ..Default::default() };
        let mut answers =
            channel.basic_consume(REPLY_TO.into(), "".into(), options, Default::default()).await.unwrap();
        let asks =
            BasicProperties::default().with_reply_to(REPLY_TO.into()).with_correlation_id("mine".into());
        channel
            .basic_publish(COMMANDS.into(), "order.query".into(), BasicPublishOptions::default(), b"?", asks)
            .await
            .unwrap();
        let question = service.receive(1).await.unwrap().remove(0);
        let asked = question.message.properties.clone();
        let mut answer = message(DEFAULT, &asked.reply_to.unwrap(), "!");
        answer.properties.correlation_id = asked.correlation_id;
        assert_eq!(publisher.publish(answer).await, PublishOutcome::Confirmed);
        question.unacked.ack();
        let heard = futures_util::StreamExt::next(&mut answers).await.unwrap().unwrap();
        assert_eq!(heard.data, b"!");
        assert_eq!(heard.properties.correlation_id().as_ref().map(|id| id.as_str()), Some("mine"));
    });
}

#[test]
fn answers_reach_their_callers_though_their_connection_is_closed_again_and_again() {
    const CALLERS: usize = 7;
    const BURST: usize = 50;
    const BURSTS: usize = 40;
    let rabbit = Rabbit::start().unwrap();
    run(async {
        let bus = Bus::Amqp(AmqpBus::connect(&rabbit.amqp_url()).await.unwrap());
        let publisher = bus.publisher().await.unwrap();
        let queue = |caller: usize| format!("caller-{caller}");
        let outside = Connection::connect(&rabbit.amqp_url(), ConnectionProperties::default()).await.unwrap();
        let channel = outside.create_channel().await.unwrap();
        for caller in 0..CALLERS {
            let options = QueueDeclareOptions { durable: true, ..Default::default() };
            channel.queue_declare(queue(caller).into(), options, Default::default()).await.unwrap();
        }
        let mut expected = BTreeSet::new();
        for burst in 0..BURSTS {
            let answers = (0..BURST).map(|at| {
                let number = burst * BURST + at;
                let mut answer = message(DEFAULT, &queue(number % CALLERS), &number.to_string());
                answer.properties.correlation_id = Some(number.to_string());
                expected.insert(u32::try_from(number).unwrap());
                answer
            });
            publisher.send_all(answers.collect());
            if burst % 10 == 5 {
                rabbit.ctl(&["close_all_connections", "maintenance"]).unwrap();
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        let outside = Connection::connect(&rabbit.amqp_url(), ConnectionProperties::default()).await.unwrap();
        let channel = outside.create_channel().await.unwrap();
        let mut heard = BTreeSet::new();
        while heard != expected {
            for caller in 0..CALLERS {
                let options = BasicGetOptions { no_ack: true };
                while let Some(got) = channel.basic_get(queue(caller).into(), options).await.unwrap() {
                    heard.insert(std::str::from_utf8(&got.delivery.data).unwrap().parse().unwrap());
                }
            }
            tokio::time::sleep(PAUSE).await;
        }
    });
}

#[test]
fn a_broker_as_it_is_shipped_limits_how_long_a_message_may_be_and_one_that_does_not_is_found_out() {
    let (shipped, vhost) = (Rabbit::start_as_shipped().unwrap(), vhost::empty());
    run(async {
        for (url, takes) in [(shipped.amqp_url(), false), (vhost.url.clone(), true)] {
            let address = BrokerAddress::parse(&url).unwrap();
            assert_eq!(AmqpBus::takes_too_long(&address).await.unwrap(), takes, "{address}");
        }
    });
}

#[test]
fn a_good_message_survives_a_storm_of_crashes() {
    /// More than RabbitMQ 4 has patience for unless it is told otherwise.
    const CRASHES: usize = 30;
    let vhost = vhost::empty();
    run(async {
        let bus = Bus::Amqp(AmqpBus::connect(&vhost.url).await.unwrap());
        let publisher = bus.publisher().await.unwrap();
        assert_eq!(
            publisher.publish(message(COMMANDS, "order.place", "good")).await,
            PublishOutcome::Confirmed
        );
        for crash in 0..CRASHES {
            let mut crashing = consumer(&bus, ORDER_COMMANDS).await.unwrap();
            let held = crashing.receive(1).await.unwrap();
            assert_eq!(held[0].redelivered, crash > 0, "delivery {crash}");
        }
        assert_eq!(take(&mut consumer(&bus, ORDER_COMMANDS).await.unwrap()).await, "good");
    });
}

#[test]
fn returned_messages_are_told_from_their_neighbours() {
    const ROUNDS: u32 = 2_000;
    let vhost = vhost::empty();
    run(async {
        let bus = Bus::Amqp(AmqpBus::connect(&vhost.url).await.unwrap());
        let publisher = bus.publisher().await.unwrap();
        let receipts: Vec<_> = (0..ROUNDS)
            .map(|number| {
                let key = if number % 3 == 0 { "nobody" } else { "charge" };
                publisher.publish(message(PAYMENTS, key, &number.to_string()))
            })
            .collect();
        for (number, receipt) in (0..ROUNDS).zip(receipts) {
            let expected = if number % 3 == 0 { PublishOutcome::Returned } else { PublishOutcome::Confirmed };
            assert_eq!(receipt.await, expected, "message {number}");
        }
    });
}

#[test]
fn a_publisher_that_is_too_fast_is_refused_and_not_kept_waiting() {
    let vhost = vhost::empty();
    run(async {
        let bus = Bus::Amqp(AmqpBus::connect(&vhost.url).await.unwrap());
        let publisher = bus.publisher().await.unwrap();
        // Nothing is awaited, but the connection has a thread of its own: what it confirms meanwhile makes room.
        let receipts: Vec<_> =
            (0..20 * MAX_UNCONFIRMED).map(|_| publisher.publish(message(DEFAULT, "nobody", ""))).collect();
        let (mut refused, mut returned) = (0, 0);
        for receipt in receipts {
            match receipt.await {
                PublishOutcome::Nacked => refused += 1,
                PublishOutcome::Returned => returned += 1,
                other => panic!("{other:?}"),
            }
        }
        assert!(refused > 0 && returned >= MAX_UNCONFIRMED, "{refused} refused, {returned} sent");
        assert_eq!(publisher.publish(message(PAYMENTS, "charge", "")).await, PublishOutcome::Confirmed);
    });
}
