//! A desk on a message bus: commands go to their exchange as any client's would, and answers come back on a queue of its
//! own.

use std::sync::Arc;
use std::time::Duration;

use skstore_domain::answers::Answer;
use skstore_domain::commands::Command;
use skstore_domain::json;
use skstore_domain::signals::{Control, Service};
use tokio::sync::{OnceCell, oneshot, watch};

use self::replies::{AnswerQueue, Question, RETRY_FIRST, ReplyListener, Waiting};
use super::told::{ANSWER_WITHIN, BusState, DeskError};
use crate::bus::{Bus, BusError, Consumer, PublishOutcome, Publisher};
use crate::clock::Ids;
use crate::envelope::json_message;
use crate::topology;

mod parked;
mod replies;

/// How long the bus may take until it is used, before a desk that does not need it yet goes on without: what a broker
/// takes that is well, many times over, and not yet long for somebody who looks at an empty screen.
const ATTACHED_WITHIN: Duration = Duration::from_secs(1);

/// The way to the workers over a bus. Clones share one connection.
#[derive(Debug, Clone)]
pub(super) struct OverBus {
    pub(super) bus: Bus,
    /// Empty until the bus was reached for the first time. It gets back there by itself.
    publisher: Arc<OnceCell<Publisher>>,
    ids: Ids,
    /// The queue on which answers are heard now.
    reply_to: watch::Receiver<Arc<str>>,
    waiting: Waiting,
    pub(super) state: watch::Receiver<BusState>,
}

impl OverBus {
    /// See [`Desk::open`](super::Desk::open).
    pub(super) async fn open(bus: &Bus, ids: &Ids) -> Result<Self, DeskError> {
        let (queue, reply_to) = AnswerQueue::on(bus, ids);
        let answers = queue.listen().await?;
        Ok(Self::with(queue, reply_to, Ok(answers), ids))
    }

    /// See [`Desk::attach`](super::Desk::attach).
    pub(super) async fn attach(bus: &Bus, ids: &Ids) -> Self {
        let (queue, reply_to) = AnswerQueue::on(bus, ids);
        let answers = tokio::time::timeout(ATTACHED_WITHIN, queue.listen()).await.unwrap_or_else(|_| {
            Err(BusError::Lost(format!("no answer within {} s", ATTACHED_WITHIN.as_secs())))
        });
        Self::with(queue, reply_to, answers, ids)
    }

    fn with(
        queue: AnswerQueue,
        reply_to: watch::Receiver<Arc<str>>,
        answers: Result<Consumer, BusError>,
        ids: &Ids,
    ) -> Self {
        let waiting = Waiting::default();
        let first = match &answers {
            Ok(_) => BusState::Up,
            Err(error) => BusState::Lost { cause: error.to_string(), retry_in: RETRY_FIRST },
        };
        let (told, state) = watch::channel(first);
        let (bus, publisher) = (queue.bus.clone(), Arc::clone(&queue.publisher));
        tokio::spawn(ReplyListener { queue, waiting: waiting.clone(), told }.listen(answers));
        Self { bus, publisher, ids: ids.clone(), reply_to, waiting, state }
    }

    /// Something to publish with, once the bus was reached.
    fn publisher(&self) -> Result<&Publisher, DeskError> {
        self.publisher.get().ok_or_else(|| match &*self.state.borrow() {
            BusState::Lost { cause, .. } => DeskError::Unreachable(cause.clone()),
            BusState::Up => DeskError::Unreachable("it is being connected to".to_owned()),
        })
    }

    pub(super) async fn ask(&self, command: &Command) -> Result<Answer, DeskError> {
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

    pub(super) async fn send_control(&self, control: &Control) -> Result<(), DeskError> {
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
