//! The view of the process that has the workers, read at its door.

use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;
use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::myinfo::FeedEntry;
use skstore_domain::objects::{Account, Item};
use tokio::sync::watch;

use super::asked::ViewRequest;
use super::orders::{Cursor, OrderDetail, OrderFilter, OrderPage};
use super::status::{Checkpoints, Counts, Health, Rebuilds, ViewError, Written};
use crate::door::client::DoorClient;

/// How long a part of the view may take: many times what it takes, also while somebody else takes the workers over.
const SHOWN_WITHIN: Duration = Duration::from_secs(5);

/// Why it is not written: only MyInfo writes a view, and here it is another process's.
pub(super) fn only_read() -> ViewError {
    ViewError::Lost("it is written by the process that has the workers".to_owned())
}

/// As it is asked among what a desk asks.
#[derive(Serialize)]
struct Viewed {
    view: ViewRequest,
}

/// A view that is another process's. Clones share one connection.
#[derive(Debug, Clone)]
pub struct AttachedView(DoorClient);

impl AttachedView {
    pub(crate) const fn new(door: DoorClient) -> Self {
        Self(door)
    }

    async fn ask<T: DeserializeOwned>(&self, asked: ViewRequest) -> Result<T, ViewError> {
        let told = self.0.ask(&Viewed { view: asked }, SHOWN_WITHIN).await;
        told.unwrap_or_else(|error| Err(ViewError::Lost(error.to_string())))
    }

    pub(super) async fn orders(
        &self,
        filter: &OrderFilter,
        after: Option<&Cursor>,
        max: usize,
    ) -> Result<OrderPage, ViewError> {
        self.ask(ViewRequest::Orders { filter: filter.clone(), after: after.cloned(), max }).await
    }

    pub(super) async fn orders_before(
        &self,
        filter: &OrderFilter,
        before: Option<&Cursor>,
        max: usize,
    ) -> Result<OrderPage, ViewError> {
        self.ask(ViewRequest::OrdersBefore { filter: filter.clone(), before: before.cloned(), max }).await
    }

    pub(super) async fn order(&self, id: &OrderId) -> Result<Option<OrderDetail>, ViewError> {
        self.ask(ViewRequest::Order(id.clone())).await
    }

    pub(super) async fn accounts(
        &self,
        after: Option<&Customer>,
        max: usize,
    ) -> Result<Vec<Account>, ViewError> {
        self.ask(ViewRequest::Accounts { after: after.cloned(), max }).await
    }

    pub(super) async fn items(&self, after: Option<&ItemId>, max: usize) -> Result<Vec<Item>, ViewError> {
        self.ask(ViewRequest::Items { after: after.cloned(), max }).await
    }

    pub(super) async fn counts(&self) -> Result<Counts, ViewError> {
        self.ask(ViewRequest::Counts).await
    }

    pub(super) async fn written(&self) -> Result<Option<Written>, ViewError> {
        self.ask(ViewRequest::Written).await
    }

    pub(super) async fn health(&self) -> Result<Health, ViewError> {
        self.ask(ViewRequest::Health).await
    }

    pub(super) async fn feed(&self, after: u64, max: usize) -> Result<(Vec<FeedEntry>, u64), ViewError> {
        self.ask(ViewRequest::Feed { after, max }).await
    }

    pub(super) async fn rebuilds(&self) -> Result<Rebuilds, ViewError> {
        self.ask(ViewRequest::Rebuilds).await
    }

    pub(super) async fn checkpoints(&self) -> Result<Checkpoints, ViewError> {
        self.ask(ViewRequest::Checkpoints).await
    }

    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.0.changes()
    }
}
