//! Order: takes orders, has them paid, and follows what becomes of them.
//!
//! A place goes round twice. The first turn commits the intent and sends the charge; the message stays
//! unacked. The second turn commits the outcome, answers everyone who waits for that order, and acks.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use skstore_domain::answers::{Answer, ErrorCode};
use skstore_domain::breaker::{Permit, Refusal};
use skstore_domain::charges::{Charge, NoAnswer, PaymentOutcome};
use skstore_domain::checkpoint::LogId;
use skstore_domain::commands::{CommandKind, OrderCommand, Place, Replay, Settle};
use skstore_domain::events::{DepositEvent, Event, EventData, EventKind, ItemEvent, OrderEvent, OrderKind};
use skstore_domain::ids::OrderId;
use skstore_domain::impossible::Impossible;
use skstore_domain::objects::{DeliveryStatus, Item, PaymentStatus};
use skstore_domain::order::{
    self, Admission, Input, MAX_WAIT, OrderRecord, Overdue, Pace, PaymentStep, PlaceRequest, Price, Quote,
    Reply, Then,
};
use skstore_domain::time::Timestamp;
use tokio::time::{Instant, MissedTickBehavior};

use crate::batch::{Effect, Handler, Job, Parts};
use crate::bus::{BusError, Delivery, Message, Publisher, Subscription};
use crate::calls::{Calls, Gate};
use crate::context::Context;
use crate::envelope::{Bad, BadPart, Caller, Envelope, read_command};
use crate::probe::{Bug, Point};
use crate::reads::Read;
use crate::service::{events, key_of, not_for, one, queue};
use crate::store::{Again, Key, Store};
use crate::topology;
use crate::unit_of_work::{Record, records, unit_of_work};
use prices::Prices;
use waits::Waits;

mod prices;
mod waits;

/// When a full bulkhead is worth another try: about as long as a charge takes.
const FULL_RETRY: Duration = Duration::from_millis(200);
/// When a full outbox is worth another try.
const BACKLOG_RETRY: Duration = Duration::from_secs(5);
/// How soon it is swept again while orders are found that wait: those that were told again have answered by then.
const SWEEP_ON: Duration = Duration::from_secs(1);

impl Record for OrderRecord {
    const KIND: &'static str = "order";

    fn revision(&self) -> u64 {
        self.revision()
    }

    fn waiting_since(&self) -> Option<Timestamp> {
        self.waiting_since()
    }
}

records! { "price": Price }

unit_of_work! {
    /// What one decision of Order has loaded and changed.
    OrderUnit {
        orders: OrderRecord, prices: Price;
        /// Orders that an input of this same turn has sent to be charged.
        charging: BTreeSet<OrderId>
    }
}

/// What a message to Order says, or its own timers.
#[derive(Debug)]
pub(crate) enum OrderInput {
    Place {
        /// What, with its defaults filled in.
        request: PlaceRequest,
        /// Whether somebody hears the answer.
        answerable: bool,
    },
    Cancel(OrderId),
    Settle(Settle),
    Query(OrderId),
    /// A part of the log.
    Replay(Replay),
    /// What became of a charge.
    Outcome(OrderId, PaymentOutcome),
    /// It has waited for long.
    Overdue(OrderId),
    Released(OrderId, PaymentStatus),
    Delivery(OrderId, DeliveryStatus),
    /// An item is listed, as an event tells, or the catalogue of a log.
    Listed(Item, Option<LogId>),
}

/// What Order fills into the loop, and what it defers.
pub(crate) struct OrderHandler {
    context: Context,
    store: Store,
    publisher: Publisher,
    gate: Gate,
    calls: Calls,
    prices: Prices,
    knows_prices: bool,
    /// Taken for the places of this turn, before their intents are written.
    permits: BTreeMap<OrderId, Result<Permit, Duration>>,
    charges: Vec<(Charge, Permit)>,
    /// Places whose outcome is not known yet, unacked.
    waiting: BTreeMap<OrderId, Vec<Envelope>>,
    /// Places whose outcome this turn has committed, and what their callers are told.
    ended: Vec<Envelope>,
    answers: Vec<Message>,
    sweep: tokio::time::Interval,
    pace: Pace,
    /// What sweeps have found: noted while it is decided, which may be done twice.
    waits: RefCell<Waits>,
}

impl OrderHandler {
    /// Order on `store`, with calls to Deposit behind `gate`.
    ///
    /// # Errors
    /// When the bus cannot be reached.
    pub(crate) async fn new(
        context: Context,
        store: Store,
        publisher: Publisher,
        gate: Gate,
    ) -> Result<Self, BusError> {
        let calls = Calls::new(&context, publisher.clone(), gate.clone()).await?;
        let prices = Prices::new(&context, publisher.clone()).await?;
        let every = context.settings.sweep_every;
        let mut sweep = tokio::time::interval_at(Instant::now(), every);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Ok(Self {
            context,
            store,
            publisher,
            gate,
            calls,
            prices,
            knows_prices: false,
            permits: BTreeMap::new(),
            charges: Vec::new(),
            waiting: BTreeMap::new(),
            ended: Vec::new(),
            answers: Vec::new(),
            sweep,
            pace: Pace::default(),
            waits: RefCell::default(),
        })
    }

    fn read_one(&self, delivery: &Delivery) -> Result<OrderInput, Bad> {
        Ok(match read_command(delivery)? {
            OrderCommand::Place(place) => self.read_place(place, delivery)?,
            OrderCommand::Cancel(order) => OrderInput::Cancel(order),
            OrderCommand::Query(order) => OrderInput::Query(order),
            OrderCommand::Settle(settle) => OrderInput::Settle(settle),
            OrderCommand::Replay(replay) => OrderInput::Replay(replay),
        })
    }

    /// Fills in the defaults. An order without an id that may have been placed before is not placed again.
    fn read_place(&self, place: Place, delivery: &Delivery) -> Result<OrderInput, Bad> {
        let given = place.order_id.as_ref().map(OrderId::as_str);
        let key = key_of(given, delivery, &self.context, ["the order", "placed"])?;
        let order_id = OrderId::new(&key).map_err(|error| Bad::new(error.to_string()))?;
        let request = PlaceRequest {
            order_id,
            customer: place.customer.unwrap_or_else(|| self.context.settings.walk_in.clone()),
            item_id: place.item_id,
            qty: place.qty,
            unit_price: place.unit_price,
        };
        Ok(OrderInput::Place { request, answerable: Caller::of(&delivery.message).is_some() })
    }

    /// Asks for leave to charge, or says when that is worth another try.
    fn ask_permit(&self) -> Result<Permit, Duration> {
        if self.context.status.unsent() > self.context.settings.max_unsent_events {
            return Err(BACKLOG_RETRY);
        }
        self.gate.with(|breaker, now| breaker.permit(now)).map_err(|refusal| match refusal {
            Refusal::Open { retry_after } => retry_after,
            Refusal::Full => FULL_RETRY,
        })
    }

    fn admission(&self, order: &OrderId, unit: &OrderUnit) -> Admission {
        if self.calls.has(order) || unit.charging.contains(order) {
            return Admission::Join;
        }
        match self.permits.get(order) {
            Some(Ok(_)) => Admission::Granted,
            Some(Err(retry_after)) => Admission::Refused { retry_after: *retry_after },
            None => Admission::Refused { retry_after: FULL_RETRY },
        }
    }

    /// Orders that have waited for long: for their payment, whose message may have been parked, or for somebody else,
    /// whose message may have been lost.
    async fn sweep(&mut self) -> Vec<OrderInput> {
        if self.context.probe.has(Bug::NoSweeper) {
            return Vec::new();
        }
        let (now, patience) = (self.context.clock.now(), self.context.settings.patience);
        let since = now.before(patience.abort_after.min(patience.tell_again_after));
        let found = self.store.due(OrderRecord::KIND, since, now.after(MAX_WAIT), self.pace.at_once()).await;
        let overdue: Vec<OrderId> = match found {
            Ok(keys) => keys.iter().filter_map(|key| OrderId::new(&key.id).ok()).collect(),
            Err(error) => {
                tracing::error!(%error, "cannot look for orders that wait for long");
                return Vec::new();
            }
        };
        self.pace.told(overdue.iter().cloned());
        // Of those found now it is told once they have been looked at.
        let waits = self.waits.borrow_mut().long(now, patience, self.context.settings.sweep_every);
        self.context.status.set_waits(waits);
        if !overdue.is_empty() {
            self.sweep.reset_after(SWEEP_ON.min(self.context.settings.sweep_every));
        }
        overdue.into_iter().filter(|order| !self.calls.has(order)).map(OrderInput::Overdue).collect()
    }

    /// What is done about an order that waits for long.
    fn overdue(
        &self,
        id: &OrderId,
        unit: &mut OrderUnit,
        now: Timestamp,
    ) -> Result<Effect<PaymentStep>, Impossible> {
        let record = unit.orders.get(id.as_str());
        match order::overdue(record, now, self.context.settings.patience) {
            Overdue::Nothing => Ok(Effect::None),
            Overdue::GiveUp => {
                tracing::warn!(order = %id, "was paying for too long; its payment is given up");
                let outcome = PaymentOutcome::NoAnswer(NoAnswer::Abandoned);
                let decision = order::decide(record, Input::Payment(outcome), now)?;
                Ok(self.record(unit, id, decision))
            }
            Overdue::TellAgain { kind, times, look } => {
                tracing::info!(order = %id, %kind, "waits for long; this is told again");
                if let Some(OrderRecord::Order(order)) = record
                    && self.context.probe.has(Bug::TellsAgainAsNew)
                {
                    let told = OrderEvent::Noted(order.clone());
                    unit.events.push(Event::new(told, order.revision + 1, now));
                } else if !self.context.probe.has(Bug::TellsOnce) {
                    let (kind, aggregate_id) = (kind.into(), id.to_string());
                    unit.again.push(Again { kind, aggregate_id, told_again: times });
                }
                if let Some(OrderRecord::Order(order)) = record {
                    self.waits.borrow_mut().note(order, now);
                }
                unit.orders.look_after(id.as_str(), look);
                Ok(Effect::None)
            }
        }
    }

    fn tell_everyone(&mut self, order: &OrderId, reply: Reply) {
        let answer = Answer::from(reply);
        let (is_refusal, answer) = (!answer.ok, answer.to_json());
        for envelope in self.waiting.remove(order).unwrap_or_default() {
            if let Some(caller) = &envelope.caller {
                self.answers.push(caller.answer(answer.clone()));
                self.context.status.answered(envelope.age.elapsed(), is_refusal);
            }
            self.ended.push(envelope);
        }
    }
}

impl Handler for OrderHandler {
    type Input = OrderInput;
    type UnitOfWork = OrderUnit;
    type Effect = PaymentStep;

    fn subscriptions(&self) -> Vec<Subscription> {
        let batch = self.context.settings.batch;
        let in_flight = self.context.settings.breaker.max_in_flight as usize;
        vec![
            Subscription { queue: queue(topology::ORDER_COMMANDS), prefetch: in_flight + batch },
            Subscription { queue: queue(topology::ORDER_EVENTS), prefetch: batch },
            Subscription { queue: queue(topology::UNROUTED), prefetch: batch },
        ]
    }

    fn read(&mut self, delivery: &Delivery) -> Result<Parts<OrderInput>, Bad> {
        if &*delivery.queue == topology::UNROUTED
            && CommandKind::from_word(&delivery.message.routing_key).is_some()
        {
            // It has a queue: only its binding can be missing.
            self.context.bus.suspect();
        }
        if &*delivery.queue != topology::ORDER_EVENTS {
            return Ok(one(self.read_one(delivery)?, &delivery.message));
        }
        events(&delivery.message, &self.context.status, read_event)
    }

    fn keys(&self, input: &OrderInput, keys: &mut BTreeSet<Key>) {
        let order = match input {
            OrderInput::Place { request, .. } => {
                keys.insert(Key::new(Price::KIND, request.item_id.as_str()));
                &request.order_id
            }
            OrderInput::Listed(item, _) => {
                keys.insert(Key::new(Price::KIND, item.item_id.as_str()));
                return;
            }
            OrderInput::Settle(settle) => &settle.order_id,
            OrderInput::Cancel(order)
            | OrderInput::Query(order)
            | OrderInput::Outcome(order, _)
            | OrderInput::Overdue(order)
            | OrderInput::Released(order, _)
            | OrderInput::Delivery(order, _) => order,
            OrderInput::Replay(_) => return,
        };
        keys.insert(Key::new(OrderRecord::KIND, order.as_str()));
    }

    fn decide(
        &self,
        input: &OrderInput,
        unit: &mut OrderUnit,
        now: Timestamp,
    ) -> Result<Effect<PaymentStep>, Impossible> {
        let (id, input) = match input {
            OrderInput::Replay(replay) => return Ok(Effect::Read(Read::Log(*replay))),
            OrderInput::Query(id) => return Ok(query(unit.orders.get(id.as_str()), id)),
            OrderInput::Listed(item, log) => {
                let known = unit.prices.get(item.item_id.as_str());
                if let Some(price) = order::hear_price(known, item, log.as_ref()) {
                    unit.prices.put(item.item_id.as_str(), price);
                }
                return Ok(Effect::None);
            }
            OrderInput::Place { request, answerable } => {
                let admission = self.admission(&request.order_id, unit);
                let quote = match unit.prices.get(request.item_id.as_str()) {
                    Some(price) => Quote::Listed(price),
                    None if self.knows_prices => Quote::Unknown,
                    None => Quote::NoCatalogue,
                };
                let place = Input::Place { request, quote, admission, answerable: *answerable };
                let decision = order::decide(unit.orders.get(request.order_id.as_str()), place, now)?;
                return Ok(self.record(unit, &request.order_id, decision));
            }
            OrderInput::Overdue(id) => return self.overdue(id, unit, now),
            OrderInput::Cancel(id) => (id, Input::Cancel(id)),
            OrderInput::Settle(settle) => {
                let admission = self.admission(&settle.order_id, unit);
                (&settle.order_id, Input::Settle { settle, admission })
            }
            OrderInput::Outcome(id, PaymentOutcome::NoAnswer(NoAnswer::Timeout))
                if self.context.probe.has(Bug::TimeoutIsPaid) =>
            {
                (id, Input::Payment(PaymentOutcome::Paid))
            }
            OrderInput::Outcome(id, outcome) => (id, Input::Payment(*outcome)),
            OrderInput::Released(id, status) => (id, Input::Released(*status)),
            OrderInput::Delivery(id, status) => (id, Input::Delivery(*status)),
        };
        let decision = order::decide(unit.orders.get(id.as_str()), input, now)?;
        Ok(self.record(unit, id, decision))
    }

    fn carry_out(&mut self, mut envelope: Option<Envelope>, steps: Vec<PaymentStep>) -> Option<Envelope> {
        for step in steps {
            match step {
                PaymentStep::Charge(charge) => {
                    self.waiting.entry(charge.order_id.clone()).or_default().extend(envelope.take());
                    match self.permits.remove(&charge.order_id) {
                        Some(Ok(permit)) => self.charges.push((charge, permit)),
                        Some(Err(_)) | None => self.calls.give_up(charge.order_id),
                    }
                }
                PaymentStep::Join(order) => {
                    self.waiting.entry(order).or_default().extend(envelope.take());
                }
                PaymentStep::Conclude(order, reply) => self.tell_everyone(&order, *reply),
            }
        }
        envelope
    }

    async fn prepare(&mut self, inputs: &[&OrderInput]) {
        // Another process on this store may have heard of them.
        if !self.knows_prices && inputs.iter().any(|input| matches!(input, OrderInput::Place { .. })) {
            self.knows_prices = self.store.has_any(Price::KIND).await.unwrap_or(false);
        }
        self.permits.clear();
        for input in inputs {
            if let OrderInput::Place { request: PlaceRequest { order_id, .. }, .. }
            | OrderInput::Settle(Settle { order_id, .. }) = input
                && !self.calls.has(order_id)
                && !self.permits.contains_key(order_id)
            {
                let permit = self.ask_permit();
                self.permits.insert(order_id.clone(), permit);
            }
            if let OrderInput::Released(order, _) | OrderInput::Delivery(order, _) = input {
                self.pace.heard_of(order);
                self.waits.borrow_mut().heard_of(order);
            }
            self.knows_prices |= matches!(input, OrderInput::Listed(..));
        }
    }

    fn finish_turn(&mut self) {
        // Permits that nothing was charged with go back.
        self.permits.clear();
        self.calls.start(std::mem::take(&mut self.charges));
        self.publisher.send_all(std::mem::take(&mut self.answers));
        for envelope in self.ended.drain(..) {
            envelope.unacked.ack();
        }
    }

    async fn wake(&mut self) -> Result<Vec<OrderInput>, BusError> {
        tokio::select! {
            biased;
            outcomes = self.calls.next() => {
                self.context.probe.at(Point::Called).await;
                Ok(outcomes?.into_iter().map(|(order, outcome)| OrderInput::Outcome(order, outcome)).collect())
            }
            items = self.prices.next() => Ok(items?.into_iter().map(|(item, log)| OrderInput::Listed(item, log)).collect()),
            _ = self.sweep.tick() => Ok(self.sweep().await),
        }
    }

    fn held(&self) -> usize {
        self.calls.charges()
    }
}

impl OrderHandler {
    /// Puts a decision on the unit, and says what is to be done once it is committed.
    fn record(&self, unit: &mut OrderUnit, id: &OrderId, decision: order::Decision) -> Effect<PaymentStep> {
        if let Some((record, event)) = decision.change {
            unit.orders.put(id.as_str(), record);
            let is_silent = match event.kind() {
                EventKind::Order(OrderKind::Rejected) => self.context.probe.has(Bug::RejectSilently),
                EventKind::Order(OrderKind::Disowned) => self.context.probe.has(Bug::DisownsInSilence),
                _ => false,
            };
            if !is_silent {
                unit.events.push(event);
            }
        }
        if let Some(kind) = decision.again {
            unit.again.push(Again { kind: kind.into(), aggregate_id: id.to_string(), told_again: 0 });
        }
        match decision.then {
            Then::Answer(reply) => Effect::Answer(Box::new(Answer::from(*reply))),
            Then::Nothing => Effect::None,
            Then::Pay(step) => {
                if let PaymentStep::Charge(charge) = &step {
                    unit.charging.insert(charge.order_id.clone());
                }
                Effect::Own(step)
            }
        }
    }
}

fn query(record: Option<&OrderRecord>, id: &OrderId) -> Effect<PaymentStep> {
    Effect::Answer(Box::new(match record {
        Some(OrderRecord::Order(order)) => Answer::order(order.clone()),
        Some(OrderRecord::Tombstone(_)) | None => {
            Answer::refuse(ErrorCode::NotFound, format!("there is no order {id}"))
        }
    }))
}

/// What an event means to Order.
fn read_event(event: Event) -> Result<Job<OrderInput>, BadPart> {
    let input = match event.data {
        EventData::Item(ItemEvent::Listed(item)) => OrderInput::Listed(item, None),
        EventData::Item(ItemEvent::DeliveryStarted { order_id, .. }) => {
            OrderInput::Delivery(order_id, DeliveryStatus::Started)
        }
        EventData::Item(ItemEvent::DeliveryCancelled { order_id, .. }) => {
            OrderInput::Delivery(order_id, DeliveryStatus::Cancelled)
        }
        EventData::Item(ItemEvent::SoldOut { order_id, .. }) => {
            OrderInput::Delivery(order_id, DeliveryStatus::SoldOut)
        }
        EventData::Deposit(DepositEvent::Refunded { payment, .. }) => {
            OrderInput::Released(payment.order_id, PaymentStatus::Refunded)
        }
        EventData::Deposit(DepositEvent::Voided(payment)) => {
            OrderInput::Released(payment.order_id, PaymentStatus::Voided)
        }
        data @ (EventData::Item(ItemEvent::Restocked(_))
        | EventData::Deposit(
            DepositEvent::Paid { .. } | DepositEvent::Declined(_) | DepositEvent::ToppedUp(_),
        )
        | EventData::Order(_)) => return Err(not_for("Order", &Event { data, ..event })),
    };
    Ok(Job { input, trace: event.traceparent })
}
