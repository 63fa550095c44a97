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
fn a_view_whose_redis_is_killed_is_back_within_ten_seconds_and_right() {
    fails_over(Blow::Kill);
}

#[test]
fn a_view_whose_redis_stands_still_is_back_within_ten_seconds_and_right() {
    fails_over(Blow::Pause);
}

fn fails_over(blow: Blow) {
    let _alone = alone();
    let rabbit = Rabbit::start().expect("RabbitMQ");
    let writing = Redis::start().expect("Redis");
    let following: Vec<Redis> = (0..2).map(|_| writing.start_replica().expect("a replica")).collect();
    let sentinels = Sentinels::start(&writing, following.len()).expect("Sentinels");
    let mut writing = writing;
    let at = At { bus: rabbit.amqp_url(), view: sentinels.url() };
    let mut workers = Workers::start(at, UNHURRIED);
    let traffic = Traffic::start(&workers.at, "failed-over");
    traffic.goes_on();
    match blow {
        Blow::Pause => writing.send("STOP"),
        Blow::Kill => writing.kill(),
    }
    let since = Instant::now();
    run(async {
        Buyer::new(&workers.at.bus).insist("order.place", &place("probe", APPLE)).await;
    });
    workers.wait_until("the view shows what has happened since", |workers| {
        workers.at.redis_cli(&["hget", "myinfo:order:probe", "status"]) == ["delivering"]
    });
    let took = since.elapsed();
    eprintln!("{blow:?}: the view is there after {took:?}");
    assert!(took <= SHOWN_WITHIN, "{blow:?}: the view was away for {took:?}");
    // One that stood still comes back, and nobody has told it yet that another takes the writes.
    match blow {
        Blow::Pause => writing.send("CONT"),
        Blow::Kill => writing.restart().expect("Redis"),
    }
    traffic.has_begun(ORDERS);
    let ids: Vec<String> = traffic.end().into_iter().chain(["probe".to_owned()]).collect();
    run(async {
        let books = Books::close(&workers.at, &ids, APPLE, APPLES).await;
        eprintln!("{} delivering, {} cancelled", books.count("delivering"), books.count("cancelled"));
        let audited = audited::holds(&workers).await;
        assert!(audited.shown >= u64::try_from(ids.len()).expect("some thousand"), "{audited:?}");
    });
    workers.assert_none_has_ended();
}
