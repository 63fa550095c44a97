//! Places the orders of a plan, each when it is due, by clients that each wait for their answer.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use skstore_domain::answers::{Answer, ErrorCode};
use skstore_domain::commands::Place;
use skstore_domain::objects::{Order, OrderStatus};
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until};

use super::ledger::{Ledger, Stand};
use super::pace::{Ended, Pacer, Steer, Ticket};
use super::plan::{MAX_ORDERS, Plan};
use super::tally::{Counts, Second, Tally, Verdict};
use super::target::{Target, Unanswered};

/// Most clients at once: eight times as many as Order has charges in flight.
pub const MAX_CLIENTS: u16 = 4096;
/// How long a client waits after nothing could be sent: a way that is lost must not become a busy loop.
const UNREACHABLE_PAUSE: Duration = Duration::from_millis(200);
/// How often what was done is told of.
const TELL_EVERY: Duration = Duration::from_secs(1);
/// What a wrong answer to a repeated order is called.
const MISMATCH: &str = "mismatch";

/// How much, and for how long.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Clients at once, which is also how many orders are on their way at most.
    pub clients: usize,
    /// No orders are taken after this.
    pub time: Option<Duration>,
    /// Nor more than this many.
    pub orders: Option<u64>,
}

/// How a run does, once a second.
#[derive(Debug)]
pub struct Seen<'a> {
    /// Since it began.
    pub at: Duration,
    /// The last second.
    pub second: Second,
    /// The orders so far.
    pub orders: &'a Counts,
    /// How many are on their way.
    pub in_flight: usize,
}

/// A run that has taken its last order, and has heard of all that it could.
#[derive(Debug)]
pub struct Ran {
    /// How it went.
    pub tally: Tally,
    /// Where each order stands.
    pub ledger: Ledger,
    /// Why it took no more orders.
    pub ended: Ended,
    /// Orders that were due and never sent, as all clients were waiting.
    pub unsent: u64,
    /// From its beginning to its last answer.
    pub elapsed: Duration,
    /// Why no order may be placed there, if that has ended it at once.
    pub forbidden: Option<String>,
}

/// Places the orders of `plan` at `target` until a limit is reached or `steer` has it stop, and then waits for what is in
/// flight. `stock` is how many units of each item it may order, where it is bounded. `told` hears of it every second.
pub async fn run<T: Target>(
    target: &T,
    plan: &Plan,
    limits: &Limits,
    stock: Option<Vec<u64>>,
    steer: watch::Receiver<Steer>,
    mut told: impl FnMut(&Seen<'_>),
) -> Ran {
    let begun = Instant::now();
    let last = limits.orders.unwrap_or(MAX_ORDERS).min(MAX_ORDERS);
    let running = Running {
        target,
        plan,
        pacer: Pacer::begin(steer, limits.time, last),
        stock: RefCell::new(stock),
        tally: RefCell::default(),
        ledger: RefCell::default(),
        in_flight: Cell::new(0),
        forbidden: RefCell::default(),
    };
    let mut clients: FuturesUnordered<_> = (0..limits.clients).map(|client| running.client(client)).collect();
    let (mut tick, mut second) = (begun + TELL_EVERY, 1);
    loop {
        tokio::select! {
            biased;
            () = sleep_until(tick) => {
                let ended = running.tally.borrow_mut().end_second(second);
                let tally = running.tally.borrow();
                told(&Seen {
                    at: begun.elapsed(),
                    second: ended,
                    orders: &tally.orders,
                    in_flight: running.in_flight.get(),
                });
                tick += TELL_EVERY;
                second += 1;
            }
            next = clients.next() => if next.is_none() || running.forbidden.borrow().is_some() { break },
        }
    }
    drop(clients);
    let elapsed = begun.elapsed();
    let (ended, unsent) = running.pacer.ended().await;
    let mut tally = running.tally.into_inner();
    tally.end_last_second(second);
    let (ledger, forbidden) = (running.ledger.into_inner(), running.forbidden.into_inner());
    Ran { tally, ledger, ended: ended.unwrap_or(Ended::Told), unsent, elapsed, forbidden }
}

struct Running<'a, T> {
    target: &'a T,
    plan: &'a Plan,
    pacer: Pacer,
    stock: RefCell<Option<Vec<u64>>>,
    tally: RefCell<Tally>,
    ledger: RefCell<Ledger>,
    in_flight: Cell<usize>,
    forbidden: RefCell<Option<String>>,
}

impl<T: Target> Running<'_, T> {
    /// Places one order after another for as long as there are any.
    async fn client(&self, client: usize) {
        while let Some(ticket) = self.pacer.next(|number| self.takes_from_stock(number)).await {
            let Some(place) = self.plan.place(ticket.number) else { return };
            self.in_flight.set(self.in_flight.get() + 1);
            let was_sent = self.order(client, ticket, &place).await;
            self.in_flight.set(self.in_flight.get() - 1);
            if self.forbidden.borrow().is_some() {
                return;
            }
            if !was_sent {
                sleep(UNREACHABLE_PAUSE).await;
            }
        }
    }

    fn takes_from_stock(&self, number: u64) -> bool {
        let mut stock = self.stock.borrow_mut();
        let Some(stock) = stock.as_mut() else { return true };
        let chosen = self.plan.chosen(number);
        let Some(left) = stock.get_mut(chosen.item) else { return false };
        let rest = left.checked_sub(u64::from(chosen.qty));
        *left = rest.unwrap_or(*left);
        rest.is_some()
    }

    /// Places an order, and does what is planned for it afterwards. Whether it could be sent.
    async fn order(&self, client: usize, ticket: Ticket, place: &Place) -> bool {
        let sent = Instant::now();
        self.tally.borrow_mut().orders.sent += 1;
        self.ledger.borrow_mut().set(ticket.number, Stand::Unknown);
        let result = self.target.place(client, place).await;
        let answered = Instant::now();
        let verdict = verdict(&result);
        self.tally.borrow_mut().record(verdict, answered - ticket.due, answered - sent);
        let answer = match result {
            Ok(answer) => answer,
            Err(Unanswered::Unreachable(_)) => {
                self.ledger.borrow_mut().set(ticket.number, Stand::NotPlaced);
                return false;
            }
            Err(Unanswered::Forbidden(why)) => {
                self.ledger.borrow_mut().set(ticket.number, Stand::NotPlaced);
                *self.forbidden.borrow_mut() = Some(why);
                return true;
            }
            Err(Unanswered::NoAnswer(_) | Unanswered::Lost(_) | Unanswered::Unexpected(_)) => return true,
        };
        self.note(ticket.number, verdict, answer.order.as_ref());
        let chosen = self.plan.chosen(ticket.number);
        if let Some(order) = answer.order.as_ref().filter(|_| chosen.is_repeated) {
            self.repeat(client, place, order).await;
        }
        if let Some(order) = answer.order.filter(|_| chosen.is_cancelled && verdict == Verdict::Ok) {
            self.cancel(client, ticket.number, &order).await;
        }
        true
    }

    /// Remembers where an answered order stands.
    fn note(&self, number: u64, verdict: Verdict, order: Option<&Order>) {
        let mut ledger = self.ledger.borrow_mut();
        if let Some(order) = order {
            ledger.heard(order);
        }
        let refused = |order: &Order| Stand::ended(order.status).unwrap_or(Stand::Unknown);
        match verdict {
            Verdict::Ok => ledger.set(number, Stand::Accepted),
            Verdict::Refused(_) => ledger.set(number, order.map_or(Stand::NotPlaced, refused)),
            Verdict::Failed(_) => {}
        }
    }

    /// Sends an order once more: what was recorded must be answered.
    async fn repeat(&self, client: usize, place: &Place, first: &Order) {
        self.tally.borrow_mut().repeats.sent += 1;
        let result = self.target.place(client, place).await;
        let verdict = match (verdict(&result), &result) {
            (Verdict::Ok | Verdict::Refused(_), Ok(answer)) if differs(first, answer) => {
                Verdict::Failed(MISMATCH)
            }
            (verdict, _) => verdict,
        };
        self.tally.borrow_mut().repeats.record(verdict);
    }

    async fn cancel(&self, client: usize, number: u64, order: &Order) {
        self.tally.borrow_mut().cancels.sent += 1;
        let result = self.target.cancel(client, &order.order_id).await;
        let verdict = verdict(&result);
        self.tally.borrow_mut().cancels.record(verdict);
        match verdict {
            Verdict::Ok => self.ledger.borrow_mut().set(number, Stand::TakenBack),
            Verdict::Refused(_) => {}
            // It may have been cancelled, or may still be: only Order knows.
            Verdict::Failed(_) => self.ledger.borrow_mut().set(number, Stand::Unknown),
        }
    }
}

fn verdict(result: &Result<Answer, Unanswered>) -> Verdict {
    match result {
        Ok(Answer { ok: true, order: Some(_), .. }) => Verdict::Ok,
        Ok(answer) => match answer.code() {
            // A mistake of the desk's own is no decision.
            Some(ErrorCode::Internal) => Verdict::Failed(ErrorCode::Internal.word()),
            Some(code) => Verdict::Refused(code),
            None => Verdict::Failed("unexpected"),
        },
        Err(error) => Verdict::Failed(error.word()),
    }
}

/// Whether an answer tells of another order than `first`. It may have moved on since, as orders do; a desk that could not
/// look (`try_later`) has said nothing.
fn differs(first: &Order, answer: &Answer) -> bool {
    let Some(order) = &answer.order else { return answer.code() != Some(ErrorCode::TryLater) };
    let same = |order: &Order| {
        let Order { order_id, customer, item_id, qty, unit_price, amount, placed_at, .. } = order;
        (order_id.clone(), customer.clone(), item_id.clone(), *qty, *unit_price, *amount, *placed_at)
    };
    let has_come_back = first.status == OrderStatus::Rejected && order.status != OrderStatus::Rejected;
    same(first) != same(order) || has_come_back
}

#[cfg(test)]
mod tests;
