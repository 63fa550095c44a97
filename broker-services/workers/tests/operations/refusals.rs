//! A broker that says no: what is there is used, what is missing is named, and nobody is told to delete what is right.

use skstore_workers::bus::amqp::AmqpBus;
use skstore_workers::bus::{Bus, BusError, Subscription};
use skstore_workers::topology;

use crate::users::{ALL, Permissions};
use crate::vhost::{self, Vhost};
use crate::workers::{At, place, until};

/// Has queues of its own, and uses what others have declared: it may neither declare nor bind that.
const USES: Permissions = [
    r"^(skstore\.(replies|control|dead\.operator)|desk\.|myinfo\.rebuild).*",
    r"^(skstore\..*|amq\.default)$",
    ".*",
];
/// May look, and no more.
const NOTHING: Permissions = ["", "", ""];

fn url(vhost: &Vhost, user: &str) -> String {
    vhost.url.replace("guest:guest", &format!("{user}:secret"))
}

async fn declared(vhost: &Vhost) {
    AmqpBus::connect(&vhost.url).await.unwrap().close().await;
}

#[tokio::test]
async fn workers_that_may_not_declare_work_with_what_they_find_and_say_so_once() {
    let at = At::given();
    declared(&at.vhost).await;
    let user = at.vhost.user("secret", USES);
    let worker = at.start(&["order", "deposit", "item", "myinfo"], &[("bus.url", &url(&at.vhost, &user))]);
    until("they are at work", async || at.health(&["order", "myinfo"]).is_ok()).await;
    let process = at.attach();
    let desk = process.desk().await.unwrap();
    until("an order is accepted", async || desk.place(&place(1)).await.is_ok_and(|answer| answer.ok)).await;
    let said = worker.said();
    assert_eq!(said.matches("may not declare everything").count(), 1, "{said}");
    assert!(said.contains("queue 'order.commands'"), "{said}");
    assert!(!said.contains("delete"), "{said}");
    process.stop().unwrap();
}

#[tokio::test]
async fn what_is_missing_and_may_not_be_declared_is_waited_for() {
    let at = At::given();
    let user = at.vhost.user("secret", USES);
    let _worker = at.start(&["order"], &[("bus.url", &url(&at.vhost, &user))]);
    until("it says what is missing", async || {
        at.health(&["order"]).is_err_and(|why| {
            why.contains("is not there, and this user may not declare it") && !why.contains("delete")
        })
    })
    .await;
    declared(&at.vhost).await;
    until("it is at work once somebody has declared that", async || at.health(&["order"]).is_ok()).await;
}

#[tokio::test]
async fn a_permission_to_publish_that_is_taken_away_shows_until_it_is_back() {
    /// All but what events and Deposit's answers go through.
    const WITHOUT: Permissions = [".*", r"^(?!skstore\.(events|replies)$).*", ".*"];
    let at = At::given();
    let user = at.vhost.user("secret", ALL);
    let worker = at.start(&["order", "deposit", "item", "myinfo"], &[("bus.url", &url(&at.vhost, &user))]);
    let process = at.attach();
    let desk = process.desk().await.unwrap();
    until("an order is accepted", async || desk.place(&place(1)).await.is_ok_and(|answer| answer.ok)).await;

    at.vhost.permit(&user, WITHOUT);
    at.vhost.disconnect(&user);
    let asked = tokio::spawn({
        let desk = desk.clone();
        async move { desk.place(&place(2)).await }
    });
    until("it says what it may not do", async || {
        at.health(&["order"]).is_err_and(|why| why.contains("does not take what this user publishes"))
    })
    .await;
    at.vhost.permit(&user, ALL);
    until("it is at work with the permission", async || at.health(&[]).is_ok()).await;
    // Whatever the first answer was, the order ends as if nothing had been.
    let _ = asked.await.unwrap();
    until("the order of that time ends", async || {
        desk.place(&place(2))
            .await
            .is_ok_and(|answer| answer.order.is_some_and(|order| order.status.word() != "paying"))
    })
    .await;
    assert!(!worker.said().contains("delete"), "{}", worker.said());
    process.stop().unwrap();
}

#[tokio::test]
async fn a_permission_that_is_missing_is_named_and_nothing_is_to_be_deleted() {
    let vhost = vhost::empty();
    declared(&vhost).await;
    let user = vhost.user("secret", NOTHING);
    let bus = Bus::Amqp(AmqpBus::connect(&url(&vhost, &user)).await.unwrap());
    let commands = topology::queues().into_iter().find(|queue| queue.name == topology::ORDER_COMMANDS);
    for queue in [commands.unwrap(), topology::replies_to("me")] {
        let name = queue.name.clone();
        let error = bus.consumer(vec![Subscription { queue, prefetch: 1 }]).await.unwrap_err();
        let said = error.to_string();
        assert!(matches!(error, BusError::Topology(_)), "{said}");
        assert!(
            said.contains(&name) && said.contains("set_permissions") && !said.contains("delete"),
            "{said}"
        );
    }
    vhost.permit(&user, ALL);
    until("it works with the permission", async || {
        bus.consumer(vec![Subscription { queue: topology::replies_to("me"), prefetch: 1 }]).await.is_ok()
    })
    .await;
}
