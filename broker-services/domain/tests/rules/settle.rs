//! Whatever each of three stores may have forgotten or still know of an order, to settle it brings all of them in order,
//! with nothing parked, and to settle it again changes nothing.

use std::collections::VecDeque;

use skstore_domain::charges::{NoAnswer, PaymentOutcome};
use skstore_domain::commands::Settle;
use skstore_domain::deposit;
use skstore_domain::events::{
    DepositEvent, DepositKind, Event, EventData, ItemEvent, ItemKind, OrderEvent, OrderKind,
};
use skstore_domain::heard::Heard;
use skstore_domain::item::{self, Delivery};
use skstore_domain::money::Won;
use skstore_domain::objects::{
    Account, DeliveryStatus, Disowned, Item, Order, OrderReason, OrderStatus, Payment, PaymentReason,
    PaymentStatus,
};
use skstore_domain::order::{
    Admission, Input, MAX_WAIT, OrderRecord, Overdue, Patience, PaymentStep, Then, Tombstone, decide, overdue,
};
use skstore_domain::time::Timestamp;

use crate::build::{self, LOW};

/// Rounds of settling within which all is in order: the first may give up a payment that Order still waits for.
const ROUNDS: usize = 2;
const NOW: Timestamp = Timestamp(1_000_000);
const PATIENCE: Patience = Patience { abort_after: MAX_WAIT, tell_again_after: MAX_WAIT };

/// What the three stores have of one order.
#[derive(Debug, Clone)]
struct Desk {
    record: Option<OrderRecord>,
    payment: Option<Payment>,
    account: Account,
    delivery: Option<Delivery>,
    item: Item,
    told: VecDeque<Event>,
}

/// Every end and stage of an order, with what Order may know of its payment and its delivery then.
fn records() -> Vec<Option<OrderRecord>> {
    use DeliveryStatus as D;
    use OrderStatus::{Cancelled, Delivering, Paying, Placed, Rejected};
    use PaymentStatus as P;
    let tombstone = |disowned| Tombstone { order_id: build::order_id("a"), at: NOW, revision: 1, disowned };
    let orders = [
        (Paying, None, P::None, D::None),
        (Placed, None, P::Paid, D::None),
        (Delivering, None, P::Paid, D::Started),
        (Rejected, Some(OrderReason::Declined), P::Declined, D::None),
        (Rejected, Some(OrderReason::PaymentTimeout), P::None, D::None),
        (Rejected, Some(OrderReason::PaymentTimeout), P::Voided, D::None),
        (Rejected, Some(OrderReason::PaymentTimeout), P::Refunded, D::None),
        (Cancelled, Some(OrderReason::Customer), P::None, D::None),
        (Cancelled, Some(OrderReason::Customer), P::Voided, D::Cancelled),
        (Cancelled, Some(OrderReason::Customer), P::Paid, D::None),
        (Cancelled, Some(OrderReason::Customer), P::Paid, D::Started),
        (Cancelled, Some(OrderReason::Customer), P::Refunded, D::Cancelled),
        (Cancelled, Some(OrderReason::SoldOut), P::Paid, D::SoldOut),
        (Cancelled, Some(OrderReason::SoldOut), P::Refunded, D::SoldOut),
    ];
    let orders = orders.into_iter().map(|(status, reason, payment, delivery)| {
        Some(OrderRecord::Order(Order { status, reason, payment, delivery, ..build::order("a", 3) }))
    });
    let none = Disowned { customer: None, item_id: None };
    let tombstones = [None, Some(none)].map(|disowned| Some(OrderRecord::Tombstone(tombstone(disowned))));
    orders.chain(tombstones).chain([None]).collect()
}

fn payments() -> Vec<Option<Payment>> {
    let all = PaymentStatus::ALL.iter().filter(|status| **status != PaymentStatus::None);
    let of = |status| {
        let order = build::order("a", 1);
        let Order { order_id, customer, amount, .. } = order;
        Payment { order_id, customer, amount, status, reason: None, updated_at: NOW, revision: 1 }
    };
    all.map(|status| Some(of(*status))).chain([None]).collect()
}

fn deliveries() -> Vec<Option<Delivery>> {
    let all = DeliveryStatus::ALL.iter().filter(|status| **status != DeliveryStatus::None);
    let of = |status| {
        let Order { order_id, item_id, qty, .. } = build::order("a", 1);
        Delivery { order_id, item_id, qty, status, updated_at: NOW, revision: 1 }
    };
    all.map(|status| Some(of(*status))).chain([None]).collect()
}

impl Desk {
    /// The services hear all that is told, and Order drives the order until it is at rest.
    fn settle(&mut self) -> Result<(), String> {
        let settle = Settle {
            order_id: build::order_id("a"),
            customer: self.payment.as_ref().map(|payment| payment.customer.clone()),
            item_id: self.delivery.as_ref().map(|delivery| delivery.item_id.clone()),
        };
        self.order(Input::Settle { settle: &settle, admission: Admission::Granted })?;
        // As often as it may wait for something.
        for _ in 0..4 {
            while let Some(event) = self.told.pop_front() {
                self.hear(event)?;
            }
            match overdue(self.record.as_ref(), Timestamp(NOW.0 * 2), PATIENCE) {
                Overdue::GiveUp => {
                    self.order(Input::Payment(PaymentOutcome::NoAnswer(NoAnswer::Abandoned)))?;
                }
                Overdue::TellAgain { kind, .. } => self.tell_again(kind),
                Overdue::Nothing => {}
            }
        }
        Ok(())
    }

    fn tell_again(&mut self, kind: OrderKind) {
        let order = |of: fn(Order) -> OrderEvent| match &self.record {
            Some(OrderRecord::Order(order)) => of(order.clone()),
            other => panic!("{kind} is told of {other:?}"),
        };
        let event = match (kind, &self.record) {
            (OrderKind::Placed, _) => order(OrderEvent::Placed),
            (OrderKind::Rejected, _) => order(OrderEvent::Rejected),
            (OrderKind::Cancelled, _) => order(OrderEvent::Cancelled),
            (OrderKind::Disowned, Some(OrderRecord::Tombstone(tombstone))) => OrderEvent::Disowned(
                tombstone.order_id.clone(),
                tombstone.disowned.clone().expect("who has what"),
                None,
            ),
            other => panic!("nobody tells {other:?} again"),
        };
        self.told.push_back(Event::new(event, 1, NOW));
    }

    fn order(&mut self, input: Input<'_>) -> Result<(), String> {
        let decision = decide(self.record.as_ref(), input, NOW)
            .map_err(|why| format!("Order parks {input:?}: {why}"))?;
        if let Some((record, event)) = decision.change {
            self.record = Some(record);
            self.told.push_back(event);
        }
        if let Some(kind) = decision.again {
            self.tell_again(kind);
        }
        if let Then::Pay(PaymentStep::Charge(charge)) = decision.then {
            let charged = deposit::charge(self.payment.as_ref(), Some(&self.account), &charge, false, NOW)
                .map_err(|why| format!("Deposit parks a charge: {why}"))?;
            self.at_deposit(charged.change);
            self.order(Input::Payment(charged.result.into()))?;
        }
        Ok(())
    }

    fn hear(&mut self, event: Event) -> Result<(), String> {
        match event.data {
            EventData::Order(OrderEvent::Placed(order)) => {
                let heard = item::start(self.delivery.as_ref(), Some(&self.item), &order, NOW);
                self.at_item(heard.map_err(|why| format!("Item parks a start: {why}"))?)
            }
            EventData::Order(OrderEvent::Cancelled(order)) => {
                let heard = item::cancel(self.delivery.as_ref(), Some(&self.item), &order, NOW);
                self.at_item(heard.map_err(|why| format!("Item parks a cancel: {why}"))?)?;
                self.release(&order, PaymentReason::OrderCancelled)
            }
            EventData::Order(OrderEvent::Rejected(order)) => {
                self.release(&order, PaymentReason::OrderRejected)
            }
            EventData::Order(OrderEvent::Disowned(_, disowned, _)) => {
                let account = disowned.customer.as_ref().map(|_| &self.account);
                let let_go = deposit::let_go(self.payment.as_ref(), account, NOW);
                self.at_deposit(let_go.map_err(|why| format!("Deposit does not let go: {why}"))?);
                let item = disowned.item_id.as_ref().map(|_| &self.item);
                let let_go = item::let_go(self.delivery.as_ref(), item, NOW);
                match let_go.map_err(|why| format!("Item does not let go: {why}"))? {
                    Some(changed) => self.at_item(Heard::Changes(changed)),
                    None => Ok(()),
                }
            }
            EventData::Deposit(DepositEvent::Refunded { .. }) => {
                self.order(Input::Released(PaymentStatus::Refunded))
            }
            EventData::Deposit(DepositEvent::Voided(_)) => self.order(Input::Released(PaymentStatus::Voided)),
            EventData::Item(ItemEvent::DeliveryStarted { .. }) => {
                self.order(Input::Delivery(DeliveryStatus::Started))
            }
            EventData::Item(ItemEvent::DeliveryCancelled { .. }) => {
                self.order(Input::Delivery(DeliveryStatus::Cancelled))
            }
            EventData::Item(ItemEvent::SoldOut { .. }) => {
                self.order(Input::Delivery(DeliveryStatus::SoldOut))
            }
            EventData::Order(_) | EventData::Deposit(_) | EventData::Item(_) => Ok(()),
        }
    }

    fn release(&mut self, order: &Order, reason: PaymentReason) -> Result<(), String> {
        let heard = deposit::release(self.payment.as_ref(), Some(&self.account), order, reason, NOW);
        match heard.map_err(|why| format!("Deposit parks a release: {why}"))? {
            Heard::Changes(changed) => self.at_deposit(Some(changed)),
            Heard::Again(DepositKind::Refunded) => self.order(Input::Released(PaymentStatus::Refunded))?,
            Heard::Again(_) => self.order(Input::Released(PaymentStatus::Voided))?,
            Heard::Known => {}
        }
        Ok(())
    }

    fn at_deposit(&mut self, changed: Option<deposit::Changed>) {
        let Some((payment, account, event)) = changed else { return };
        self.payment = Some(payment);
        self.account = account.unwrap_or_else(|| self.account.clone());
        self.told.push_back(event);
    }

    fn at_item(&mut self, heard: Heard<item::Changed, ItemKind>) -> Result<(), String> {
        match heard {
            Heard::Changes((delivery, item, event)) => {
                self.delivery = Some(delivery);
                self.item = item.unwrap_or_else(|| self.item.clone());
                self.told.push_back(event);
                Ok(())
            }
            Heard::Again(ItemKind::DeliveryStarted) => self.order(Input::Delivery(DeliveryStatus::Started)),
            Heard::Again(ItemKind::SoldOut) => self.order(Input::Delivery(DeliveryStatus::SoldOut)),
            Heard::Again(_) => self.order(Input::Delivery(DeliveryStatus::Cancelled)),
            Heard::Known => Ok(()),
        }
    }

    /// Why it is not in order.
    fn disorder(&self) -> Option<String> {
        let payment = self.payment.as_ref().map_or(PaymentStatus::None, |payment| payment.status);
        let delivery = self.delivery.as_ref().map_or(DeliveryStatus::None, |delivery| delivery.status);
        let (is_paid, is_started) = (payment == PaymentStatus::Paid, delivery == DeliveryStatus::Started);
        let Some(OrderRecord::Order(order)) = &self.record else {
            return (is_paid || is_started).then(|| format!("no order, but {payment} and {delivery}"));
        };
        let is_right = match order.status {
            OrderStatus::Paying | OrderStatus::Placed => false,
            OrderStatus::Delivering => is_paid && is_started,
            OrderStatus::Cancelled => {
                !is_paid && !is_started && order.payment == payment && order.delivery == delivery
            }
            OrderStatus::Rejected => !is_paid && !is_started && order.payment == payment,
        };
        (!is_right).then(|| format!("{order:?} with payment {payment} and delivery {delivery}"))
    }
}

#[test]
fn whatever_a_store_has_forgotten_is_settled_and_stays_so() {
    let mut count = 0;
    for record in records() {
        for payment in payments() {
            for delivery in deliveries() {
                for (balance, stock) in [(LOW, 1), (Won::ZERO, 1), (LOW, 0), (Won::ZERO, 0)] {
                    let (account, item) = (build::account(balance), build::item(stock));
                    let mut desk = Desk {
                        record: record.clone(),
                        payment: payment.clone(),
                        account,
                        delivery: delivery.clone(),
                        item,
                        told: VecDeque::new(),
                    };
                    let began = desk.clone();
                    let worth = |desk: &Desk| {
                        let paid =
                            desk.payment.as_ref().filter(|payment| payment.status == PaymentStatus::Paid);
                        let started = desk.delivery.iter().any(|one| one.status == DeliveryStatus::Started);
                        let taken = paid.map_or(Won::ZERO, |payment| payment.amount);
                        (desk.account.balance.0 + taken.0, desk.item.stock + u64::from(started))
                    };
                    for round in 0..ROUNDS {
                        desk.settle().unwrap_or_else(|why| panic!("{why}, in round {round} from {began:#?}"));
                    }
                    assert_eq!(desk.disorder(), None, "settled from {began:#?}");
                    assert_eq!(
                        worth(&desk),
                        worth(&began),
                        "money or units were lost or won from {began:#?}"
                    );
                    let settled = desk.clone();
                    desk.settle().expect("settled once more");
                    assert_eq!(
                        (&desk.record, &desk.payment, &desk.delivery),
                        (&settled.record, &settled.payment, &settled.delivery),
                        "once more from {began:#?}"
                    );
                    count += 1;
                }
            }
        }
    }
    assert!(count > 1_000, "only {count} combinations were settled");
}
