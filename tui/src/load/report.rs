//! What is told of a run at its end: for programs as one object, for people by whoever shows it.

use std::time::Duration;

use serde_json::{Value, json};
use skstore_domain::ids::OrderId;
use skstore_domain::time::Timestamp;

use super::ledger::Became;
use super::plan::Plan;
use super::runner::{Limits, Ran};
use super::tally::{Counts, Second, Tally, Times};

/// Most open orders that are named.
const NAMED: usize = 20;

/// A run and what became of its orders.
#[derive(Debug)]
pub struct Report {
    /// Its name.
    pub run: String,
    /// What its orders followed from.
    pub seed: u64,
    /// By which way: `embedded`, `socket`, `broker` or `http`; or `dashboard`, which needs not tell.
    pub target: &'static str,
    /// Clients at once.
    pub clients: usize,
    /// Orders a second that were wanted, if that was fixed.
    pub rate: Option<f64>,
    /// Why it took no more orders.
    pub ended: &'static str,
    /// When it began, where whoever had it run looked at a clock.
    pub began_at: Option<Timestamp>,
    /// From its beginning to its last answer.
    pub elapsed: Duration,
    /// Orders that were due and never sent.
    pub unsent: u64,
    /// How it went.
    pub tally: Tally,
    /// What became of the orders.
    pub became: Became,
    /// Whether they were followed until they ended, or until none of them did any more; else of those that are open nobody
    /// knows.
    pub is_followed: bool,
    /// The first of those that are open.
    pub open_orders: Vec<OrderId>,
}

impl Report {
    /// Of a run whose orders were followed.
    #[must_use]
    pub fn of(ran: Ran, plan: &Plan, limits: &Limits, rate: Option<f64>, target: &'static str) -> Self {
        let open = ran.ledger.open_after(0).take(NAMED);
        Self {
            run: plan.run.to_string(),
            seed: plan.seed,
            target,
            clients: limits.clients,
            rate,
            ended: ran.ended.word(),
            began_at: None,
            elapsed: ran.elapsed,
            unsent: ran.unsent,
            became: ran.ledger.became(),
            is_followed: true,
            open_orders: open.filter_map(|number| plan.run.order_id(number)).collect(),
            tally: ran.tally,
        }
    }

    /// How many of a hundred orders were answered, with yes or no.
    #[must_use]
    pub fn availability_percent(&self) -> f64 {
        let orders = &self.tally.orders;
        if orders.sent == 0 { 0.0 } else { number(orders.answered()) * 100.0 / number(orders.sent) }
    }

    /// Answers a second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        self.over_time(number(self.tally.orders.answered()))
    }

    /// How many orders were on their way on average.
    #[must_use]
    pub fn concurrency(&self) -> f64 {
        self.over_time(self.tally.busy.as_secs_f64())
    }

    fn over_time(&self, sum: f64) -> f64 {
        let seconds = self.elapsed.as_secs_f64();
        if seconds > 0.0 { sum / seconds } else { 0.0 }
    }

    /// What was not as it must be: of orders, cancels and repeats.
    #[must_use]
    pub const fn failed(&self) -> u64 {
        self.tally.orders.failed + self.tally.cancels.failed + self.tally.repeats.failed
    }

    /// The whole of it. Times are in microseconds, from when an order was due.
    #[must_use]
    pub fn to_json(&self) -> Value {
        let Tally { orders, cancels, repeats, all, ok, refused, failed, seconds, seconds_left_out, .. } =
            &self.tally;
        let refused_as =
            self.tally.refused_as.iter().map(|(code, of_code)| ((*code).to_owned(), times(of_code)));
        let Became { delivering, cancelled, rejected, not_placed, open } = self.became;
        json!({
            "run": self.run,
            "seed": self.seed,
            "target": self.target,
            "clients": self.clients,
            "rate": self.rate,
            "ended": self.ended,
            "began_at": self.began_at,
            "elapsed_ms": u64::try_from(self.elapsed.as_millis()).unwrap_or(u64::MAX),
            "sent": orders.sent,
            "unsent": self.unsent,
            "answered": orders.answered(),
            "ok": orders.ok,
            "refused": orders.refused,
            "failed": orders.failed,
            "refusals": orders.refusals,
            "failures": orders.failures,
            "availability_percent": rounded(self.availability_percent()),
            "per_second": rounded(self.per_second()),
            "concurrency": rounded(self.concurrency()),
            "latency_us": {
                "all": times(all), "ok": times(ok), "refused": times(refused), "failed": times(failed),
                "refused_as": Value::Object(refused_as.collect()),
            },
            "seconds": seconds.iter().map(second).collect::<Vec<_>>(),
            "seconds_left_out": seconds_left_out,
            "cancels": counts(cancels),
            "repeats": counts(repeats),
            "became": {
                "delivering": delivering, "cancelled": cancelled, "rejected": rejected,
                "not_placed": not_placed, "open": open,
            },
            "followed": self.is_followed,
            "open_orders": self.open_orders,
        })
    }
}

fn second(second: &Second) -> Value {
    let Second { at_s, ok, refused, failed, p50_us, p99_us, max_us } = second;
    json!({
        "at_s": at_s, "answered": ok + refused, "ok": ok, "refused": refused, "failed": failed,
        "p50_us": p50_us, "p99_us": p99_us, "max_us": max_us,
    })
}

fn counts(counts: &Counts) -> Value {
    let Counts { sent, ok, refused, failed, refusals, failures } = counts;
    json!({
        "sent": sent, "answered": counts.answered(), "ok": ok, "refused": refused, "failed": failed,
        "refusals": refusals, "failures": failures,
    })
}

fn times(times: &Times) -> Value {
    let percentile = |percent| times.percentile(percent);
    json!({
        "min": times.min(), "mean": times.mean().map(rounded), "p50": percentile(50.0), "p90": percentile(90.0),
        "p99": percentile(99.0), "p999": percentile(99.9), "max": times.max(),
    })
}

/// To two digits: more would say what is not known.
fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

#[expect(clippy::cast_precision_loss, reason = "counts of orders are far below where a float is inexact")]
const fn number(count: u64) -> f64 {
    count as f64
}
