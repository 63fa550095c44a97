//! What can be asked of a view at the door of the process that has it.

use serde::{Deserialize, Serialize};
use skstore_domain::ids::{Customer, ItemId, OrderId};

use super::orders::{Cursor, OrderFilter};

/// What of the view can be asked: the reading part of [`View`](crate::view::View), name by name.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ViewRequest {
    Orders { filter: OrderFilter, after: Option<Cursor>, max: usize },
    OrdersBefore { filter: OrderFilter, before: Option<Cursor>, max: usize },
    Order(OrderId),
    Accounts { after: Option<Customer>, max: usize },
    Items { after: Option<ItemId>, max: usize },
    Counts,
    Written,
    Health,
    Feed { after: u64, max: usize },
    Rebuilds,
    Checkpoints,
}
