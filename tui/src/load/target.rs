//! What load is put on: a way to place orders and to see what became of them. How is not its business.

use std::future::Future;

use skstore_domain::answers::Answer;
use skstore_domain::commands::{Place, Restock, TopUp};
use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::objects::{Item, Order};
use skstore_workers::desk::view::Cursor;

pub mod desk;
pub mod http;

/// Why there is no answer that could be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unanswered {
    /// Nobody answered in time; it may still take effect.
    #[error("{0}")]
    NoAnswer(String),
    /// The way was lost before the answer; it may still take effect.
    #[error("{0}")]
    Lost(String),
    /// Nothing was sent.
    #[error("{0}")]
    Unreachable(String),
    /// Whoever asks is not let in, or may not do this: asking again changes nothing.
    #[error("{0}")]
    Forbidden(String),
    /// What came is no answer to this.
    #[error("{0}")]
    Unexpected(String),
}

impl Unanswered {
    /// For programs.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NoAnswer(_) => "no_answer",
            Self::Lost(_) => "lost",
            Self::Unreachable(_) => "unreachable",
            Self::Forbidden(_) => "forbidden",
            Self::Unexpected(_) => "unexpected",
        }
    }
}

/// Some orders of the view, newest first.
#[derive(Debug, Clone, Default)]
pub struct Page {
    /// The orders, among which there may be others' as well.
    pub orders: Vec<Order>,
    /// Where the next page starts; absent on the last one.
    pub next: Option<Cursor>,
}

/// A way to a desk. `client` is who asks: one who asks several things at once may wait for one after the other.
///
/// # Errors
/// [`Unanswered`]. A refusal is an answer.
pub trait Target {
    /// Places an order.
    fn place(&self, client: usize, place: &Place) -> impl Future<Output = Result<Answer, Unanswered>>;

    /// Takes an order back.
    fn cancel(&self, client: usize, order: &OrderId) -> impl Future<Output = Result<Answer, Unanswered>>;

    /// An order as Order itself tells it.
    fn order(&self, client: usize, order: &OrderId) -> impl Future<Output = Result<Answer, Unanswered>>;

    /// An order as the view has it, if it does.
    fn shown(
        &self,
        client: usize,
        order: &OrderId,
    ) -> impl Future<Output = Result<Option<Order>, Unanswered>>;

    /// Orders whose ids begin with `prefix`, newest first, from after `after`.
    fn page(&self, prefix: &str, after: Option<&Cursor>) -> impl Future<Output = Result<Page, Unanswered>>;

    /// What is listed, by id, from after `after`; nothing if there is no more.
    fn items(&self, after: Option<&ItemId>) -> impl Future<Output = Result<Vec<Item>, Unanswered>>;

    /// An account.
    fn account(&self, client: usize, customer: &Customer)
    -> impl Future<Output = Result<Answer, Unanswered>>;

    /// Puts money into an account.
    fn top_up(&self, client: usize, top_up: &TopUp) -> impl Future<Output = Result<Answer, Unanswered>>;

    /// Adds to an item's stock.
    fn restock(&self, client: usize, restock: &Restock) -> impl Future<Output = Result<Answer, Unanswered>>;
}
