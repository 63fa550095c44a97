//! A second set of books, kept from the event logs alone with no code of the rules: every entry must be
//! possible after the ones before it, and at the end the services' own records must say the same.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;
use skstore_domain::commands::Settle;
use skstore_domain::events::{
    DepositEvent, DepositKind, Event, EventData, ItemEvent, ItemKind, OrderEvent, OrderKind, Source,
};
use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::money::Won;
use skstore_domain::objects::{DeliveryStatus, Order, OrderStatus, PaymentStatus};
use skstore_workers::store::Store;

/// A promise that does not hold: which, for which order or account, and why.
pub(crate) type Broken = String;

/// What the logs have told so far.
#[derive(Debug, Default)]
pub(crate) struct Books {
    read: BTreeMap<Source, i64>,
    ids: BTreeSet<String>,
    orders: BTreeMap<OrderId, Order>,
    tombstones: BTreeMap<OrderId, u64>,
    /// Of every order that there ever was, also where Order has forgotten it and its id was taken again.
    quantities: BTreeMap<OrderId, BTreeSet<u64>>,
    /// What each delivery took.
    taken: BTreeMap<OrderId, u64>,
    payments: BTreeMap<OrderId, (PaymentStatus, Won)>,
    balances: BTreeMap<String, Won>,
    stocks: BTreeMap<String, u64>,
    deliveries: BTreeMap<OrderId, ItemKind>,
    pub(crate) refunds: usize,
    pub(crate) deliveries_started: usize,
}

impl Books {
    /// The store of `source` was put back: what it has told since is void. Nothing of it is judged a second time.
    pub(crate) async fn put_back(&mut self, source: Source, store: &Store) {
        self.read.remove(&source);
        let kinds: &[&str] = match source {
            Source::Order => {
                self.orders.clear();
                self.tombstones.clear();
                &["order/"]
            }
            Source::Deposit => {
                self.payments.clear();
                self.balances.clear();
                &["payment/", "account/"]
            }
            Source::Item => {
                self.deliveries.clear();
                self.stocks.clear();
                &["delivery/", "item/"]
            }
        };
        self.ids.retain(|id| !kinds.iter().any(|kind| id.starts_with(kind)));
        let _ = self.read(source, store).await;
    }

    /// Reads what `source` has committed since the last time. Returns the new events and what is wrong.
    pub(crate) async fn read(&mut self, source: Source, store: &Store) -> (Vec<Event>, Vec<Broken>) {
        let from = self.read.get(&source).copied().unwrap_or(0);
        let page = store.log(from..=i64::MAX, usize::MAX, usize::MAX).await.expect("a log in memory");
        self.read.insert(source, page.last_seq + 1);
        let mut broken = Vec::new();
        let mut events = Vec::new();
        for body in page.bodies {
            let event = Event::from_json(&body).expect("an event of the log");
            if !self.ids.insert(event.id()) {
                broken.push(format!("P5: {} was told twice by its own store", event.id()));
            }
            broken.extend(match &event.data {
                EventData::Order(told) if source == Source::Order => self.order(told),
                EventData::Deposit(told) if source == Source::Deposit => self.deposit(&event, told),
                EventData::Item(told) if source == Source::Item => self.item(&event, told),
                EventData::Order(_) | EventData::Deposit(_) | EventData::Item(_) => {
                    Some(format!("P5: {} is in the log of {source}", event.id()))
                }
            });
            events.push(event);
        }
        (events, broken)
    }

    fn order(&mut self, told: &OrderEvent) -> Option<Broken> {
        let Some(order) = told.order().cloned() else {
            *self.tombstones.entry(told.order_id().clone()).or_default() += 1;
            return None;
        };
        let id = order.order_id.clone();
        self.quantities.entry(id.clone()).or_default().insert(order.qty.into());
        let before = self.orders.insert(id.clone(), order.clone());
        let buried = self.tombstones.get(&id).copied().unwrap_or_default();
        let revision = before.as_ref().map_or(buried, |order| order.revision);
        if order.revision != revision + 1 {
            return Some(format!("P5: order {id} went from revision {revision} to {}", order.revision));
        }
        if told.kind() != OrderKind::Placed {
            return None;
        }
        match self.payments.get(&id) {
            Some((PaymentStatus::Paid, amount)) if *amount == order.amount => None,
            payment => {
                Some(format!("P1: order {id} was placed for {}, but {payment:?} was paid", order.amount))
            }
        }
    }

    fn deposit(&mut self, event: &Event, told: &DepositEvent) -> Option<Broken> {
        if let Some(payment) = told.payment() {
            let id = payment.order_id.clone();
            let before = self.payments.insert(id.clone(), (payment.status, payment.amount));
            let is_possible = matches!(
                (before.map(|before| before.0), payment.status),
                (None, PaymentStatus::Paid | PaymentStatus::Declined | PaymentStatus::Voided)
                    | (Some(PaymentStatus::Paid), PaymentStatus::Refunded)
                    | (Some(PaymentStatus::Declined), PaymentStatus::Voided)
            );
            if !is_possible {
                return Some(format!(
                    "P3: the payment of order {id} went from {before:?} to {}",
                    payment.status
                ));
            }
        }
        let account = told.account()?;
        let customer = account.customer.as_str().to_owned();
        let before = self.balances.insert(customer.clone(), account.balance).unwrap_or_default();
        let amount = told.payment().map_or(Won::ZERO, |payment| payment.amount);
        let is_right = match told.kind() {
            DepositKind::Paid => before.0 - amount.0 == account.balance.0,
            DepositKind::Refunded => {
                self.refunds += 1;
                before.0 + amount.0 == account.balance.0
            }
            DepositKind::ToppedUp | DepositKind::Declined | DepositKind::Voided => account.balance > before,
        };
        (!is_right || account.balance < Won::ZERO).then(|| {
            format!("P2: {} took {customer} from {before} to {} for {amount}", event.id(), account.balance)
        })
    }

    fn item(&mut self, event: &Event, told: &ItemEvent) -> Option<Broken> {
        let stock_now = told.item().map(|item| (item.item_id.as_str().to_owned(), item.stock));
        let stock_before =
            stock_now.as_ref().and_then(|(item, stock)| self.stocks.insert(item.clone(), *stock));
        let id = told.order_id()?.clone();
        let before = self.deliveries.insert(id.clone(), told.kind());
        let is_right = match (before, told.kind()) {
            (None, ItemKind::DeliveryStarted) => {
                self.deliveries_started += 1;
                let qty = stock_before.zip(stock_now).and_then(|(before, (_, now))| before.checked_sub(now));
                self.taken.extend(qty.map(|qty| (id.clone(), qty)));
                let ordered = self.quantities.get(&id);
                ordered.zip(qty).is_some_and(|(ordered, qty)| ordered.contains(&qty))
            }
            (Some(ItemKind::DeliveryStarted), ItemKind::DeliveryCancelled) => {
                let qty = self.taken.get(&id).copied().unwrap_or_default();
                stock_before.zip(stock_now).is_some_and(|(before, (_, now))| before + qty == now)
            }
            (None, ItemKind::DeliveryCancelled | ItemKind::SoldOut) => true,
            _ => false,
        };
        (!is_right)
            .then(|| format!("P4: order {id}: {before:?}, then {} with stock {stock_before:?}", event.id()))
    }

    /// Every order, as Order's log tells it.
    pub(crate) fn orders(&self) -> &BTreeMap<OrderId, Order> {
        &self.orders
    }

    /// At rest, every order has ended, its money and its units are where that end says.
    pub(crate) fn at_rest(&self) -> Vec<Broken> {
        let mut broken = self.nobodys();
        for (id, order) in &self.orders {
            let payment = self.payments.get(id).map(|payment| payment.0);
            let delivery = self.deliveries.get(id);
            let is_right = match order.status {
                OrderStatus::Paying | OrderStatus::Placed => false,
                OrderStatus::Delivering => {
                    payment == Some(PaymentStatus::Paid) && delivery == Some(&ItemKind::DeliveryStarted)
                }
                OrderStatus::Cancelled => {
                    matches!(payment, Some(PaymentStatus::Refunded | PaymentStatus::Voided))
                        && matches!(delivery, Some(ItemKind::DeliveryCancelled | ItemKind::SoldOut))
                }
                OrderStatus::Rejected => {
                    matches!(
                        payment,
                        Some(PaymentStatus::Refunded | PaymentStatus::Voided | PaymentStatus::Declined)
                    ) && delivery.is_none()
                }
            };
            if !is_right {
                broken.push(format!(
                    "P9: order {id} is {} with payment {payment:?} and delivery {delivery:?}",
                    order.status
                ));
            }
            let is_cancelled = order.status == OrderStatus::Cancelled;
            let knows_delivery = !is_cancelled
                || matches!(order.delivery, DeliveryStatus::Cancelled | DeliveryStatus::SoldOut);
            if Some(order.payment) != payment || !knows_delivery {
                broken.push(format!(
                    "P10: order {id} knows of payment {} and delivery {}, not of payment {payment:?} and delivery \
                     {delivery:?}",
                    order.payment, order.delivery
                ));
            }
        }
        broken
    }

    /// What is held for orders that there are not.
    fn nobodys(&self) -> Vec<Broken> {
        let is_nobodys = |id: &&OrderId| !self.orders.contains_key(*id);
        let paid = self.payments.iter().filter(|(_, (status, _))| *status == PaymentStatus::Paid);
        let started = self.deliveries.iter().filter(|(_, kind)| **kind == ItemKind::DeliveryStarted);
        let paid =
            paid.map(|(id, _)| id).filter(is_nobodys).map(|id| format!("P1: {id} is paid and no order"));
        let started = started.map(|(id, _)| id).filter(is_nobodys);
        paid.chain(started.map(|id| format!("P4: {id} is delivered and no order"))).collect()
    }

    /// What would be asked to have everything settled: of every order that anybody knows.
    pub(crate) async fn settles(order: &Store, deposit: &Store, item: &Store) -> Vec<Settle> {
        let (payments, deliveries) = (all(deposit, "payment").await, all(item, "delivery").await);
        let named = |records: &[(String, Value)], id: &str, field: &str| {
            let (_, record) = records.iter().find(|(of, _)| of == id)?;
            record[field].as_str().map(str::to_owned)
        };
        let ids: BTreeSet<String> = [&all(order, "order").await, &payments, &deliveries]
            .into_iter()
            .flat_map(|records| records.iter().map(|(id, _)| id.clone()))
            .collect();
        let settle = |id: String| Settle {
            customer: named(&payments, &id, "customer").map(|name| Customer::new(&name).expect("a name")),
            item_id: named(&deliveries, &id, "item_id").map(|item| ItemId::new(&item).expect("an id")),
            order_id: OrderId::new(&id).expect("an id"),
        };
        ids.into_iter().map(settle).collect()
    }

    /// At rest, the services' own records say what their logs tell, and nothing got lost between them.
    pub(crate) async fn agree_with(&self, order: &Store, deposit: &Store, item: &Store) -> Vec<Broken> {
        let mut broken = Vec::new();
        for (id, record) in all(order, "order").await {
            let recorded = record.get("order").map(|order| order["revision"].clone());
            let told = OrderId::new(&id).ok().and_then(|id| self.orders.get(&id).map(|order| order.revision));
            if recorded.as_ref().and_then(Value::as_u64) != told {
                broken.push(format!("P5: order {id} is recorded at revision {recorded:?}, told at {told:?}"));
            }
        }
        let sum = |records: &[(String, Value)], field: &str| -> i64 {
            records.iter().filter_map(|(_, record)| record[field].as_i64()).sum()
        };
        let accounts = all(deposit, "account").await;
        let payments: Vec<_> = all(deposit, "payment").await;
        let paid: Vec<_> = payments.into_iter().filter(|(_, payment)| payment["status"] == "paid").collect();
        let topped_up = sum(&all(deposit, "topup").await, "amount");
        if topped_up != sum(&accounts, "balance") + sum(&paid, "amount") {
            broken.push(format!(
                "P2: topped up {topped_up}, but balances {} and charges {}",
                sum(&accounts, "balance"),
                sum(&paid, "amount")
            ));
        }
        let deliveries = all(item, "delivery").await;
        let started: Vec<_> = deliveries.into_iter().filter(|(_, one)| one["status"] == "started").collect();
        let restocked = sum(&all(item, "restock").await, "qty");
        let stock = sum(&all(item, "item").await, "stock");
        if restocked != stock + sum(&started, "qty") {
            broken.push(format!(
                "P4: restocked {restocked}, but in stock {stock} and started {}",
                sum(&started, "qty")
            ));
        }
        broken
    }
}

/// All aggregates of a kind, as they are stored.
pub(crate) async fn all(store: &Store, kind: &'static str) -> Vec<(String, Value)> {
    let rows = store.scan(kind, "", usize::MAX).await.expect("a store in memory");
    rows.into_iter()
        .map(|(id, row)| (id, serde_json::from_str(&row.body).expect("a stored record")))
        .collect()
}
