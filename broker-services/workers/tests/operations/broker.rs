//! What happens on the broker under running workers: somebody deletes exchanges, queues and bindings there, sets policies, or
//! it runs short of memory.

use std::time::Duration;

use skstore_domain::faults::Fault;
use skstore_domain::objects::OrderStatus;
use skstore_domain::signals::Service;
use skstore_workers::bus::Bus;
use skstore_workers::bus::amqp::{AmqpBus, Inspection};
use skstore_workers::config::address::BrokerAddress;
use skstore_workers::config::address::management::ManagementAt;
use skstore_workers::desk::{BusState, Desk};
use skstore_workers::topology::{self, EXCHANGES, REPLIES};
use tokio::time::Instant;

use crate::servers::Rabbit;
use crate::workers::{At, Worker, order_id, place, until};

/// The promise: everything flows again so soon after something was deleted, whoever needed it and when.
const BACK_WITHIN: Duration = Duration::from_secs(35);
/// The same for what is missed at once, because answers fail to come: the breaker may be open for five seconds meanwhile.
const MISSED_WITHIN: Duration = Duration::from_secs(12);
/// How often workers look here where it is not about how often they do.
const OFTEN: (&str, &str) = ("bus.check_ms", "500");

/// Something of the topology.
#[derive(Debug, Clone)]
enum Deleted {
    Exchange(&'static str),
    Queue(String),
    Binding { queue: String, exchange: &'static str, key: String },
}

impl Deleted {
    /// Everything that can be deleted: of bindings, one of each queue.
    fn all() -> Vec<Self> {
        let exchanges = EXCHANGES.iter().map(|spec| Self::Exchange(spec.name));
        let queues = topology::queues().into_iter();
        let bindings = queues.clone().map(|spec| {
            let (exchange, key) = spec.bindings.last().copied().expect("every queue is bound");
            let key = if key.is_empty() { spec.name.clone() } else { key.to_owned() };
            Self::Binding { queue: spec.name, exchange, key }
        });
        exchanges.chain(queues.map(|spec| Self::Queue(spec.name))).chain(bindings).collect()
    }

    fn delete(&self, at: &At) {
        let vhost = &at.vhost.name;
        let path = match self {
            Self::Exchange(name) => format!("/api/exchanges/{vhost}/{name}"),
            Self::Queue(name) => format!("/api/queues/{vhost}/{name}"),
            Self::Binding { queue, exchange, key } => {
                format!("/api/bindings/{vhost}/e/{exchange}/q/{queue}/{key}")
            }
        };
        at.vhost.call("DELETE", &path, "");
    }

    /// What the workers say of it afterwards.
    fn told(&self) -> String {
        match self {
            Self::Exchange(name) => format!("the exchange '{name}' "),
            Self::Queue(name) => format!("the queue '{name}' "),
            Self::Binding { queue, exchange, key } => {
                format!("the binding of queue '{queue}' to exchange '{exchange}' by '{key}' ")
            }
        }
    }
}

/// Starts one process for each service.
fn start(at: &At, settings: &[(&str, &str)]) -> Vec<Worker> {
    ["order", "deposit", "item", "myinfo"].map(|service| at.start(&[service], settings)).into()
}

/// Places orders until one is accepted, and waits until it is delivered. One that was refused stays so.
async fn deliver(desk: &Desk, next: &mut usize) {
    let mut order = *next;
    until("an order is accepted", async || {
        order = std::mem::replace(next, *next + 1);
        desk.place(&place(order)).await.is_ok_and(|answer| answer.ok)
    })
    .await;
    until("it is delivered", async || {
        let found = desk.view().order(&order_id(order)).await.unwrap();
        found.is_some_and(|detail| detail.row.order.status == OrderStatus::Delivering)
    })
    .await;
}

/// Whether a worker says that something was missing.
async fn is_told(desk: &Desk, what: &Deleted) -> bool {
    let services = desk.view().health().await.unwrap().services;
    services.iter().flat_map(|beat| &beat.past).any(|past| past.what.contains(&what.told()))
}

#[tokio::test]
async fn whatever_is_deleted_comes_back_and_is_told() {
    let at = At::given();
    let workers = start(&at, &[OFTEN, ("bus.management_url", at.vhost.api())]);
    let process = at.attach();
    let desk = process.desk().await.unwrap();
    let mut next = 0;
    deliver(&desk, &mut next).await;
    for deleted in Deleted::all() {
        let since = Instant::now();
        deleted.delete(&at);
        until(&format!("it is told: {deleted:?}"), async || is_told(&desk, &deleted).await).await;
        deliver(&desk, &mut next).await;
        until("the operator is heard", async || desk.inject(Service::Item, Fault::None).await.is_ok()).await;
        let took = since.elapsed();
        assert!(took <= BACK_WITHIN, "{deleted:?}: everything flows again only after {took:?}");
    }
    let services = desk.view().health().await.unwrap().services;
    assert!(services.iter().all(|beat| beat.ready && beat.last_error.is_none()), "{services:?}");
    let said: String = workers.iter().map(Worker::said).collect();
    assert!(said.contains("was missing on the broker and was put back"), "{said}");
}

/// What is not seen without the management API is put back as well.
#[tokio::test]
async fn with_the_usual_settings_everything_flows_again_soon() {
    let at = At::given();
    let _workers = start(&at, &[("bus.management_url", "off")]);
    let process = at.attach();
    let desk = process.desk().await.unwrap();
    let mut next = 0;
    deliver(&desk, &mut next).await;

    let since = Instant::now();
    let replies = Deleted::Exchange(REPLIES);
    replies.delete(&at);
    deliver(&desk, &mut next).await;
    let took = since.elapsed();
    assert!(took <= MISSED_WITHIN, "without answers from Deposit orders are taken again only after {took:?}");
    until("it is told", async || is_told(&desk, &replies).await).await;

    let since = Instant::now();
    let unseen: Vec<Deleted> =
        Deleted::all().into_iter().filter(|deleted| matches!(deleted, Deleted::Binding { .. })).collect();
    unseen.iter().for_each(|deleted| deleted.delete(&at));
    Deleted::Exchange(topology::CONTROL).delete(&at);
    let bound = || at.vhost.call("GET", &format!("/api/bindings/{}", at.vhost.name), "");
    until("all bindings are back", async || {
        let bound = bound();
        unseen.iter().all(|deleted| {
            let Deleted::Binding { queue, exchange, key } = deleted else { return true };
            bound.split("},").any(|one| {
                [queue.as_str(), exchange, key].iter().all(|name| one.contains(&format!("\"{name}\"")))
            })
        })
    })
    .await;
    until("the operator is heard", async || desk.inject(Service::Item, Fault::None).await.is_ok()).await;
    deliver(&desk, &mut next).await;
    let took = since.elapsed();
    assert!(took <= BACK_WITHIN, "everything flows again only after {took:?}");
}

/// What whoever looks finds.
/// What an inspection finds wrong: without how full the queues are.
async fn inspect(at: &At) -> Inspection {
    let address = BrokerAddress::parse(&at.vhost.url).unwrap();
    let management = ManagementAt::parse(at.vhost.api()).unwrap();
    let found = AmqpBus::inspect(&address, &management).await.unwrap();
    Inspection { queues: Vec::new(), ..found }
}

#[tokio::test]
async fn whoever_looks_sees_what_is_missing_and_leaves_it_so() {
    let at = At::given();
    let process = at.attach();
    // A process declares what is missing when it first connects.
    let _desk = process.desk().await.unwrap();
    until("all is declared", async || inspect(&at).await == Inspection::default()).await;
    let deleted = Deleted::all();
    let kinds = |deleted: &&Deleted| match deleted {
        Deleted::Exchange(name) => *name == REPLIES,
        Deleted::Queue(name) => name == topology::ITEM_EVENTS,
        Deleted::Binding { queue, .. } => queue == topology::ORDER_EVENTS,
    };
    let gone: Vec<&Deleted> = deleted.iter().filter(kinds).collect();
    gone.iter().for_each(|deleted| deleted.delete(&at));
    for _ in 0..2 {
        let found = inspect(&at).await;
        let mut told: Vec<String> = found.missing.iter().map(|part| format!("{part} ")).collect();
        let mut expected: Vec<String> = gone.iter().map(|deleted| deleted.told()).collect();
        told.sort();
        expected.sort();
        assert_eq!(told, expected);
        assert!(found.otherwise.is_empty() && found.overruled.is_empty(), "{found:?}");
    }
    process.stop().unwrap();
}

#[tokio::test]
async fn whoever_connects_hides_no_binding_that_is_missing() {
    let at = At::given();
    let first = at.attach();
    let _desk = first.desk().await.unwrap();
    until("all is declared", async || inspect(&at).await == Inspection::default()).await;
    let binding = Deleted::all().pop().expect("something can be deleted");
    assert!(matches!(binding, Deleted::Binding { .. }), "{binding:?}");
    binding.delete(&at);
    Deleted::Exchange(REPLIES).delete(&at);
    let second = at.attach();
    let _desk = second.desk().await.unwrap();
    let missing: Vec<String> = inspect(&at).await.missing.iter().map(|part| format!("{part} ")).collect();
    assert_eq!(missing, [binding.told()], "the exchange alone is back, with the bindings that went with it");
    first.stop().unwrap();
    second.stop().unwrap();
}

#[tokio::test]
async fn a_policy_that_overrules_a_promise_is_told_for_as_long_as_it_is_set() {
    let at = At::given();
    let vhost = &at.vhost.name;
    let policies = [
        (format!("/api/policies/{vhost}/short"), "skstore.dead", r#"{"message-ttl":60000}"#),
        (format!("/api/operator-policies/{vhost}/small"), "order.events", r#"{"max-length":10}"#),
        (format!("/api/policies/{vhost}/forgetful"), "item.events", r#"{"overflow":"drop-head"}"#),
        (format!("/api/policies/{vhost}/elsewhere"), "item.commands", r#"{"dead-letter-routing-key":"x"}"#),
    ];
    for (path, queue, definition) in &policies {
        let pattern = queue.replace('.', "\\\\.");
        let body = format!(r#"{{"pattern":"^{pattern}$","definition":{definition},"apply-to":"queues"}}"#);
        at.vhost.call("PUT", path, &body);
    }
    let _workers = start(&at, &[OFTEN, ("bus.management_url", at.vhost.api())]);
    let process = at.attach();
    let desk = process.desk().await.unwrap();
    let sentences = [
        "the policy 'short' sets message-ttl = 60000 on queue 'skstore.dead'",
        "the operator policy 'small' sets max-length = 10 on queue 'order.events'",
        "the policy 'forgetful' sets overflow = \"drop-head\" on queue 'item.events'",
        "the policy 'elsewhere' sets dead-letter-routing-key = \"x\" on queue 'item.commands'",
    ];
    let warned = async |of: &str| {
        let services = desk.view().health().await.unwrap().services;
        let all = services.len() == Service::ALL.len();
        all && services.iter().all(|beat| beat.ready && beat.warnings.iter().any(|what| what.contains(of)))
    };
    for sentence in sentences {
        until(&format!("every worker says: {sentence}"), async || warned(sentence).await).await;
    }
    let told: Vec<String> = inspect(&at).await.overruled.iter().map(ToString::to_string).collect();
    assert!(
        told.len() == sentences.len() && sentences.iter().all(|one| told.iter().any(|t| t.contains(one))),
        "{told:?}"
    );
    policies.iter().for_each(|(path, _, _)| drop(at.vhost.call("DELETE", path, "")));
    until("nobody warns of it any more", async || {
        desk.view().health().await.unwrap().services.iter().all(|beat| beat.warnings.is_empty())
    })
    .await;
}

#[tokio::test]
async fn a_broker_without_memory_is_told_for_as_long_as_it_takes_nothing() {
    let rabbit = Rabbit::start().unwrap();
    let at = At::private(&rabbit);
    let _workers = start(&at, &[]);
    let process = at.attach();
    let desk = process.desk().await.unwrap();
    let Some(Bus::Amqp(bus)) = process.bus() else { panic!("it is no broker") };
    let mut next = 0;
    deliver(&desk, &mut next).await;
    until("they are at work", async || at.health(&[]).is_ok()).await;
    assert_eq!(bus.probe_block().await.unwrap(), None);

    rabbit.ctl(&["set_vm_memory_high_watermark", "0.00001"]).unwrap();
    for service in ["order", "deposit", "item", "myinfo"] {
        until(&format!("{service} says why it takes nothing"), async || {
            at.health(&[service]).is_err_and(|why| {
                why.contains("is not ready: the broker blocks all who publish: low on memory")
            })
        })
        .await;
    }
    let state = desk.bus_state();
    until("a desk says so as well", async || {
        let BusState::Lost { cause, .. } = &*state.borrow() else { return false };
        cause.contains("the broker blocks all who publish: low on memory")
    })
    .await;
    let told = [desk.blocked().await, inspect(&at).await.blocked];
    for told in told {
        assert!(told.as_ref().is_some_and(|why| why.contains("low on memory")), "{told:?}");
    }

    rabbit.ctl(&["set_vm_memory_high_watermark", "0.4"]).unwrap();
    until("they take work again", async || at.health(&[]).is_ok()).await;
    assert_eq!(bus.probe_block().await.unwrap(), None);
    until("a desk goes on", async || *state.borrow() == BusState::Up).await;
    deliver(&desk, &mut next).await;
    until("it is history with its time", async || {
        let services = desk.view().health().await.unwrap().services;
        let blocked = "the broker blocks all who publish: low on memory";
        services.iter().all(|beat| {
            beat.ready && beat.last_error.is_none() && beat.past.iter().any(|past| past.what == blocked)
        })
    })
    .await;
    process.stop().unwrap();
}
