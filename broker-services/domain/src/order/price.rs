//! What Order knows of prices: it takes orders while Item is down.

use serde::{Deserialize, Serialize};

use crate::checkpoint::LogId;
use crate::ids::ItemId;
use crate::money::Won;
use crate::objects::Item;

/// An item's name and price, as Order last heard of them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Price {
    /// The item.
    pub item_id: ItemId,
    /// Its name.
    pub name: String,
    /// Price of a unit.
    pub unit_price: Won,
    /// Transitions so far, at least: it goes up also where the item's goes back.
    pub revision: u64,
    /// The item's revision that said so; the same if absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listed: Option<u64>,
    /// The log whose catalogue said so last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<LogId>,
}

/// What Order knows of the item's price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quote<'a> {
    /// Its name and price.
    Listed(&'a Price),
    /// Other items are listed, this one is not.
    Unknown,
    /// Order has not heard of any item yet.
    NoCatalogue,
}

/// What `listed` makes of the price that Order knows: a newer one, or nothing new. It is an event's, or that of the catalogue
/// of `log`.
///
/// The catalogue of another log than the one before counts whatever its revisions are: Item's store was opened anew, and may be
/// another one, or an older copy, of whose prices nobody else tells.
#[must_use]
pub fn hear_price(known: Option<&Price>, listed: &Item, log: Option<&LogId>) -> Option<Price> {
    let of_known = known.and_then(|price| price.log.as_ref());
    let is_other = log.is_some() && log != of_known;
    let of_item = |price: &Price| price.listed.unwrap_or(price.revision);
    if !is_other && known.is_some_and(|price| of_item(price) >= listed.revision) {
        return None;
    }
    let revision = known.map_or(0, |price| price.revision + 1).max(listed.revision);
    Some(Price {
        item_id: listed.item_id.clone(),
        name: listed.name.clone(),
        unit_price: listed.unit_price,
        revision,
        listed: (revision != listed.revision).then_some(listed.revision),
        log: log.or(of_known).cloned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(unit_price: i64, revision: u64) -> Item {
        let item_id = ItemId::new("10").unwrap();
        Item { item_id, name: String::new(), name_en: None, unit_price: Won(unit_price), stock: 0, revision }
    }

    fn log(incarnation: &str) -> LogId {
        LogId { store: "a".to_owned(), incarnation: incarnation.to_owned() }
    }

    #[test]
    fn the_newest_price_counts_and_that_of_a_store_that_was_put_back() {
        let [first, second] = [log("first"), log("second")];
        let known = hear_price(None, &item(100, 7), Some(&first)).expect("the first is news");
        let table = [
            ("a newer one", item(200, 8), None, Some(200)),
            ("an older event", item(200, 6), None, None),
            ("the same log's catalogue, read before", item(200, 6), Some(&first), None),
            ("another log's catalogue, with an older revision", item(200, 3), Some(&second), Some(200)),
        ];
        for (what, item, log, expected) in table {
            let price = hear_price(Some(&known), &item, log);
            assert_eq!(price.as_ref().map(|price| price.unit_price.0), expected, "{what}");
            assert!(price.is_none_or(|price| price.revision > known.revision), "{what}: no transition");
        }
        let back = hear_price(Some(&known), &item(200, 3), Some(&second)).expect("news");
        let again = hear_price(Some(&back), &item(200, 3), Some(&second));
        assert_eq!(again, None, "what is known is no news");
        let newer = hear_price(Some(&back), &item(300, 4), None).expect("news");
        assert_eq!(newer.unit_price, Won(300), "revisions count from the one that was put back");
        let next = hear_price(Some(&known), &item(200, 8), None).expect("news");
        assert_eq!(next.log, Some(first), "an event is of no catalogue");
    }
}
