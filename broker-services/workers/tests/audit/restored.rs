//! A store that is put back to an older copy: the audit tells that from a broken one, says what would settle it, and once
//! Order was asked to settle it everything is in order.

use std::collections::BTreeSet;
use std::path::Path;

use skstore_domain::commands::{Restock, Settle, TopUp};
use skstore_domain::ids::{Customer, ItemId, RequestId};
use skstore_domain::money::Won;
use skstore_domain::objects::{OrderReason, OrderStatus};
use skstore_workers::audit::{self, Remedy, Report, Unsettled};
use skstore_workers::config::StoreUrl;
use skstore_workers::desk::Desk;
use skstore_workers::store::Store;
use tempfile::TempDir;

use super::fixture::{FILES, PATIENCE, audit, block_on, desk, order_id, place, sources, start, until};
use super::quiet;

/// The stores at the end, and beside them the copies that were made halfway.
struct Halfway {
    now: TempDir,
    copies: TempDir,
}

/// Orders before and after a backup, with all that can become of them.
fn halfway(copy: &impl AsyncFn(&Path, &Path)) -> Halfway {
    let halfway = Halfway {
        now: tempfile::tempdir().expect("a directory"),
        copies: tempfile::tempdir().expect("a directory"),
    };
    let dir = halfway.now.path();
    block_on(async {
        let process = start(dir);
        let desk = desk(&process).await;
        let rich = TopUp {
            customer: Customer::new("kim").expect("a name"),
            amount: Won(50_000_000),
            topup_id: None,
        };
        assert!(desk.top_up(&rich).await.expect("an answer").ok);
        for id in ["kept", "regretted"] {
            assert!(desk.place(&place(id, "10", 2, "kim")).await.expect("an answer").ok);
            until(&desk, id, OrderStatus::Delivering).await;
        }
        tokio::time::timeout(PATIENCE, process.settle()).await.expect("everything settles");
        for file in FILES {
            copy(&dir.join(file), &halfway.copies.path().join(file)).await;
        }
        earn(&desk).await;
        for (id, item, qty, customer) in [
            ("new", "10", 1, "kim"),
            ("changed", "10", 1, "kim"),
            ("dear", "10", 3, "late"),
            ("rare", "41", 13, "kim"),
        ] {
            assert!(desk.place(&place(id, item, qty, customer)).await.expect("an answer").ok, "{id}");
            until(&desk, id, OrderStatus::Delivering).await;
        }
        desk.place(&place("poor", "10", 1, "nobody")).await.expect("an answer");
        for id in ["regretted", "changed"] {
            desk.cancel(&order_id(id)).await.expect("an answer");
        }
        tokio::time::timeout(PATIENCE, process.settle()).await.expect("everything settles");
        process.stop().expect("a clean stop");
    });
    halfway
}

/// Money and units that there are only since the backup: without them orders that were paid cannot be paid again.
async fn earn(desk: &Desk) {
    let request = |id: &str| Some(RequestId::new(id).expect("an id"));
    let late = Customer::new("late").expect("a name");
    let top_up = TopUp { customer: late, amount: Won(1_000_000), topup_id: request("t") };
    assert!(desk.top_up(&top_up).await.expect("an answer").ok);
    let restock = Restock { item_id: ItemId::new("41").expect("an id"), qty: 5, restock_id: request("r") };
    assert!(desk.restock(&restock).await.expect("an answer").ok);
}

/// The stores at the end, but for those in `restored`, which are as they were halfway.
fn put_back(halfway: &Halfway, restored: &[&str]) -> TempDir {
    let dir = tempfile::tempdir().expect("a directory");
    for file in FILES {
        let from = if restored.contains(&file) { halfway.copies.path() } else { halfway.now.path() };
        let from = from.join(file);
        let connection = rusqlite::Connection::open(&from).expect("a copy");
        let _: i64 =
            connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0)).expect("a copy");
        drop(connection);
        std::fs::copy(from, dir.path().join(file)).expect("a copy");
    }
    dir
}

async fn back_up(store: &Path, to: &Path) {
    Store::back_up(&StoreUrl::Sqlite(store.to_owned()), to).await.expect("a copy");
}

async fn unsettled(dir: &Path) -> (Report, Vec<Unsettled>) {
    audit::unsettled(&sources(dir, None), async || quiet()).await.expect("a copy")
}

/// Has Order settle what differs, until nothing does.
async fn settle(dir: &Path, desk: &Desk) {
    let all = async {
        loop {
            let (_, found) = unsettled(dir).await;
            if found.is_empty() {
                return;
            }
            for order in found {
                let settle = Settle {
                    order_id: order_id(&order.order_id),
                    customer: order.customer.map(|name| Customer::new(&name).expect("a name")),
                    item_id: order.item_id.map(|id| ItemId::new(&id).expect("an id")),
                };
                desk.settle(&settle).await.expect("an answer");
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
    };
    if tokio::time::timeout(PATIENCE, all).await.is_err() {
        panic!("not settled: {:#?}", unsettled(dir).await);
    }
}

fn remedies_of(found: &[Unsettled], id: &str) -> Vec<Remedy> {
    let of = |order: &&Unsettled| order.order_id == id;
    found.iter().find(of).unwrap_or_else(|| panic!("no {id} in {found:#?}")).remedies.clone()
}

#[test]
fn whichever_stores_are_put_back_all_is_settled_and_the_audit_is_content() {
    let halfway = halfway(&back_up);
    let subsets = (1..1_u8 << FILES.len()).map(|bits| {
        let is_in = |at: usize| bits & (1 << at) > 0;
        FILES.iter().enumerate().filter(|(at, _)| is_in(*at)).map(|(_, file)| *file).collect::<Vec<_>>()
    });
    for restored in subsets {
        let dir = put_back(&halfway, &restored);
        let (dir, is_whole) = (dir.path(), restored.len() == FILES.len());
        block_on(async {
            let process = start(dir);
            let desk = desk(&process).await;
            // Order drives what waits by itself; what is left is for no message to settle.
            let (report, findings) = audit(&sources(dir, None), quiet()).await.unwrap();
            assert_eq!(report.violations, 0, "{restored:?}: {findings:#?}");
            assert_eq!(report.forgotten == 0, is_whole, "{restored:?}: {report:?}");
            let told = report.restored.join("; ");
            for file in restored.iter().filter(|_| !is_whole) {
                let service = file.trim_end_matches(".db");
                assert!(
                    told.contains(&format!("{service}: put back to a copy of 20")),
                    "{restored:?}: {told}"
                );
            }
            settle(dir, &desk).await;
            tokio::time::timeout(PATIENCE, process.settle()).await.unwrap();
            let (report, findings) = audit(&sources(dir, Some(desk.view().clone())), quiet()).await.unwrap();
            assert_eq!((findings, report.forgotten), (Vec::new(), 0), "{restored:?}: {report:?}");
            let kept = desk.order(&order_id("kept")).await.unwrap().order.unwrap();
            assert_eq!(kept.status, OrderStatus::Delivering, "{restored:?}: what nobody has forgotten stays");
            process.stop().unwrap();
        });
    }
}

#[test]
fn what_would_be_done_is_what_is_done() {
    let halfway = halfway(&back_up);
    let dir = put_back(&halfway, &["deposit.db"]);
    block_on(async {
        let process = start(dir.path());
        let desk = desk(&process).await;
        let (_, found) = unsettled(dir.path()).await;
        let charge = |customer: &str, amount, is_covered| Remedy::Charge {
            customer: customer.into(),
            amount,
            is_covered,
        };
        let amount = desk.order(&order_id("new")).await.unwrap().order.unwrap().amount.0;
        assert_eq!(remedies_of(&found, "new"), [charge("kim", amount, true)]);
        let [charge, take_back] = remedies_of(&found, "dear").try_into().unwrap();
        assert!(matches!(charge, Remedy::Charge { is_covered: false, .. }), "{charge:?}");
        assert_eq!(take_back, Remedy::TakeBack { item_id: "10".into(), qty: 3 });
        let regretted = remedies_of(&found, "regretted");
        assert!(
            matches!(regretted[..], [Remedy::Release { .. }]),
            "it was paid when the copy was made: {regretted:?}"
        );
        settle(dir.path(), &desk).await;
        let ended = async |id: &str| {
            desk.order(&order_id(id)).await.unwrap().order.map(|order| (order.status, order.reason))
        };
        assert_eq!(ended("new").await, Some((OrderStatus::Delivering, None)));
        assert_eq!(ended("dear").await, Some((OrderStatus::Cancelled, Some(OrderReason::Declined))));
        process.stop().unwrap();
    });
    let dir = put_back(&halfway, &["order.db"]);
    block_on(async {
        let process = start(dir.path());
        let desk = desk(&process).await;
        let (_, found) = unsettled(dir.path()).await;
        let [release, take_back, disown] = remedies_of(&found, "new").try_into().unwrap();
        assert!(matches!(release, Remedy::Release { .. }), "{release:?}");
        assert_eq!((take_back, disown), (Remedy::TakeBack { item_id: "10".into(), qty: 1 }, Remedy::Disown));
        settle(dir.path(), &desk).await;
        assert_eq!(desk.order(&order_id("new")).await.unwrap().order, None, "there is no such order");
        let again = desk.place(&place("new", "10", 1, "kim")).await.unwrap();
        assert!(!again.ok, "and there will be none: {again:?}");
        process.stop().unwrap();
    });
}

#[test]
fn an_id_that_order_has_forgotten_and_took_again_keeps_nothing_of_the_first_order() {
    let halfway = halfway(&back_up);
    let dir = put_back(&halfway, &["order.db"]);
    block_on(async {
        let process = start(dir.path());
        let desk = desk(&process).await;
        let other = desk.place(&place("new", "41", 1, "kim")).await.unwrap();
        assert!(!other.ok, "its id was charged for something else: {other:?}");
        let anothers = desk.place(&place("dear", "10", 3, "kim")).await.unwrap();
        assert!(!anothers.ok, "its id was charged to somebody else: {anothers:?}");
        let (_, found) = unsettled(dir.path()).await;
        assert!(remedies_of(&found, "new").contains(&Remedy::TakeBack { item_id: "10".into(), qty: 1 }));
        settle(dir.path(), &desk).await;
        tokio::time::timeout(PATIENCE, process.settle()).await.unwrap();
        let (report, findings) =
            audit(&sources(dir.path(), Some(desk.view().clone())), quiet()).await.unwrap();
        assert_eq!(findings, [], "{report:?}");
        let late = desk.account(&Customer::new("late").unwrap()).await.unwrap().account.unwrap();
        assert_eq!(late.balance, Won(1_000_000), "who paid for it has the money back");
        let buried = desk.place(&place("changed", "41", 1, "kim")).await.unwrap();
        assert!(!buried.ok, "it was disowned: {buried:?}");
        tokio::time::timeout(PATIENCE, process.settle()).await.unwrap();
        let (report, findings) = audit(&sources(dir.path(), None), quiet()).await.unwrap();
        assert_eq!(findings, [], "{report:?}");
        process.stop().unwrap();
    });
}

/// A copy by other means says nothing of itself; the view remembers only where it outlives the workers.
#[test]
fn a_store_that_nobody_has_said_was_put_back_is_broken_and_can_be_settled_all_the_same() {
    let halfway = halfway(&async |store: &Path, to: &Path| {
        let connection = rusqlite::Connection::open(store).unwrap();
        connection.execute("VACUUM INTO ?1", [to.to_str().unwrap()]).unwrap();
    });
    let dir = put_back(&halfway, &["item.db"]);
    block_on(async {
        let process = start(dir.path());
        let desk = desk(&process).await;
        let (report, findings) = audit(&sources(dir.path(), None), quiet()).await.unwrap();
        assert!(report.violations > 0 && report.forgotten == 0, "{report:?}");
        assert!(report.notes.iter().any(|note| note.contains("skstore reconcile")), "{report:?}");
        let ids: BTreeSet<_> = findings.into_iter().map(|finding| finding.id).collect();
        assert!(ids.contains("new"), "{ids:?}");
        settle(dir.path(), &desk).await;
        let (report, findings) = audit(&sources(dir.path(), None), quiet()).await.unwrap();
        assert_eq!(findings, [], "{report:?}");
        process.stop().unwrap();
    });
}
