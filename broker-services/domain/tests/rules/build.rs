//! Builders of what the rules are tested with. There is one customer, one item and, mostly, one order.

use skstore_domain::charges::Charge;
use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::money::Won;
use skstore_domain::objects::{Account, DeliveryStatus, Item, Order, OrderStatus, PaymentStatus};
use skstore_domain::order::{PlaceRequest, Price};
use skstore_domain::time::Timestamp;

/// Today's price, and that after it was raised.
pub(crate) const LOW: Won = Won(100);
/// See [`LOW`].
pub(crate) const HIGH: Won = Won(250);

pub(crate) fn order_id(text: &str) -> OrderId {
    OrderId::new(text).expect("a valid id")
}

pub(crate) fn customer(text: &str) -> Customer {
    Customer::new(text).expect("a valid customer")
}

pub(crate) fn item_id() -> ItemId {
    ItemId::new("10").expect("a valid item id")
}

pub(crate) fn account(balance: Won) -> Account {
    Account { customer: customer("kim"), balance, revision: 1 }
}

pub(crate) fn item(stock: u64) -> Item {
    Item { item_id: item_id(), name: String::new(), name_en: None, unit_price: LOW, stock, revision: 1 }
}

pub(crate) fn price(unit_price: Won) -> Price {
    Price { item_id: item_id(), name: String::new(), unit_price, revision: 1, listed: None, log: None }
}

pub(crate) fn request(qty: u32) -> PlaceRequest {
    PlaceRequest {
        order_id: order_id("a"),
        customer: customer("kim"),
        item_id: item_id(),
        qty,
        unit_price: None,
    }
}

/// A placed order.
pub(crate) fn order(id: &str, qty: u32) -> Order {
    Order {
        order_id: order_id(id),
        customer: customer("kim"),
        item_id: item_id(),
        item_name: String::new(),
        qty,
        unit_price: LOW,
        amount: LOW.times(qty).expect("a small amount"),
        status: OrderStatus::Placed,
        reason: None,
        cancel_requested: false,
        payment: PaymentStatus::Paid,
        delivery: DeliveryStatus::None,
        placed_at: Timestamp(1),
        updated_at: Timestamp(2),
        revision: 2,
    }
}

pub(crate) fn charge(id: &str, customer_name: &str, amount: Won) -> Charge {
    Charge { order_id: order_id(id), customer: customer(customer_name), amount }
}
