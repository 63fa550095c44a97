//! What is audited, and by when.

use std::time::Duration;

use skstore_domain::signals::Service;
use skstore_domain::time::Timestamp;

use crate::config::Config;
use crate::view::View;

/// What is audited.
#[derive(Debug, Clone)]
pub struct Sources {
    /// URL of Order's store.
    pub order: String,
    /// URL of Deposit's store.
    pub deposit: String,
    /// URL of Item's store.
    pub item: String,
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
        let url = |service| config.store_url(service).map(ToString::to_string).unwrap_or_default();
        Self {
            order: url(Service::Order),
            deposit: url(Service::Deposit),
            item: url(Service::Item),
            view,
            keep_orders: config.view.keep_orders,
            wait,
            now,
        }
    }
}
