//! Connections for whoever reads or fills the tables by itself, instead of through the port. What fails is a sentence.

use tokio_postgres::{Client, Error, Statement};

use super::failure::{self, Failure};
use super::news::News;
use super::session::{Purpose, Session};
use crate::config::address::PostgresAddress;

/// A connection to a store.
pub(in crate::store) struct Direct(Session);

impl Direct {
    /// To the store at `address`, without the right to write.
    pub(in crate::store) async fn to_look(address: &PostgresAddress) -> Result<Self, String> {
        Self::connect(address, Purpose::Read).await
    }

    /// To the store at `address`, which is made if it is not there, within a transaction in which nobody else writes to it.
    /// What was done is undone unless it is committed.
    pub(in crate::store) async fn to_fill(address: &PostgresAddress) -> Result<Self, String> {
        Self::connect(address, Purpose::Fill).await
    }

    async fn connect(address: &PostgresAddress, purpose: Purpose) -> Result<Self, String> {
        let session = Session::connect(address, purpose, &News::new()).await;
        session.map(Self).map_err(Failure::in_words)
    }

    /// What is asked with.
    pub(in crate::store) const fn client(&self) -> &Client {
        &self.0.client
    }

    /// `sql`, prepared when it is needed first.
    pub(in crate::store) async fn statement(&self, sql: &'static str) -> Result<Statement, String> {
        self.0.statement(sql).await.map_err(Failure::in_words)
    }

    /// What failed, in a sentence.
    pub(in crate::store) fn in_words(error: &Error) -> String {
        failure::in_words(error)
    }
}
