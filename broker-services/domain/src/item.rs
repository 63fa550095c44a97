//! The stock, and one delivery per order.
//!
//! Like Deposit, Item looks up an order's delivery before anything else: a repeated or late message finds what
//! became of the first, and a cancel that overtakes its order leaves a tombstone.

use serde::{Deserialize, Serialize};

use crate::commands::{ListItem, MAX_STOCK};
use crate::events::{Event, ItemEvent, ItemKind};
use crate::heard::Heard;
use crate::ids::{ItemId, OrderId};
use crate::impossible::Impossible;
use crate::objects::{DeliveryStatus, Item, Order};
use crate::time::Timestamp;

/// What Item keeps under an order's id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Delivery {
    /// The order.
    pub order_id: OrderId,
    /// What it takes from the stock.
    pub item_id: ItemId,
    /// How many units.
    pub qty: u32,
    /// Where it stands.
    pub status: DeliveryStatus,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// Transitions so far.
    pub revision: u64,
}

/// What becomes of a delivery: the delivery after it, the item if its stock changed, and the event.
pub type Changed = (Delivery, Option<Item>, Event);

/// An order was placed: take its units from the stock, or find that there are too few, or no such item. Told again, it says
/// again what was done. What is there for another order under its id, which Order has forgotten, is none of this one's.
///
/// # Errors
/// [`Impossible`] for a stored delivery without a status.
pub fn start(
    delivery: Option<&Delivery>,
    item: Option<&Item>,
    order: &Order,
    now: Timestamp,
) -> Result<Heard<Changed, ItemKind>, Impossible> {
    match delivery {
        Some(delivery) if is_for(delivery, order) => return recorded(delivery, order),
        Some(_) => return Ok(Heard::Known),
        None => {}
    }
    let order_id = order.order_id.clone();
    // Item's store was put back to a copy from before it was listed: there is nothing of it.
    let Some(item) = item else {
        let cancelled = ItemEvent::DeliveryCancelled { order_id, item: None };
        return Ok(Heard::Changes(told(first(order, DeliveryStatus::Cancelled, now), None, cancelled, now)));
    };
    Ok(Heard::Changes(match item.stock.checked_sub(u64::from(order.qty)) {
        Some(stock) => {
            let item = Item { stock, revision: item.revision + 1, ..item.clone() };
            let started = ItemEvent::DeliveryStarted { order_id, item: item.clone() };
            told(first(order, DeliveryStatus::Started, now), Some(item), started, now)
        }
        None => {
            let sold_out = ItemEvent::SoldOut { order_id, item: item.clone() };
            told(first(order, DeliveryStatus::SoldOut, now), None, sold_out, now)
        }
    }))
}

/// An order was cancelled: put its units back, or see to it that they are never taken.
///
/// # Errors
/// [`Impossible`] if the units would not fit into the stock they came from.
pub fn cancel(
    delivery: Option<&Delivery>,
    item: Option<&Item>,
    order: &Order,
    now: Timestamp,
) -> Result<Heard<Changed, ItemKind>, Impossible> {
    let order_id = order.order_id.clone();
    let Some(delivery) = delivery else {
        let cancelled = ItemEvent::DeliveryCancelled { order_id, item: item.cloned() };
        let first = first(order, DeliveryStatus::Cancelled, now);
        return Ok(Heard::Changes(told(first, None, cancelled, now)));
    };
    match delivery.status {
        DeliveryStatus::Started if delivery.item_id != order.item_id => Ok(Heard::Known),
        DeliveryStatus::Cancelled | DeliveryStatus::SoldOut | DeliveryStatus::None => {
            recorded(delivery, order)
        }
        DeliveryStatus::Started => put_back(delivery, item, now).map(Heard::Changes),
    }
}

fn put_back(delivery: &Delivery, item: Option<&Item>, now: Timestamp) -> Result<Changed, Impossible> {
    let item = item
        .filter(|item| item.item_id == delivery.item_id)
        .ok_or_else(|| Impossible::OtherItem(delivery.order_id.clone()))?;
    let stock = item
        .stock
        .checked_add(u64::from(delivery.qty))
        .ok_or_else(|| Impossible::StockOverflow(item.item_id.clone()))?;
    let item = Item { stock, revision: item.revision + 1, ..item.clone() };
    let delivery = Delivery {
        status: DeliveryStatus::Cancelled,
        updated_at: now,
        revision: delivery.revision + 1,
        ..delivery.clone()
    };
    let order_id = delivery.order_id.clone();
    let cancelled = ItemEvent::DeliveryCancelled { order_id, item: Some(item.clone()) };
    Ok(told(delivery, Some(item), cancelled, now))
}

/// Order does not know the order that units were taken for: they are put back.
///
/// # Errors
/// [`Impossible`] as [`cancel`].
pub fn let_go(
    delivery: Option<&Delivery>,
    item: Option<&Item>,
    now: Timestamp,
) -> Result<Option<Changed>, Impossible> {
    let started = delivery.filter(|delivery| delivery.status == DeliveryStatus::Started);
    started.map(|delivery| put_back(delivery, item, now)).transpose()
}

fn is_for(delivery: &Delivery, order: &Order) -> bool {
    delivery.item_id == order.item_id && delivery.qty == order.qty
}

/// What was recorded of a delivery, for an order that may not know it.
fn recorded(delivery: &Delivery, order: &Order) -> Result<Heard<Changed, ItemKind>, Impossible> {
    Ok(match delivery.status {
        DeliveryStatus::None => return Err(no_such_status(order)),
        status if status == order.delivery => Heard::Known,
        DeliveryStatus::Started => Heard::Again(ItemKind::DeliveryStarted),
        DeliveryStatus::SoldOut => Heard::Again(ItemKind::SoldOut),
        DeliveryStatus::Cancelled => Heard::Again(ItemKind::DeliveryCancelled),
    })
}

/// Names and prices an item, listing it if need be: the item after it and the event, or nothing new.
#[must_use]
pub fn list(item: Option<&Item>, listing: &ListItem, now: Timestamp) -> Option<(Item, Event)> {
    let next = Item {
        item_id: listing.item_id.clone(),
        name: listing.name.clone(),
        name_en: listing.name_en.clone().or_else(|| item.and_then(|item| item.name_en.clone())),
        unit_price: listing.unit_price,
        stock: item.map_or(0, |item| item.stock),
        revision: item.map_or(0, |item| item.revision),
    };
    if item == Some(&next) {
        return None;
    }
    let next = Item { revision: next.revision + 1, ..next };
    let event = Event::new(ItemEvent::Listed(next.clone()), next.revision, now);
    Some((next, event))
}

/// A restock that took effect: its idempotency key, and the answer it got.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RestockRecord {
    /// Its key. Opening stocks have keys that no caller can use.
    pub restock_id: String,
    /// Number of units.
    pub qty: u64,
    /// The time of it.
    pub at: Timestamp,
    /// The item after it: the answer.
    pub item: Item,
    /// Transitions so far: 1.
    pub revision: u64,
}

/// What a restock does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Restocked {
    /// The stock is larger now.
    Done(Box<(RestockRecord, Event)>),
    /// It was done before.
    Before(Item),
    /// There is no such item.
    NotFound,
    /// Its id was used for another one.
    Conflict,
    /// The stock cannot hold that much.
    TooMuch,
}

/// Adds `qty` units to an item's stock.
#[must_use]
pub fn restock(
    known: Option<&RestockRecord>,
    item: Option<&Item>,
    restock_id: &str,
    item_id: &ItemId,
    qty: u64,
    now: Timestamp,
) -> Restocked {
    if let Some(record) = known {
        return if record.item.item_id.is_named_by(item_id) && record.qty == qty {
            Restocked::Before(record.item.clone())
        } else {
            Restocked::Conflict
        };
    }
    let Some(item) = item else { return Restocked::NotFound };
    let Some(stock) = item.stock.checked_add(qty).filter(|stock| *stock <= MAX_STOCK) else {
        return Restocked::TooMuch;
    };
    let item = Item { stock, revision: item.revision + 1, ..item.clone() };
    let event = Event::new(ItemEvent::Restocked(item.clone()), item.revision, now);
    let record = RestockRecord { restock_id: restock_id.to_owned(), qty, at: now, item, revision: 1 };
    Restocked::Done(Box::new((record, event)))
}

fn first(order: &Order, status: DeliveryStatus, now: Timestamp) -> Delivery {
    Delivery {
        order_id: order.order_id.clone(),
        item_id: order.item_id.clone(),
        qty: order.qty,
        status,
        updated_at: now,
        revision: 1,
    }
}

fn no_such_status(order: &Order) -> Impossible {
    Impossible::NoStatus { what: "delivery", order: order.order_id.clone() }
}

fn told(delivery: Delivery, item: Option<Item>, data: ItemEvent, now: Timestamp) -> Changed {
    let event = Event::new(data, delivery.revision, now);
    (delivery, item, event)
}
