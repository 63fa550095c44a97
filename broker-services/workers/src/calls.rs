//! The payment calls in flight: batches of charges to Deposit, behind the breaker.
//!
//! `start(charges)`, then `next()` tells what became of them, whatever happens: an answer, no answer in time,
//! a call that the bus returned or refused, a lost connection. Answers that come later are counted and
//! dropped; Order has presumed the abort by then.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt};
use skstore_domain::breaker::{Breaker, BreakerSnapshot, CallResult, Change, Permit, Told};
use skstore_domain::charges::{
    Charge, ChargeCall, ChargeReply, ChargeResult, MAX_CHARGES_PER_CALL, NoAnswer, PaymentOutcome,
};
use skstore_domain::ids::OrderId;
use skstore_domain::json;
use skstore_domain::time::Timestamp;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::bus::{BusError, Consumer, Delivery, PublishOutcome, Publisher, Subscription, Tracked};
use crate::clock::Stopwatch;
use crate::context::Context;
use crate::envelope::json_message;
use crate::topology;

/// Replies taken at once.
const REPLIES_AT_ONCE: usize = 64;

/// The breaker of this worker, shared with the loop that asks it for permits and the one that shows it.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    breaker: Rc<RefCell<Breaker>>,
    watch: Stopwatch,
    began_at: Timestamp,
    changed: Rc<Notify>,
}

impl Gate {
    pub(crate) fn new(context: &Context) -> Self {
        let watch = Stopwatch::start();
        let breaker = Breaker::new(context.settings.breaker.clone(), watch.elapsed());
        let (breaker, began_at) = (Rc::new(RefCell::new(breaker)), context.clock.now());
        Self { breaker, watch, began_at, changed: Rc::default() }
    }

    /// What a heartbeat tells: the breaker as it is, and its newest calls.
    pub(crate) fn tell(&self) -> (BreakerSnapshot, Told) {
        self.with(|breaker, now| {
            let told = breaker.tell(self.began_at, now);
            (breaker.snapshot(now), told)
        })
    }

    /// Does something with the breaker, at this point in time, to the microsecond: what it is handed can be recorded whole.
    pub(crate) fn with<T>(&self, act: impl FnOnce(&mut Breaker, Duration) -> T) -> T {
        let mut breaker = self.breaker.borrow_mut();
        let before = (breaker.state(), breaker.mode());
        let done = act(&mut breaker, to_the_microsecond(self.watch.elapsed()));
        if (breaker.state(), breaker.mode()) != before {
            self.changed.notify_one();
        }
        done
    }

    /// Waits for the breaker's next change, also one that time alone brings about. For one listener.
    pub(crate) async fn change(&self) -> Change {
        loop {
            let (change, wakeup) = self.with(|breaker, now| {
                breaker.poll(now);
                (breaker.poll_change(), breaker.next_wakeup(now))
            });
            if let Some(change) = change {
                return change;
            }
            // Not before the moment itself, however the timer rounds.
            let wakeup = wakeup.map(|wakeup| wakeup + Duration::from_millis(1));
            tokio::select! {
                biased;
                () = self.changed.notified() => {}
                () = tokio::time::sleep(wakeup.unwrap_or_default()), if wakeup.is_some() => {}
            }
        }
    }
}

pub(crate) type Outcome = (OrderId, PaymentOutcome);

/// Calls to Deposit and their outcomes.
pub(crate) struct Calls {
    publisher: Publisher,
    replies: Consumer,
    reply_to: String,
    context: Context,
    gate: Gate,
    started: u64,
    in_flight: BTreeMap<String, Call>,
    charging: BTreeSet<OrderId>,
    receipts: FuturesUnordered<Tracked<String>>,
    /// Charges that were not sent: their outcomes come next.
    given_up: Vec<Outcome>,
}

struct Call {
    charges: Vec<(OrderId, Permit)>,
    sent: Instant,
}

impl Calls {
    /// # Errors
    /// When the bus cannot be reached.
    pub(crate) async fn new(context: &Context, publisher: Publisher, gate: Gate) -> Result<Self, BusError> {
        let queue = topology::replies_to(&context.own_name());
        let reply_to = queue.name.clone();
        let prefetch = context.settings.breaker.max_in_flight as usize;
        let replies = context.bus.consumer(vec![Subscription { queue, prefetch }]).await?;
        Ok(Self {
            publisher,
            replies,
            reply_to,
            context: context.clone(),
            gate,
            started: 0,
            in_flight: BTreeMap::new(),
            charging: BTreeSet::new(),
            receipts: FuturesUnordered::new(),
            given_up: Vec::new(),
        })
    }

    /// Whether a charge for `order` is in flight here.
    pub(crate) fn has(&self, order: &OrderId) -> bool {
        self.charging.contains(order)
    }

    pub(crate) fn charges(&self) -> usize {
        self.charging.len()
    }

    /// Sends charges, in as few calls as may be: a probe of the breaker goes alone.
    pub(crate) fn start(&mut self, charges: Vec<(Charge, Permit)>) {
        let (probes, others): (Vec<_>, Vec<_>) =
            charges.into_iter().partition(|(_, permit)| permit.is_probe());
        for probe in probes {
            self.call(vec![probe]);
        }
        let mut others = others.into_iter().peekable();
        while others.peek().is_some() {
            let call = others.by_ref().take(MAX_CHARGES_PER_CALL).collect();
            self.call(call);
        }
    }

    /// Has a charge that there is no permit for end as such.
    pub(crate) fn give_up(&mut self, order: OrderId) {
        self.given_up.push((order, PaymentOutcome::NoAnswer(NoAnswer::NoPermit)));
    }

    fn call(&mut self, charges: Vec<(Charge, Permit)>) {
        self.started += 1;
        let id = format!("{}-{}", self.context.instance, self.started);
        let timeout = self.context.settings.payment_timeout;
        let (charges, permits): (Vec<Charge>, Vec<_>) =
            charges.into_iter().map(|(charge, permit)| (charge.clone(), (charge.order_id, permit))).unzip();
        let body = ChargeCall { deadline: self.context.clock.now().after(timeout), charges };
        let mut message = json_message(topology::PAYMENTS, topology::CHARGE_KEY, json::bytes(&body));
        message.properties.message_id = Some(id.clone());
        message.properties.correlation_id = Some(id.clone());
        message.properties.reply_to = Some(self.reply_to.clone());
        message.properties.expiration = Some(timeout);
        let receipt = self.publisher.publish(message);
        self.charging.extend(permits.iter().map(|(order, _)| order.clone()));
        self.receipts.push(Tracked::new(receipt, id.clone()));
        self.in_flight.insert(id, Call { charges: permits, sent: Instant::now() });
    }

    /// Waits for the next outcomes. Cancel-safe.
    ///
    /// # Errors
    /// When the connection is lost and no call is left that could still end: every call in flight has ended
    /// as [`NoAnswer::ConnectionLost`] by then.
    pub(crate) async fn next(&mut self) -> Result<Vec<Outcome>, BusError> {
        loop {
            if !self.given_up.is_empty() {
                return Ok(std::mem::take(&mut self.given_up));
            }
            let timeout = self.context.settings.payment_timeout;
            let oldest = self.in_flight.values().map(|call| call.sent).min();
            let deadline = oldest.map_or_else(Instant::now, |sent| sent + timeout);
            tokio::select! {
                biased;
                replies = self.replies.receive(REPLIES_AT_ONCE) => match replies {
                    Ok(replies) => {
                        let outcomes: Vec<Outcome> =
                            replies.into_iter().flat_map(|reply| self.answered(reply)).collect();
                        if !outcomes.is_empty() {
                            return Ok(outcomes);
                        }
                    }
                    Err(error) if self.in_flight.is_empty() => return Err(error),
                    Err(_) => {
                        let calls: Vec<String> = self.in_flight.keys().cloned().collect();
                        let lost = calls.iter().flat_map(|id| self.failed(id, NoAnswer::ConnectionLost));
                        return Ok(lost.collect());
                    }
                },
                Some((confirm, id)) = self.receipts.next(), if !self.receipts.is_empty() => {
                    let outcomes = match confirm {
                        PublishOutcome::Confirmed => continue,
                        PublishOutcome::Returned => self.failed(&id, NoAnswer::Returned),
                        PublishOutcome::Nacked => self.failed(&id, NoAnswer::Nacked),
                        PublishOutcome::Unknown => self.failed(&id, NoAnswer::ConnectionLost),
                    };
                    if !outcomes.is_empty() {
                        return Ok(outcomes);
                    }
                }
                () = tokio::time::sleep_until(deadline), if oldest.is_some() => {
                    // The way of the answers may be missing, as well as Deposit.
                    self.context.bus.suspect();
                    let now = Instant::now();
                    let late: Vec<String> = self.in_flight.iter()
                        .filter(|(_, call)| call.sent + timeout <= now)
                        .map(|(id, _)| id.clone())
                        .collect();
                    return Ok(late.iter().flat_map(|id| self.failed(id, NoAnswer::Timeout)).collect());
                }
            }
        }
    }

    /// Matches a reply with its call.
    fn answered(&mut self, reply: Delivery) -> Vec<Outcome> {
        let id = reply.message.properties.correlation_id.clone().unwrap_or_default();
        let body = serde_json::from_slice::<ChargeReply>(&reply.message.body);
        reply.unacked.ack();
        let Some(call) = self.in_flight.remove(&id) else {
            tracing::debug!(call = id, "a reply came after its call had ended");
            return Vec::new();
        };
        let results: BTreeMap<OrderId, ChargeResult> = match body {
            Ok(body) => body.outcomes.into_iter().map(|one| (one.order_id, one.result)).collect(),
            Err(error) => {
                tracing::error!(call = id, %error, "Deposit's reply cannot be read");
                BTreeMap::new()
            }
        };
        self.end(call, |order| match results.get(order) {
            Some(result) => (*result).into(),
            None => PaymentOutcome::NoAnswer(NoAnswer::Refused),
        })
    }

    fn failed(&mut self, id: &str, why: NoAnswer) -> Vec<Outcome> {
        match self.in_flight.remove(id) {
            Some(call) => self.end(call, |_| PaymentOutcome::NoAnswer(why)),
            None => Vec::new(),
        }
    }

    fn end(&mut self, call: Call, outcome: impl Fn(&OrderId) -> PaymentOutcome) -> Vec<Outcome> {
        let took = to_the_microsecond(call.sent.elapsed());
        let mut outcomes = Vec::with_capacity(call.charges.len());
        let mut results = Vec::with_capacity(call.charges.len());
        let mut failed = None;
        for (order, permit) in call.charges {
            self.charging.remove(&order);
            let outcome = outcome(&order);
            if let PaymentOutcome::NoAnswer(why) = outcome {
                tracing::debug!(%order, ?why, "its payment was not answered");
            }
            let result = weigh(outcome);
            if let (CallResult::Failed, PaymentOutcome::NoAnswer(why)) = (result, outcome) {
                failed = Some(why);
            }
            results.push((permit, result));
            outcomes.push((order, outcome));
        }
        self.gate.with(|breaker, now| breaker.record(results, took, failed, now));
        outcomes
    }
}

/// What is left of a time when what cannot be recorded is cut off.
const fn to_the_microsecond(time: Duration) -> Duration {
    Duration::new(time.as_secs(), time.subsec_micros() * 1000)
}

/// What an outcome says of Deposit: a declined or refused charge was answered well.
const fn weigh(outcome: PaymentOutcome) -> CallResult {
    match outcome {
        PaymentOutcome::Paid
        | PaymentOutcome::Declined
        | PaymentOutcome::NoAnswer(NoAnswer::Refused | NoAnswer::NoPermit | NoAnswer::Abandoned) => {
            CallResult::Ok
        }
        PaymentOutcome::NoAnswer(
            NoAnswer::Timeout
            | NoAnswer::Returned
            | NoAnswer::Nacked
            | NoAnswer::ConnectionLost
            | NoAnswer::Expired,
        ) => CallResult::Failed,
    }
}
