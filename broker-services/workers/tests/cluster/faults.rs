//! Deposit stopped, paused or slow: nobody waits longer than the timeout, the breaker tells the next ones at once, and
//! when Deposit is back, so is the desk.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value, json};
use skstore_domain::signals::Service;
use skstore_domain::time::Timestamp;
use tokio::time::{Instant, sleep};

use super::books::Books;
use super::buyers::{Buyer, code, place};
use super::storm::BACK_WITHIN;
use super::workers::{At, LOOK_EVERY, PATIENCE, Workers};
use super::{APPLE, APPLES, alone, run};

/// Buyers at once: four calls to Deposit at a time, with some charges each.
const BUYERS: usize = 16;
/// The payment timeout of 300 ms, and what a busy machine adds, as Order itself notes it. On its way to the buyer an
/// answer may take as long again as Item's do meanwhile, who has no part in it.
const LONGEST_ANSWER: Duration = Duration::from_millis(1_300);
/// An open breaker answers from memory: the way there and back. The best of several meets it.
const REFUSAL_ANSWER: Duration = Duration::from_millis(100);
/// So often one buyer asks on once all were refused and nobody else asks: for less than a second, while the breaker stays
/// open for five.
const REFUSALS: usize = 10;
/// What Item is asked about meanwhile: nobody orders it here.
const PEAR: &str = "23";

/// Slower than the payment timeout.
const SLOW_MILLIS: u64 = 400;
const SLOW: Duration = Duration::from_millis(SLOW_MILLIS);

/// How Deposit misbehaves.
#[derive(Debug, Clone, Copy)]
enum Trouble {
    Stopped,
    Paused,
    Slow,
}

impl Trouble {
    async fn begin(self, workers: &mut Workers, buyer: &mut Buyer) {
        match self {
            Self::Stopped => workers.end(Service::Deposit, "TERM"),
            Self::Paused => workers.signal(Service::Deposit, "STOP"),
            Self::Slow => {
                buyer.wish(&fault(&json!({ "kind": "slow", "ms": SLOW_MILLIS }))).await;
                let mut took = Duration::ZERO;
                while took < SLOW {
                    let asked = Instant::now();
                    buyer.ask_on("deposit.query", &json!({ "customer": "kim" })).await;
                    took = asked.elapsed();
                }
            }
        }
    }

    async fn end(self, workers: &mut Workers, buyer: &mut Buyer) {
        match self {
            Self::Stopped => workers.start_one(Service::Deposit),
            Self::Paused => workers.signal(Service::Deposit, "CONT"),
            Self::Slow => buyer.wish(&fault(&json!({ "kind": "none" }))).await,
        }
    }
}

fn fault(fault: &Value) -> Value {
    json!({ "do": "fault.set", "service": "deposit", "fault": fault })
}

#[test]
fn calls_to_a_deposit_that_is_away_or_slow_are_bounded_and_the_desk_is_soon_back() {
    let _alone = alone();
    let mut workers = Workers::start(At::given(), &[]);
    let mut ids = Vec::new();
    run(async {
        let mut buyers: Vec<Buyer> = (0..BUYERS).map(|_| Buyer::new(&workers.at.bus)).collect();
        for trouble in [Trouble::Stopped, Trouble::Paused, Trouble::Slow] {
            let name = |step: &str| format!("{trouble:?}-{step}").to_lowercase();
            until_accepted(&mut buyers[0], &name("before"), &mut ids).await;
            trouble.begin(&mut workers, &mut buyers[0]).await;
            let (amid, (first, others)) = (name("amid"), buyers.split_at_mut(1));
            let amid = until_refused_at_once(others, &amid, &mut ids);
            let (mut told, elsewhere) = meanwhile_elsewhere(&mut first[0], &name("pear"), amid).await;
            assert!(told.iter().any(|(_, answer)| code(answer) == "payment_timeout"), "{trouble:?}");
            for (took, answer) in &told {
                let noted = noted_by_order(answer);
                assert!(noted <= LONGEST_ANSWER, "{trouble:?}: {noted:?} for {answer}");
                let longest = LONGEST_ANSWER + elsewhere;
                assert!(*took <= longest, "{trouble:?}: {took:?} for {answer}, {elsewhere:?} elsewhere");
                assert_ne!(code(answer), "ok", "{trouble:?}: {answer}");
            }
            told.extend(refused_alone(&mut first[0], &name("alone"), &mut ids).await);
            let refusals = told.iter().filter(|(_, answer)| code(answer) == "try_later");
            let fastest = refusals.map(|(took, _)| *took).min().expect("the breaker opened");
            assert!(fastest <= REFUSAL_ANSWER, "{trouble:?}: {fastest:?}");
            trouble.end(&mut workers, &mut buyers[0]).await;
            let back = until_accepted(&mut buyers[0], &name("after"), &mut ids).await;
            assert!(back <= BACK_WITHIN, "{trouble:?}: back at work only after {back:?}");
        }
        Books::close(&workers.at, &ids, APPLE, APPLES).await;
    });
    workers.assert_none_has_ended();
}

/// Places fresh orders until one is accepted, and says how long that took.
async fn until_accepted(buyer: &mut Buyer, name: &str, ids: &mut Vec<String>) -> Duration {
    let started = Instant::now();
    for attempt in 0.. {
        let id = format!("{name}-{attempt}");
        let answer = buyer.ask_on("order.place", &place(&id, APPLE)).await;
        ids.push(id);
        if code(&answer) == "ok" {
            break;
        }
        assert!(started.elapsed() < PATIENCE, "{name}: still {answer}");
        sleep(LOOK_EVERY).await;
    }
    started.elapsed()
}

/// How long it took Order from the intent to the outcome; nothing where there was none.
fn noted_by_order(answer: &Value) -> Duration {
    let at = |name: &str| -> Option<Timestamp> { serde_json::from_value(answer["order"][name].clone()).ok() };
    at("placed_at").zip(at("updated_at")).map(|(placed, ended)| ended.since(placed)).unwrap_or_default()
}

/// Has Item write something again and again until `amid` is over; also says how long the slowest of its answers took.
async fn meanwhile_elsewhere<T>(
    buyer: &mut Buyer,
    name: &str,
    amid: impl Future<Output = T>,
) -> (T, Duration) {
    tokio::pin!(amid);
    let mut slowest = Duration::ZERO;
    for number in 0_u64.. {
        let restock = json!({ "item_id": PEAR, "qty": 1, "restock_id": format!("{name}-{number}") });
        let asked = Instant::now();
        tokio::select! {
            biased;
            done = &mut amid => return (done, slowest.max(asked.elapsed())),
            _ = buyer.ask_on("item.restock", &restock) => slowest = slowest.max(asked.elapsed()),
        }
    }
    unreachable!("it goes on until it is over")
}

/// What one buyer is told while the breaker is open and nobody else asks. How long each answer took, and the answers.
async fn refused_alone(buyer: &mut Buyer, name: &str, ids: &mut Vec<String>) -> Vec<(Duration, Value)> {
    let mut told = Vec::new();
    for number in 0..REFUSALS {
        let id = format!("{name}-{number}");
        let asked = Instant::now();
        let answer = buyer.ask_on("order.place", &place(&id, APPLE)).await;
        ids.push(id);
        told.push((asked.elapsed(), answer));
    }
    told
}

/// Each buyer goes on until it is told to try later. How long each answer took, and the answers.
async fn until_refused_at_once(
    buyers: &mut [Buyer],
    name: &str,
    ids: &mut Vec<String>,
) -> Vec<(Duration, Value)> {
    let buying = buyers.iter_mut().enumerate().map(async |(number, buyer)| {
        let mut told: Vec<(String, Duration, Value)> = Vec::new();
        while told.last().is_none_or(|(_, _, answer)| code(answer) != "try_later") {
            let id = format!("{name}-{number}-{}", told.len());
            let asked = Instant::now();
            let answer = buyer.ask_on("order.place", &place(&id, APPLE)).await;
            told.push((id, asked.elapsed(), answer));
        }
        told
    });
    let told = join_all(buying).await.into_iter().flatten();
    told.map(|(id, took, answer)| {
        ids.push(id);
        (took, answer)
    })
    .collect()
}
