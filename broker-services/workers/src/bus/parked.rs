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
use crate::headers::{BODY_CUT_AT, PARKED_AT, PARKED_ID};
use crate::topology;

/// Most parked messages that are in hand at once; the others wait behind them.
pub const MAX_IN_HAND: usize = 10_000;
/// Most bytes in their bodies, of which each has at most [`MAX_BYTES`](topology::MAX_BYTES) and one more.
const MAX_IN_HAND_BYTES: usize = 64 * 1024 * 1024;
/// How many are taken at first, and as long as some among them are too long to be read whole: those come slowly.
const AT_FIRST: usize = 16;
/// How long another operator is waited for: they hold parked messages for as long as a command takes.
const TURN_WITHIN: Duration = Duration::from_secs(5);
/// How often it is looked whether it is our turn.
const LOOK_EVERY: Duration = Duration::from_millis(50);
/// How long a message that the queue has counted is waited for. One that does not come by then is in the hands of
/// somebody who consumes the queue by other means.
const COMES_WITHIN: Duration = Duration::from_secs(3);

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
    /// Takes parked messages in hand, to look at the oldest, at most `max` and [`MAX_IN_HAND`].
    ///
    /// # Errors
    /// [`BusError::Occupied`] when somebody else has them in hand for longer than a command takes; otherwise as
    /// [`Bus::consumer`].
    pub async fn parked(&self, max: usize) -> Result<Parked, BusError> {
        let until = Instant::now() + TURN_WITHIN;
        let turn = self.turn(until).await?;
        let own = self.own_queue(until).await?;
        let (mut consumer, total) = self.counted().await?;
        let mut in_hand = Vec::new();
        take(&mut consumer, total.min(MAX_IN_HAND), &mut in_hand).await?;
        in_hand.sort_by(|one, other| when_parked(one).cmp(&when_parked(other)));
        in_hand.truncate(max);
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
            BusError::Occupied(format!(
                "somebody else in this process has them in hand ({}); try again later",
                topology::OPERATOR
            ))
        })
    }

    /// Takes hold of the parked messages, and tells how many there are.
    async fn counted(&self) -> Result<(Consumer, usize), BusError> {
        let dead = |prefetch| Subscription { queue: topology::dead(), prefetch };
        match self {
            Self::Embedded(bus) => {
                let dead = dead(MAX_IN_HAND);
                let depths = bus.queue_depths();
                let ready =
                    depths.iter().find(|depth| *depth.name == *dead.queue.name).map(|depth| depth.ready);
                Ok((Consumer::Embedded(bus.consume(vec![dead])?), ready.unwrap_or_default()))
            }
            Self::Amqp(bus) => bus
                .consume_counted(dead(AT_FIRST))
                .await
                .map(|(consumer, ready)| (Consumer::Amqp(consumer), ready)),
        }
    }

    async fn own_queue(&self, until: Instant) -> Result<Consumer, BusError> {
        loop {
            let own = Subscription { queue: topology::operator(), prefetch: 1 };
            match self.consumer(vec![own]).await {
                Err(BusError::Occupied(_)) if Instant::now() < until => sleep(LOOK_EVERY).await,
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

    /// The next ones, at most `max`; none once all that were there have been handed out.
    ///
    /// # Errors
    /// [`BusError::Lost`]; whatever was not acked has gone back.
    pub fn next(&mut self, max: usize) -> Result<Vec<Delivery>, BusError> {
        // Nothing else would say that acks are in vain. What has been parked since then stays unacked.
        if let Some(Err(lost)) = self.consumer.receive(1).now_or_never() {
            return Err(lost);
        }
        Ok(self.in_hand.drain(..max.min(self.in_hand.len())).collect())
    }
}

/// Receives until `taken` are `count`, or no more come, or no more fit. Ever more at a time, as long as they are such as may
/// be, but no more than fit for certain.
async fn take(consumer: &mut Consumer, count: usize, taken: &mut Vec<Delivery>) -> Result<(), BusError> {
    let (mut admitted, mut at_once, mut bytes) = (AT_FIRST, AT_FIRST, 0);
    while taken.len() < count {
        if taken.len() == admitted {
            let last = &taken[taken.len() - at_once..];
            let is_any_cut = last.iter().any(|one| one.message.properties.headers.contains_key(BODY_CUT_AT));
            let fit = MAX_IN_HAND_BYTES.saturating_sub(bytes) / (topology::MAX_BYTES + 1);
            at_once = if is_any_cut { AT_FIRST } else { at_once * 2 }.min(fit).min(count - taken.len());
            if at_once == 0 {
                break;
            }
            consumer.admit(at_once).await?;
            admitted += at_once;
        }
        let max = admitted.min(count) - taken.len();
        let Ok(received) = timeout(COMES_WITHIN, consumer.receive(max)).await else {
            break;
        };
        let received = received?;
        bytes += received.iter().map(|delivery| delivery.message.body.len()).sum::<usize>();
        taken.extend(received);
    }
    Ok(())
}

/// What sorts messages by when they were parked: ids of the same millisecond are in the order in which they were made.
fn when_parked(delivery: &Delivery) -> [Option<&String>; 2] {
    [PARKED_AT, PARKED_ID].map(|name| delivery.message.properties.headers.get(name))
}
