//! What callers are told of a store page by page: its log, and what Item lists. Nothing is decided for it.

use std::time::Duration;

use serde_json::value::RawValue;
use skstore_domain::answers::{Answer, CatalogPage, ReplayPage};
use skstore_domain::commands::Replay;
use skstore_domain::ids::ItemId;
use skstore_domain::objects::Item;

use crate::store::{Store, StoreError};
use crate::unit_of_work::Record;

/// Entries of a replay page.
const REPLAY_ENTRIES: usize = 1_000;
/// Bodies of a replay page, in bytes: a message of events is no larger.
const REPLAY_BYTES: usize = 192 * 1024;
/// Items of a page: 160 KiB where all names are as long as names may be.
const CATALOG_ITEMS: usize = 200;

/// A page that somebody asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Read {
    /// Of the log.
    Log(Replay),
    /// Of the items, after this one.
    Catalog(Option<ItemId>),
}

impl Read {
    /// The page as it is now. A store that fails is worth another try after `retry`.
    pub(crate) async fn answer(self, store: &Store, retry: Duration) -> Answer {
        let page = match self {
            Self::Log(replay) => log(store, replay).await.map(Answer::replay),
            Self::Catalog(after) => catalog(store, after).await.map(Answer::catalog),
        };
        page.unwrap_or_else(|error| Answer::try_later(error.to_string(), retry))
    }
}

async fn log(store: &Store, Replay { from_seq, to_seq }: Replay) -> Result<ReplayPage, StoreError> {
    let page = store.log(from_seq..=to_seq.unwrap_or(i64::MAX), REPLAY_ENTRIES, REPLAY_BYTES).await?;
    let bodies = page.bodies.into_iter();
    Ok(ReplayPage {
        events: bodies.filter_map(|body| RawValue::from_string(body).ok()).collect(),
        next_seq: page.next_seq,
        last_seq: page.last_seq,
        // Afterwards: it goes as far as the page, or further.
        log: store.head().await?,
    })
}

async fn catalog(store: &Store, after: Option<ItemId>) -> Result<CatalogPage, StoreError> {
    // Before the items: of a store that is put back meanwhile they are told once more.
    let log = store.identity().await?;
    let after = after.as_ref().map_or("", ItemId::as_str);
    // One more than a page has tells whether there is another.
    let mut rows = store.scan(Item::KIND, after, CATALOG_ITEMS + 1).await?;
    let has_more = rows.len() > CATALOG_ITEMS;
    rows.truncate(CATALOG_ITEMS);
    let items: Vec<Item> = rows.iter().filter_map(|(_, row)| serde_json::from_str(&row.body).ok()).collect();
    let next = items.last().filter(|_| has_more).map(|item| item.item_id.clone());
    Ok(CatalogPage { items, next, log })
}
