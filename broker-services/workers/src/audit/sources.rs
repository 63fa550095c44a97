//! What is audited, and by when.

use std::time::Duration;

use skstore_domain::time::Timestamp;

use crate::config::{Config, StoreUrl};
use crate::view::View;

/// What is audited.
#[derive(Debug, Clone)]
pub struct Sources {
    /// Order's store.
    pub order: StoreUrl,
    /// Deposit's store.
    pub deposit: StoreUrl,
    /// Item's store.
    pub item: StoreUrl,
    /// The view; `None` if it cannot be seen from here.
    pub view: Option<View>,
    /// Orders that the view keeps at least; beyond that, ended ones may be missing from it.
    pub keep_orders: usize,
    /// How long what is on its way is waited for.
    pub wait: Duration,
    /// What time it is.
    pub now: Timestamp,
}

impl Sources {
    /// The stores that `config` names.
    #[must_use]
    pub fn of(config: &Config, view: Option<View>, wait: Duration, now: Timestamp) -> Self {
        Self {
            order: config.order.store.url.clone(),
            deposit: config.deposit.store.url.clone(),
            item: config.item.store.url.clone(),
            view,
            keep_orders: config.view.keep_orders,
            wait,
            now,
        }
    }
}
