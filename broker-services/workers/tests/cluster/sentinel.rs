//! A Redis that fails over: Sentinels put another one in the place of the view's, which may lack what was written last. The
//! view is there again within ten seconds, and right.

#![expect(clippy::print_stderr, reason = "what came of it")]

use std::time::Duration;

use tokio::time::Instant;

use super::audited;
use super::books::Books;
use super::buyers::{Buyer, place};
use super::servers::{Rabbit, Redis, Sentinels};
use super::traffic::Traffic;
use super::workers::{At, Workers};
use super::{APPLE, APPLES, UNHURRIED, alone, run};

/// The promise: so soon after a Redis has gone the view shows what happens. A second is the Sentinels' to see it, and some
/// more to agree.
const SHOWN_WITHIN: Duration = Duration::from_secs(10);
const ORDERS: usize = 2_000;

/// How a Redis goes.
#[derive(Debug, Clone, Copy)]
enum Blow {
    /// As a power cut does it.
    Kill,
    /// It stands still, and comes back believing that it is still the one that takes writes.
    Pause,
}

#[test]
fn a_view_whose_redis_fails_over_is_back_within_ten_seconds_and_right() {
    let _alone = alone();
    let rabbit = Rabbit::start().expect("RabbitMQ");
    let first = Redis::start().expect("Redis");
    let replicas = (0..2).map(|_| first.start_replica().expect("a replica"));
    let mut redises: Vec<Redis> = replicas.collect();
    let sentinels = Sentinels::start(&first, redises.len()).expect("Sentinels");
    redises.push(first);
    let at = At { bus: rabbit.amqp_url(), view: sentinels.url() };
    let mut workers = Workers::start(at, UNHURRIED);
    let traffic = Traffic::start(&workers.at, "failed-over");
    let mut probes = Vec::new();
    for blow in [Blow::Pause, Blow::Kill] {
        traffic.goes_on();
        let writing = workers.at.redis();
        let gone = redises.iter_mut().find(|redis| redis.url() == writing).expect("one takes writes");
        match blow {
            Blow::Pause => gone.send("STOP"),
            Blow::Kill => gone.kill(),
        }
        let since = Instant::now();
        let probe = format!("probe-{}", probes.len());
        run(async {
            Buyer::new(&workers.at.bus).insist("order.place", &place(&probe, APPLE)).await;
        });
        let key = format!("myinfo:order:{probe}");
        workers.wait_until("the view shows what has happened since", |workers| {
            workers.at.redis_cli(&["hget", &key, "status"]) == ["delivering"]
        });
        let took = since.elapsed();
        eprintln!("{blow:?}: the view is there after {took:?}");
        assert!(took <= SHOWN_WITHIN, "{blow:?}: the view was away for {took:?}");
        probes.push(probe);
        // One that stood still comes back, and nobody has told it yet that another takes the writes.
        redises.iter().for_each(|redis| redis.send("CONT"));
    }
    traffic.has_begun(ORDERS);
    let ids: Vec<String> = traffic.end().into_iter().chain(probes).collect();
    run(async {
        let books = Books::close(&workers.at, &ids, APPLE, APPLES).await;
        eprintln!("{} delivering, {} cancelled", books.count("delivering"), books.count("cancelled"));
        let audited = audited::holds(&workers).await;
        assert!(audited.shown >= u64::try_from(ids.len()).expect("some thousand"), "{audited:?}");
    });
    workers.assert_none_has_ended();
}
