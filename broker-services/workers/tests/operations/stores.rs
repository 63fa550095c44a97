//! Stores that are not what they were: another one of the same service, a fresh one, an older copy, one whose file is gone.

use std::path::Path;

use skstore_domain::commands::Restock;
use skstore_domain::events::Source;
use skstore_domain::ids::{ItemId, RequestId};
use skstore_workers::config::StoreUrl;
use skstore_workers::desk::Desk;
use skstore_workers::store::Store;
use tempfile::TempDir;

use crate::view::{at_rest, audited, placed};
use crate::workers::{At, Worker, command, healthy, order_id, place, until};

const STORE_FILES: [&str; 3] = ["", "-wal", "-shm"];

fn files(of: &Path) -> impl Iterator<Item = std::path::PathBuf> {
    STORE_FILES.iter().map(move |suffix| format!("{}{suffix}", of.display()).into())
}

fn remove(store: &Path) {
    files(store).for_each(|file| drop(std::fs::remove_file(file)));
}

/// Copies a store that nobody has open.
fn copy(from: &Path, to: &Path) {
    remove(to);
    files(from).zip(files(to)).filter(|(from, _)| from.exists()).for_each(|(from, to)| {
        std::fs::copy(from, to).unwrap();
    });
}

async fn stop(mut worker: Worker) {
    worker.signal("TERM");
    worker.end().await;
}

async fn restock(desk: &Desk, qty: u64) {
    let restock = Restock {
        item_id: ItemId::new("10").unwrap(),
        qty,
        restock_id: RequestId::new(&format!("more-{qty}")).ok(),
    };
    assert!(desk.restock(&restock).await.unwrap().ok);
}

/// The stock as Item has it, and as the view shows it.
async fn stocks(desk: &Desk) -> (u64, u64) {
    let id = ItemId::new("10").unwrap();
    let told = desk.item(&id).await.ok().and_then(|answer| answer.item).map_or(0, |item| item.stock);
    let shown = desk.view().items(None, 100).await.unwrap_or_default();
    (told, shown.iter().find(|item| item.item_id == id).map_or(0, |item| item.stock))
}

async fn shown_as_told(desk: &Desk, what: &str) -> u64 {
    let mut stock = 0;
    until(what, async || {
        let (told, shown) = stocks(desk).await;
        stock = told;
        told > 0 && told == shown
    })
    .await;
    stock
}

#[tokio::test]
async fn of_two_stores_of_one_service_the_second_takes_nothing_until_the_first_is_gone() {
    let at = At::given();
    let mut workers = at.start_all();
    let process = at.attach();
    let desk = process.desk().await.unwrap();
    placed(&desk, 0).await;

    let elsewhere = TempDir::new().unwrap();
    let mut settings = at.settings();
    settings.push(("data_dir".to_owned(), elsewhere.path().display().to_string()));
    let _second = Worker::start(&["order"], &settings, &[]);
    let health = || healthy(&command(&["health", "order"], &settings).output().unwrap());
    until("the second says why it takes nothing", async || {
        health().is_err_and(|said| said.contains("another store of order is in use"))
    })
    .await;
    for order in 1..20 {
        assert!(desk.place(&place(order)).await.unwrap().ok, "order {order}, which only the first may take");
    }
    stop(workers.remove(0)).await;
    until("the second is at work", async || health().is_ok()).await;
    process.stop().unwrap();
}

#[tokio::test]
async fn a_worker_whose_store_was_deleted_says_so_and_takes_nothing() {
    let at = At::given();
    let workers = at.start_all();
    let process = at.attach();
    let desk = process.desk().await.unwrap();
    placed(&desk, 0).await;
    let store = at.data.path().join("order.db");
    assert!(store.exists(), "the store is where it was expected");
    remove(&store);
    until("it says so, though it has nothing to do", async || {
        at.health(&["order"]).is_err_and(|said| said.contains("moved or deleted while it was in use"))
    })
    .await;
    assert!(desk.place(&place(1)).await.is_err(), "nobody is told that an order was taken");

    let [order, _others @ ..]: [Worker; 4] = workers.try_into().unwrap_or_else(|_| panic!("four workers"));
    order.kill();
    let _order = at.start(&["order"], &[]);
    until("it begins with what is there", async || desk.place(&place(1)).await.is_ok_and(|answer| answer.ok))
        .await;
    assert!(desk.order(&order_id(0)).await.unwrap().order.is_none(), "what was deleted is gone");
    process.stop().unwrap();
}

#[tokio::test]
async fn the_view_follows_a_store_that_is_replaced_by_an_older_copy_or_by_a_fresh_one() {
    let at = At::given();
    let [order, deposit, item, myinfo]: [Worker; 4] =
        at.start_all().try_into().unwrap_or_else(|_| panic!("four workers"));
    let process = at.attach();
    let desk = process.desk().await.unwrap();
    at_rest(&desk).await;
    let opening = shown_as_told(&desk, "the opening stock is shown").await;
    let (store, backup) = (at.data.path().join("item.db"), TempDir::new().unwrap());
    let copied = backup.path().join("item.db");

    Store::back_up(&StoreUrl::Sqlite(store.to_owned()), &copied).await.unwrap();
    restock(&desk, 5).await;
    restock(&desk, 7).await;
    assert_eq!(shown_as_told(&desk, "the larger stock is shown").await, opening + 12);

    stop(item).await;
    copy(&copied, &store);
    let item = at.start(&["item"], &[]);
    assert_eq!(shown_as_told(&desk, "the older copy is shown").await, opening);
    restock(&desk, 3).await;
    assert_eq!(shown_as_told(&desk, "what follows it is shown").await, opening + 3);
    let said = || myinfo.said();
    assert!(said().contains("the store of item is an older copy of what it was"), "{}", said());

    stop(item).await;
    remove(&store);
    let _item = at.start(&["item"], &[]);
    assert_eq!(shown_as_told(&desk, "the fresh store is shown").await, opening);
    assert!(said().contains("item has another store than before"), "{}", said());
    at_rest(&desk).await;
    assert_eq!(audited(&at, &desk).await, "", "the audit");
    drop((order, deposit));
    process.stop().unwrap();
}

#[tokio::test]
async fn a_store_that_was_moved_away_is_as_it_was_once_it_is_back() {
    let at = At::given();
    let _workers = at.start_all();
    let process = at.attach();
    let desk = process.desk().await.unwrap();
    placed(&desk, 0).await;
    let (store, away) = (at.data.path().join("order.db"), at.data.path().join("away.db"));
    std::fs::rename(&store, &away).unwrap();
    until("it says so", async || at.health(&["order"]).is_err_and(|said| said.contains("moved or deleted")))
        .await;
    assert!(!store.exists(), "nobody has put another in its place");
    std::fs::rename(&away, &store).unwrap();
    until("it is at work", async || at.health(&["order"]).is_ok()).await;
    assert!(desk.place(&place(1)).await.unwrap().ok);
    assert!(desk.order(&order_id(0)).await.unwrap().order.is_some(), "what was there before is there");
    process.stop().unwrap();
}

#[tokio::test]
async fn a_worker_does_not_work_on_the_store_of_another_service() {
    let at = At::given();
    let [_order, deposit, item, _myinfo]: [Worker; 4] =
        at.start_all().try_into().unwrap_or_else(|_| panic!("four workers"));
    let process = at.attach();
    let desk = process.desk().await.unwrap();
    at_rest(&desk).await;
    stop(item).await;
    stop(deposit).await;
    copy(&at.data.path().join("deposit.db"), &at.data.path().join("item.db"));
    let _item = at.start(&["item"], &[]);
    until("it says whose it is", async || {
        at.health(&["item"]).is_err_and(|said| said.contains("is that of deposit"))
    })
    .await;
    process.stop().unwrap();
}

#[tokio::test]
async fn what_somebody_claims_to_have_been_applied_keeps_nothing_from_the_view() {
    let at = At::given();
    let workers = at.start_all();
    let process = at.attach();
    let desk = process.desk().await.unwrap();
    at_rest(&desk).await;
    placed(&desk, 0).await;
    until("its log is known", async || desk.view().checkpoints().await.is_ok_and(|known| known.len() == 3))
        .await;
    let known = &desk.view().checkpoints().await.unwrap()[&Source::Order];
    let forged = serde_json::to_value(known).map(|mut known| {
        known["applied"] = "1-99999999999".into();
        known.to_string()
    });
    at.redis(&["hset", "myinfo:logs", "order", &forged.unwrap()]);
    until("the view is told anew", async || {
        let known = desk.view().checkpoints().await.unwrap_or_default();
        known.get(&Source::Order).is_some_and(|known| known.applied.last() < Some(1_000))
    })
    .await;
    assert!(workers[3].said().contains("more is said to be applied"), "{}", workers[3].said());
    process.stop().unwrap();
}
