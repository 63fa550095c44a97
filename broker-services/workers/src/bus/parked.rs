//! Parked messages in an operator's hands: to look at them, and to end those that were dealt with.
//!
//! This is consuming, on every bus: what is not acked goes back to its place when [`Parked`] is dropped, and when
//! its process dies. So looking loses nothing, but two who look at once would each miss what the other holds. One
//! is let in at a time: within a process by a lock, and of several by an exclusive queue, [`topology::operator`].
//!
//! RabbitMQ puts what comes back ahead of what it has never delivered, but more than 32 of them (3.10) in any order. So as
//! many are taken each time, which are all that ever came back and those next to them, and sorted by when they were
//! parked.

use std::collections::VecDeque;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::sync::OwnedMutexGuard;
use tokio::time::{Instant, sleep, timeout, timeout_at};

use super::{Bus, BusError, Consumer, Delivery, Subscription};
use crate::envelope::{PARKED_AT, PARKED_ID};
use crate::topology;

/// Most parked messages that are in hand at once; the others wait behind them. They stay with the bus; only what is
/// [received](Parked::next) and kept takes memory here. AMQP can hold back at most 65,535.
pub const MAX_IN_HAND: usize = 10_000;
/// How long another operator is waited for: they hold parked messages for as long as a command takes.
const TURN_WITHIN: Duration = Duration::from_secs(5);
/// How often it is looked whether it is our turn.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long a message that the queue has counted is waited for. One that does not come by then is in the hands of
/// somebody who consumes the queue by other means.
const COMES_WITHIN: Duration = Duration::from_secs(1);

/// The parked messages that were there when it was opened, oldest first; those that do not say when they were parked come
/// before. Whatever is not acked goes back when this is dropped.
#[derive(Debug)]
pub struct Parked {
    // Dropped in this order: the next one in this process finds everything given back.
    consumer: Consumer,
    _among_processes: Consumer,
    _in_this_process: OwnedMutexGuard<()>,
    /// In their order, without those that were handed out.
    in_hand: VecDeque<Delivery>,
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
        let turn = self.turn(until).await?;
        let own = self.own_queue(until).await?;
        let (mut consumer, total) = self.counted().await?;
        let mut in_hand = Vec::new();
        take(&mut consumer, total.min(MAX_IN_HAND), &mut in_hand).await?;
        in_hand.sort_by(|one, other| when_parked(one).cmp(&when_parked(other)));
        in_hand.truncate(most);
        let in_hand = in_hand.into();
        Ok(Parked { consumer, _among_processes: own, _in_this_process: turn, in_hand, total })
    }

    /// Waits for the turn among those of this process.
    async fn turn(&self, until: Instant) -> Result<OwnedMutexGuard<()>, BusError> {
        let turn = match self {
            Self::Embedded(bus) => bus.turn(),
            Self::Amqp(bus) => bus.turn(),
        };
        timeout_at(until, turn.lock_owned()).await.map_err(|_| {
            BusError::Topology(format!(
                "somebody else in this process has them in hand ({}); try again later",
                topology::OPERATOR
            ))
        })
    }

    /// Takes hold of the parked messages, and tells how many there are.
    async fn counted(&self) -> Result<(Consumer, usize), BusError> {
        let dead = Subscription { queue: topology::dead(), prefetch: MAX_IN_HAND };
        match self {
            Self::Embedded(bus) => {
                let depths = bus.queue_depths();
                let ready =
                    depths.iter().find(|depth| *depth.name == *dead.queue.name).map(|depth| depth.ready);
                Ok((Consumer::Embedded(bus.consume(vec![dead])?), ready.unwrap_or_default()))
            }
            Self::Amqp(bus) => {
                bus.consume_counted(dead).await.map(|(consumer, ready)| (Consumer::Amqp(consumer), ready))
            }
        }
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

    /// The next ones, at most `most`; none once all that were there have been handed out.
    ///
    /// # Errors
    /// [`BusError::Lost`]; whatever was not acked has gone back.
    pub fn next(&mut self, most: usize) -> Result<Vec<Delivery>, BusError> {
        // Nothing else would say that acks are in vain. What has been parked since then stays unacked.
        if let Some(Err(lost)) = self.consumer.receive(1).now_or_never() {
            return Err(lost);
        }
        Ok(self.in_hand.drain(..most.min(self.in_hand.len())).collect())
    }
}

/// Receives until `taken` are `count`, or no more come.
async fn take(consumer: &mut Consumer, count: usize, taken: &mut Vec<Delivery>) -> Result<(), BusError> {
    while taken.len() < count {
        let Ok(received) = timeout(COMES_WITHIN, consumer.receive(count - taken.len())).await else {
            break;
        };
        taken.extend(received?);
    }
    Ok(())
}

/// What sorts messages by when they were parked: ids of the same millisecond are in the order in which they were made.
fn when_parked(delivery: &Delivery) -> [Option<&String>; 2] {
    [PARKED_AT, PARKED_ID].map(|name| delivery.message.properties.headers.get(name))
}
