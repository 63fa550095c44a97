//! One order on its way through the three services, and everything that may happen to its messages.
//!
//! The rules are the real ones. Around them is the least that the workers promise: a message is delivered at
//! least once, in any order; events are published because they were committed; a worker that crashes forgets
//! its calls and hears its unacknowledged messages again; charges and replies may be lost.

use skstore_domain::answers::{AnswerError, ErrorCode};
use skstore_domain::charges::{Charge, NoAnswer, PaymentOutcome};
use skstore_domain::deposit;
use skstore_domain::events::{DepositKind, Event, EventKind, ItemKind, OrderKind};
use skstore_domain::heard::Heard;
use skstore_domain::item::{self, Delivery};
use skstore_domain::money::Won;
use skstore_domain::objects::{
    Account, DeliveryStatus, Item, Order, OrderReason, OrderStatus, Payment, PaymentReason, PaymentStatus,
};
use skstore_domain::order::{
    Admission, CATALOGUE_RETRY, Decision, Input, OrderRecord, PaymentStep, Price, Quote, Reply, Then, decide,
};
use skstore_domain::time::Timestamp;

use crate::build::{self, HIGH, LOW};

mod promises;
mod words;

use words::Call;
pub(crate) use words::{Budget, Message, Move, Setup, Shortcut, Way};

/// Calls that run at once: one per place, of different replicas or after a lost connection.
const MAX_CALLS: usize = 2;

#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) setup: Setup,
    budget: Budget,
    pub(crate) record: Option<OrderRecord>,
    pub(crate) payment: Option<Payment>,
    pub(crate) account: Account,
    pub(crate) delivery: Option<Delivery>,
    pub(crate) item: Item,
    price: Price,
    bag: [u8; Message::ALL.len()],
    calls: Vec<Call>,
    /// A caller was told that the order will not happen.
    never: bool,
    now: Timestamp,
    /// Every event, if somebody wants them.
    pub(crate) log: Option<Vec<Event>>,
}

/// All that decides what may still happen: worlds with the same key have the same future.
pub(crate) type Key = (
    Option<Option<(OrderStatus, Option<OrderReason>, bool, PaymentStatus, DeliveryStatus, Won)>>,
    Option<(PaymentStatus, Won)>,
    Option<DeliveryStatus>,
    (Won, u64, Won),
    [u8; Message::ALL.len()],
    [Option<Call>; MAX_CALLS],
    (bool, Budget),
);

impl World {
    pub(crate) fn new(setup: Setup) -> Self {
        let mut world = Self {
            setup,
            budget: setup.budget,
            record: None,
            payment: None,
            account: build::account(setup.balance),
            delivery: None,
            item: build::item(setup.stock),
            price: build::price(LOW),
            bag: [0; Message::ALL.len()],
            calls: Vec::new(),
            never: false,
            now: Timestamp(0),
            log: None,
        };
        world.bag[Message::Place.slot()] = setup.places;
        world.bag[Message::Cancel.slot()] = setup.cancels;
        world
    }

    pub(crate) fn key(&self) -> Key {
        let record = self.record.as_ref().map(|record| match record {
            OrderRecord::Tombstone(_) => None,
            OrderRecord::Order(o) => {
                Some((o.status, o.reason, o.cancel_requested, o.payment, o.delivery, o.amount))
            }
        });
        let mut calls = [None; MAX_CALLS];
        for (slot, call) in calls.iter_mut().zip(&self.calls) {
            *slot = Some(*call);
        }
        calls.sort_unstable();
        (
            record,
            self.payment.as_ref().map(|payment| (payment.status, payment.amount)),
            self.delivery.as_ref().map(|delivery| delivery.status),
            (self.account.balance, self.item.stock, self.price.unit_price),
            self.bag,
            calls,
            (self.never, self.budget),
        )
    }

    /// Everything that may happen next. Empty: the world is quiet.
    pub(crate) fn moves(&self) -> Vec<Move> {
        let mut moves = Vec::with_capacity(32);
        for message in Message::ALL {
            if self.bag[message.slot()] > 0 {
                self.moves_of(message, &mut moves);
            }
        }
        for (at, call) in self.calls.iter().enumerate() {
            let why = if call.returned { NoAnswer::Returned } else { NoAnswer::Timeout };
            moves.push(Move::NoReply { call: at, why });
            if self.budget.crashes > 0 && call.places > 0 {
                moves.push(Move::Orphan(at));
            }
        }
        if self.budget.crashes > 0 && !self.calls.is_empty() {
            moves.push(Move::Crash);
        }
        if self.is_paying() && self.setup.shortcut != Some(Shortcut::NoSweeper) {
            moves.push(Move::Sweep);
        }
        if self.budget.prices > 0 && !moves.is_empty() {
            moves.push(Move::Reprice);
        }
        moves
    }

    fn moves_of(&self, message: Message, moves: &mut Vec<Move>) {
        let is_lossy = self.setup.shortcut == Some(Shortcut::DeliveryLimit) && message.is_event();
        match message {
            Message::Place => {
                moves.push(Move::Place(Way::Refused));
                if self.calls.len() < MAX_CALLS {
                    moves.extend([Move::Place(Way::Sent), Move::Place(Way::Returned)]);
                }
                if self.is_paying() && !self.calls.is_empty() {
                    moves.push(Move::Place(Way::Joined));
                }
                if self.budget.parked > 0 {
                    moves.push(Move::Park);
                }
            }
            Message::ChargeLow | Message::ChargeHigh => {
                moves.extend([false, true].map(|late| Move::Deliver { message, late }));
                moves.push(Move::Lose(message));
            }
            Message::Reply(result) => {
                for (call, _) in self.calls.iter().enumerate().filter(|(_, call)| !call.returned) {
                    moves.push(Move::Reply { call, result });
                }
                moves.push(Move::Lose(message));
            }
            Message::Cancel
            | Message::Release
            | Message::Start
            | Message::Stop
            | Message::Refunded
            | Message::Voided
            | Message::Started
            | Message::Stopped
            | Message::SoldOut => moves.push(Move::Deliver { message, late: false }),
        }
        if self.budget.repeats > 0 {
            moves.push(Move::Repeat(message));
        }
        if is_lossy {
            moves.push(Move::Lose(message));
        }
    }

    /// Makes it happen.
    ///
    /// # Errors
    /// A sentence that says which promise it breaks.
    pub(crate) fn step(&mut self, what: Move) -> Result<(), String> {
        self.now.0 += 1;
        match what {
            Move::Place(way) => {
                self.take(Message::Place);
                self.place(way)?;
            }
            Move::Deliver { message, late } => {
                self.take(message);
                self.deliver(message, late)?;
            }
            // It will be taken from its queue once more.
            Move::Repeat(message) => {
                self.budget.repeats -= 1;
                self.put(message);
            }
            Move::Lose(message) => self.take(message),
            Move::Reply { call, result } => {
                self.take(Message::Reply(result));
                let call = self.calls.remove(call);
                self.end(call, result.into())?;
            }
            Move::NoReply { call, why } => {
                let call = self.calls.remove(call);
                self.end(call, PaymentOutcome::NoAnswer(why))?;
            }
            Move::Orphan(call) => {
                self.budget.crashes -= 1;
                let places = std::mem::take(&mut self.calls[call].places);
                self.bag[Message::Place.slot()] += places;
            }
            Move::Crash => {
                self.budget.crashes -= 1;
                let places: u8 = self.calls.drain(..).map(|call| call.places).sum();
                self.bag[Message::Place.slot()] += places;
            }
            Move::Park => {
                self.budget.parked -= 1;
                self.take(Message::Place);
            }
            Move::Sweep => {
                let swept = PaymentOutcome::NoAnswer(NoAnswer::Abandoned);
                self.decide(Input::Payment(swept)).map(|_| ())?;
            }
            Move::Reprice => {
                self.budget.prices -= 1;
                self.price.unit_price = HIGH;
            }
        }
        self.check_always()
    }

    fn place(&mut self, way: Way) -> Result<(), String> {
        let admission = match way {
            Way::Sent | Way::Returned => Admission::Granted,
            Way::Joined => Admission::Join,
            Way::Refused => Admission::Refused { retry_after: CATALOGUE_RETRY },
        };
        let answerable = self.setup.answerable;
        let (request, price) = (build::request(1), self.price.clone());
        let quote = Quote::Listed(&price);
        let then = match (self.setup.shortcut, way) {
            (Some(Shortcut::RefuseRepeat), Way::Refused) if self.is_paying() => {
                Then::Answer(Box::new(try_later()))
            }
            (Some(Shortcut::ForgetRefusal), Way::Refused) if self.record.is_none() && !answerable => {
                Then::Nothing
            }
            _ => self.decide(Input::Place { request: &request, quote, admission, answerable })?,
        };
        match then {
            Then::Pay(PaymentStep::Charge(charge)) => self.charge(&charge, matches!(way, Way::Returned)),
            Then::Pay(PaymentStep::Join(_)) => self.calls[0].places += 1,
            Then::Answer(reply) => self.check_answer_to_place(&reply)?,
            then @ Then::Pay(PaymentStep::Conclude(..)) => {
                return Err(format!("a place must be answered, not {then:?}"));
            }
            Then::Nothing if self.record.is_some() => {}
            Then::Nothing => return Err("P5: a place left neither an answer nor a trace".into()),
        }
        Ok(())
    }

    fn charge(&mut self, charge: &Charge, returned: bool) {
        let today = self.setup.shortcut == Some(Shortcut::TodaysPrice);
        let amount = if today { self.price.unit_price } else { charge.amount };
        if !returned {
            self.put(if amount == LOW { Message::ChargeLow } else { Message::ChargeHigh });
        }
        self.calls.push(Call { returned, places: 1 });
    }

    fn end(&mut self, call: Call, outcome: PaymentOutcome) -> Result<(), String> {
        let surely_not_sent = outcome == PaymentOutcome::NoAnswer(NoAnswer::Returned);
        if self.setup.shortcut == Some(Shortcut::DeleteIntent) && surely_not_sent && self.is_paying() {
            self.record = None;
            return self.check_answer_to_place(&try_later());
        }
        match self.decide(Input::Payment(outcome))? {
            Then::Pay(PaymentStep::Conclude(_, reply)) if call.places > 0 => {
                self.check_answer_to_place(&reply)
            }
            Then::Pay(PaymentStep::Conclude(..)) => Ok(()),
            then @ (Then::Answer(_) | Then::Pay(_) | Then::Nothing) => {
                Err(format!("the outcome of a call must be told to all who wait, not {then:?}"))
            }
        }
    }

    fn deliver(&mut self, message: Message, late: bool) -> Result<(), String> {
        match message {
            Message::Cancel => self.cancel(),
            Message::ChargeLow => self.charge_at_deposit(LOW, late),
            Message::ChargeHigh => self.charge_at_deposit(HIGH, late),
            Message::Release => self.release(),
            Message::Start | Message::Stop => self.at_item(message),
            Message::Refunded => self.decide(Input::Released(PaymentStatus::Refunded)).map(|_| ()),
            Message::Voided => self.decide(Input::Released(PaymentStatus::Voided)).map(|_| ()),
            Message::Started => self.decide(Input::Delivery(DeliveryStatus::Started)).map(|_| ()),
            Message::Stopped => self.decide(Input::Delivery(DeliveryStatus::Cancelled)).map(|_| ()),
            Message::SoldOut => self.decide(Input::Delivery(DeliveryStatus::SoldOut)).map(|_| ()),
            Message::Place | Message::Reply(_) => Err(format!("{message:?} has a move of its own")),
        }
    }

    fn cancel(&mut self) -> Result<(), String> {
        let id = build::order_id("a");
        if self.setup.shortcut == Some(Shortcut::NoOrderTombstone) && self.record.is_none() {
            self.never = true;
            return Ok(());
        }
        match self.decide(Input::Cancel(&id))? {
            Then::Answer(reply) => {
                self.never |= matches!(
                    *reply,
                    Reply::Refused { error: AnswerError { code: ErrorCode::NotFound, .. }, .. }
                );
                Ok(())
            }
            then @ (Then::Pay(_) | Then::Nothing) => Err(format!("a cancel must be answered, not {then:?}")),
        }
    }

    fn decide(&mut self, input: Input<'_>) -> Result<Then, String> {
        let decided = decide(self.record.as_ref(), input, self.now);
        let Decision { change, again, then } =
            decided.map_err(|error| format!("P5: Order parks {input:?}: {error}"))?;
        if let Some((record, event)) = change {
            let before = self.record.as_ref().map_or(0, OrderRecord::revision);
            if record.revision() != before + 1 || event.revision != before + 1 {
                return Err(format!("revision {before} was followed by {event:?}"));
            }
            self.record = Some(record);
            self.publish(event);
        }
        if let Some(kind) = again {
            self.tell(kind.into());
        }
        Ok(then)
    }

    fn charge_at_deposit(&mut self, amount: Won, late: bool) -> Result<(), String> {
        let charge = Charge { amount, ..build::charge("a", "kim", amount) };
        let charged = deposit::charge(self.payment.as_ref(), Some(&self.account), &charge, late, self.now)
            .map_err(|error| format!("P5: Deposit parks a charge: {error}"))?;
        if let Some((payment, account, event)) = charged.change {
            self.pay(payment, account, event);
        }
        self.put(Message::Reply(charged.result));
        Ok(())
    }

    fn release(&mut self) -> Result<(), String> {
        if self.setup.shortcut == Some(Shortcut::NoDepositTombstone) && self.payment.is_none() {
            return Ok(());
        }
        let order = self.order().cloned().ok_or("a release without an order")?;
        let reason = PaymentReason::OrderCancelled;
        let released = deposit::release(self.payment.as_ref(), Some(&self.account), &order, reason, self.now)
            .map_err(|error| format!("P5: Deposit parks a release: {error}"))?;
        if let Heard::Changes((payment, account, event)) = released {
            self.pay(payment, account, event);
        }
        Ok(())
    }

    fn pay(&mut self, payment: Payment, account: Option<Account>, event: Event) {
        self.payment = Some(payment);
        if let Some(account) = account {
            self.account = account;
        }
        self.publish(event);
    }

    fn at_item(&mut self, message: Message) -> Result<(), String> {
        let order = self.order().cloned().ok_or("a delivery without an order")?;
        let (delivery, item) = (self.delivery.as_ref(), Some(&self.item));
        let moved = if message == Message::Start {
            item::start(delivery, item, &order, self.now)
        } else if self.setup.shortcut == Some(Shortcut::NoItemTombstone) && delivery.is_none() {
            Ok(Heard::Known)
        } else {
            item::cancel(delivery, item, &order, self.now)
        };
        if let Heard::Changes((delivery, item, event)) =
            moved.map_err(|error| format!("P5: Item parks: {error}"))?
        {
            self.delivery = Some(delivery);
            if let Some(item) = item {
                self.item = item;
            }
            self.publish(event);
        }
        Ok(())
    }

    fn publish(&mut self, event: Event) {
        self.tell(event.kind());
        if let Some(log) = &mut self.log {
            log.push(event);
        }
    }

    /// Puts an event into the queues that are bound to it.
    fn tell(&mut self, kind: EventKind) {
        match kind {
            EventKind::Order(OrderKind::Placed) => self.put(Message::Start),
            EventKind::Order(OrderKind::Cancelled) => {
                self.put(Message::Release);
                self.put(Message::Stop);
            }
            EventKind::Order(OrderKind::Rejected) => self.put(Message::Release),
            EventKind::Deposit(DepositKind::Refunded) => self.put(Message::Refunded),
            EventKind::Deposit(DepositKind::Voided) => self.put(Message::Voided),
            EventKind::Item(ItemKind::DeliveryStarted) => self.put(Message::Started),
            EventKind::Item(ItemKind::DeliveryCancelled) => self.put(Message::Stopped),
            EventKind::Item(ItemKind::SoldOut) => self.put(Message::SoldOut),
            EventKind::Order(
                OrderKind::Paying
                | OrderKind::CancelRequested
                | OrderKind::Delivering
                | OrderKind::Noted
                | OrderKind::Disowned,
            )
            | EventKind::Deposit(DepositKind::Paid | DepositKind::Declined | DepositKind::ToppedUp)
            | EventKind::Item(ItemKind::Listed | ItemKind::Restocked) => {}
        }
    }

    fn put(&mut self, message: Message) {
        self.bag[message.slot()] += 1;
    }

    fn take(&mut self, message: Message) {
        self.bag[message.slot()] -= 1;
    }

    pub(crate) fn order(&self) -> Option<&Order> {
        match &self.record {
            Some(OrderRecord::Order(order)) => Some(order),
            Some(OrderRecord::Tombstone(_)) | None => None,
        }
    }

    fn is_paying(&self) -> bool {
        self.order().is_some_and(|order| order.status == OrderStatus::Paying)
    }
}

fn try_later() -> Reply {
    Reply::Refused { error: AnswerError::try_later("", CATALOGUE_RETRY), order: None }
}
