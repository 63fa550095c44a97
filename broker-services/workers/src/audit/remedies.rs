//! What would settle an order on which the services differ since a store was put back to an older copy: for people, before
//! they have it done. What is done is Order's, Deposit's and Item's own, once Order is asked to settle it.

use std::collections::BTreeMap;

use serde::Serialize;

use super::crossing::Trio;
use super::history::Known;
use super::report::AuditError;
use super::shapes::{Account, Delivery, Item, Order, Payment, read};
use super::tables::{Stores, Tables};
use super::verdict::Differing;

/// An order on which the services differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Unsettled {
    /// Its id.
    pub order_id: String,
    /// Whose account Deposit has charged for it, if it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub customer: Option<String>,
    /// Of which item Item has a delivery for it, if it has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub item_id: Option<String>,
    /// What does not fit together, in sentences.
    pub differences: Vec<String>,
    /// What settles it.
    pub remedies: Vec<Remedy>,
    /// Whether nothing is on its way that may mend it.
    pub is_certain: bool,
}

/// What is done about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub enum Remedy {
    /// It lives, and Deposit has never heard of it: it is charged.
    Charge {
        /// Whose account.
        customer: String,
        /// How much, in won.
        amount: i64,
        /// Whether the account covers it, after those before it in the list. If not it is cancelled.
        is_covered: bool,
    },
    /// It lives, and Item has never heard of it: its units are taken.
    Deliver {
        /// Of which item.
        item_id: String,
        /// How many.
        qty: i64,
        /// Whether there are as many, after those before it in the list. If not it is cancelled as sold out.
        is_there: bool,
    },
    /// It lives for Order alone: it is cancelled.
    Cancel,
    /// It has ended, or is not known to Order: what was taken for it is given back.
    Release {
        /// To whom.
        customer: String,
        /// How much, in won.
        amount: i64,
    },
    /// It has ended, or is not known to Order: its units go back into the stock.
    TakeBack {
        /// Of which item.
        item_id: String,
        /// How many.
        qty: i64,
    },
    /// It has ended: that is told again to those who have not heard of it.
    TellAgain,
    /// Order does not know it: it says so, and that it will never be.
    Disown,
    /// It lives, and others hold something for another order under its id: a person has to cancel it first.
    ByHand,
}

/// Of all of these.
pub(super) fn all(stores: &Stores, differing: Vec<Differing>) -> Result<Vec<Unsettled>, AuditError> {
    let mut means = Means { stores, balances: BTreeMap::new(), stocks: BTreeMap::new() };
    let of = |Differing { id, seen: trio, is_certain }: Differing| {
        Ok(Unsettled {
            customer: trio.payment.as_ref().map(|payment| payment.customer.clone()),
            item_id: trio.delivery.as_ref().map(|delivery| delivery.item_id.clone()),
            differences: trio.differences(&id).into_iter().map(|one| one.finding.message).collect(),
            remedies: means.remedies(&trio)?,
            is_certain,
            order_id: id,
        })
    };
    differing.into_iter().map(of).collect()
}

/// What accounts and stocks have left, as one order after the other is settled.
struct Means<'a> {
    stores: &'a Stores,
    balances: BTreeMap<String, i64>,
    stocks: BTreeMap<String, i64>,
}

impl Means<'_> {
    fn remedies(&mut self, trio: &Trio) -> Result<Vec<Remedy>, AuditError> {
        let Some(Known::Order(order)) = &trio.order else { return Ok(nobodys(trio)) };
        match order.status.as_str() {
            "placed" | "delivering" if is_others(order, trio) => Ok(vec![Remedy::ByHand]),
            "placed" | "delivering" => self.of_a_live_one(order, trio),
            "paying" => Ok(vec![Remedy::TellAgain]),
            _ => {
                let back = undone(trio);
                Ok(if back.is_empty() { vec![Remedy::TellAgain] } else { back })
            }
        }
    }

    fn of_a_live_one(&mut self, order: &Order, trio: &Trio) -> Result<Vec<Remedy>, AuditError> {
        let payment = trio.payment.as_ref().map(|payment| payment.status.as_str());
        let delivery = trio.delivery.as_ref().map(|delivery| delivery.status.as_str());
        let is_ended = !matches!(payment, None | Some("paid")) || !matches!(delivery, None | Some("started"));
        if is_ended {
            return Ok([vec![Remedy::Cancel], undone(trio)].concat());
        }
        let mut remedies = Vec::new();
        if payment.is_none() {
            let customer = order.customer.clone();
            let is_covered = self.pays(&customer, order.amount)?;
            remedies.push(Remedy::Charge { customer, amount: order.amount, is_covered });
            if !is_covered {
                return Ok([remedies, undone(trio)].concat());
            }
        }
        if delivery.is_none() {
            let item_id = order.item_id.clone();
            let is_there = self.has(&item_id, order.qty)?;
            remedies.push(Remedy::Deliver { item_id, qty: order.qty, is_there });
        }
        Ok(remedies)
    }

    fn pays(&mut self, customer: &str, amount: i64) -> Result<bool, AuditError> {
        let stored = || stored::<Account>(&self.stores.deposit, "account", customer);
        take(&mut self.balances, customer, amount, || Ok(stored()?.map_or(0, |account| account.balance)))
    }

    fn has(&mut self, item_id: &str, qty: i64) -> Result<bool, AuditError> {
        let stored = || stored::<Item>(&self.stores.item, "item", item_id);
        take(&mut self.stocks, item_id, qty, || Ok(stored()?.map_or(0, |item| item.stock)))
    }
}

/// Takes `wanted` of what is left there, if there is as much.
fn take(
    left: &mut BTreeMap<String, i64>,
    of: &str,
    wanted: i64,
    first: impl FnOnce() -> Result<i64, AuditError>,
) -> Result<bool, AuditError> {
    let now = match left.get(of) {
        Some(now) => *now,
        None => first()?,
    };
    let is_enough = now >= wanted;
    left.insert(of.to_owned(), if is_enough { now - wanted } else { now });
    Ok(is_enough)
}

/// One that cannot be read is told of by the audit.
fn stored<T: serde::de::DeserializeOwned>(
    tables: &Tables,
    kind: &str,
    id: &str,
) -> Result<Option<T>, AuditError> {
    Ok(tables.state(kind, id)?.and_then(|state| read(&state.body).ok()))
}

fn nobodys(trio: &Trio) -> Vec<Remedy> {
    [undone(trio), vec![Remedy::Disown]].concat()
}

/// What is given back of an order that does not live.
fn undone(trio: &Trio) -> Vec<Remedy> {
    let payment = trio.payment.as_ref().filter(|payment| payment.status == "paid");
    let delivery = trio.delivery.as_ref().filter(|delivery| delivery.status == "started");
    let release = payment.map(|Payment { customer, amount, .. }| Remedy::Release {
        customer: customer.clone(),
        amount: *amount,
    });
    let take_back = delivery
        .map(|Delivery { item_id, qty, .. }| Remedy::TakeBack { item_id: item_id.clone(), qty: *qty });
    release.into_iter().chain(take_back).collect()
}

/// Whether what others hold under its id is for another order.
fn is_others(order: &Order, trio: &Trio) -> bool {
    let is_payments =
        |payment: &Payment| (&payment.customer, payment.amount) != (&order.customer, order.amount);
    let is_deliverys = |delivery: &Delivery| (&delivery.item_id, delivery.qty) != (&order.item_id, order.qty);
    trio.payment.as_ref().is_some_and(is_payments) || trio.delivery.as_ref().is_some_and(is_deliverys)
}
