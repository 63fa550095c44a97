//! Which orders are asked for, and what is shown of them.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::myinfo::{OrderRow, Step};
use skstore_domain::objects::OrderStatus;
use skstore_domain::time::Timestamp;

/// Which orders. All given parts must match.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderFilter {
    /// Indexed.
    pub status: Option<OrderStatus>,
    /// Indexed.
    pub customer: Option<Customer>,
    /// Indexed.
    pub item_id: Option<ItemId>,
    /// Indexed: the id starts with this.
    pub id_prefix: Option<String>,
    /// Scanned: the id, customer, item, its name or the reason contains this, in any case.
    pub text: Option<String>,
    /// Items that `text` means by names that orders do not carry: an order of one of them matches it as well.
    pub text_means: BTreeSet<ItemId>,
}

/// Where a page starts: after this order, in the order newest first.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Cursor {
    /// The order's `placed_at`.
    pub placed_at: Timestamp,
    /// Its id, where several have the same time.
    pub order_id: OrderId,
}

/// Which way orders are looked at from a place on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Towards {
    /// To the next page.
    Older,
    /// To the page before.
    Newer,
}

/// Some orders, newest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderPage {
    /// The orders.
    pub rows: Vec<OrderRow>,
    /// Where the next page starts; absent on the last one. Of [`View::orders_before`](super::View::orders_before): where the page above ends;
    /// absent on the first one.
    pub next: Option<Cursor>,
    /// How many orders were looked at to find them, when no index did it alone.
    pub scanned: Option<usize>,
    /// Members of the index on the way that are no orders: somebody else put them there.
    pub strays: usize,
}

/// An order with all its steps, in the order of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OrderDetail {
    /// The order.
    pub row: OrderRow,
    /// Every step across all services.
    pub timeline: Vec<Step>,
}
