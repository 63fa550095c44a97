//! Everything that goes over the bus of a real desk is as described: each message is heard a second time, by a queue of the
//! test's own.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;
use skstore_domain::breaker::BreakerMode;
use skstore_domain::charges::{ChargeOutcome, ChargeReply, ChargeResult};
use skstore_domain::commands::{CommandKind, Place, Restock, TopUp};
use skstore_domain::events::EventKind;
use skstore_domain::faults::Fault;
use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::money::Won;
use skstore_domain::signals::{Control, Service};
use skstore_workers::bus::{Bus, Consumer, Message, Subscription};
use skstore_workers::config::{Config, Sources};
use skstore_workers::desk::Desk;
use skstore_workers::process::Process;
use skstore_workers::topology::{self, QueueSpec};

use crate::document;
use crate::schema::Document;

/// How long a test waits for what must happen.
const PATIENCE: Duration = Duration::from_secs(30);

/// A queue to which everything goes as well that is routed by a key, and all wishes of operators.
async fn tap(bus: &Bus) -> Consumer {
    let mut bindings: Vec<(&'static str, &'static str)> =
        CommandKind::all().map(|kind| (topology::COMMANDS, kind.word())).collect();
    bindings.extend(EventKind::all().map(|kind| (topology::EVENTS, kind.word())));
    bindings.extend([
        (topology::EVENTS, topology::BEAT_KEY),
        (topology::EVENTS, topology::BREAKER_KEY),
        (topology::PAYMENTS, topology::CHARGE_KEY),
        (topology::CONTROL, ""),
    ]);
    let queue = QueueSpec { bindings, ..topology::answers_to("tap") };
    bus.consumer(vec![Subscription { queue, prefetch: 10_000 }]).await.unwrap()
}

/// What message of the document came.
fn check(document: &Document, message: &Message) -> String {
    let body: Value = serde_json::from_slice(&message.body).unwrap();
    let name = match (&*message.exchange, &*message.routing_key) {
        (topology::PAYMENTS, _) => "charges".to_owned(),
        (topology::CONTROL, _) => "control".to_owned(),
        (_, key) if body.is_array() => format!("{key}.batch"),
        (_, key) => key.to_owned(),
    };
    let described = document.check_message(&name, &body, true);
    assert_eq!(described, Ok(()), "{name}: {body}");
    let schema = &document.0["components"]["messages"][&name];
    // A command may say nothing of that.
    let said = message.properties.content_type.as_deref();
    let is_told = said.is_some() || message.exchange != topology::COMMANDS;
    assert!(!is_told || schema["contentType"] == said.unwrap_or_default(), "{name}: {said:?}");
    for header in message.properties.headers.keys() {
        assert!(schema["headers"]["properties"].get(header).is_some(), "{name}: the header {header}");
    }
    name
}

fn customer(name: &str) -> Customer {
    Customer::new(name).unwrap()
}

fn place(id: &str, item: &str, qty: u32, by: &str) -> Place {
    Place {
        item_id: ItemId::new(item).unwrap(),
        qty,
        customer: Some(customer(by)),
        order_id: Some(OrderId::new(id).unwrap()),
        unit_price: None,
    }
}

/// Something of everything that people do, with what is answered.
async fn some_business(desk: &Desk) -> Vec<Value> {
    let ids = ["a-1", "a-2", "a-3", "a-4"].map(|id| OrderId::new(id).unwrap());
    let top_up = TopUp { customer: customer("kim"), amount: Won(1_000_000), topup_id: None };
    let restock = Restock { item_id: ItemId::new("10").unwrap(), qty: 5, restock_id: None };
    let answers = [
        desk.top_up(&top_up).await,
        desk.restock(&restock).await,
        desk.place(&place("a-1", "10", 1, "kim")).await,
        desk.place(&place("a-2", "10", 1000, "nobody")).await,
        desk.place(&place("a-3", "nothing", 1, "kim")).await,
        desk.place(&place("a-1", "10", 2, "kim")).await,
        desk.order(&ids[0]).await,
        desk.payment(&ids[0]).await,
        desk.payment(&ids[3]).await,
        desk.cancel(&ids[0]).await,
        desk.cancel(&ids[3]).await,
    ];
    answers.into_iter().map(|answer| serde_json::to_value(answer.unwrap()).unwrap()).collect()
}

#[tokio::test]
async fn every_message_of_a_real_desk_is_as_described() {
    let data = tempfile::tempdir().unwrap();
    let flags = vec![("data_dir".to_owned(), data.path().display().to_string())];
    let config = Config::load(&Sources { flags, ..Sources::default() }).unwrap();
    let process = Process::start(&config).unwrap();
    let desk = process.desk().await.unwrap();
    process.ready().await;
    let mut tap = tap(process.bus().unwrap()).await;
    let document = document();

    let wanted = [
        "order.place",
        "order.cancel",
        "order.query",
        "order.replay",
        "deposit.topup",
        "deposit.query",
        "item.restock",
        "charges",
        "order.placed",
        "order.rejected",
        "order.cancelled",
        "order.noted",
        "deposit.paid",
        "deposit.declined",
        "deposit.refunded",
        "deposit.topped_up",
        "item.restocked",
        "item.delivery_started",
        "item.delivery_cancelled",
        "service.beat",
        "breaker.changed",
        "control",
    ];
    let mut wanted: BTreeSet<&str> = wanted.into_iter().collect();
    // At the same time: a message is confirmed when all who hear it have taken it.
    let business = async {
        for answer in some_business(&desk).await {
            assert_eq!(document.check_message("answer", &answer, true), Ok(()), "{answer}");
        }
        desk.force_breaker(None, BreakerMode::Open).await.unwrap();
        desk.force_breaker(None, BreakerMode::Auto).await.unwrap();
        desk.rebuild_view().await.unwrap();
        std::future::pending::<()>().await;
    };
    let heard = async {
        while !wanted.is_empty() {
            for delivery in tap.receive(1000).await.unwrap() {
                let name = check(&document, &delivery.message);
                wanted.remove(name.trim_end_matches(".batch"));
                delivery.unacked.ack();
            }
        }
    };
    let in_time = tokio::time::timeout(PATIENCE, async {
        tokio::select! {
            () = heard => {}
            () = business => {}
        }
    });
    let in_time = in_time.await;
    assert!(in_time.is_ok(), "these were not heard: {wanted:?}");
    drop((tap, desk));
    process.stop().unwrap();
}

#[test]
fn what_goes_from_one_service_to_another_by_name_is_as_described() {
    let document = document();
    let outcome =
        |result: &ChargeResult| ChargeOutcome { order_id: OrderId::new("a").unwrap(), result: *result };
    let reply = ChargeReply { outcomes: ChargeResult::ALL.iter().map(outcome).collect() };
    let reply = serde_json::to_value(reply).unwrap();
    assert_eq!(document.check_message("outcomes", &reply, true), Ok(()));
    let (service, instance) = (Service::Deposit, Some("deposit-1".to_owned()));
    let faults = [Fault::None, Fault::Slow { ms: 400 }, Fault::SILENT, Fault::Stopped];
    let lasting = |(fault, for_ms)| Control::SetFault { service, instance: instance.clone(), fault, for_ms };
    let wishes = faults.into_iter().zip([None, Some(60_000), None, None]).map(lasting);
    let crash = Control::Crash { service, instance: None };
    for wish in wishes.chain([crash]) {
        let wish = serde_json::to_value(wish).unwrap();
        assert_eq!(document.check_message("control", &wish, true), Ok(()), "{wish}");
    }
    let nonsense = serde_json::json!({ "do": "nothing" });
    assert!(document.check_message("control", &nonsense, false).is_err());
}
