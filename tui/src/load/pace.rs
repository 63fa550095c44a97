//! When each order of a run is due, and when the run has taken its last one.
//!
//! At a fixed rate an order is due at its time whether or not anybody is free to place it; what is measured counts from
//! then. Otherwise a slow desk would be asked less often while it is slow, and the worst of its times would not be in the
//! report (coordinated omission).

use std::time::Duration;

use tokio::sync::{Mutex, watch};
use tokio::time::{Instant, sleep_until};

/// What somebody wants of a run while it runs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Steer {
    /// Orders a second; without it each client places the next one when the last was answered.
    pub rate: Option<f64>,
    /// It shall take no more orders.
    pub is_stopped: bool,
}

/// Why a run took no more orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Its time was up.
    Time,
    /// It had all its orders.
    Orders,
    /// What it may take of the stock was used up.
    Stock,
    /// Somebody wanted it to end.
    Told,
}

impl Ended {
    /// For programs.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Orders => "orders",
            Self::Stock => "stock",
            Self::Told => "told",
        }
    }
}

/// An order to be placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// Its number.
    pub number: u64,
    /// When it was due: from then on somebody waits.
    pub due: Instant,
}

/// How far a run is.
#[derive(Debug)]
struct Turn {
    next: u64,
    /// When the last order was due, or since when the rate is what it is.
    since: Instant,
    ended: Option<Ended>,
    unsent: u64,
}

/// Hands out the orders of a run, each when it is due. Clients that are free queue up for the next one.
#[derive(Debug)]
pub struct Pacer {
    turn: Mutex<Turn>,
    steer: watch::Receiver<Steer>,
    until: Option<Instant>,
    last: u64,
}

/// How long one order comes after another at `rate` a second.
fn interval(rate: f64) -> Duration {
    Duration::try_from_secs_f64(1.0 / rate).unwrap_or(Duration::MAX)
}

impl Pacer {
    /// Begins now, and ends after `time` or with the order `last`.
    #[must_use]
    pub fn begin(steer: watch::Receiver<Steer>, time: Option<Duration>, last: u64) -> Self {
        let now = Instant::now();
        // The first order is due at once.
        let since = steer.borrow().rate.map_or(now, |rate| now.checked_sub(interval(rate)).unwrap_or(now));
        let turn = Turn { next: 1, since, ended: None, unsent: 0 };
        Self { turn: Mutex::new(turn), steer, until: time.and_then(|time| now.checked_add(time)), last }
    }

    /// The next order, once it is due, if there is one that `is_allowed`.
    pub async fn next(&self, is_allowed: impl FnOnce(u64) -> bool) -> Option<Ticket> {
        let mut turn = self.turn.lock().await;
        let mut steer = self.steer.clone();
        let due = loop {
            if turn.ended.is_some() {
                return None;
            }
            let Steer { rate, is_stopped } = *steer.borrow_and_update();
            let now = Instant::now();
            let due = rate.map_or(Some(now), |rate| turn.since.checked_add(interval(rate)));
            if let Some(ended) = self.limit_at(&turn, is_stopped, now) {
                turn.ended = Some(ended);
                turn.unsent = rate.map_or(0, |rate| self.due_by(&turn, rate, now));
                return None;
            }
            if let Some(due) = due.filter(|due| *due <= now) {
                break due;
            }
            let wake = [due, self.until].into_iter().flatten().min();
            tokio::select! {
                biased;
                Ok(()) = steer.changed() => {
                    // What was due so far was so at the old rate; the new one begins here.
                    if steer.borrow().rate != rate {
                        turn.since = Instant::now();
                    }
                }
                () = sleep_until(wake.unwrap_or(now)), if wake.is_some() => {}
            }
        };
        let number = turn.next;
        if !is_allowed(number) {
            turn.ended = Some(Ended::Stock);
            return None;
        }
        turn.next += 1;
        turn.since = due;
        Some(Ticket { number, due })
    }

    /// The limit that is reached at `now`.
    fn limit_at(&self, turn: &Turn, is_stopped: bool, now: Instant) -> Option<Ended> {
        if is_stopped {
            Some(Ended::Told)
        } else if turn.next > self.last {
            Some(Ended::Orders)
        } else if self.until.is_some_and(|until| now >= until) {
            Some(Ended::Time)
        } else {
            None
        }
    }

    /// How many orders were due by `now` and were not taken, since nobody was free.
    fn due_by(&self, turn: &Turn, rate: f64, now: Instant) -> u64 {
        let end = self.until.map_or(now, |until| until.min(now));
        let interval = interval(rate).as_nanos().max(1);
        let behind = end.saturating_duration_since(turn.since).as_nanos() / interval;
        // What is due exactly at the end belongs to nobody.
        let behind = u64::try_from(behind).unwrap_or(u64::MAX).saturating_sub(1);
        behind.min((self.last + 1).saturating_sub(turn.next))
    }

    /// Why it took no more orders, and how many were due by then that were never sent.
    pub async fn ended(&self) -> (Option<Ended>, u64) {
        let turn = self.turn.lock().await;
        (turn.ended, turn.unsent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steer(rate: Option<f64>) -> (watch::Sender<Steer>, watch::Receiver<Steer>) {
        watch::channel(Steer { rate, is_stopped: false })
    }

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn at_a_fixed_rate_orders_are_due_at_their_times_however_late_they_are_taken() {
        let (_steer, steered) = steer(Some(10.0));
        let begun = Instant::now();
        let pacer = Pacer::begin(steered, Some(3 * SECOND), u64::MAX - 1);
        let due = async |pacer: &Pacer| pacer.next(|_| true).await.map(|ticket| ticket.due - begun);
        assert_eq!(due(&pacer).await, Some(Duration::ZERO));
        assert_eq!(due(&pacer).await, Some(Duration::from_millis(100)));
        assert_eq!(begun.elapsed(), Duration::from_millis(100), "it is waited for");
        tokio::time::sleep(SECOND).await;
        assert_eq!(due(&pacer).await, Some(Duration::from_millis(200)), "and not put off");
        assert_eq!(begun.elapsed(), Duration::from_millis(1100), "nor waited for once it is late");
        tokio::time::sleep(2 * SECOND).await;
        assert_eq!(due(&pacer).await, None);
        // Those of 0.3 s to 2.9 s.
        assert_eq!(pacer.ended().await, (Some(Ended::Time), 27));
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_rate_counts_from_when_it_was_wished_for() {
        let (steering, steered) = steer(Some(0.1));
        let begun = Instant::now();
        let pacer = Pacer::begin(steered, None, 4);
        let next = async || pacer.next(|_| true).await.map(|ticket| ticket.due - begun);
        assert_eq!(next().await, Some(Duration::ZERO));
        let faster = async {
            tokio::time::sleep(3 * SECOND).await;
            steering.send_replace(Steer { rate: Some(2.0), is_stopped: false });
        };
        let (due, ()) = tokio::join!(next(), faster);
        assert_eq!(due, Some(Duration::from_millis(3500)), "not at 10 s, and no burst of what was never due");
        assert_eq!(next().await, Some(4 * SECOND));
        let stop = async {
            steering.send_replace(Steer { rate: Some(0.1), is_stopped: true });
        };
        let (due, ()) = tokio::join!(next(), stop);
        assert_eq!((due, begun.elapsed()), (None, 4 * SECOND), "told to end, it waits for nothing");
        assert_eq!(pacer.ended().await.0, Some(Ended::Told));
    }

    #[tokio::test(start_paused = true)]
    async fn it_ends_with_its_orders_or_with_the_stock() {
        let (_steer, steered) = steer(None);
        let pacer = Pacer::begin(steered.clone(), None, 2);
        assert_eq!(pacer.next(|_| true).await.map(|ticket| ticket.number), Some(1));
        assert_eq!(pacer.next(|_| true).await.map(|ticket| ticket.number), Some(2));
        assert_eq!(pacer.next(|_| true).await, None);
        assert_eq!(pacer.ended().await, (Some(Ended::Orders), 0));
        let pacer = Pacer::begin(steered, None, 2);
        assert_eq!(pacer.next(|_| false).await, None);
        assert_eq!(pacer.ended().await, (Some(Ended::Stock), 0));
    }
}
