//! Item: keeps the stock, starts deliveries of placed orders and takes those of cancelled ones back.

use std::collections::BTreeSet;

use skstore_domain::answers::{Answer, ErrorCode};
use skstore_domain::commands::{ItemCommand, ListItem, Replay};
use skstore_domain::events::{Event, EventData, ItemKind, OrderEvent};
use skstore_domain::heard::Heard;
use skstore_domain::ids::{ItemId, OrderId, RequestId};
use skstore_domain::impossible::Impossible;
use skstore_domain::item::{self, Delivery as Parcel, RestockRecord, Restocked};
use skstore_domain::objects::{Item, Order};
use skstore_domain::time::Timestamp;

use crate::batch::{Effect, Handler, Job, Parts};
use crate::bus::{Delivery, Subscription};
use crate::context::Context;
use crate::envelope::{Bad, BadPart, read_command};
use crate::probe::Bug;
use crate::reads::Read;
use crate::service::{events, key_of, not_for, one, queue};
use crate::store::{Again, Key};
use crate::topology;
use crate::unit_of_work::{Record, records, unit_of_work};

records! { "item": Item, "delivery": Parcel, "restock": RestockRecord }

unit_of_work! {
    /// What one decision of Item has loaded and changed.
    ItemUnit { items: Item, deliveries: Parcel, restocks: RestockRecord }
}

/// What a message to Item says.
#[derive(Debug)]
pub(crate) enum ItemInput {
    Placed(Box<Order>),
    Cancelled(Box<Order>),
    /// Order knows no such order: put back what was taken for it, of this item.
    LetGo(OrderId, Option<ItemId>),
    Restock {
        restock_id: String,
        item_id: ItemId,
        qty: u64,
    },
    List(ListItem),
    /// The same, unless it is listed already: what the catalogue starts with is not what it stays with.
    Open(ListItem),
    Query(ItemId),
    /// What is listed, after this item.
    Catalog(Option<ItemId>),
    /// A part of the log.
    Replay(Replay),
}

/// What Item fills into the loop.
pub(crate) struct ItemHandler {
    context: Context,
}

impl ItemHandler {
    pub(crate) const fn new(context: Context) -> Self {
        Self { context }
    }

    /// The catalogue, with stocks under keys that no caller can use. Done once, however often it is asked for.
    pub(crate) fn opening(&self) -> Vec<ItemInput> {
        let mut inputs = Vec::new();
        for item in &self.context.settings.catalog.items {
            inputs.push(ItemInput::Open(item.listing.clone()));
            if item.stock > 0 {
                inputs.push(ItemInput::Restock {
                    restock_id: format!("opening:{}", item.listing.item_id),
                    item_id: item.listing.item_id.clone(),
                    qty: item.stock,
                });
            }
        }
        inputs
    }

    fn read_command(&self, delivery: &Delivery) -> Result<ItemInput, Bad> {
        Ok(match read_command(delivery)? {
            ItemCommand::Restock(restock) => {
                let given = restock.restock_id.as_ref().map(RequestId::as_str);
                let restock_id = key_of(given, delivery, &self.context, ["the restock", "made"])?;
                ItemInput::Restock { restock_id, item_id: restock.item_id, qty: restock.qty }
            }
            ItemCommand::List(listing) => ItemInput::List(listing),
            ItemCommand::Query(item) => ItemInput::Query(item),
            ItemCommand::Catalog(after) => ItemInput::Catalog(after),
            ItemCommand::Replay(replay) => ItemInput::Replay(replay),
        })
    }

    fn placed(&self, order: &Order, unit: &mut ItemUnit, now: Timestamp) -> Result<(), Impossible> {
        let known = unit.deliveries.get(order.order_id.as_str());
        let item = unit.items.get(order.item_id.as_str());
        let heard = match known {
            Some(delivery) if self.context.probe.has(Bug::DeliverWithoutKey) => {
                let mut again = item::start(None, item, order, now)?;
                if let Heard::Changes((next, _, event)) = &mut again {
                    next.revision += delivery.revision;
                    event.revision = next.revision;
                }
                again
            }
            known => item::start(known, item, order, now)?,
        };
        self.take(order, heard, unit);
        Ok(())
    }

    fn cancelled(&self, order: &Order, unit: &mut ItemUnit, now: Timestamp) -> Result<(), Impossible> {
        let known = unit.deliveries.get(order.order_id.as_str());
        if self.context.probe.has(Bug::CancelWithoutTombstone) && known.is_none() {
            return Ok(());
        }
        let mut heard = item::cancel(known, unit.items.get(order.item_id.as_str()), order, now)?;
        if self.context.probe.has(Bug::CancelKeepsStock)
            && let Heard::Changes((_, item, _)) = &mut heard
        {
            *item = None;
        }
        self.take(order, heard, unit);
        Ok(())
    }

    fn take(&self, order: &Order, heard: Heard<item::Changed, ItemKind>, unit: &mut ItemUnit) {
        match heard {
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
    }
}

impl ItemUnit {
    fn put(&mut self, (delivery, item, event): item::Changed) {
        if let Some(item) = item {
            self.items.put(item.item_id.clone().as_str(), item);
        }
        self.deliveries.put(delivery.order_id.clone().as_str(), delivery);
        self.events.push(event);
    }

    fn let_go(&mut self, order: &OrderId, item: Option<&ItemId>, now: Timestamp) -> Result<(), Impossible> {
        let item = item.and_then(|item_id| self.items.get(item_id.as_str()));
        if let Some(changed) = item::let_go(self.deliveries.get(order.as_str()), item, now)? {
            self.put(changed);
        }
        Ok(())
    }

    fn list(&mut self, listing: &ListItem, now: Timestamp) -> Answer {
        let id = listing.item_id.as_str();
        match item::list(self.items.get(id), listing, now) {
            Some((item, event)) => {
                self.items.put(id, item);
                self.events.push(event);
            }
            // Whoever lists it again may do so because somebody has not heard of it.
            None => self.again.push(Again {
                kind: ItemKind::Listed.into(),
                aggregate_id: id.to_owned(),
                told_again: 0,
            }),
        }
        self.query(&listing.item_id)
    }

    fn query(&self, item_id: &ItemId) -> Answer {
        match self.items.get(item_id.as_str()) {
            Some(item) => Answer::item(item.clone()),
            None => Answer::refuse(ErrorCode::NotFound, format!("there is no item '{item_id}'")),
        }
    }

    fn restock(&mut self, restock_id: &str, item_id: &ItemId, qty: u64, now: Timestamp) -> Answer {
        let known = self.restocks.get(restock_id);
        let item = self.items.get(item_id.as_str());
        match item::restock(known, item, restock_id, item_id, qty, now) {
            Restocked::Before(item) => Answer::item(item),
            Restocked::NotFound => self.query(item_id),
            Restocked::Conflict => Answer::refuse(
                ErrorCode::Conflict,
                format!("the id {restock_id} was used for another restock; take a new one"),
            ),
            Restocked::TooMuch => Answer::refuse(
                ErrorCode::Invalid,
                format!("the stock of '{item_id}' cannot hold {qty} units more"),
            ),
            Restocked::Done(done) => {
                let (record, event) = *done;
                let answer = Answer::item(record.item.clone());
                self.items.put(item_id.as_str(), record.item.clone());
                self.restocks.put(restock_id, record);
                self.events.push(event);
                answer
            }
        }
    }
}

impl Handler for ItemHandler {
    type Input = ItemInput;
    type UnitOfWork = ItemUnit;
    type Effect = std::convert::Infallible;

    fn subscriptions(&self) -> Vec<Subscription> {
        let prefetch = self.context.settings.batch;
        [topology::ITEM_EVENTS, topology::ITEM_COMMANDS]
            .map(|name| Subscription { queue: queue(name), prefetch })
            .into()
    }

    fn read(&mut self, delivery: &Delivery) -> Result<Parts<ItemInput>, Bad> {
        if &*delivery.queue == topology::ITEM_EVENTS {
            return events(&delivery.message, &self.context.status, read_event);
        }
        Ok(one(self.read_command(delivery)?, &delivery.message))
    }

    fn keys(&self, input: &ItemInput, keys: &mut BTreeSet<Key>) {
        let item_id = match input {
            ItemInput::Placed(order) | ItemInput::Cancelled(order) => {
                keys.insert(Key::new(Parcel::KIND, order.order_id.as_str()));
                &order.item_id
            }
            ItemInput::LetGo(order, item) => {
                keys.insert(Key::new(Parcel::KIND, order.as_str()));
                let Some(item_id) = item else { return };
                item_id
            }
            ItemInput::Restock { restock_id, item_id, .. } => {
                keys.insert(Key::new(RestockRecord::KIND, restock_id.as_str()));
                item_id
            }
            ItemInput::List(listing) | ItemInput::Open(listing) => &listing.item_id,
            ItemInput::Query(item_id) => item_id,
            ItemInput::Catalog(_) | ItemInput::Replay(_) => return,
        };
        keys.insert(Key::new(Item::KIND, item_id.as_str()));
    }

    fn decide(
        &self,
        input: &ItemInput,
        unit: &mut ItemUnit,
        now: Timestamp,
    ) -> Result<Effect<Self::Effect>, Impossible> {
        let answer = match input {
            ItemInput::LetGo(order, item) => {
                return unit.let_go(order, item.as_ref(), now).map(|()| Effect::None);
            }
            ItemInput::Placed(order) => return self.placed(order, unit, now).map(|()| Effect::None),
            ItemInput::Cancelled(order) => return self.cancelled(order, unit, now).map(|()| Effect::None),
            ItemInput::Catalog(after) => return Ok(Effect::Read(Read::Catalog(after.clone()))),
            ItemInput::Replay(replay) => return Ok(Effect::Read(Read::Log(*replay))),
            ItemInput::Restock { restock_id, item_id, qty } => unit.restock(restock_id, item_id, *qty, now),
            ItemInput::List(listing) => unit.list(listing, now),
            ItemInput::Open(listing) if unit.items.get(listing.item_id.as_str()).is_none() => {
                unit.list(listing, now)
            }
            ItemInput::Open(listing) => unit.query(&listing.item_id),
            ItemInput::Query(item_id) => unit.query(item_id),
        };
        Ok(Effect::Answer(Box::new(answer)))
    }
}

/// What an event means to Item.
fn read_event(event: Event) -> Result<Job<ItemInput>, BadPart> {
    let input = match event.data {
        EventData::Order(OrderEvent::Placed(order)) => ItemInput::Placed(Box::new(order)),
        EventData::Order(OrderEvent::Cancelled(order)) => ItemInput::Cancelled(Box::new(order)),
        EventData::Order(OrderEvent::Disowned(order, disowned, _)) => {
            ItemInput::LetGo(order, disowned.item_id)
        }
        data => return Err(not_for("Item", &Event { data, ..event })),
    };
    Ok(Job { input, trace: event.traceparent })
}
