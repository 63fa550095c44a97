//! The one loop of the workers with a store: a batch is the unit, and a batch of one is just the idle case.
//!
//! A turn of the loop takes what is ready, never waiting for more:
//!
//! 1. receive up to N deliveries; 2. read each, and park alone what cannot be read; 3. collect the keys of
//!    the aggregates they touch; 4. begin, and load all of those at once; 5. run the rules on each message in
//!    its turn, in memory; 6. write changed aggregates and new events in one commit; 7. answer; 8. ack.
//!
//! A crash before 6 leaves nothing but unacked messages. A crash after it leaves messages that come again,
//! which the rules answer from what they recorded.

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};

use futures_util::FutureExt;
use skstore_domain::answers::{Answer, ErrorCode};
use skstore_domain::impossible::Impossible;
use skstore_domain::time::Timestamp;

use crate::bus::{BusError, Delivery, Message, Publisher, Subscription};
use crate::context::Context;
use crate::envelope::{Bad, BadPart, Caller, Envelope, must_be_seen, park};
use crate::logging;
use crate::probe::{Bug, Point};
use crate::reads::Read;
use crate::relay::RelayHandle;
use crate::reply_to;
use crate::store::{Changes, Key, Store};
use crate::unit_of_work::UnitOfWork;

/// One thing to decide.
#[derive(Debug)]
pub(crate) struct Job<I> {
    pub input: I,
    /// W3C trace context of the message that brought it.
    pub trace: Option<String>,
}

/// What a decided input asks for once it is committed.
#[derive(Debug, Clone)]
pub(crate) enum Effect<E> {
    None,
    Answer(Box<Answer>),
    /// Tell the caller a page of what is stored, as it is then.
    Read(Read),
    /// Park it: it cannot be, or it panicked.
    Park(String),
    /// What only this service does.
    Own(E),
}

/// What a delivery asks for, part by part.
pub(crate) type Parts<I> = Vec<Result<Job<I>, BadPart>>;

/// What a service fills into the loop: how its messages are read, what they touch, what they do. What only some of them
/// need has a default that does nothing.
pub(crate) trait Handler {
    /// What its messages say.
    type Input;
    /// What it has in hand while it decides.
    type UnitOfWork: UnitOfWork;
    /// What it does beside answering.
    type Effect;

    /// The queues it takes work from.
    fn subscriptions(&self) -> Vec<Subscription>;

    /// Reads a delivery: one input for each thing it asks for. A bad part is parked alone.
    ///
    /// # Errors
    /// [`Bad`] if the delivery as a whole makes no sense.
    fn read(&mut self, delivery: &Delivery) -> Result<Parts<Self::Input>, Bad>;

    /// Names the aggregates that `input` touches.
    fn keys(&self, input: &Self::Input, keys: &mut BTreeSet<Key>);

    /// Decides one input. Must do nothing else: it is asked again when somebody else's commit was faster.
    ///
    /// # Errors
    /// [`Impossible`] parks the input's message.
    fn decide(
        &self,
        input: &Self::Input,
        unit: &mut Self::UnitOfWork,
        now: Timestamp,
    ) -> Result<Effect<Self::Effect>, Impossible>;

    /// Carries out its own effects of one committed delivery, or of inputs that no delivery brought. Returns the envelope
    /// if it is to be acked now.
    fn carry_out(&mut self, envelope: Option<Envelope>, _effects: Vec<Self::Effect>) -> Option<Envelope> {
        envelope
    }

    /// Called once for each turn, before it decides: for what must not happen twice if it decides again.
    fn prepare(&mut self, _inputs: &[&Self::Input]) -> impl Future<Output = ()> {
        std::future::ready(())
    }

    /// After all effects of a turn were carried out: what was gathered on the way, like calls that go out together.
    fn finish_turn(&mut self) {}

    /// Waits for inputs that no delivery brings: outcomes, timers. Cancel-safe.
    fn wake(&mut self) -> impl Future<Output = Result<Vec<Self::Input>, BusError>> {
        std::future::pending()
    }

    /// Messages that it keeps unacked between turns, until what no delivery brings.
    fn held(&self) -> usize {
        0
    }
}

/// A delivery and the inputs it brought, in a turn.
struct Work<I> {
    envelope: Option<Envelope>,
    jobs: Vec<Job<I>>,
    bad_parts: Vec<BadPart>,
}

/// Runs a service: its handler, on its store, for the messages of its queues.
pub(crate) struct Loop<H: Handler> {
    context: Context,
    handler: H,
    store: Store,
    publisher: Publisher,
    relay: RelayHandle,
    /// Of this turn.
    answers: Vec<Message>,
}

impl<H: Handler> Loop<H> {
    pub(crate) fn new(
        context: Context,
        handler: H,
        store: Store,
        publisher: Publisher,
        relay: RelayHandle,
    ) -> Self {
        Self { context, handler, store, publisher, relay, answers: Vec::new() }
    }

    /// Decides `first`, then works until told to stop; finishes what it has in hand then.
    ///
    /// # Errors
    /// When the bus is lost: start again. Nothing is lost, since nothing unfinished was acked.
    pub(crate) async fn run(mut self, first: Vec<H::Input>) -> Result<(), BusError> {
        self.turn(Vec::new(), first).await;
        let mut intake = self.context.bus.consumer(self.handler.subscriptions()).await?;
        self.context.status.recovered();
        loop {
            // Whichever comes first; then whatever of the other is there too, for one commit serves both.
            let (deliveries, inputs) = tokio::select! {
                biased;
                () = self.context.stopped() => break,
                inputs = self.handler.wake() => {
                    let inputs = inputs?;
                    let deliveries = self.context.take(&mut intake, self.context.settings.batch).now_or_never();
                    (deliveries.transpose()?.unwrap_or_default(), inputs)
                }
                deliveries = self.context.take(&mut intake, self.context.settings.batch) => {
                    let deliveries = deliveries?;
                    let inputs = self.handler.wake().now_or_never();
                    (deliveries, inputs.transpose()?.unwrap_or_default())
                }
            };
            self.turn(deliveries, inputs).await;
        }
        let drain = self.context.settings.drain.limit();
        let finish = async {
            while self.handler.held() > 0 {
                let inputs = self.handler.wake().await?;
                self.turn(Vec::new(), inputs).await;
            }
            Ok(())
        };
        let finished = tokio::time::timeout(drain, finish).await.unwrap_or(Ok(()));
        // Only now: what was in hand is acked on the same consumer. The rest goes back to its queues.
        drop(intake);
        finished
    }

    /// One turn: see the head of this file.
    async fn turn(&mut self, deliveries: Vec<Delivery>, inputs: Vec<H::Input>) {
        let count = deliveries.len();
        self.context.turn_begins(&deliveries);
        let mut work = Vec::with_capacity(count + 1);
        // Outcomes first: whoever asks again in this very turn finds them.
        let internal = inputs.into_iter().map(|input| Job { input, trace: None }).collect();
        work.push(Work { envelope: None, jobs: internal, bad_parts: Vec::new() });
        for delivery in deliveries {
            work.extend(self.read(delivery).await);
        }
        if self.context.probe.has(Bug::AckBeforeCommit) {
            let acked = work.iter_mut().filter_map(|work| work.envelope.take());
            acked.for_each(|envelope| envelope.unacked.ack());
        }
        self.context.probe.at(Point::Received).await;

        self.context.faults.inject_latency().await;
        let effects = self.decide(&work).await;
        self.context.probe.at(Point::Committed).await;
        self.finish(work, effects).await;
        self.context.status.add_handled(count);
        self.context.status.set_in_flight(self.handler.held());
        self.context.turn_ends();
    }

    /// Reads a delivery. What makes no sense is answered or parked here, and is done with.
    async fn read(&mut self, delivery: Delivery) -> Option<Work<H::Input>> {
        let handler = &mut self.handler;
        let read = catch_unwind(AssertUnwindSafe(|| handler.read(&delivery)))
            .unwrap_or_else(|panic| Err(Bad::new(panicked(&*panic))));
        let envelope = Envelope::from(delivery);
        match read {
            Ok(parts) => {
                let mut work = Work { envelope: Some(envelope), jobs: Vec::new(), bad_parts: Vec::new() };
                for part in parts {
                    match part {
                        Ok(job) => work.jobs.push(job),
                        Err(bad) => work.bad_parts.push(bad),
                    }
                }
                Some(work)
            }
            Err(bad) => {
                self.refuse(&envelope, &bad).await;
                envelope.unacked.ack();
                None
            }
        }
    }

    /// Tells the caller what is wrong with the message, or the operator where there is none to be told.
    async fn refuse(&self, envelope: &Envelope, bad: &Bad) {
        match &envelope.caller {
            Some(caller) if reply_to::refusal(caller.queue()).is_none() => {
                self.publisher
                    .send(caller.answer(Answer::refuse(ErrorCode::Invalid, &bad.sentence).to_json()));
                self.context.status.answered(envelope.age.elapsed(), true);
            }
            Some(_) | None => self.park_whole(envelope, bad).await,
        }
    }

    async fn park_whole(&self, envelope: &Envelope, bad: &Bad) {
        let body = envelope.message.body.clone();
        park(&self.context, &self.publisher, &envelope.message, &envelope.queue, body, bad).await;
    }

    /// Steps 3 to 6. A store that fails is retried with the same batch until it works: the worker takes no
    /// other work meanwhile, and nothing is parked for the store's fault.
    async fn decide(&mut self, work: &[Work<H::Input>]) -> Vec<Vec<Effect<H::Effect>>> {
        let inputs: Vec<&H::Input> = work.iter().flat_map(|w| &w.jobs).map(|job| &job.input).collect();
        if inputs.is_empty() {
            return work.iter().map(|_| Vec::new()).collect();
        }
        let mut keys = BTreeSet::new();
        for input in &inputs {
            self.handler.keys(input, &mut keys);
        }
        self.handler.prepare(&inputs).await;
        let backoff = self.context.backoff();
        loop {
            let now = self.context.clock.now();
            self.context.turn_goes_on(now);
            let handler = &self.handler;
            let result = self
                .store
                .transact(&keys, |loaded| match H::UnitOfWork::load(loaded) {
                    Ok(unit) => {
                        let (changes, effects) = decide_all(handler, work, unit, now);
                        (changes, Ok(effects))
                    }
                    Err(unreadable) => (Changes::default(), Err(unreadable)),
                })
                .await;
            let problem = match result {
                Ok((Ok(effects), events)) => {
                    self.context.status.recovered();
                    logging::committed(&events);
                    self.relay.hand_over(events);
                    return effects;
                }
                Ok((Err(unreadable), _)) => unreadable.to_string(),
                Err(error) => error.to_string(),
            };
            tracing::error!(problem, "the store does not work; trying again");
            self.context.status.failed(problem, self.context.clock.now());
            // The commit may have happened all the same; then its events were never handed over.
            self.relay.look_again();
            backoff.wait().await;
        }
    }

    /// Steps 7 and 8.
    async fn finish(&mut self, work: Vec<Work<H::Input>>, effects: Vec<Vec<Effect<H::Effect>>>) {
        let mut done = Vec::with_capacity(work.len());
        for (work, effects) in work.into_iter().zip(effects) {
            let mut own = Vec::new();
            for effect in effects {
                match effect {
                    Effect::Own(effect) => own.push(effect),
                    other => self.answer(work.envelope.as_ref(), other).await,
                }
            }
            if let Some(envelope) = &work.envelope {
                for BadPart { bad, body } in work.bad_parts {
                    park(&self.context, &self.publisher, &envelope.message, &envelope.queue, body, &bad)
                        .await;
                }
            }
            done.extend(if own.is_empty() {
                work.envelope
            } else {
                self.handler.carry_out(work.envelope, own)
            });
        }
        self.handler.finish_turn();
        self.publisher.send_all(std::mem::take(&mut self.answers));
        self.context.probe.at(Point::Answered).await;
        for envelope in done {
            envelope.unacked.ack();
        }
    }

    async fn answer(&mut self, envelope: Option<&Envelope>, effect: Effect<H::Effect>) {
        let answer = match effect {
            Effect::None | Effect::Own(_) => return,
            Effect::Answer(answer) => *answer,
            Effect::Read(read) => read.answer(&self.store, self.context.settings.max_retry).await,
            Effect::Park(reason) => {
                if let Some(envelope) = envelope {
                    self.park_whole(envelope, &Bad::new(reason.clone())).await;
                    if let Some(caller) = &envelope.caller {
                        self.tell(envelope, caller, &Answer::refuse(ErrorCode::Internal, reason));
                    }
                } else {
                    tracing::error!(reason, "an input of the worker's own cannot be");
                }
                return;
            }
        };
        let Some(envelope) = envelope else { return };
        match &envelope.caller {
            Some(caller) => self.tell(envelope, caller, &answer),
            None => {
                if let Some(reason) = must_be_seen(&answer) {
                    self.park_whole(envelope, &Bad::new(reason.to_owned())).await;
                }
            }
        }
    }

    fn tell(&mut self, envelope: &Envelope, caller: &Caller, answer: &Answer) {
        if self.context.faults.loses_reply() {
            return;
        }
        self.answers.push(caller.answer(answer.to_json()));
        if !answer.is_page() {
            self.context.status.answered(envelope.age.elapsed(), !answer.ok);
        }
    }
}

/// Step 5: each input in its turn, on what the ones before it left. A panic is caught, and parks its message
/// alone: the rules change the unit only after they have decided.
fn decide_all<H: Handler>(
    handler: &H,
    work: &[Work<H::Input>],
    mut unit: H::UnitOfWork,
    now: Timestamp,
) -> (Changes, Vec<Vec<Effect<H::Effect>>>) {
    let mut effects = Vec::with_capacity(work.len());
    for work in work {
        let mut of_delivery = Vec::with_capacity(work.jobs.len());
        for job in &work.jobs {
            let events_before = unit.events().len();
            let decided = catch_unwind(AssertUnwindSafe(|| handler.decide(&job.input, &mut unit, now)));
            of_delivery.push(match decided {
                Ok(Ok(effect)) => effect,
                Ok(Err(impossible)) => Effect::Park(impossible.to_string()),
                Err(panic) => Effect::Park(panicked(&*panic)),
            });
            for event in &mut unit.events()[events_before..] {
                event.traceparent.clone_from(&job.trace);
            }
        }
        effects.push(of_delivery);
    }
    (unit.into_changes(), effects)
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    format!("a mistake in this program: it panicked ({text})")
}
