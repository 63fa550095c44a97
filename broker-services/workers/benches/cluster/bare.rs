//! The bare client that the desk is measured against: the same processes exchange the same messages over the same
//! queues, with no rules and no storage. One message per step; each is confirmed before what caused it is acked, but for
//! answers and replies, which the desk sends without confirms as well.
//!
//! Each role is a process of its own, this very program started with [`ROLE`] set.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::StreamExt;
use lapin::message::Delivery;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicPublishOptions, BasicQosOptions, ConfirmSelectOptions,
    QueueBindOptions, QueueDeclareOptions,
};
use lapin::types::{FieldTable, ShortString};
use lapin::{BasicProperties, Channel, Confirmation, Connection, ConnectionProperties, Consumer};
use skstore_domain::answers::Answer;
use skstore_domain::charges::{Charge, ChargeCall, ChargeOutcome, ChargeReply, ChargeResult};
use skstore_domain::commands::{OrderCommand, OrderCommandKind, Place, ServiceCommand};
use skstore_domain::events::{DepositEvent, Event, EventData, ItemEvent, OrderEvent};
use skstore_domain::ids::{Customer, ItemId};
use skstore_domain::money::Won;
use skstore_domain::objects::{
    Account, DeliveryStatus, Item, Order, OrderStatus, Payment, PaymentReason, PaymentStatus,
};
use skstore_domain::time::Timestamp;
use skstore_workers::topology;
use tokio::sync::oneshot;

/// Which part a process plays: `order`, `deposit`, `item` or `myinfo`.
pub(crate) const ROLE: &str = "SKSTORE_BARE_ROLE";
/// The broker.
pub(crate) const URL: &str = "SKSTORE_BARE_URL";
/// Unacked deliveries of one consumer: what the desk's own workers have.
const PREFETCH: u16 = 768;
/// How often Order's part tells how many orders are settled.
const TELL_EVERY: Duration = Duration::from_millis(5);
/// A moment, for all the messages that must name one.
const NOW: Timestamp = Timestamp(1_790_000_000_123);

/// Plays `role` until it is killed.
pub(crate) fn play(role: &str) {
    let url = std::env::var(URL).expect("the broker's URL");
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async {
        let part = Part::connect(&url).await;
        match role {
            "order" => part.order().await,
            "deposit" => part.deposit().await,
            "item" => part.item().await,
            "myinfo" => part.myinfo().await,
            other => panic!("there is no part '{other}'"),
        }
    });
}

/// A message to publish.
struct Out {
    exchange: &'static str,
    key: String,
    body: Vec<u8>,
    properties: BasicProperties,
}

#[derive(Clone)]
struct Part {
    connection: Arc<Connection>,
    out: Channel,
    unconfirmed: Channel,
    settled: Rc<Cell<u64>>,
}

/// Those who wait for a reply to their charge.
type Waiting = Arc<Mutex<HashMap<String, oneshot::Sender<()>>>>;

impl Part {
    async fn connect(url: &str) -> Self {
        let connection = Connection::connect(url, ConnectionProperties::default()).await.expect("the broker");
        let out = connection.create_channel().await.expect("a channel");
        out.confirm_select(ConfirmSelectOptions::default()).await.expect("confirms");
        let unconfirmed = connection.create_channel().await.expect("a channel");
        Self { connection: Arc::new(connection), out, unconfirmed, settled: Rc::default() }
    }

    async fn consume(&self, queue: &str) -> Consumer {
        let channel = self.connection.create_channel().await.expect("a channel");
        channel.basic_qos(PREFETCH, BasicQosOptions::default()).await.expect("a prefetch");
        let tag = ShortString::default();
        channel
            .basic_consume(queue.into(), tag, BasicConsumeOptions::default(), FieldTable::default())
            .await
            .expect("a consumer")
    }

    async fn publish(&self, out: Out) {
        let options = BasicPublishOptions { mandatory: true, ..Default::default() };
        let sent =
            self.out.basic_publish(out.exchange.into(), out.key.into(), options, &out.body, out.properties);
        let confirm = sent.await.expect("a connection").await.expect("a confirm");
        assert!(matches!(confirm, Confirmation::Ack(None)), "{confirm:?}");
    }

    async fn send(&self, out: Out) {
        let options = BasicPublishOptions::default();
        let Out { exchange, key, body, properties } = out;
        let sent = self.unconfirmed.basic_publish(exchange.into(), key.into(), options, &body, properties);
        sent.await.expect("a connection").await.expect("a channel");
    }

    async fn tell(&self, data: impl Into<EventData>, revision: u64) {
        let event = Event::new(data, revision, NOW);
        let properties = BasicProperties::default()
            .with_delivery_mode(2)
            .with_content_type("application/cloudevents+json".into())
            .with_message_id(event.id().into());
        let key = event.kind().word().to_owned();
        let body = event.to_json().into_bytes();
        self.publish(Out { exchange: topology::EVENTS, key, body, properties }).await;
    }

    /// Handles every delivery in a task of its own.
    async fn each<F: Future<Output = ()> + 'static>(
        &self,
        queue: &str,
        handle: impl Fn(Self, Delivery) -> F + 'static,
    ) {
        let mut deliveries = self.consume(queue).await;
        while let Some(delivery) = deliveries.next().await {
            let delivery = delivery.expect("a delivery");
            tokio::task::spawn_local(handle(self.clone(), delivery));
        }
    }

    async fn order(self) {
        let waiting = Waiting::default();
        let replies = self.replies(Arc::clone(&waiting)).await;
        let places = self.each(topology::ORDER_COMMANDS, move |part, delivery| {
            part.place(delivery, Arc::clone(&waiting), replies.clone())
        });
        let events = self.each(topology::ORDER_EVENTS, Self::settle);
        let tell = async {
            let mut every = tokio::time::interval(TELL_EVERY);
            let mut told = 0;
            loop {
                every.tick().await;
                if told != self.settled.get() {
                    told = self.settled.get();
                    println!("{told}");
                }
            }
        };
        tokio::join!(places, events, tell);
    }

    /// Hears replies on a queue of its own; returns its name.
    async fn replies(&self, waiting: Waiting) -> String {
        let name = "skstore.replies.bare".to_owned();
        let channel = self.connection.create_channel().await.expect("a channel");
        let exclusive = QueueDeclareOptions { exclusive: true, ..Default::default() };
        channel.queue_declare(name.as_str().into(), exclusive, FieldTable::default()).await.expect("a queue");
        channel
            .queue_bind(
                name.as_str().into(),
                topology::REPLIES.into(),
                name.as_str().into(),
                QueueBindOptions::default(),
                FieldTable::default(),
            )
            .await
            .expect("a binding");
        let part = self.clone();
        let queue = name.clone();
        tokio::task::spawn_local(async move {
            let hear = move |_: Self, reply: Delivery| {
                let waiting = Arc::clone(&waiting);
                async move {
                    let _: ChargeReply = serde_json::from_slice(&reply.data).expect("a reply");
                    let id = reply.properties.correlation_id().as_ref().map(ToString::to_string);
                    let waits = waiting.lock().expect("the map").remove(&id.unwrap_or_default());
                    if let Some(waits) = waits {
                        let _ = waits.send(());
                    }
                    ack(&reply).await;
                }
            };
            part.each(&queue, hear).await;
        });
        name
    }

    async fn place(self, delivery: Delivery, waiting: Waiting, reply_to: String) {
        let Ok(OrderCommand::Place(place)) = OrderCommand::from_json(OrderCommandKind::Place, &delivery.data)
        else {
            panic!("only places are sent");
        };
        let order = order_of(place);
        let (heard, reply) = oneshot::channel();
        waiting.lock().expect("the map").insert(order.order_id.to_string(), heard);
        let call = ChargeCall {
            deadline: NOW,
            charges: vec![Charge {
                order_id: order.order_id.clone(),
                customer: order.customer.clone(),
                amount: order.amount,
            }],
        };
        let properties = BasicProperties::default()
            .with_delivery_mode(1)
            .with_reply_to(reply_to.into())
            .with_message_id(order.order_id.as_str().into())
            .with_correlation_id(order.order_id.as_str().into())
            .with_expiration("60000".into());
        let body = serde_json::to_vec(&call).expect("JSON");
        let key = topology::CHARGE_KEY.to_owned();
        self.publish(Out { exchange: topology::PAYMENTS, key, body, properties }).await;
        reply.await.expect("a reply");
        self.answer(&delivery, &order).await;
        self.tell(OrderEvent::Placed(order), 2).await;
        ack(&delivery).await;
    }

    async fn answer(&self, asked: &Delivery, order: &Order) {
        let key = asked.properties.reply_to().as_ref().expect("someone to tell").to_string();
        let id = asked.properties.correlation_id().clone().unwrap_or_default();
        let properties = BasicProperties::default().with_delivery_mode(1).with_correlation_id(id);
        let body = Answer::order(order.clone()).to_json();
        self.send(Out { exchange: topology::DEFAULT, key, body, properties }).await;
    }

    async fn settle(self, delivery: Delivery) {
        let event = read(&delivery);
        let Some(order_id) = event.order_id().cloned() else { return ack(&delivery).await };
        let place = Place {
            item_id: ItemId::new("10").expect("an id"),
            qty: 5,
            customer: None,
            order_id: Some(order_id),
            unit_price: None,
        };
        let order = Order {
            status: OrderStatus::Delivering,
            delivery: DeliveryStatus::Started,
            revision: 3,
            ..order_of(place)
        };
        self.tell(OrderEvent::Delivering(order), 3).await;
        self.settled.set(self.settled.get() + 1);
        ack(&delivery).await;
    }

    async fn deposit(self) {
        let charge = async |part: Self, delivery: Delivery| {
            let call: ChargeCall = serde_json::from_slice(&delivery.data).expect("a call");
            for charge in call.charges {
                part.paid(&delivery, charge).await;
            }
            ack(&delivery).await;
        };
        self.each(topology::DEPOSIT_PAYMENTS, charge).await;
    }

    async fn paid(&self, asked: &Delivery, charge: Charge) {
        let reply = ChargeReply {
            outcomes: vec![ChargeOutcome { order_id: charge.order_id.clone(), result: ChargeResult::Paid }],
        };
        let key = asked.properties.reply_to().as_ref().expect("someone to tell").to_string();
        let id = asked.properties.correlation_id().clone().unwrap_or_default();
        let properties = BasicProperties::default().with_delivery_mode(1).with_correlation_id(id);
        let body = serde_json::to_vec(&reply).expect("JSON");
        self.send(Out { exchange: topology::REPLIES, key, body, properties }).await;
        let account = Account { customer: charge.customer.clone(), balance: Won(1_000_000_000), revision: 1 };
        let payment = Payment {
            order_id: charge.order_id,
            customer: charge.customer,
            amount: charge.amount,
            status: PaymentStatus::Paid,
            reason: None::<PaymentReason>,
            updated_at: NOW,
            revision: 1,
        };
        self.tell(DepositEvent::Paid { payment, account }, 1).await;
    }

    async fn item(self) {
        let deliver = async |part: Self, delivery: Delivery| {
            let order_id = read(&delivery).order_id().expect("an order").clone();
            let item = Item {
                item_id: ItemId::new("10").expect("an id"),
                name: "사과".to_owned(),
                name_en: Some("Apple".to_owned()),
                unit_price: Won(1_000),
                stock: 1_000_000,
                revision: 1,
            };
            part.tell(ItemEvent::DeliveryStarted { order_id, item }, 1).await;
            ack(&delivery).await;
        };
        self.each(topology::ITEM_EVENTS, deliver).await;
    }

    async fn myinfo(self) {
        let show = async |_: Self, delivery: Delivery| {
            read(&delivery);
            ack(&delivery).await;
        };
        self.each(topology::MYINFO_EVENTS, show).await;
    }
}

fn read(delivery: &Delivery) -> Event {
    let text = std::str::from_utf8(&delivery.data).expect("text");
    Event::from_json(text).expect("an event")
}

async fn ack(delivery: &Delivery) {
    delivery.ack(BasicAckOptions::default()).await.expect("a connection");
}

fn order_of(place: Place) -> Order {
    Order {
        order_id: place.order_id.expect("an id"),
        customer: place.customer.unwrap_or_else(|| Customer::new("kim").expect("a customer")),
        item_id: place.item_id,
        item_name: "사과".to_owned(),
        qty: place.qty,
        unit_price: Won(1_000),
        amount: Won(5_000),
        status: OrderStatus::Placed,
        reason: None,
        cancel_requested: false,
        payment: PaymentStatus::Paid,
        delivery: DeliveryStatus::None,
        placed_at: NOW,
        updated_at: NOW,
        revision: 2,
    }
}
