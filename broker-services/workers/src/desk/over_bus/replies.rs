//! The queue on which a desk hears its answers, who waits for them, and how it is come back to once the bus was lost.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use skstore_domain::answers::{Answer, ErrorCode};
use tokio::sync::{OnceCell, oneshot, watch};

use crate::bus::{Bus, BusError, Consumer, Publisher, Subscription, blocked_words};
use crate::clock::Ids;
use crate::desk::told::BusState;
use crate::topology;

/// Answers taken at once.
const ANSWERS_AT_ONCE: usize = 256;
/// How long is waited, once the bus is lost, before it is tried again. Each further try waits twice as long.
pub(super) const RETRY_FIRST: Duration = Duration::from_millis(200);
/// How long is waited at most: a person looks at a countdown meanwhile, and a bus that is back must be in use
/// within six seconds.
const MAX_RETRY: Duration = Duration::from_secs(2);
/// How often it is looked whether the broker still reads what is published: a heartbeat that it does not let through is
/// missed as soon.
const BLOCKED_LOOK: Duration = Duration::from_secs(3);

/// Those who wait for an answer, by correlation id.
#[derive(Debug, Clone, Default)]
pub(super) struct Waiting(Arc<Mutex<BTreeMap<String, oneshot::Sender<Answer>>>>);

impl Waiting {
    pub(super) fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<String, oneshot::Sender<Answer>>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A question on its way. Whoever stops waiting is forgotten.
pub(super) struct Question<'a> {
    pub(super) waiting: &'a Waiting,
    pub(super) id: String,
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        self.waiting.with(|waiting| waiting.remove(&self.id));
    }
}

/// A desk's own queue of answers, and what it publishes with.
#[derive(Debug)]
pub(super) struct AnswerQueue {
    pub(super) bus: Bus,
    ids: Ids,
    /// Where answers are to be sent.
    named: watch::Sender<Arc<str>>,
    pub(super) publisher: Arc<OnceCell<Publisher>>,
}

impl AnswerQueue {
    /// One on `bus`, and where answers are to be sent.
    pub(super) fn on(bus: &Bus, ids: &Ids) -> (Self, watch::Receiver<Arc<str>>) {
        let (named, reply_to) = watch::channel(Arc::from(""));
        (Self { bus: bus.clone(), ids: ids.clone(), named, publisher: Arc::default() }, reply_to)
    }

    /// Begins to hear answers, on a queue that nobody has had: the broker may take the last one for in use long after its
    /// connection is gone. From then on questions can be asked.
    pub(super) async fn listen(&self) -> Result<Consumer, BusError> {
        let queue = topology::answers_to(&self.ids.mint());
        // Whatever is asked meanwhile may still be answered there.
        self.named.send_replace(Arc::from(queue.name.as_str()));
        let answers = self.bus.consumer(vec![Subscription { queue, prefetch: ANSWERS_AT_ONCE }]).await?;
        self.publisher.get_or_try_init(|| self.bus.publisher()).await?;
        Ok(answers)
    }
}

/// What hears the answers, and is the first to notice that the bus is lost.
pub(super) struct ReplyListener {
    pub(super) queue: AnswerQueue,
    pub(super) waiting: Waiting,
    pub(super) told: watch::Sender<BusState>,
}

impl ReplyListener {
    /// Hears answers, over every loss of the bus, until the last clone of the desk is gone.
    pub(super) async fn listen(self, mut heard: Result<Consumer, BusError>) {
        loop {
            let error = match heard {
                Ok(mut answers) => tokio::select! {
                    biased;
                    () = self.told.closed() => return,
                    error = self.give_out(&mut answers) => error,
                    never = self.watch_for_blocks() => match never {},
                },
                Err(error) => error,
            };
            // Answers went to a queue that is gone. Whoever waits for one is told at once that none comes.
            self.waiting.with(BTreeMap::clear);
            let answers = tokio::select! {
                biased;
                () = self.told.closed() => return,
                again = self.listen_again(error) => again,
            };
            self.told.send_replace(BusState::Up);
            heard = Ok(answers);
        }
    }

    /// Tells of a broker that reads nothing as of one that is lost, for as long as it does not: nobody there hears what is
    /// asked. Answers are heard all the same.
    async fn watch_for_blocks(&self) -> Infallible {
        if let Bus::Embedded(_) = &self.queue.bus {
            return std::future::pending().await;
        }
        let mut is_blocked = false;
        loop {
            tokio::time::sleep(BLOCKED_LOOK).await;
            match self.queue.bus.blocked().await {
                Some(reason) => {
                    let cause = blocked_words(&reason);
                    self.told.send_replace(BusState::Lost { cause, retry_in: BLOCKED_LOOK });
                    is_blocked = true;
                }
                None if std::mem::take(&mut is_blocked) => drop(self.told.send_replace(BusState::Up)),
                None => {}
            }
        }
    }

    /// Gives answers to those who wait for them; one that nobody waits for any more is dropped. Ends when the bus
    /// is lost.
    async fn give_out(&self, answers: &mut Consumer) -> BusError {
        loop {
            let deliveries = match answers.receive(ANSWERS_AT_ONCE).await {
                Ok(deliveries) => deliveries,
                Err(error) => return error,
            };
            for delivery in deliveries {
                let id = delivery.message.properties.correlation_id.clone().unwrap_or_default();
                let answer = serde_json::from_slice(&delivery.message.body).unwrap_or_else(|error| {
                    Answer::refuse(ErrorCode::Internal, format!("the answer cannot be read: {error}"))
                });
                delivery.unacked.ack();
                if let Some(sender) = self.waiting.with(|waiting| waiting.remove(&id)) {
                    // Whoever stopped waiting just now has dropped the other end.
                    let _ = sender.send(answer);
                }
            }
        }
    }

    /// Tries to listen again until it works, and tells how it goes.
    async fn listen_again(&self, mut error: BusError) -> Consumer {
        let mut wait = RETRY_FIRST;
        loop {
            self.told.send_replace(BusState::Lost { cause: error.to_string(), retry_in: wait });
            tokio::time::sleep(wait).await;
            match self.queue.listen().await {
                Ok(answers) => return answers,
                Err(still) => error = still,
            }
            wait = (wait * 2).min(MAX_RETRY);
        }
    }
}
