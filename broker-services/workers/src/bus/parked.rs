//! Parked messages in an operator's hands: to look at them, and to end those that were dealt with.
//!
//! This is consuming, on every bus: what is not acked goes back to its place when [`Parked`] is dropped, and when
//! its process dies. So looking loses nothing, but two who look at once would each miss what the other holds. One
//! is let in at a time: within a process by a lock, and of several by an exclusive queue, [`topology::operator`].

use std::time::Duration;

use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{Bus, BusError, Consumer, Delivery, Subscription};
use crate::topology;

/// Most parked messages that are in hand at once; where there are more, looking may change their order. They stay with the
/// bus; only what is [received](Parked::next) and kept takes memory here. AMQP can hold back at most 65,535.
pub const MAX_IN_HAND: usize = 10_000;
/// How long another operator is waited for: they hold parked messages for as long as a command takes.
const TURN_WITHIN: Duration = Duration::from_secs(5);
/// How often it is looked whether it is our turn.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long a message that the queue has counted is waited for. One that does not come by then is in the hands of
/// somebody who consumes the queue by other means.
const COMES_WITHIN: Duration = Duration::from_secs(1);

/// The parked messages that were there when it was opened, oldest first. Whatever is not acked goes back when this
/// is dropped.
#[derive(Debug)]
pub struct Parked {
    // Dropped in this order: the next one in this process finds everything given back.
    consumer: Option<Consumer>,
    _among_processes: Consumer,
    _in_this_process: OwnedMutexGuard<()>,
    /// Of those that were there, how many have not come yet.
    left: usize,
    total: usize,
}

impl Bus {
    /// Takes parked messages in hand, to look at the oldest, at most `most` and [`MAX_IN_HAND`].
    ///
    /// # Errors
    /// [`BusError::Topology`] when somebody else has them in hand for longer than a command takes;
    /// [`BusError::Lost`].
    pub async fn parked(&self, most: usize) -> Result<Parked, BusError> {
        let until = Instant::now() + TURN_WITHIN;
        let turn = match self {
            Self::Embedded(bus) => bus.turn(),
            Self::Amqp(bus) => bus.turn(),
        };
        let turn = timeout_at(until, turn.lock_owned()).await.map_err(|_| {
            BusError::Topology(format!(
                "somebody else in this process has them in hand ({}); try again later",
                topology::OPERATOR
            ))
        })?;
        let own = self.own_queue(until).await?;
        let depths = self.depths().await?;
        let total = depths.iter().find(|depth| &*depth.name == topology::DEAD).map_or(0, |depth| depth.ready);
        let left = total.min(most).min(MAX_IN_HAND);
        // All of them, also where few are looked at: a broker puts what comes back from a consumer behind what it has
        // never delivered, so that a part would come back in another place.
        let dead = topology::queues().into_iter().find(|queue| queue.name == topology::DEAD);
        let consumer = match dead.filter(|_| left > 0) {
            Some(queue) => Some(self.consumer(vec![Subscription { queue, prefetch: MAX_IN_HAND }]).await?),
            None => None,
        };
        Ok(Parked { consumer, _among_processes: own, _in_this_process: turn, left, total })
    }

    async fn own_queue(&self, until: Instant) -> Result<Consumer, BusError> {
        loop {
            let own = Subscription { queue: topology::operator(), prefetch: 1 };
            match self.consumer(vec![own]).await {
                Err(BusError::Topology(_)) if Instant::now() < until => sleep(LOOK_EVERY).await,
                taken => return taken,
            }
        }
    }
}

impl Parked {
    /// All that waited in the queue.
    #[must_use]
    pub const fn total(&self) -> usize {
        self.total
    }

    /// The next ones, at most `most`; none once all that were there have come.
    ///
    /// # Errors
    /// [`BusError::Lost`]; whatever was not acked has gone back.
    pub async fn next(&mut self, most: usize) -> Result<Vec<Delivery>, BusError> {
        let Some(consumer) = self.consumer.as_mut().filter(|_| self.left > 0) else { return Ok(Vec::new()) };
        let Ok(received) = timeout(COMES_WITHIN, consumer.receive(most.min(self.left))).await else {
            self.left = 0;
            return Ok(Vec::new());
        };
        let received = received?;
        self.left -= received.len();
        Ok(received)
    }
}
