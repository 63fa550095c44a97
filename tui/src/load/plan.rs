//! Which orders a run has: order *n* follows from the seed and *n* alone, so that a run can be repeated, by itself or by
//! somebody else.

use std::fmt;
use std::ops::RangeInclusive;

use skstore_domain::commands::Place;
use skstore_domain::ids::{Customer, ItemId, OrderId, RequestId};

/// Most orders of one run: what is remembered of each is a byte.
pub const MAX_ORDERS: u64 = 10_000_000;
/// Most characters of a run's name: with the number of its order it fits into an id.
const MAX_RUN_CHARS: usize = 24;
/// Characters of a name that is made up: a billion of them and more.
const MINTED_CHARS: usize = 6;
/// Lower-case letters and digits without those that are taken for each other.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// A whole, in percent.
const ALL_PERCENT: u64 = 100;

/// The name of a run, of which the ids of its orders are made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunName(String);

impl RunName {
    /// Reads a name.
    ///
    /// # Errors
    /// A sentence that says what it must be.
    pub fn new(text: &str) -> Result<Self, String> {
        let is_known = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
        if (1..=MAX_RUN_CHARS).contains(&text.len()) && text.bytes().all(is_known) {
            return Ok(Self(text.to_owned()));
        }
        Err(format!("it must be 1 to {MAX_RUN_CHARS} of A-Z, a-z, 0-9 and '_'"))
    }

    /// A short name made of `chance`.
    #[must_use]
    pub fn minted(chance: u64) -> Self {
        let letter = |place: usize| {
            let bits = chance >> (place * 5) & 31;
            char::from(ALPHABET[usize::try_from(bits).unwrap_or(0)])
        };
        Self((0..MINTED_CHARS).map(letter).collect())
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the ids of the run's orders begin with, and nobody else's: a filter that shows them.
    #[must_use]
    pub fn prefix(&self) -> String {
        format!("load-{}-", self.0)
    }

    /// The id of the order with that number.
    #[must_use]
    pub fn order_id(&self, number: u64) -> Option<OrderId> {
        OrderId::new(&format!("load-{}-{number}", self.0)).ok()
    }

    /// The number of an order of this run; none of anything else.
    #[must_use]
    pub fn number_of(&self, id: &OrderId) -> Option<u64> {
        let number = id.as_str().strip_prefix("load-")?.strip_prefix(self.as_str())?.strip_prefix('-')?;
        number.parse().ok().filter(|number| (1..=MAX_ORDERS).contains(number))
    }

    /// The id of the run's `number`th top-up or restock, `what`.
    pub(super) fn request_id(&self, what: &str, number: usize) -> Option<RequestId> {
        RequestId::new(&format!("load-{}-{what}-{number}", self.0)).ok()
    }
}

impl fmt::Display for RunName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// An item, and how often it is ordered in comparison with the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Share {
    /// The item.
    pub item_id: ItemId,
    /// Its weight, above zero.
    pub weight: u32,
}

/// The orders of a run.
#[derive(Debug, Clone)]
pub struct Plan {
    /// What its ids are made of.
    pub run: RunName,
    /// What everything else follows from.
    pub seed: u64,
    /// What is ordered; not empty.
    pub items: Vec<Share>,
    /// Who pays; not empty.
    pub customers: Vec<Customer>,
    /// Units of an order.
    pub qty: RangeInclusive<u32>,
    /// How many of a hundred orders are cancelled after they were accepted.
    pub cancels: u8,
    /// How many of a hundred orders are sent once more after they were answered.
    pub repeats: u8,
}

/// What an order is, by the places of item and customer in the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Chosen {
    /// Place of the item.
    pub item: usize,
    /// Place of the customer.
    pub customer: usize,
    /// Units.
    pub qty: u32,
    /// Whether it is cancelled afterwards.
    pub is_cancelled: bool,
    /// Whether it is sent once more.
    pub is_repeated: bool,
}

/// What is drawn by lot, each by a lot of its own: what is drawn for one changes nothing for another.
#[derive(Clone, Copy)]
enum Lot {
    Item = 1,
    Customer,
    Qty,
    Cancel,
    Repeat,
}

impl Plan {
    /// What order `number` is.
    #[must_use]
    pub fn chosen(&self, number: u64) -> Chosen {
        let (least, most) = (*self.qty.start(), *self.qty.end());
        let qty = self.draw(number, Lot::Qty, u64::from(most.saturating_sub(least)) + 1);
        Chosen {
            item: self.item(number),
            customer: index(self.draw(number, Lot::Customer, size(&self.customers))),
            qty: least + u32::try_from(qty).unwrap_or(0),
            is_cancelled: self.draw(number, Lot::Cancel, ALL_PERCENT) < u64::from(self.cancels),
            is_repeated: self.draw(number, Lot::Repeat, ALL_PERCENT) < u64::from(self.repeats),
        }
    }

    /// The command for order `number`; none where the plan has no item or customer.
    #[must_use]
    pub fn place(&self, number: u64) -> Option<Place> {
        let chosen = self.chosen(number);
        Some(Place {
            item_id: self.items.get(chosen.item)?.item_id.clone(),
            qty: chosen.qty,
            customer: Some(self.customers.get(chosen.customer)?.clone()),
            order_id: Some(self.run.order_id(number)?),
            unit_price: None,
        })
    }

    /// The sum of all weights.
    #[must_use]
    pub fn weights(&self) -> u64 {
        self.items.iter().map(|share| u64::from(share.weight)).sum()
    }

    fn item(&self, number: u64) -> usize {
        let mut left = self.draw(number, Lot::Item, self.weights());
        let found = self.items.iter().position(|share| {
            let weight = u64::from(share.weight);
            let is_here = left < weight;
            left = left.saturating_sub(weight);
            is_here
        });
        found.unwrap_or(0)
    }

    /// A number below `bound`, each as likely as any other.
    fn draw(&self, number: u64, lot: Lot, bound: u64) -> u64 {
        let lot = mix(self.seed ^ mix(lot as u64));
        let drawn = u128::from(mix(lot ^ mix(number))) * u128::from(bound);
        u64::try_from(drawn >> 64).unwrap_or(0)
    }
}

/// The finaliser of SplitMix64, which is the same in every version: ids stand for what it draws.
const fn mix(number: u64) -> u64 {
    let number = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

fn size<T>(all: &[T]) -> u64 {
    u64::try_from(all.len()).unwrap_or(u64::MAX)
}

fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn plan(seed: u64, weights: &[u32], customers: usize) -> Plan {
        let share = |(at, weight): (usize, &u32)| Share {
            item_id: ItemId::new(&format!("i{at}")).unwrap(),
            weight: *weight,
        };
        let customer = |number: usize| Customer::new(&format!("c{number}")).unwrap();
        Plan {
            run: RunName::new("r").unwrap(),
            seed,
            items: weights.iter().enumerate().map(share).collect(),
            customers: (0..customers).map(customer).collect(),
            qty: 1..=3,
            cancels: 20,
            repeats: 50,
        }
    }

    proptest! {
        #[test]
        fn an_order_follows_from_seed_and_number_alone(
            seed: u64, number in 1..=MAX_ORDERS,
            weights in prop::collection::vec(1..9_u32, 1..5), customers in 1..200_usize,
        ) {
            let plan = plan(seed, &weights, customers);
            let chosen = plan.chosen(number);
            // Whatever else was asked for before.
            let _ = plan.chosen(number ^ 1);
            prop_assert_eq!(plan.chosen(number), chosen);
            let place = plan.place(number).unwrap();
            prop_assert_eq!(&place.item_id, &plan.items[chosen.item].item_id);
            prop_assert_eq!(place.customer.as_ref(), Some(&plan.customers[chosen.customer]));
            prop_assert!((1..=3).contains(&place.qty));
            prop_assert_eq!(plan.run.number_of(&place.order_id.unwrap()), Some(number));
        }

        #[test]
        fn a_name_is_read_as_it_was_minted(chance: u64) {
            let run = RunName::minted(chance);
            prop_assert_eq!(RunName::new(run.as_str()), Ok(run));
        }

        #[test]
        fn what_is_drawn_for_one_thing_changes_nothing_for_another(seed: u64, number in 1..=MAX_ORDERS) {
            let one = plan(seed, &[1, 2], 7);
            let other = Plan { cancels: 0, repeats: 0, qty: 1..=1000, ..one.clone() };
            let (one, other) = (one.chosen(number), other.chosen(number));
            prop_assert_eq!((one.item, one.customer), (other.item, other.customer));
        }
    }

    #[test]
    fn shares_come_out_as_they_were_given() {
        let plan = plan(7, &[3, 1], 10);
        let chosen: Vec<Chosen> = (1..=10_000).map(|number| plan.chosen(number)).collect();
        let share =
            |is_meant: &dyn Fn(&Chosen) -> bool| chosen.iter().filter(|chosen| is_meant(chosen)).count();
        // Five standard deviations of what chance leaves.
        let table: [(&str, usize, usize); 5] = [
            ("item 0", share(&|chosen| chosen.item == 0), 7500),
            ("customer 3", share(&|chosen| chosen.customer == 3), 1000),
            ("three units", share(&|chosen| chosen.qty == 3), 3333),
            ("cancelled", share(&|chosen| chosen.is_cancelled), 2000),
            ("repeated", share(&|chosen| chosen.is_repeated), 5000),
        ];
        for (what, found, expected) in table {
            assert!(found.abs_diff(expected) < 250, "{what}: {found} of 10000, not about {expected}");
        }
        let other = Plan { seed: 8, ..plan };
        assert_ne!((1..=10_000).map(|number| other.chosen(number)).collect::<Vec<_>>(), chosen);
    }

    #[test]
    fn a_run_knows_its_own_orders_alone() {
        let run = RunName::new("ab").unwrap();
        for other in ["load-abc-1", "load-ab-x", "load-ab-", "load-ab-0", "ab-1", "load-ab-money-1"] {
            assert_eq!(run.number_of(&OrderId::new(other).unwrap()), None, "{other}");
        }
        assert_eq!(run.number_of(&run.order_id(MAX_ORDERS).unwrap()), Some(MAX_ORDERS));
        for wrong in ["", "a-b", "a b", "가", &"x".repeat(25)] {
            assert!(RunName::new(wrong).is_err(), "{wrong}");
        }
        assert!(RunName::new(&"x".repeat(24)).unwrap().order_id(MAX_ORDERS).is_some(), "the longest fits");
    }
}
