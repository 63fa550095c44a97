//! Load on a desk: over the embedded bus, a broker, or the door of another process, whichever it is.

use skstore_domain::answers::Answer;
use skstore_domain::commands::{Place, Restock, TopUp};
use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::objects::{Item, Order};
use skstore_workers::desk::view::{Cursor, OrderFilter, ViewError};
use skstore_workers::desk::{Desk, DeskError};

use super::{Page, Target, Unanswered};

/// Rows that are read from the view at once.
const PAGE: usize = 1000;

impl From<DeskError> for Unanswered {
    fn from(error: DeskError) -> Self {
        let told = error.to_string();
        match error {
            DeskError::NoAnswer { .. } => Self::NoAnswer(told),
            DeskError::Lost { .. } => Self::Lost(told),
            DeskError::Unreachable(_) => Self::Unreachable(told),
        }
    }
}

impl From<ViewError> for Unanswered {
    fn from(error: ViewError) -> Self {
        Self::Unreachable(error.to_string())
    }
}

impl Target for Desk {
    async fn place(&self, _: usize, place: &Place) -> Result<Answer, Unanswered> {
        Ok(Self::place(self, place).await?)
    }

    async fn cancel(&self, _: usize, order: &OrderId) -> Result<Answer, Unanswered> {
        Ok(Self::cancel(self, order).await?)
    }

    async fn order(&self, _: usize, order: &OrderId) -> Result<Answer, Unanswered> {
        Ok(Self::order(self, order).await?)
    }

    async fn shown(&self, _: usize, order: &OrderId) -> Result<Option<Order>, Unanswered> {
        Ok(self.view().order(order).await?.map(|found| found.row.order))
    }

    async fn page(&self, prefix: &str, after: Option<&Cursor>) -> Result<Page, Unanswered> {
        let filter = OrderFilter { id_prefix: Some(prefix.to_owned()), ..OrderFilter::default() };
        let page = self.view().orders(&filter, after, PAGE).await?;
        Ok(Page { orders: page.rows.into_iter().map(|row| row.order).collect(), next: page.next })
    }

    async fn items(&self, after: Option<&ItemId>) -> Result<Vec<Item>, Unanswered> {
        Ok(self.view().items(after, PAGE).await?)
    }

    async fn account(&self, _: usize, customer: &Customer) -> Result<Answer, Unanswered> {
        Ok(Self::account(self, customer).await?)
    }

    async fn top_up(&self, _: usize, top_up: &TopUp) -> Result<Answer, Unanswered> {
        Ok(Self::top_up(self, top_up).await?)
    }

    async fn restock(&self, _: usize, restock: &Restock) -> Result<Answer, Unanswered> {
        Ok(Self::restock(self, restock).await?)
    }
}
