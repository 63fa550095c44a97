//! The orders that a view is filled with to be measured.

use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::money::Won;
use skstore_domain::objects::{DeliveryStatus, Order, OrderStatus, PaymentStatus};
use skstore_domain::time::Timestamp;

/// When the first of them was placed.
pub(crate) const BEGUN: i64 = 1_790_000_000_000;

/// A delivered order, placed `number` milliseconds after the first, by one of 5,000 customers of one of 100 items.
pub(crate) fn order(number: i64) -> Order {
    let id = OrderId::new(&format!("01990a00-7000-7000-8000-{number:012}"));
    let customer = Customer::new(&format!("고객-{}", number % 5000));
    let item_id = ItemId::new(&(number % 100).to_string());
    let (Ok(order_id), Ok(customer), Ok(item_id)) = (id, customer, item_id) else {
        unreachable!("these are ids")
    };
    let at = Timestamp(BEGUN + number);
    Order {
        order_id,
        customer,
        item_id,
        item_name: "제주 감귤".to_owned(),
        qty: 3,
        unit_price: Won(500),
        amount: Won(1500),
        status: OrderStatus::Delivering,
        reason: None,
        cancel_requested: false,
        payment: PaymentStatus::Paid,
        delivery: DeliveryStatus::Started,
        placed_at: at,
        updated_at: at,
        revision: 3,
    }
}
