//! Deposit: takes the money for an order, gives it back when the order ends otherwise, and keeps accounts.

use std::collections::BTreeSet;
use std::time::Duration;

use skstore_domain::answers::{Answer, ErrorCode, PaymentAnswer};
use skstore_domain::charges::{Charge, ChargeCall, ChargeOutcome, ChargeReply, MAX_CHARGES_PER_CALL};
use skstore_domain::commands::{DepositCommand, Replay};
use skstore_domain::deposit::{self, TopUpRecord, ToppedUp};
use skstore_domain::events::{Event, EventData, OrderEvent};
use skstore_domain::heard::Heard;
use skstore_domain::ids::{Customer, OrderId, RequestId};
use skstore_domain::impossible::Impossible;
use skstore_domain::money::Won;
use skstore_domain::objects::{Account, Order, Payment, PaymentReason, PaymentStatus};
use skstore_domain::time::Timestamp;

use crate::batch::{Effect, Handler, Job, Parts};
use crate::bus::{Delivery, Message, Publisher, Subscription};
use crate::clock::Stopwatch;
use crate::context::Context;
use crate::envelope::{Bad, BadPart, Envelope, read_command};
use crate::probe::Bug;
use crate::reads::Read;
use crate::service::{events, key_of, not_for, one, queue, trace_of};
use crate::store::{Again, Key};
use crate::topology;
use crate::unit_of_work::{Record, records, unit_of_work};

records! { "payment": Payment, "account": Account, "topup": TopUpRecord }

unit_of_work! {
    /// What one decision of Deposit has loaded and changed.
    DepositUnit { payments: Payment, accounts: Account, top_ups: TopUpRecord }
}

/// What a message to Deposit says.
#[derive(Debug)]
pub(crate) enum DepositInput {
    /// Take the money for an order, while its call lives.
    Charge(Charge, Life),
    /// The order ended: give its money back, or never take it.
    Release(Box<Order>, PaymentReason),
    /// Order knows no such order: give back what was taken for it, from this account.
    LetGo(OrderId, Option<Customer>),
    TopUp {
        topup_id: String,
        customer: Customer,
        amount: Won,
    },
    QueryPayment(OrderId),
    QueryAccount(Customer),
    /// A part of the log.
    Replay(Replay),
}

/// How long a call is worth anything once it was received. The broker drops what has waited for so long with it, by its own
/// clock; this goes on by ours from there, so that nobody's clocks have to agree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Life {
    received: Stopwatch,
    /// For ever if absent.
    within: Option<Duration>,
    /// By the clock of who sent it, which counts for nothing.
    deadline: Timestamp,
}

impl Life {
    fn of(message: &Message, call: &ChargeCall) -> Self {
        let within = message.properties.expiration;
        Self { received: Stopwatch::start(), within, deadline: call.deadline }
    }

    fn is_over(&self, context: &Context) -> bool {
        if context.probe.has(Bug::ForeignDeadline) {
            return context.clock.now() > self.deadline;
        }
        self.within.is_some_and(|within| self.received.elapsed() > within)
    }
}

/// What Deposit fills into the loop.
pub(crate) struct DepositHandler {
    context: Context,
    publisher: Publisher,
}

impl DepositHandler {
    pub(crate) const fn new(context: Context, publisher: Publisher) -> Self {
        Self { context, publisher }
    }

    /// The opening balances, under keys that no caller can use. Done once, however often it is asked for.
    pub(crate) fn opening(&self) -> Vec<DepositInput> {
        let accounts = &self.context.settings.catalog.accounts;
        accounts
            .iter()
            .map(|account| DepositInput::TopUp {
                topup_id: format!("opening:{}", account.customer),
                customer: account.customer.clone(),
                amount: account.opening_balance,
            })
            .collect()
    }

    fn read_command(&self, delivery: &Delivery) -> Result<DepositInput, Bad> {
        Ok(match read_command(delivery)? {
            DepositCommand::TopUp(top_up) => {
                let given = top_up.topup_id.as_ref().map(RequestId::as_str);
                let topup_id = key_of(given, delivery, &self.context, ["the top-up", "made"])?;
                DepositInput::TopUp { topup_id, customer: top_up.customer, amount: top_up.amount }
            }
            DepositCommand::QueryPayment(order) => DepositInput::QueryPayment(order),
            DepositCommand::QueryAccount(customer) => DepositInput::QueryAccount(customer),
            DepositCommand::Replay(replay) => DepositInput::Replay(replay),
        })
    }

    fn charge(
        &self,
        charge: &Charge,
        life: Life,
        unit: &mut DepositUnit,
        now: Timestamp,
    ) -> Result<Effect<ChargeOutcome>, Impossible> {
        let known = unit.payments.get(charge.order_id.as_str());
        let account = unit.accounts.get(charge.customer.as_str());
        let is_late = life.is_over(&self.context);
        let charged = match known {
            Some(payment) if self.context.probe.has(Bug::ChargeWithoutKey) => {
                let mut again = deposit::charge(None, account, charge, is_late, now)?;
                if let Some((next, _, event)) = &mut again.change {
                    next.revision += payment.revision;
                    event.revision = next.revision;
                }
                again
            }
            known => deposit::charge(known, account, charge, is_late, now)?,
        };
        if let Some(changed) = charged.change {
            unit.put(changed);
        }
        Ok(Effect::Own(ChargeOutcome { order_id: charge.order_id.clone(), result: charged.result }))
    }

    fn release(
        &self,
        order: &Order,
        reason: PaymentReason,
        unit: &mut DepositUnit,
        now: Timestamp,
    ) -> Result<Effect<ChargeOutcome>, Impossible> {
        let known = unit.payments.get(order.order_id.as_str());
        let account = unit.accounts.get(order.customer.as_str());
        if self.context.probe.has(Bug::ReleaseWithoutTombstone) && known.is_none() {
            return Ok(Effect::None);
        }
        let released = match known {
            Some(payment)
                if self.context.probe.has(Bug::RefundWithoutKey)
                    && payment.status == PaymentStatus::Refunded =>
            {
                let unpaid = Payment { status: PaymentStatus::Paid, ..payment.clone() };
                deposit::release(Some(&unpaid), account, order, reason, now)?
            }
            known => deposit::release(known, account, order, reason, now)?,
        };
        match released {
            Heard::Changes(changed) => unit.put(changed),
            Heard::Again(kind) if !self.context.probe.has(Bug::KeepsItsRecordToItself) => {
                unit.again.push(Again {
                    kind: kind.into(),
                    aggregate_id: order.order_id.to_string(),
                    told_again: 0,
                });
            }
            Heard::Again(_) | Heard::Known => {}
        }
        Ok(Effect::None)
    }
}

impl DepositUnit {
    fn put(&mut self, (payment, account, event): deposit::Changed) {
        if let Some(account) = account {
            self.accounts.put(account.customer.clone().as_str(), account);
        }
        self.payments.put(payment.order_id.clone().as_str(), payment);
        self.events.push(event);
    }

    fn let_go(
        &mut self,
        order: &OrderId,
        customer: Option<&Customer>,
        now: Timestamp,
    ) -> Result<Effect<ChargeOutcome>, Impossible> {
        let account = customer.and_then(|customer| self.accounts.get(customer.as_str()));
        if let Some(changed) = deposit::let_go(self.payments.get(order.as_str()), account, now)? {
            self.put(changed);
        }
        Ok(Effect::None)
    }

    fn top_up(
        &mut self,
        topup_id: &str,
        customer: &Customer,
        amount: Won,
        now: Timestamp,
    ) -> Result<Answer, Impossible> {
        let known = self.top_ups.get(topup_id);
        let account = self.accounts.get(customer.as_str());
        Ok(match deposit::top_up(known, account, topup_id, customer, amount, now)? {
            ToppedUp::Before(account) => Answer::account(account),
            ToppedUp::Conflict => Answer::refuse(
                ErrorCode::Conflict,
                format!("the id {topup_id} was used for another top-up; take a new one"),
            ),
            ToppedUp::TooMuch => Answer::refuse(
                ErrorCode::Invalid,
                format!("the account of {customer} cannot hold {amount} won more"),
            ),
            ToppedUp::Done(done) => {
                let (record, event) = *done;
                let answer = Answer::account(record.account.clone());
                self.accounts.put(customer.as_str(), record.account.clone());
                self.top_ups.put(topup_id, record);
                self.events.push(event);
                answer
            }
        })
    }
}

impl Handler for DepositHandler {
    type Input = DepositInput;
    type UnitOfWork = DepositUnit;
    type Effect = ChargeOutcome;

    fn subscriptions(&self) -> Vec<Subscription> {
        let prefetch = self.context.settings.batch;
        [topology::DEPOSIT_PAYMENTS, topology::DEPOSIT_EVENTS, topology::DEPOSIT_COMMANDS]
            .map(|name| Subscription { queue: queue(name), prefetch })
            .into()
    }

    fn read(&mut self, delivery: &Delivery) -> Result<Parts<DepositInput>, Bad> {
        let message = &delivery.message;
        match &*delivery.queue {
            topology::DEPOSIT_PAYMENTS => {
                let call: ChargeCall = serde_json::from_slice(&message.body)
                    .map_err(|error| Bad::new(format!("not a call to charge: {error}")))?;
                if call.charges.len() > MAX_CHARGES_PER_CALL {
                    return Err(Bad::new(format!("a call has at most {MAX_CHARGES_PER_CALL} charges")));
                }
                let (trace, life) = (trace_of(message), Life::of(message, &call));
                let job = |charge| Job { input: DepositInput::Charge(charge, life), trace: trace.clone() };
                Ok(call.charges.into_iter().map(|charge| Ok(job(charge))).collect())
            }
            topology::DEPOSIT_EVENTS => events(message, &self.context.status, read_event),
            _ => Ok(one(self.read_command(delivery)?, message)),
        }
    }

    fn keys(&self, input: &DepositInput, keys: &mut BTreeSet<Key>) {
        let mut pair = |order: &OrderId, customer: &Customer| {
            keys.insert(Key::new(Payment::KIND, order.as_str()));
            keys.insert(Key::new(Account::KIND, customer.as_str()));
        };
        match input {
            DepositInput::Charge(charge, _) => pair(&charge.order_id, &charge.customer),
            DepositInput::Release(order, _) => pair(&order.order_id, &order.customer),
            DepositInput::LetGo(order, customer) => {
                keys.insert(Key::new(Payment::KIND, order.as_str()));
                keys.extend(customer.as_ref().map(|customer| Key::new(Account::KIND, customer.as_str())));
            }
            DepositInput::TopUp { topup_id, customer, .. } => {
                keys.insert(Key::new(TopUpRecord::KIND, topup_id.as_str()));
                keys.insert(Key::new(Account::KIND, customer.as_str()));
            }
            DepositInput::QueryPayment(order) => {
                keys.insert(Key::new(Payment::KIND, order.as_str()));
            }
            DepositInput::QueryAccount(customer) => {
                keys.insert(Key::new(Account::KIND, customer.as_str()));
            }
            DepositInput::Replay(_) => {}
        }
    }

    fn decide(
        &self,
        input: &DepositInput,
        unit: &mut DepositUnit,
        now: Timestamp,
    ) -> Result<Effect<ChargeOutcome>, Impossible> {
        let answer = match input {
            DepositInput::Charge(charge, life) => return self.charge(charge, *life, unit, now),
            DepositInput::Release(order, reason) => return self.release(order, *reason, unit, now),
            DepositInput::LetGo(order, customer) => return unit.let_go(order, customer.as_ref(), now),
            DepositInput::Replay(replay) => return Ok(Effect::Read(Read::Log(*replay))),
            DepositInput::TopUp { topup_id, customer, amount } => {
                unit.top_up(topup_id, customer, *amount, now)?
            }
            DepositInput::QueryPayment(order) => Answer::payment(match unit.payments.get(order.as_str()) {
                Some(payment) => PaymentAnswer::Known(payment.clone()),
                None => PaymentAnswer::none(order.clone()),
            }),
            DepositInput::QueryAccount(customer) => match unit.accounts.get(customer.as_str()) {
                Some(account) => Answer::account(account.clone()),
                None => Answer::refuse(ErrorCode::NotFound, format!("{customer} has no account")),
            },
        };
        Ok(Effect::Answer(Box::new(answer)))
    }

    fn carry_out(&mut self, envelope: Option<Envelope>, outcomes: Vec<ChargeOutcome>) -> Option<Envelope> {
        if let Some(caller) = envelope.as_ref().and_then(|envelope| envelope.caller.as_ref())
            && !self.context.faults.loses_reply()
        {
            let reply = serde_json::to_vec(&ChargeReply { outcomes }).unwrap_or_default();
            self.publisher.send(caller.reply(reply));
        }
        envelope
    }
}

/// What an event means to Deposit.
fn read_event(event: Event) -> Result<Job<DepositInput>, BadPart> {
    let input = match event.data {
        EventData::Order(OrderEvent::Cancelled(order)) => {
            DepositInput::Release(Box::new(order), PaymentReason::OrderCancelled)
        }
        EventData::Order(OrderEvent::Rejected(order)) => {
            DepositInput::Release(Box::new(order), PaymentReason::OrderRejected)
        }
        EventData::Order(OrderEvent::Disowned(order, disowned, _)) => {
            DepositInput::LetGo(order, disowned.customer)
        }
        data => return Err(not_for("Deposit", &Event { data, ..event })),
    };
    Ok(Job { input, trace: event.traceparent })
}
