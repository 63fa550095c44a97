//! What people ask of the desk in a simulation: places, repeats, cancels before and after, top-ups, restocks.

use std::time::Duration;

use skstore_domain::commands::{Place, Restock, TopUp};
use skstore_domain::ids::{Customer, ItemId, OrderId, RequestId};
use skstore_domain::money::Won;

/// Customers, one of whom cannot pay for much.
pub(crate) const CUSTOMERS: [(&str, i64); 4] =
    [("kim", 300_000), ("lee", 100_000), ("poor", 3_000), (LAST, 1_000_000)];
/// Who asks last, when all is well again.
const LAST: &str = "last";
/// Items, one of which is soon sold out.
pub(crate) const ITEMS: [(&str, i64, u64); 3] =
    [("10", 1_000, 1_000), ("11", 3_000, 1_000), ("rare", 500, 7)];

/// One thing someone asks for.
#[derive(Debug, Clone)]
pub(crate) enum Ask {
    Place(Place),
    Cancel(OrderId),
    Query(OrderId),
    TopUp(TopUp),
    Restock(Restock),
}

/// Someone who asks for one thing after the other.
#[derive(Debug)]
pub(crate) struct Client {
    /// What, and how long they think before it.
    pub(crate) asks: Vec<(Duration, Ask)>,
}

/// Everything that is asked for in one seed.
pub(crate) fn draw(random: &mut fastrand::Rng) -> Vec<Client> {
    let orders = random.usize(3..12);
    let places: Vec<Place> = (0..orders).map(|order| place(order, random)).collect();
    (0..random.usize(2..6))
        .map(|client| Client {
            asks: (0..random.usize(2..9)).map(|at| ask(&places, client, at, random)).collect(),
        })
        .collect()
}

fn ask(places: &[Place], client: usize, at: usize, random: &mut fastrand::Rng) -> (Duration, Ask) {
    let think = Duration::from_millis(if random.bool() { 0 } else { random.u64(0..2_000) });
    let place = &places[random.usize(0..places.len())];
    let order_id = place.order_id.clone().unwrap_or_else(|| unreachable!("every place has an id here"));
    let request_id = RequestId::new(&format!("request-{client}-{}", at % 3)).expect("an id");
    let ask = match random.u8(0..20) {
        0..=9 => Ask::Place(place.clone()),
        // The same id for something else.
        10 => Ask::Place(Place { qty: place.qty + 1, ..place.clone() }),
        11..=15 => Ask::Cancel(order_id),
        16 => Ask::Query(order_id),
        17 | 18 => Ask::TopUp(TopUp {
            customer: Customer::new("poor").expect("a customer"),
            amount: Won(2_000),
            topup_id: Some(request_id),
        }),
        _ => Ask::Restock(Restock {
            item_id: ItemId::new("rare").expect("an item"),
            qty: 2,
            restock_id: Some(request_id),
        }),
    };
    (think, ask)
}

/// An order that there is nothing against: the `attempt`-th.
pub(crate) fn last_place(attempt: usize) -> Place {
    Place {
        item_id: ItemId::new(ITEMS[0].0).expect("an item"),
        qty: 1,
        customer: Some(Customer::new(LAST).expect("a customer")),
        order_id: Some(OrderId::new(&format!("last-{attempt}")).expect("an id")),
        unit_price: None,
    }
}

fn place(order: usize, random: &mut fastrand::Rng) -> Place {
    let (item, _, _) = ITEMS[random.usize(0..ITEMS.len())];
    let (customer, _) = CUSTOMERS[random.usize(0..CUSTOMERS.len() - 1)];
    Place {
        item_id: ItemId::new(item).expect("an item"),
        qty: random.u32(1..5),
        customer: Some(Customer::new(customer).expect("a customer")),
        order_id: Some(OrderId::new(&format!("order-{order}")).expect("an id")),
        unit_price: None,
    }
}
