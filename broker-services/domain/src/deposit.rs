//! The money: one payment per order, one account per customer. Accounts change only here.
//!
//! The payment of an order is looked up before anything else, so that a charge or a release that comes again,
//! a second or a year later, finds what became of the first.

use serde::{Deserialize, Serialize};

use crate::charges::{Charge, ChargeResult};
use crate::events::{DepositEvent, DepositKind, Event};
use crate::heard::Heard;
use crate::ids::Customer;
use crate::impossible::Impossible;
use crate::money::Won;
use crate::objects::{Account, Order, Payment, PaymentReason, PaymentStatus};
use crate::time::Timestamp;

/// What becomes of a payment: the payment after it, the account if it changed, and the event.
pub type Changed = (Payment, Option<Account>, Event);

/// What a charge does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charged {
    /// What Order hears.
    pub result: ChargeResult,
    /// Absent if nothing changes.
    pub change: Option<Changed>,
}

/// Charges an order. `late` says that the charge's deadline has passed.
///
/// # Errors
/// [`Impossible`] if the account handed in is another customer's, or the amount is below zero.
pub fn charge(
    payment: Option<&Payment>,
    account: Option<&Account>,
    charge: &Charge,
    late: bool,
    now: Timestamp,
) -> Result<Charged, Impossible> {
    let recorded = |result| Ok(Charged { result, change: None });
    match payment {
        None if charge.amount < Won::ZERO => {
            Err(Impossible::NegativeCharge { order: charge.order_id.clone(), amount: charge.amount })
        }
        None if late => recorded(ChargeResult::Expired),
        None => Ok(first_charge(owned(account, &charge.customer)?, charge, now)),
        Some(payment) => match payment.status {
            PaymentStatus::Paid | PaymentStatus::Declined if !is_same_charge(payment, charge) => {
                recorded(ChargeResult::Conflict)
            }
            PaymentStatus::Paid => recorded(ChargeResult::Paid),
            PaymentStatus::Declined => recorded(ChargeResult::Declined),
            PaymentStatus::Refunded | PaymentStatus::Voided => recorded(ChargeResult::Refused),
            PaymentStatus::None => Err(no_such_status(payment)),
        },
    }
}

fn first_charge(account: Account, charge: &Charge, now: Timestamp) -> Charged {
    match account.balance.less(charge.amount) {
        Some(balance) => {
            let payment = first(charge.clone(), PaymentStatus::Paid, None, now);
            let account = moved(account, balance);
            let paid = DepositEvent::Paid { payment: payment.clone(), account: account.clone() };
            Charged { result: ChargeResult::Paid, change: Some(told(payment, Some(account), paid, now)) }
        }
        None => {
            let reason = Some(PaymentReason::InsufficientBalance);
            let payment = first(charge.clone(), PaymentStatus::Declined, reason, now);
            let declined = DepositEvent::Declined(payment.clone());
            Charged { result: ChargeResult::Declined, change: Some(told(payment, None, declined, now)) }
        }
    }
}

/// Releases the payment of an order that was cancelled or rejected: gives back what was taken, or leaves a
/// tombstone that refuses the charge should it still come. Asked again by an order that does not know, it says again
/// what was done.
///
/// # Errors
/// [`Impossible`] if the account handed in is another customer's, or would overflow.
pub fn release(
    payment: Option<&Payment>,
    account: Option<&Account>,
    order: &Order,
    reason: PaymentReason,
    now: Timestamp,
) -> Result<Heard<Changed, DepositKind>, Impossible> {
    let Some(payment) = payment else {
        return Ok(Heard::Changes(voided(
            first(order.into(), PaymentStatus::Voided, Some(reason), now),
            now,
        )));
    };
    Ok(match payment.status {
        PaymentStatus::None => return Err(no_such_status(payment)),
        PaymentStatus::Paid => Heard::Changes(refund(payment, account, reason, now)?),
        status if status == order.payment => Heard::Known,
        PaymentStatus::Voided => Heard::Again(DepositKind::Voided),
        PaymentStatus::Refunded => Heard::Again(DepositKind::Refunded),
        // Its order ended without having heard of it, and still waits for its release.
        PaymentStatus::Declined => Heard::Changes(voided(
            Payment {
                status: PaymentStatus::Voided,
                reason: Some(reason),
                updated_at: now,
                revision: payment.revision + 1,
                ..payment.clone()
            },
            now,
        )),
    })
}

/// Order does not know the order that was charged: what was taken is given back.
///
/// # Errors
/// [`Impossible`] if the account handed in is another customer's, or would overflow.
pub fn let_go(
    payment: Option<&Payment>,
    account: Option<&Account>,
    now: Timestamp,
) -> Result<Option<Changed>, Impossible> {
    let paid = payment.filter(|payment| payment.status == PaymentStatus::Paid);
    paid.map(|payment| refund(payment, account, PaymentReason::OrderCancelled, now)).transpose()
}

fn voided(payment: Payment, now: Timestamp) -> Changed {
    let event = DepositEvent::Voided(payment.clone());
    told(payment, None, event, now)
}

fn refund(
    payment: &Payment,
    account: Option<&Account>,
    reason: PaymentReason,
    now: Timestamp,
) -> Result<Changed, Impossible> {
    // It was there when the amount was taken from it. An empty one would replace it.
    let account = account.ok_or_else(|| Impossible::NoAccount {
        order: payment.order_id.clone(),
        customer: payment.customer.clone(),
    })?;
    let account = owned(Some(account), &payment.customer)?;
    let balance = account.balance.plus(payment.amount).ok_or_else(|| Impossible::RefundTooLarge {
        order: payment.order_id.clone(),
        amount: payment.amount,
        customer: account.customer.clone(),
    })?;
    let account = moved(account, balance);
    let payment = Payment {
        status: PaymentStatus::Refunded,
        reason: Some(reason),
        updated_at: now,
        revision: payment.revision + 1,
        ..payment.clone()
    };
    let refunded = DepositEvent::Refunded { payment: payment.clone(), account: account.clone() };
    Ok(told(payment, Some(account), refunded, now))
}

/// The payment that a charge, or a release without one, leaves.
fn first(charge: Charge, status: PaymentStatus, reason: Option<PaymentReason>, now: Timestamp) -> Payment {
    let Charge { order_id, customer, amount } = charge;
    Payment { order_id, customer, amount, status, reason, updated_at: now, revision: 1 }
}

fn moved(account: Account, balance: Won) -> Account {
    Account { balance, revision: account.revision + 1, ..account }
}

fn told(payment: Payment, account: Option<Account>, data: DepositEvent, now: Timestamp) -> Changed {
    let event = Event::new(data, payment.revision, now);
    (payment, account, event)
}

/// A top-up that took effect: its idempotency key, and the answer it got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopUpRecord {
    /// Its key. Opening balances have keys that no caller can use.
    pub topup_id: String,
    /// Whose account.
    pub customer: Customer,
    /// The amount, in won.
    pub amount: Won,
    /// The time of it.
    pub at: Timestamp,
    /// The account after it: the answer.
    pub account: Account,
    /// Transitions so far: 1.
    pub revision: u64,
}

/// What a top-up does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ToppedUp {
    /// The account is larger now.
    Done(Box<(TopUpRecord, Event)>),
    /// It was done before.
    Before(Account),
    /// Its id was used for another one.
    Conflict,
    /// The account cannot hold that much.
    TooMuch,
}

/// The most that an account holds: refunds must always fit.
pub const MAX_BALANCE: Won = Won(i64::MAX / 4);

/// Tops an account up, opening it if need be.
///
/// # Errors
/// [`Impossible`] if the account handed in is another customer's.
pub fn top_up(
    known: Option<&TopUpRecord>,
    account: Option<&Account>,
    topup_id: &str,
    customer: &Customer,
    amount: Won,
    now: Timestamp,
) -> Result<ToppedUp, Impossible> {
    if let Some(record) = known {
        return Ok(if record.customer.is_named_by(customer) && record.amount == amount {
            ToppedUp::Before(record.account.clone())
        } else {
            ToppedUp::Conflict
        });
    }
    let account = owned(account, customer)?;
    let Some(balance) = account.balance.plus(amount).filter(|balance| *balance <= MAX_BALANCE) else {
        return Ok(ToppedUp::TooMuch);
    };
    let account = moved(account, balance);
    let event = Event::new(DepositEvent::ToppedUp(account.clone()), account.revision, now);
    let record = TopUpRecord {
        topup_id: topup_id.to_owned(),
        customer: customer.clone(),
        amount,
        at: now,
        account,
        revision: 1,
    };
    Ok(ToppedUp::Done(Box::new((record, event))))
}

/// The customer's account: the one that is there, or an empty one that is not there yet.
fn owned(account: Option<&Account>, customer: &Customer) -> Result<Account, Impossible> {
    match account {
        None => Ok(Account { customer: customer.clone(), balance: Won::ZERO, revision: 0 }),
        Some(account) if account.customer == *customer => Ok(account.clone()),
        Some(account) => {
            Err(Impossible::OtherAccount { expected: customer.clone(), found: account.customer.clone() })
        }
    }
}

fn is_same_charge(payment: &Payment, charge: &Charge) -> bool {
    payment.amount == charge.amount && payment.customer == charge.customer
}

fn no_such_status(payment: &Payment) -> Impossible {
    Impossible::NoStatus { what: "payment", order: payment.order_id.clone() }
}
