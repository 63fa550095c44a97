//! A broker that forgets under traffic: with all its data, by a policy, by an operator's purge, to a stranger. No order needs
//! what was lost, and the view asks for it.
//!
//! `SKSTORE_FORGETTING_SECONDS` has each of that last longer.

#![expect(clippy::print_stderr, reason = "what was lost, and what came of it")]

use std::thread;
use std::time::Duration;

use lapin::options::{QueueDeclareOptions, QueuePurgeOptions};
use lapin::types::FieldTable;
use lapin::{Channel, Connection, ConnectionProperties};
use skstore_domain::signals::Service;
use skstore_workers::bus::amqp::AmqpBus;
use skstore_workers::bus::{Bus, Subscription};
use skstore_workers::topology::{self, DEPOSIT_EVENTS, ITEM_EVENTS, MYINFO_EVENTS, ORDER_EVENTS};
use skstore_workers::view::View;
use skstore_workers::view::redis::RedisView;
use tokio::time::{Instant, interval, timeout_at};

use super::audited;
use super::books::Books;
use super::buyers::until;
use super::servers::{Rabbit, Redis};
use super::traffic::Traffic;
use super::vhost::{self, Vhost};
use super::workers::{At, Workers};
use super::{APPLE, APPLES, among_others, run};

/// How long each kind of forgetting goes on, unless somebody wants it longer.
const SECONDS: u64 = 5;
/// How often every queue is emptied.
const PURGE_EVERY: Duration = Duration::from_millis(100);
/// How long whoever hears of something is away before the broker loses what waits for it.
const AWAY: Duration = Duration::from_secs(1);
/// What a stranger takes at once.
const STOLEN_AT_ONCE: usize = 64;

fn lasts() -> Duration {
    let given = std::env::var("SKSTORE_FORGETTING_SECONDS").ok().and_then(|seconds| seconds.parse().ok());
    Duration::from_secs(given.unwrap_or(SECONDS))
}

#[expect(clippy::disallowed_methods, reason = "a fault lasts for some time")]
fn last(time: Duration) {
    thread::sleep(time);
}

/// All has ended and is shown so soon enough after the last loss, which was `since` then, and the audit is clean.
async fn recovers(workers: &Workers, ids: &[String], since: Instant) {
    let (books, [ended, shown]) = Books::close_after_losses(&workers.at, ids, APPLE, APPLES, since).await;
    let (delivering, cancelled) = (books.count("delivering"), books.count("cancelled"));
    let rejected = books.count("rejected");
    eprintln!("{delivering} delivering, {cancelled} cancelled, {rejected} rejected");
    eprintln!("all ended {ended:?} after the last loss, and shown so after {shown:?}");
    assert!(delivering > 0 && cancelled > 0, "of {} orders", ids.len());
    let audited = audited::holds_after_losses(workers, since).await;
    eprintln!("the audit is clean {:?} after the last loss", since.elapsed());
    assert!(audited.orders >= books.orders.len() as u64, "{audited:?}");
}

#[test]
fn orders_end_although_the_broker_has_lost_all_its_data_while_somebody_was_away() {
    let _others = among_others();
    let (mut rabbit, redis) = (Rabbit::start().expect("RabbitMQ"), Redis::start().expect("Redis"));
    let mut workers = Workers::start(At::private(&rabbit, &redis), &[]);
    let mut rebuilds = 0;
    run(async { rebuilds = at_rest(&workers.at).await });
    let traffic = Traffic::start(&workers.at, "wiped");
    for service in [Service::Item, Service::Deposit, Service::MyInfo] {
        traffic.goes_on();
        workers.end(service, "TERM");
        last(AWAY);
        rabbit.wipe().expect("RabbitMQ starts again");
        workers.start_one(service);
    }
    let since = Instant::now();
    traffic.goes_on();
    let ids = traffic.end();
    run(async {
        recovers(&workers, &ids, since).await;
        assert_eq!(at_rest(&workers.at).await, rebuilds, "for all that the view was not rebuilt");
    });
    workers.assert_none_has_ended();
}

/// The number of the last rebuild, once none runs.
async fn at_rest(at: &At) -> u64 {
    let view = View::Redis(RedisView::new(&at.view, 1).expect("a URL"));
    let mut last = 0;
    until("no rebuild runs", async || {
        let rebuilds = view.rebuilds().await.unwrap_or_default();
        last = rebuilds.last;
        last > 0 && !rebuilds.is_running
    })
    .await;
    last
}

/// A desk on a virtual host, whose view is not to be rebuilt.
struct Desk {
    vhost: Vhost,
    workers: Workers,
    rebuilds: u64,
}

impl Desk {
    fn start() -> Self {
        let vhost = vhost::empty();
        let workers = Workers::start(At::on(&vhost), &[]);
        let mut desk = Self { vhost, workers, rebuilds: 0 };
        run(async { desk.rebuilds = at_rest(&desk.workers.at).await });
        desk
    }

    /// After what was lost amid of `traffic` until now, something of it at least.
    fn recovers(mut self, traffic: Traffic, lost: usize) {
        let since = Instant::now();
        let ids = traffic.end();
        eprintln!("{lost} messages lost amid of {} orders", ids.len());
        assert!(lost > 0, "nothing was lost");
        run(async {
            recovers(&self.workers, &ids, since).await;
            assert_eq!(
                at_rest(&self.workers.at).await,
                self.rebuilds,
                "for all that the view was not rebuilt"
            );
        });
        self.workers.assert_none_has_ended();
    }

    async fn connection(&self) -> Connection {
        let connecting = Connection::connect(&self.workers.at.bus, ConnectionProperties::default());
        connecting.await.expect("a connection")
    }

    /// Messages that wait in a queue.
    async fn waiting(&self, queue: &str) -> usize {
        let connection = self.connection().await;
        let channel = connection.create_channel().await.expect("a channel");
        let options = QueueDeclareOptions { passive: true, ..Default::default() };
        let queue = channel.queue_declare(queue.into(), options, FieldTable::default()).await;
        queue.expect("it is there").message_count() as usize
    }
}

#[test]
fn orders_end_although_a_policy_has_every_event_expire() {
    let _others = among_others();
    let mut desk = Desk::start();
    let traffic = Traffic::start(&desk.workers.at, "expired");
    for (queue, whose) in [
        (ORDER_EVENTS, Service::Order),
        (DEPOSIT_EVENTS, Service::Deposit),
        (ITEM_EVENTS, Service::Item),
        (MYINFO_EVENTS, Service::MyInfo),
    ] {
        let policy = format!("/api/policies/{}/short", desk.vhost.name);
        let pattern = queue.replace('.', r"\\.");
        let body =
            format!(r#"{{"pattern":"^{pattern}$","definition":{{"message-ttl":1}},"apply-to":"queues"}}"#);
        traffic.goes_on();
        desk.vhost.call("PUT", &policy, &body);
        // One who keeps up takes what comes before it expires.
        desk.workers.signal(whose, "STOP");
        last(AWAY);
        desk.workers.signal(whose, "CONT");
        last(lasts() / 4);
        desk.vhost.call("DELETE", &policy, "");
    }
    let mut lost = 0;
    run(async { lost = desk.waiting(topology::DEAD).await });
    desk.recovers(traffic, lost);
}

/// Empties every queue again and again for so long. How many messages that were.
async fn purge(channel: &Channel, time: Duration) -> usize {
    let (until, mut turns, mut purged) = (Instant::now() + time, interval(PURGE_EVERY), 0);
    while Instant::now() < until {
        turns.tick().await;
        for queue in topology::queues() {
            let purging = channel.queue_purge(queue.name.as_str().into(), QueuePurgeOptions::default());
            purged += purging.await.expect("it is purged") as usize;
        }
    }
    purged
}

#[test]
fn orders_end_although_every_queue_is_purged_again_and_again() {
    let _others = among_others();
    let mut desk = Desk::start();
    let traffic = Traffic::start(&desk.workers.at, "purged");
    traffic.goes_on();
    let (mut lost, turn) = (0, lasts() / 8);
    run(async {
        let connection = desk.connection().await;
        let channel = connection.create_channel().await.expect("a channel");
        for service in Service::ALL {
            // What somebody has in hand is in no queue any more: it has to be away for something to wait.
            desk.workers.end(*service, "TERM");
            lost += purge(&channel, turn).await;
            desk.workers.start_one(*service);
            lost += purge(&channel, turn).await;
        }
    });
    desk.recovers(traffic, lost);
}

#[test]
fn orders_end_although_a_stranger_takes_what_deposit_and_item_are_told() {
    let _others = among_others();
    let desk = Desk::start();
    let traffic = Traffic::start(&desk.workers.at, "taken");
    traffic.goes_on();
    let mut lost = 0;
    run(async {
        let bus = Bus::Amqp(AmqpBus::connect(&desk.workers.at.bus).await.expect("a bus"));
        let wanted = |name: &str| [DEPOSIT_EVENTS, ITEM_EVENTS].contains(&name);
        let queues = topology::queues().into_iter().filter(|queue| wanted(&queue.name));
        let subscriptions = queues.map(|queue| Subscription { queue, prefetch: STOLEN_AT_ONCE }).collect();
        let mut stranger = bus.consumer(subscriptions).await.expect("a consumer");
        let until = Instant::now() + lasts();
        while let Ok(stolen) = timeout_at(until, stranger.receive(STOLEN_AT_ONCE)).await {
            for delivery in stolen.expect("the broker is there") {
                delivery.unacked.ack();
                lost += 1;
            }
        }
    });
    desk.recovers(traffic, lost);
}
