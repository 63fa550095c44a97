//! The audit finds nothing wrong with a desk that works, and everything that somebody spoils by hand.

mod fixture;
mod restored;

use std::collections::BTreeMap;
use std::time::Duration;

use fixture::{Copy, EVERYTHING, audit, block_on, desk, order_id, place, sources, start};
use skstore_domain::faults::Fault;
use skstore_domain::ids::{Customer, ItemId};
use skstore_domain::money::Won;
use skstore_domain::myinfo::ViewWrite;
use skstore_domain::objects::{Account, OrderStatus, PaymentStatus};
use skstore_domain::signals::Service;
use skstore_workers::audit::Promise::{P1, P2, P3, P4, P5, P6, P9};
use skstore_workers::audit::{AuditError, Finding, Promise, Traffic, WAIT};
use skstore_workers::clock::Clock;
use skstore_workers::config::StoreUrl;
use skstore_workers::topology;

/// Nobody knows of any message.
pub(crate) fn quiet() -> Traffic {
    Traffic { waiting: Some(BTreeMap::new()), ..Traffic::default() }
}

fn assert_found(what: &str, findings: &[Finding], promise: Promise, id: &str) {
    let found = findings.iter().any(|finding| finding.promise == promise && finding.id == id);
    assert!(found, "{what}: no {promise} of {id} among {findings:#?}");
    for finding in findings {
        assert!(finding.message.len() > 10, "{what}: {finding:?} is no sentence");
    }
}

#[test]
fn a_desk_at_rest_passes() {
    let copy = Copy::new();
    block_on(async {
        let view = copy.view(|_| true).await;
        let (report, findings) = audit(&sources(copy.0.path(), Some(view)), quiet()).await.unwrap();
        assert_eq!(findings, [], "{report:?}");
        assert_eq!((report.orders, report.payments), (7, 6), "{report:?}");
        assert!(report.undecided.is_empty() && report.notes.is_empty(), "{report:?}");
        assert!(report.shown > 6 && report.events > 30 && report.accounts > 2 && report.items > 9);

        let (report, findings) = audit(&sources(copy.0.path(), None), Traffic::default()).await.unwrap();
        assert_eq!((findings.len(), report.notes.len()), (0, 1), "it says that it did not see the view");
    });
}

/// What is spoilt, where, by which statements, and which promise of which id that breaks.
type Case = (&'static str, &'static str, &'static str, &'static [(Promise, &'static str)]);

const CASES: &[Case] = &[
    (
        "balance changed",
        "deposit.db",
        "UPDATE aggregates SET body = json_set(body, '$.balance', json_extract(body, '$.balance') + 1)
            WHERE kind = 'account' AND id = 'kim'",
        &[(P2, "kim")],
    ),
    (
        "balance below zero",
        "deposit.db",
        "UPDATE aggregates SET body = json_set(body, '$.balance', -1) WHERE kind = 'account' AND id = 'kim'",
        &[(P2, "kim")],
    ),
    (
        "balance unreadable",
        "deposit.db",
        "UPDATE aggregates SET body = '{' WHERE kind = 'account' AND id = 'kim'",
        &[(P5, "kim")],
    ),
    (
        "account missing",
        "deposit.db",
        "DELETE FROM aggregates WHERE kind = 'account' AND id = 'kim'",
        &[(P5, "kim")],
    ),
    (
        "money from nowhere: account and log agree",
        "deposit.db",
        "UPDATE aggregates SET body = json_set(body, '$.balance', 777) WHERE kind = 'account' AND id = 'heungbu';
         UPDATE events SET body = json_set(body, '$.data.account.balance', 777)
            WHERE kind = 'account' AND aggregate_id = 'heungbu'",
        &[(P2, "heungbu")],
    ),
    (
        "top-up changed",
        "deposit.db",
        "UPDATE aggregates SET body = json_set(body, '$.amount', 1) WHERE kind = 'topup' AND id = 't-1'",
        &[(P2, "kim")],
    ),
    (
        "top-up missing",
        "deposit.db",
        "DELETE FROM aggregates WHERE kind = 'topup' AND id = 't-1'",
        &[(P2, "kim")],
    ),
    (
        "charge missing",
        "deposit.db",
        "DELETE FROM aggregates WHERE kind = 'payment' AND id = 'live';
         DELETE FROM events WHERE kind = 'payment' AND aggregate_id = 'live'",
        &[(P1, "live"), (P5, "kim")],
    ),
    (
        "charge not stored",
        "deposit.db",
        "DELETE FROM aggregates WHERE kind = 'payment' AND id = 'live'",
        &[(P1, "live"), (P5, "live"), (P2, "kim")],
    ),
    (
        "charge doubled",
        "deposit.db",
        "INSERT INTO events (kind, aggregate_id, revision, type, body)
            SELECT kind, aggregate_id, 2, type, body FROM events WHERE kind = 'payment' AND aggregate_id = 'live'",
        &[(P1, "live"), (P5, "live")],
    ),
    (
        "charge of another amount",
        "deposit.db",
        "UPDATE aggregates SET body = json_set(body, '$.amount', 1) WHERE kind = 'payment' AND id = 'live'",
        &[(P1, "live"), (P2, "live"), (P2, "kim")],
    ),
    (
        "charge of another customer",
        "deposit.db",
        "UPDATE aggregates SET body = json_set(body, '$.customer', 'lee') WHERE kind = 'payment' AND id = 'live'",
        &[(P1, "live"), (P2, "lee")],
    ),
    (
        "charge declined after all",
        "deposit.db",
        "UPDATE aggregates SET body = json_set(body, '$.status', 'declined') WHERE kind = 'payment' AND id = 'live'",
        &[(P1, "live"), (P2, "kim")],
    ),
    (
        "charge of an order that nobody placed",
        "deposit.db",
        "UPDATE aggregates SET id = 'ghost' WHERE kind = 'payment' AND id = 'live';
         UPDATE events SET aggregate_id = 'ghost' WHERE kind = 'payment' AND aggregate_id = 'live'",
        &[(P1, "ghost"), (P1, "live")],
    ),
    (
        "charge of a buried order",
        "deposit.db",
        "UPDATE aggregates SET id = 'buried' WHERE kind = 'payment' AND id = 'live'",
        &[(P1, "buried")],
    ),
    (
        "refund missing",
        "deposit.db",
        "DELETE FROM events WHERE kind = 'payment' AND aggregate_id = 'gone' AND revision = 2;
         UPDATE aggregates SET revision = 1, body = json_set(body, '$.status', 'paid', '$.revision', 1)
            WHERE kind = 'payment' AND id = 'gone'",
        &[(P3, "gone")],
    ),
    (
        "refund missing of an order that was never answered",
        "deposit.db",
        "UPDATE aggregates SET body = json_set(body, '$.status', 'paid') WHERE kind = 'payment' AND id = 'unheard'",
        &[(P3, "unheard"), (P2, "kim")],
    ),
    (
        "refund twice",
        "deposit.db",
        "INSERT INTO events (kind, aggregate_id, revision, type, body)
            SELECT kind, aggregate_id, 3, type, body FROM events
            WHERE kind = 'payment' AND aggregate_id = 'gone' AND revision = 2",
        &[(P3, "gone")],
    ),
    (
        "refund of a live order",
        "deposit.db",
        "UPDATE aggregates SET body = json_set(body, '$.status', 'refunded') WHERE kind = 'payment' AND id = 'live'",
        &[(P3, "live"), (P2, "kim")],
    ),
    (
        "end of an order never heard of by Deposit",
        "deposit.db",
        "DELETE FROM aggregates WHERE kind = 'payment' AND id = 'early';
         DELETE FROM events WHERE kind = 'payment' AND aggregate_id = 'early'",
        &[(P3, "early")],
    ),
    (
        "stock below zero",
        "item.db",
        "UPDATE aggregates SET body = json_set(body, '$.stock', -5) WHERE kind = 'item' AND id = '10'",
        &[(P4, "10")],
    ),
    (
        "stock not matching",
        "item.db",
        "UPDATE aggregates SET body = json_set(body, '$.stock', json_extract(body, '$.stock') + 1)
            WHERE kind = 'item' AND id = '10'",
        &[(P4, "10")],
    ),
    (
        "unit given to two",
        "item.db",
        "INSERT INTO aggregates (kind, id, revision, body)
            SELECT kind, 'early2', revision, json_set(body, '$.order_id', 'early2') FROM aggregates
            WHERE kind = 'delivery' AND id = 'live';
         INSERT INTO events (kind, aggregate_id, revision, type, body)
            SELECT kind, 'early2', revision, type, body FROM events
            WHERE kind = 'delivery' AND aggregate_id = 'live'",
        &[(P4, "10"), (P4, "early2")],
    ),
    (
        "restock missing",
        "item.db",
        "DELETE FROM aggregates WHERE kind = 'restock' AND id = 'r-1'",
        &[(P4, "10")],
    ),
    (
        "delivery missing",
        "item.db",
        "DELETE FROM aggregates WHERE kind = 'delivery' AND id = 'live'",
        &[(P4, "live"), (P5, "live"), (P4, "10")],
    ),
    (
        "delivery of other units",
        "item.db",
        "UPDATE aggregates SET body = json_set(body, '$.qty', 3) WHERE kind = 'delivery' AND id = 'live'",
        &[(P4, "live"), (P4, "10")],
    ),
    (
        "units of a cancelled order not back",
        "item.db",
        "UPDATE aggregates SET body = json_set(body, '$.status', 'started') WHERE kind = 'delivery' AND id = 'gone'",
        &[(P4, "gone"), (P4, "10")],
    ),
    (
        "units taken twice",
        "item.db",
        "INSERT INTO events (kind, aggregate_id, revision, type, body)
            SELECT kind, aggregate_id, 2, type, body FROM events WHERE kind = 'delivery' AND aggregate_id = 'live'",
        &[(P4, "live"), (P5, "live")],
    ),
    (
        "cancel never heard of by Item",
        "item.db",
        "DELETE FROM aggregates WHERE kind = 'delivery' AND id = 'early';
         DELETE FROM events WHERE kind = 'delivery' AND aggregate_id = 'early'",
        &[(P5, "early")],
    ),
    (
        "event missing in the midst",
        "order.db",
        "DELETE FROM events WHERE kind = 'order' AND aggregate_id = 'live' AND revision = 2",
        &[(P5, "live")],
    ),
    (
        "event missing at the end",
        "order.db",
        "DELETE FROM events WHERE kind = 'order' AND aggregate_id = 'live' AND revision = 3",
        &[(P5, "live")],
    ),
    (
        "revision gap",
        "order.db",
        "UPDATE events SET revision = 7 WHERE kind = 'order' AND aggregate_id = 'live' AND revision = 3",
        &[(P5, "live")],
    ),
    (
        "event unreadable",
        "order.db",
        "UPDATE events SET body = 'x' WHERE kind = 'order' AND aggregate_id = 'live' AND revision = 2",
        &[(P5, "live")],
    ),
    (
        "order missing",
        "order.db",
        "DELETE FROM aggregates WHERE kind = 'order' AND id = 'live'",
        &[(P5, "live"), (P1, "live"), (P4, "live")],
    ),
    (
        "order unreadable",
        "order.db",
        "UPDATE aggregates SET body = '{}' WHERE kind = 'order' AND id = 'live'",
        &[(P5, "live")],
    ),
    (
        "order behind its log",
        "order.db",
        "UPDATE aggregates SET revision = 2 WHERE kind = 'order' AND id = 'live'",
        &[(P5, "live")],
    ),
    (
        "order stuck in paying",
        "order.db",
        "UPDATE aggregates SET body = json_set(body, '$.order.status', 'paying') WHERE kind = 'order' AND id = 'live'",
        &[(P9, "live"), (P4, "live")],
    ),
    (
        "order stuck in placed",
        "order.db",
        "DELETE FROM events WHERE kind = 'order' AND aggregate_id = 'live' AND revision = 3;
         UPDATE aggregates SET revision = 2,
            body = json_set(body, '$.order.status', 'placed', '$.order.delivery', 'none', '$.order.revision', 2)
            WHERE kind = 'order' AND id = 'live'",
        &[(P9, "live")],
    ),
    (
        "order of another amount",
        "order.db",
        "UPDATE aggregates SET body = json_set(body, '$.order.amount', 1) WHERE kind = 'order' AND id = 'live'",
        &[(P1, "live"), (P5, "live")],
    ),
    (
        "order back from its end",
        "order.db",
        "INSERT INTO events (kind, aggregate_id, revision, type, body)
            SELECT kind, aggregate_id, 9, 'order.placed', json_set(body, '$.data.order.status', 'placed') FROM events
            WHERE kind = 'order' AND aggregate_id = 'poor' AND revision = 2",
        &[(P9, "poor"), (P5, "poor")],
    ),
    (
        "refund of which Order has not heard",
        "order.db",
        "UPDATE aggregates SET body = json_set(body, '$.order.payment', 'paid') WHERE kind = 'order' AND id = 'gone'",
        &[(P5, "gone")],
    ),
    (
        "end of a delivery of which Order has not heard",
        "order.db",
        "UPDATE aggregates SET body = json_set(body, '$.order.delivery', 'started') WHERE kind = 'order' AND id = 'gone'",
        &[(P5, "gone")],
    ),
];

#[test]
fn whatever_is_spoilt_is_found_with_its_promise_and_id() {
    block_on(async {
        for (what, file, sql, expected) in CASES {
            let copy = Copy::new();
            copy.spoil(file, sql);
            let (_, findings) = audit(&sources(copy.0.path(), None), quiet()).await.unwrap();
            for (promise, id) in *expected {
                assert_found(what, &findings, *promise, id);
            }
        }
    });
}

#[test]
fn a_view_that_differs_is_found() {
    let is_of = |write: &ViewWrite, id: &str| match write {
        ViewWrite::Order(order) => order.order_id.as_str() == id,
        ViewWrite::Payment(_)
        | ViewWrite::Account(_)
        | ViewWrite::Item(_)
        | ViewWrite::Step(..)
        | ViewWrite::Happened(..)
        | ViewWrite::Feed(_) => false,
    };
    block_on(async {
        let copy = Copy::new();
        let find = async |what: &str, view, id: &str| {
            let (_, findings) = audit(&sources(copy.0.path(), Some(view)), quiet()).await.unwrap();
            assert_eq!(findings.len(), 1, "{what}: {findings:#?}");
            assert_found(what, &findings, P6, id);
        };
        let shown = async |view: &skstore_workers::view::View, id: &str| {
            view.order(&order_id(id)).await.unwrap().expect("it is shown").row
        };

        find("order missing", copy.view(|write| !is_of(write, "live")).await, "live").await;
        let no_payment = |write: &ViewWrite| !matches!(write, ViewWrite::Payment(payment) if payment.order_id.as_str() == "live");
        find("payment missing", copy.view(no_payment).await, "live").await;
        let no_item =
            |write: &ViewWrite| !matches!(write, ViewWrite::Item(item) if item.item_id.as_str() == "41");
        find("item missing", copy.view(no_item).await, "41").await;

        let view = copy.view(|_| true).await;
        let mut order = shown(&view, "live").await.order;
        (order.status, order.revision) = (OrderStatus::Cancelled, 99);
        view.apply(&[ViewWrite::Order(order)]).await.unwrap();
        find("order of another status", view, "live").await;

        let view = copy.view(|_| true).await;
        let mut payment = shown(&view, "live").await.payment.expect("a payment");
        (payment.status, payment.revision) = (PaymentStatus::Refunded, 2);
        view.apply(&[ViewWrite::Payment(payment)]).await.unwrap();
        find("payment of another status", view, "live").await;

        let view = copy.view(|_| true).await;
        let mut order = shown(&view, "live").await.order;
        order.order_id = order_id("ghost");
        view.apply(&[ViewWrite::Order(order)]).await.unwrap();
        find("order that is none", view, "ghost").await;

        let view = copy.view(|write| !is_of(write, "live")).await;
        let mut order = shown(&view, "gone").await.order;
        order.order_id = order_id("ghost");
        view.apply(&[ViewWrite::Order(order)]).await.unwrap();
        let (_, findings) = audit(&sources(copy.0.path(), Some(view)), quiet()).await.unwrap();
        assert_eq!(findings.len(), 2, "one instead of the other: {findings:#?}");

        let view = copy.view(|_| true).await;
        let lee = Account { customer: Customer::new("nobody").unwrap(), balance: Won(1), revision: 1 };
        view.apply(&[ViewWrite::Account(lee)]).await.unwrap();
        find("account that is none", view, "nobody").await;

        let view = copy.view(|_| true).await;
        let kim = Account { customer: Customer::new("kim").unwrap(), balance: Won(1), revision: 99 };
        view.apply(&[ViewWrite::Account(kim)]).await.unwrap();
        find("account of another balance", view, "kim").await;

        let view = copy.view(|_| true).await;
        let mut item = view.items(None, EVERYTHING).await.unwrap().remove(0);
        (item.stock, item.revision) = (1, 99);
        let id = item.item_id.clone();
        view.apply(&[ViewWrite::Item(item)]).await.unwrap();
        find("item of another stock", view, id.as_str()).await;
    });
}

#[test]
fn what_may_still_be_mended_is_not_judged() {
    let stuck = "UPDATE aggregates SET body = json_set(body, '$.order.status', 'placed') \
                 WHERE kind = 'order' AND id = 'live'";
    let unheard = "UPDATE aggregates SET body = json_set(body, '$.order.payment', 'paid') \
                   WHERE kind = 'order' AND id = 'gone'";
    let broken =
        "UPDATE aggregates SET body = json_set(body, '$.amount', 1) WHERE kind = 'payment' AND id = 'live'";
    let waits_in = |queue: &str| Traffic { waiting: Some([(queue.to_owned(), 1)].into()), ..quiet() };
    let unsent = "INSERT INTO unsent (seq) SELECT max(seq) FROM events WHERE kind = 'payment' AND aggregate_id = 'gone'";
    let parked = Traffic { parked: ["live".to_owned()].into(), ..quiet() };
    // Promise and id, what is spoilt, what is on its way, how old it is in seconds, whether it is judged.
    type Row<'a> = (Promise, &'a str, &'a [(&'a str, &'a str)], Traffic, i64, bool);
    let table: [Row<'_>; 8] = [
        (P9, "live", &[("order.db", stuck)], quiet(), 3600, true),
        (P9, "live", &[("order.db", stuck)], quiet(), 10, false),
        (P9, "live", &[("order.db", stuck)], waits_in(topology::ORDER_EVENTS), 3600, false),
        (P9, "live", &[("order.db", stuck)], waits_in(topology::MYINFO_EVENTS), 3600, true),
        (P9, "live", &[("order.db", stuck)], parked, 3600, false),
        (P5, "gone", &[("order.db", unheard)], quiet(), 3600, true),
        (P5, "gone", &[("order.db", unheard), ("deposit.db", unsent)], quiet(), 3600, false),
        // No message makes one charge of another.
        (P1, "live", &[("deposit.db", broken)], waits_in(topology::DEPOSIT_EVENTS), 3600, true),
    ];
    block_on(async {
        for (promise, id, spoilt, traffic, age_s, is_judged) in table {
            let copy = Copy::new();
            spoilt.iter().for_each(|(file, sql)| copy.spoil(file, sql));
            let mut sources = sources(copy.0.path(), None);
            sources.now.0 += (age_s - 3600) * 1000;
            let what = format!("{spoilt:?} with {traffic:?} after {age_s} s");
            let (report, findings) = audit(&sources, traffic).await.unwrap();
            // The state differs from its log all the same, which nothing mends.
            let between = |finding: &&Finding| {
                finding.promise == promise && !finding.message.contains("its log ends with")
            };
            let judged = findings.iter().filter(between).any(|finding| finding.id == id);
            assert_eq!(judged, is_judged, "{what}: {findings:#?}");
            assert_eq!(report.undecided.is_empty(), is_judged, "{what}: {:?}", report.undecided);
        }
    });
}

#[test]
fn a_busy_desk_raises_no_alarm() {
    const BUYERS: usize = 8;
    const ORDERS: usize = 40;
    let dir = tempfile::tempdir().unwrap();
    block_on(async {
        let process = start(dir.path());
        let desk = desk(&process).await;
        let buy = |buyer: usize| {
            let desk = &desk;
            async move {
                for order in 0..ORDERS {
                    let id = format!("{buyer}-{order}");
                    let item = if order % 5 == 0 { "41" } else { "10" };
                    desk.place(&place(&id, item, 1, "kim")).await.unwrap();
                    if order % 3 == 0 {
                        desk.cancel(&order_id(&id)).await.unwrap();
                    }
                }
            }
        };
        let buying = futures_util::future::join_all((0..BUYERS).map(buy));
        let mut live = sources(dir.path(), Some(desk.view().clone()));
        (live.wait, live.now) = (WAIT, Clock::System.now());
        let watching = async {
            for time in 0..3 {
                let (report, findings) = audit(&live, Traffic::default()).await.unwrap();
                assert_eq!(findings, [], "at the {time}. time: {report:?}");
            }
        };
        tokio::join!(buying, watching);
        process.settle().await;
        let at_rest = sources(dir.path(), Some(desk.view().clone()));
        let (report, findings) = audit(&at_rest, quiet()).await.unwrap();
        assert_eq!(findings, [], "{report:?}");
        assert_eq!(report.orders, (BUYERS * ORDERS) as u64);
        assert!(report.undecided.is_empty(), "{report:?}");
    });
}

#[test]
fn orders_that_wait_for_a_stopped_item_are_undecided() {
    let dir = tempfile::tempdir().unwrap();
    block_on(async {
        let process = start(dir.path());
        let desk = desk(&process).await;
        desk.inject(Service::Item, Fault::Stopped).await.unwrap();
        // The wish is heard before anything that is published after it is taken.
        let item = ItemId::new("10").unwrap();
        while desk.item(&item).await.is_ok() {}
        for id in ["a", "b"] {
            assert!(desk.place(&place(id, "10", 1, "kim")).await.unwrap().ok);
        }
        let mut live = sources(dir.path(), None);
        live.wait = Duration::from_millis(300);
        let (report, findings) = audit(&live, Traffic::default()).await.unwrap();
        assert_eq!(findings, [], "{report:?}");
        assert!(report.undecided.iter().any(|line| line.contains("not yet taken by the bus")), "{report:?}");
    });
}

#[test]
fn a_store_that_cannot_be_read_is_named() {
    let copy = Copy::new();
    block_on(async {
        let mut sources = sources(copy.0.path(), None);
        let table = [
            ("sqlite:/nowhere/order.db", "/nowhere/order.db"),
            ("postgres://user:secret@127.0.0.1:1/db", "nothing listens there"),
        ];
        for (url, expected) in table {
            sources.deposit = StoreUrl::try_from(url.to_owned()).unwrap();
            match audit(&sources, quiet()).await {
                Err(error @ AuditError::Store { .. }) => {
                    let told = error.to_string();
                    assert!(told.contains(expected) && !told.contains("secret"), "{told}");
                }
                other => panic!("{url}: {other:?}"),
            }
        }
    });
}

#[test]
fn a_row_that_is_none_is_told_as_what_is_wrong_with_its_store() {
    // Tables that let in what ours do not.
    const LOOSE: &str = "
        CREATE TABLE loose AS SELECT * FROM aggregates; DROP TABLE aggregates; ALTER TABLE loose RENAME TO aggregates;
        CREATE TABLE loose AS SELECT * FROM events; DROP TABLE events; ALTER TABLE loose RENAME TO events;";
    let table = [
        (
            "UPDATE aggregates SET body = NULL WHERE id = 'kim'",
            "column 3 of a row that was read should be a text",
        ),
        (
            "UPDATE aggregates SET revision = NULL WHERE id = 'kim'",
            "column 2 of a row that was read should be a number",
        ),
        ("UPDATE events SET type = NULL WHERE seq = 1", "column 5 of a row that was read should be a text"),
        (
            "UPDATE aggregates SET revision = 'two' WHERE id = 'kim'",
            "column 2 of a row that was read should be a number, and is a text",
        ),
        ("UPDATE aggregates SET body = x'7b7d' WHERE id = 'kim'", "neither a text nor a whole number"),
        ("UPDATE aggregates SET body = CAST(x'ff' AS TEXT) WHERE id = 'kim'", "not in UTF-8"),
        ("UPDATE meta SET value = '2' WHERE key = 'schema_version'", "schema version 2"),
    ];
    for (spoilt, expected) in table {
        let copy = Copy::new();
        copy.spoil("deposit.db", &format!("{LOOSE} {spoilt}"));
        match block_on(audit(&sources(copy.0.path(), None), quiet())) {
            Err(error @ AuditError::Store { .. }) => {
                let told = error.to_string();
                assert!(told.contains(expected) && told.contains("deposit.db"), "{spoilt}: {told}");
            }
            other => panic!("{spoilt}: {other:?}"),
        }
    }
}
