//! No unit is promised twice, whatever Item is sent.

use std::collections::BTreeMap;

use proptest::prelude::{Just, Strategy, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::test_runner::TestCaseError;
use skstore_domain::commands::{ListItem, MAX_STOCK};
use skstore_domain::events::ItemKind;
use skstore_domain::heard::Heard;
use skstore_domain::ids::OrderId;
use skstore_domain::item::{Delivery, RestockRecord, Restocked, cancel, let_go, list, restock, start};
use skstore_domain::money::Won;
use skstore_domain::objects::{DeliveryStatus, Item};
use skstore_domain::time::Timestamp;

use crate::build;

const NOW: Timestamp = Timestamp(1);
const ORDERS: [&str; 4] = ["a", "b", "c", "d"];
/// Units of each of those orders.
const QTY: [u32; 4] = [1, 2, 3, 1_000];

#[derive(Debug, Clone)]
enum Input {
    List(i64),
    Restock { id: usize, qty: u64 },
    Start(usize),
    Cancel(usize),
}

fn input() -> impl Strategy<Value = Input> {
    let qty = prop_oneof![8 => 1..5_u64, 1 => Just(MAX_STOCK), 1 => Just(u64::MAX)];
    prop_oneof![
        1 => (0..3_i64).prop_map(Input::List),
        3 => (0..5_usize, qty).prop_map(|(id, qty)| Input::Restock { id, qty }),
        5 => (0..ORDERS.len()).prop_map(Input::Start),
        4 => (0..ORDERS.len()).prop_map(Input::Cancel),
    ]
}

#[derive(Default)]
struct Shelf {
    item: Option<Item>,
    deliveries: BTreeMap<OrderId, Delivery>,
    restocks: BTreeMap<usize, RestockRecord>,
}

impl Shelf {
    fn take(&mut self, input: &Input) -> Result<(), TestCaseError> {
        match *input {
            Input::List(unit_price) => {
                let listing = ListItem {
                    item_id: build::item_id(),
                    name: "사과".into(),
                    name_en: None,
                    unit_price: Won(unit_price),
                };
                if let Some((item, _)) = list(self.item.as_ref(), &listing, NOW) {
                    self.write_item(item)?;
                }
                prop_assert_eq!(list(self.item.as_ref(), &listing, NOW), None, "listed again: nothing new");
            }
            Input::Restock { id, qty } => {
                let known = self.restocks.get(&id);
                match restock(known, self.item.as_ref(), &format!("r{id}"), &build::item_id(), qty, NOW) {
                    Restocked::Done(done) => {
                        self.write_item(done.0.item.clone())?;
                        self.restocks.insert(id, done.0);
                    }
                    Restocked::Before(item) => {
                        prop_assert_eq!(Some(item), known.map(|known| known.item.clone()));
                    }
                    Restocked::Conflict => prop_assert!(known.is_some_and(|known| known.qty != qty)),
                    Restocked::NotFound => prop_assert_eq!(&self.item, &None),
                    Restocked::TooMuch => {
                        let stock = self.item.as_ref().map_or(0, |item| item.stock);
                        prop_assert!(stock.checked_add(qty).is_none_or(|sum| sum > MAX_STOCK), "{} fit", qty);
                    }
                }
            }
            Input::Start(at) | Input::Cancel(at) => {
                let order = build::order(ORDERS[at], QTY[at]);
                let known = self.deliveries.get(&order.order_id);
                let moved = if matches!(input, Input::Start(_)) {
                    start(known, self.item.as_ref(), &order, NOW)
                } else {
                    cancel(known, self.item.as_ref(), &order, NOW)
                };
                match moved {
                    Err(error) => prop_assert!(self.item.is_none(), "impossible: {}", error),
                    Ok(Heard::Again(_) | Heard::Known) => {
                        prop_assert!(known.is_some(), "the first message about a delivery changed nothing");
                    }
                    Ok(Heard::Changes((delivery, item, event))) => {
                        prop_assert_eq!(delivery.revision, known.map_or(0, |known| known.revision) + 1);
                        prop_assert_eq!(delivery.revision, event.revision);
                        self.deliveries.insert(order.order_id, delivery);
                        item.map_or(Ok(()), |item| self.write_item(item))?;
                    }
                }
            }
        }
        self.check()
    }

    fn write_item(&mut self, item: Item) -> Result<(), TestCaseError> {
        prop_assert_eq!(item.revision, self.item.as_ref().map_or(0, |item| item.revision) + 1);
        self.item = Some(item);
        Ok(())
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let live = self.deliveries.values().filter(|delivery| delivery.status == DeliveryStatus::Started);
        let promised: u64 = live.map(|delivery| u64::from(delivery.qty)).sum();
        let stock = self.item.as_ref().map_or(0, |item| item.stock);
        let restocked: u64 = self.restocks.values().map(|record| record.qty).sum();
        prop_assert_eq!(restocked, stock + promised, "a unit is in stock or promised to one order");
        Ok(())
    }
}

proptest! {
    #[test]
    fn each_unit_is_in_stock_or_promised_once(inputs in proptest::collection::vec(input(), 0..80)) {
        let mut shelf = Shelf::default();
        for input in &inputs {
            shelf.take(input)?;
        }
    }
}

#[test]
fn what_is_there_for_another_order_under_the_same_id_is_left_alone_until_it_is_disowned() {
    let order = build::order("a", 2);
    let item = build::item(5);
    let (delivery, taken, _) = start(None, Some(&item), &order, Timestamp(1)).unwrap().changes().unwrap();
    let taken = taken.unwrap();
    let more = build::order("a", 3);
    assert_eq!(
        start(Some(&delivery), Some(&taken), &more, Timestamp(2)),
        Ok(Heard::Known),
        "it is not this one's"
    );
    let (gone, back, _) = let_go(Some(&delivery), Some(&taken), Timestamp(3)).unwrap().unwrap();
    assert_eq!((gone.status, back.unwrap().stock), (DeliveryStatus::Cancelled, 5));
    assert_eq!(let_go(Some(&gone), Some(&taken), Timestamp(4)), Ok(None), "once");
}

#[test]
fn an_order_for_what_is_not_listed_any_more_is_not_delivered_and_says_so() {
    let order = build::order("a", 2);
    let (delivery, item, event) = start(None, None, &order, Timestamp(1)).unwrap().changes().unwrap();
    assert_eq!((delivery.status, item), (DeliveryStatus::Cancelled, None));
    assert_eq!(event.kind(), ItemKind::DeliveryCancelled.into());
    let again = start(Some(&delivery), None, &order, Timestamp(2));
    assert_eq!(again, Ok(Heard::Again(ItemKind::DeliveryCancelled)), "told again, it says so again");
}
