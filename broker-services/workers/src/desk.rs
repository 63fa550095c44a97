//! The only door for dashboards and the command line: commands go to their exchange as any client's would, and
//! what is shown comes from the view.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use skstore_domain::answers::{Answer, ErrorCode};
use skstore_domain::breaker::BreakerMode;
use skstore_domain::commands::{
    Command, DepositCommand, ItemCommand, OrderCommand, Place, Restock, Settle, TopUp,
};
use skstore_domain::ids::{Customer, ItemId, OrderId, RequestId};
use skstore_domain::json;
use skstore_domain::signals::{Control, Fault, Service};
use tokio::sync::{OnceCell, oneshot, watch};

use crate::bus::{
    Bus, BusError, Consumer, PublishOutcome, Publisher, QueueDepth, Subscription, blocked_words,
};
use crate::clock::Ids;
use crate::envelope::json_message;
use crate::view::View;

mod dead;

pub use crate::envelope::ParkedCode;
// What comes through this door with it: what is shown and how it is configured, started and ended; and for whoever looks
// for trouble, what the servers and stores say of themselves.
pub use crate::{audit, bus, clock, config, logging, outlet, process, signals, store, topology, view};
pub use dead::{DeadError, DeadLetter, DeadPage, Disposition, LIST_BYTES, ReplayCheck, Summary, Which};

/// How long a caller waits for an answer before it says that none came: many times what the slowest answer
/// takes while everything works.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// Answers taken at once.
const ANSWERS_AT_ONCE: usize = 256;
/// How long the bus may take until it is used, before a desk that does not need it yet goes on without: what a broker
/// takes that is well, many times over, and not yet long for somebody who looks at an empty screen.
const ATTACHED_WITHIN: Duration = Duration::from_secs(1);
/// How long is waited, once the bus is lost, before it is tried again. Each further try waits twice as long.
const RETRY_FIRST: Duration = Duration::from_millis(200);
/// How long is waited at most: a person looks at a countdown meanwhile, and a bus that is back must be in use
/// within six seconds.
const MAX_RETRY: Duration = Duration::from_secs(2);

/// How often it is looked whether the broker still reads what is published: a heartbeat that it does not let through is
/// missed as soon.
const BLOCKED_LOOK: Duration = Duration::from_secs(3);

/// Whether a desk reaches the message bus.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BusState {
    /// It does.
    Up,
    /// It does not.
    Lost {
        /// The cause, in a sentence.
        cause: String,
        /// How long it is waited, from when this was told, until the next try.
        retry_in: Duration,
    },
}

/// Why there is no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeskError {
    /// The command may or may not have taken effect: ask with the same id.
    #[error("no answer from {service} within {} s; it may still take effect", within.as_secs())]
    NoAnswer {
        /// Who was asked.
        service: Service,
        /// How long it was waited for.
        within: Duration,
    },
    /// The bus was lost while the answer was waited for. The command may or may not have taken effect: ask with the
    /// same id.
    #[error("the message bus was lost before {service} answered; it may still take effect")]
    Lost {
        /// Who was asked.
        service: Service,
    },
    /// Nothing was sent.
    #[error("the message bus cannot be reached: {0}")]
    Unreachable(String),
}

impl From<BusError> for DeskError {
    fn from(error: BusError) -> Self {
        Self::Unreachable(error.to_string())
    }
}

/// Places orders, asks the services, and shows the view. Clones share one connection.
#[derive(Debug, Clone)]
pub struct Desk {
    bus: Bus,
    view: View,
    /// Empty until the bus was reached for the first time. It gets back there by itself.
    publisher: Arc<OnceCell<Publisher>>,
    ids: Ids,
    /// The queue on which answers are heard now.
    reply_to: watch::Receiver<Arc<str>>,
    waiting: Waiting,
    bus_state: watch::Receiver<BusState>,
}

/// Those who wait for an answer, by correlation id.
#[derive(Debug, Clone, Default)]
struct Waiting(Arc<Mutex<BTreeMap<String, oneshot::Sender<Answer>>>>);

impl Waiting {
    fn with<T>(&self, act: impl FnOnce(&mut BTreeMap<String, oneshot::Sender<Answer>>) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// A question on its way. Whoever stops waiting is forgotten.
struct Question<'a> {
    waiting: &'a Waiting,
    id: String,
}

impl Drop for Question<'_> {
    fn drop(&mut self) {
        self.waiting.with(|waiting| waiting.remove(&self.id));
    }
}

impl Desk {
    /// A desk on `bus` and `view`. Answers are heard by a task on the caller's runtime.
    ///
    /// # Errors
    /// [`DeskError::Unreachable`] when the bus cannot be reached.
    pub async fn open(bus: &Bus, view: View, ids: Ids) -> Result<Self, DeskError> {
        let (line, reply_to) = Line::to(bus, &ids);
        let answers = line.listen().await?;
        Ok(Self::with(line, reply_to, Ok(answers), view, ids))
    }

    /// A desk that needs no bus to show the view: where that is not there yet, [`Desk::bus_state`] says why, and
    /// whoever asks for something is told so at once. It gets there by itself.
    pub async fn attach(bus: &Bus, view: View, ids: Ids) -> Self {
        let (line, reply_to) = Line::to(bus, &ids);
        let answers = tokio::time::timeout(ATTACHED_WITHIN, line.listen()).await.unwrap_or_else(|_| {
            Err(BusError::Lost(format!("no answer within {} s", ATTACHED_WITHIN.as_secs())))
        });
        Self::with(line, reply_to, answers, view, ids)
    }

    fn with(
        line: Line,
        reply_to: watch::Receiver<Arc<str>>,
        answers: Result<Consumer, BusError>,
        view: View,
        ids: Ids,
    ) -> Self {
        let waiting = Waiting::default();
        let first = match &answers {
            Ok(_) => BusState::Up,
            Err(error) => BusState::Lost { cause: error.to_string(), retry_in: RETRY_FIRST },
        };
        let (told, bus_state) = watch::channel(first);
        let (bus, publisher) = (line.bus.clone(), Arc::clone(&line.publisher));
        tokio::spawn(ReplyListener { line, waiting: waiting.clone(), told }.listen(answers));
        Self { bus, view, publisher, ids, reply_to, waiting, bus_state }
    }

    /// Tells at once when the bus is lost, how it is tried again, and when it is back.
    #[must_use]
    pub fn bus_state(&self) -> watch::Receiver<BusState> {
        self.bus_state.clone()
    }

    /// Why the broker takes nothing, if it does not: for lack of memory or disk.
    pub async fn blocked(&self) -> Option<String> {
        self.bus.blocked().await
    }
}

/// What is asked of the services, and what an operator wants of them.
///
/// # Errors
/// [`DeskError`], if there is no answer or nobody was told. A refusal is an answer.
impl Desk {
    /// Orders something and waits for its payment. Give it an id (see [`Desk::order_id`]) to be able to
    /// repeat it safely.
    pub async fn place(&self, place: &Place) -> Result<Answer, DeskError> {
        self.ask(OrderCommand::Place(place.clone())).await
    }

    /// Takes an order back.
    pub async fn cancel(&self, order: &OrderId) -> Result<Answer, DeskError> {
        self.ask(OrderCommand::Cancel(order.clone())).await
    }

    /// Brings an order in order on which the services differ since a store was put back to an older copy.
    pub async fn settle(&self, settle: &Settle) -> Result<Answer, DeskError> {
        self.ask(OrderCommand::Settle(settle.clone())).await
    }

    /// The order as Order itself tells it.
    pub async fn order(&self, order: &OrderId) -> Result<Answer, DeskError> {
        self.ask(OrderCommand::Query(order.clone())).await
    }

    /// The payment as Deposit itself tells it.
    pub async fn payment(&self, order: &OrderId) -> Result<Answer, DeskError> {
        self.ask(DepositCommand::QueryPayment(order.clone())).await
    }

    /// The account as Deposit itself tells it.
    pub async fn account(&self, customer: &Customer) -> Result<Answer, DeskError> {
        self.ask(DepositCommand::QueryAccount(customer.clone())).await
    }

    /// Puts money into an account.
    pub async fn top_up(&self, top_up: &TopUp) -> Result<Answer, DeskError> {
        self.ask(DepositCommand::TopUp(top_up.clone())).await
    }

    /// Adds to an item's stock.
    pub async fn restock(&self, restock: &Restock) -> Result<Answer, DeskError> {
        self.ask(ItemCommand::Restock(restock.clone())).await
    }

    /// The item as Item itself tells it.
    pub async fn item(&self, item: &ItemId) -> Result<Answer, DeskError> {
        self.ask(ItemCommand::Query(item.clone())).await
    }

    /// Holds the breaker of one order worker, or of all, open or closed, or lets it decide again.
    pub async fn force_breaker(&self, instance: Option<String>, mode: BreakerMode) -> Result<(), DeskError> {
        self.send_control(&Control::ForceBreaker { instance, mode }).await
    }

    /// Makes a service misbehave.
    pub async fn inject(&self, service: Service, fault: Fault) -> Result<(), DeskError> {
        self.send_control(&Control::SetFault { service, fault }).await
    }

    /// Has the view built anew from the services' logs. [`View::rebuilds`] tells when that has begun and ended.
    pub async fn rebuild_view(&self) -> Result<(), DeskError> {
        self.send_control(&Control::RebuildView).await
    }
}

impl Desk {
    /// How full each queue of the topology is that outlives its consumers, sorted by name.
    ///
    /// # Errors
    /// [`DeskError::Unreachable`].
    pub async fn queues(&self) -> Result<Vec<QueueDepth>, DeskError> {
        Ok(self.bus.depths().await?)
    }

    /// A fresh order id.
    #[must_use]
    pub fn order_id(&self) -> OrderId {
        mint(&self.ids, OrderId::new)
    }

    /// A fresh id of a top-up or restock.
    #[must_use]
    pub fn request_id(&self) -> RequestId {
        mint(&self.ids, RequestId::new)
    }

    /// What is shown.
    #[must_use]
    pub const fn view(&self) -> &View {
        &self.view
    }

    /// Something to publish with, once the bus was reached.
    fn publisher(&self) -> Result<&Publisher, DeskError> {
        self.publisher.get().ok_or_else(|| match &*self.bus_state.borrow() {
            BusState::Lost { cause, .. } => DeskError::Unreachable(cause.clone()),
            BusState::Up => DeskError::Unreachable("it is being connected to".to_owned()),
        })
    }

    async fn ask(&self, command: impl Into<Command>) -> Result<Answer, DeskError> {
        let command = command.into();
        let (kind, publisher) = (command.kind(), self.publisher()?);
        let id = self.ids.mint();
        let (sender, answer) = oneshot::channel();
        self.waiting.with(|waiting| waiting.insert(id.clone(), sender));
        let question = Question { waiting: &self.waiting, id };
        let mut message = json_message(topology::COMMANDS, kind.word(), command.to_json().into_bytes());
        message.properties.message_id = Some(question.id.clone());
        message.properties.correlation_id = Some(question.id.clone());
        message.properties.reply_to = Some(self.reply_to.borrow().to_string());
        let receipt = publisher.publish(message);
        let refused = async {
            match receipt.await {
                // The answer is on its way, or comes with the next delivery of the message.
                PublishOutcome::Confirmed | PublishOutcome::Unknown => std::future::pending().await,
                PublishOutcome::Returned => DeskError::Unreachable("nothing takes commands there".to_owned()),
                PublishOutcome::Nacked => DeskError::Unreachable("too many commands are waiting".to_owned()),
            }
        };
        let service = Service::from(kind.source());
        tokio::select! {
            biased;
            answer = answer => answer.map_err(|_| DeskError::Lost { service }),
            error = refused => Err(error),
            () = tokio::time::sleep(ANSWER_WITHIN) => {
                self.bus.suspect();
                Err(DeskError::NoAnswer { service, within: ANSWER_WITHIN })
            }
        }
    }

    async fn send_control(&self, control: &Control) -> Result<(), DeskError> {
        let receipt = self.publisher()?.publish(json_message(topology::CONTROL, "", json::bytes(control)));
        match tokio::time::timeout(ANSWER_WITHIN, receipt).await {
            Ok(PublishOutcome::Confirmed) => Ok(()),
            Ok(PublishOutcome::Returned) => Err(DeskError::Unreachable("no worker listens".to_owned())),
            Ok(PublishOutcome::Nacked | PublishOutcome::Unknown) | Err(_) => {
                Err(DeskError::Unreachable("the workers were not all told".to_owned()))
            }
        }
    }
}

/// A desk's own queue of answers, and what it publishes with.
#[derive(Debug)]
struct Line {
    bus: Bus,
    ids: Ids,
    /// Where answers are to be sent.
    named: watch::Sender<Arc<str>>,
    publisher: Arc<OnceCell<Publisher>>,
}

impl Line {
    /// A line, and where answers are to be sent.
    fn to(bus: &Bus, ids: &Ids) -> (Self, watch::Receiver<Arc<str>>) {
        let (named, reply_to) = watch::channel(Arc::from(""));
        (Self { bus: bus.clone(), ids: ids.clone(), named, publisher: Arc::default() }, reply_to)
    }

    /// Begins to hear answers, on a queue that nobody has had: the broker may take the last one for in use long after its
    /// connection is gone. From then on questions can be asked.
    async fn listen(&self) -> Result<Consumer, BusError> {
        let queue = topology::answers_to(&self.ids.mint());
        // Whatever is asked meanwhile may still be answered there.
        self.named.send_replace(Arc::from(queue.name.as_str()));
        let answers = self.bus.consumer(vec![Subscription { queue, prefetch: ANSWERS_AT_ONCE }]).await?;
        self.publisher.get_or_try_init(|| self.bus.publisher()).await?;
        Ok(answers)
    }
}

/// What hears the answers, and is the first to notice that the bus is lost.
struct ReplyListener {
    line: Line,
    waiting: Waiting,
    told: watch::Sender<BusState>,
}

impl ReplyListener {
    /// Hears answers, over every loss of the bus, until the last clone of the desk is gone.
    async fn listen(self, mut heard: Result<Consumer, BusError>) {
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
        if let Bus::Embedded(_) = &self.line.bus {
            return std::future::pending().await;
        }
        let mut is_blocked = false;
        loop {
            tokio::time::sleep(BLOCKED_LOOK).await;
            match self.line.bus.blocked().await {
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
            match self.line.listen().await {
                Ok(answers) => return answers,
                Err(still) => error = still,
            }
            wait = (wait * 2).min(MAX_RETRY);
        }
    }
}

/// Minted ids are of the alphabet that ids have.
fn mint<T, E: std::fmt::Debug>(ids: &Ids, check: fn(&str) -> Result<T, E>) -> T {
    loop {
        if let Ok(id) = check(&ids.mint()) {
            return id;
        }
    }
}
