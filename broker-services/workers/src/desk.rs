//! The only door for dashboards and the command line: commands go to the gateway as any client's would, and
//! what is shown comes from the view.

use std::time::Duration;

use skstore_domain::answers::Answer;
use skstore_domain::breaker::BreakerMode;
use skstore_domain::commands::{Place, Restock, TopUp};
use skstore_domain::ids::{Customer, ItemId, OrderId, RequestId};
use skstore_domain::signals::{Fault, Service};

use crate::view::View;

/// How long a caller waits for an answer before it says that none came: many times what the slowest answer
/// takes while everything works.
pub const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Why there is no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeskError {
    /// The command may or may not have taken effect: ask with the same id.
    #[error("no answer from {service} within {} s; it may still take effect", within.as_secs())]
    NoAnswer {
        /// Who was asked.
        service: Service,
        /// How long it was waited for.
        within: Duration,
    },
    /// Nothing was sent.
    #[error("the message bus cannot be reached: {0}")]
    Unreachable(String),
}

/// Places orders, asks the services, and shows the view. Clones share one connection.
#[derive(Debug, Clone)]
pub struct Desk {
    view: View,
}

impl Desk {
    /// Orders something and waits for its payment. Give it an id (see [`Desk::order_id`]) to be able to
    /// repeat it safely.
    ///
    /// # Errors
    /// [`DeskError`]; a refusal is an answer.
    pub async fn place(&self, place: &Place) -> Result<Answer, DeskError>;
    /// Takes an order back.
    pub async fn cancel(&self, order: &OrderId) -> Result<Answer, DeskError>;
    /// The order as Order itself tells it.
    pub async fn order(&self, order: &OrderId) -> Result<Answer, DeskError>;
    /// The payment as Deposit itself tells it.
    pub async fn payment(&self, order: &OrderId) -> Result<Answer, DeskError>;
    /// The account as Deposit itself tells it.
    pub async fn account(&self, customer: &Customer) -> Result<Answer, DeskError>;
    /// Puts money into an account.
    pub async fn top_up(&self, top_up: &TopUp) -> Result<Answer, DeskError>;
    /// Adds to an item's stock.
    pub async fn restock(&self, restock: &Restock) -> Result<Answer, DeskError>;
    /// The item as Item itself tells it.
    pub async fn item(&self, item: &ItemId) -> Result<Answer, DeskError>;
    /// Holds the breaker of one order worker, or of all, open or closed, or lets it decide again.
    pub async fn force_breaker(&self, instance: Option<String>, mode: BreakerMode) -> Result<(), DeskError>;
    /// Makes a service misbehave.
    pub async fn inject(&self, service: Service, fault: Fault) -> Result<(), DeskError>;
    /// A fresh order id.
    pub fn order_id(&self) -> OrderId;
    /// A fresh id of a top-up or restock.
    pub fn request_id(&self) -> RequestId;
    /// What is shown.
    pub fn view(&self) -> &View { &self.view }
}
