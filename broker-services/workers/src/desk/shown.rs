//! An order as the view shows it, asked for by somebody who may have heard of it before the view has.

use std::time::Duration;

use skstore_domain::answers::ErrorCode;
use skstore_domain::ids::OrderId;
use tokio::time::Instant;

use super::Desk;
use super::told::DeskError;
use crate::view::{OrderDetail, ViewError};

/// How long an order that Order has is waited for in the view: many times what an event takes there.
const SHOWN_WITHIN: Duration = Duration::from_secs(2);
/// How often it is looked for meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What there is of an order.
#[derive(Debug)]
pub enum Shown {
    /// The view has it.
    Order(Box<OrderDetail>),
    /// Order has it, and the view is behind.
    NotYet,
    /// There is no such order.
    Nowhere,
    /// The view has none, and Order does not say whether it has.
    Unknown(DeskError),
}

impl Desk {
    /// The order as the view has it. Where the view has none, Order is asked, and what it has is waited for: whoever was just
    /// told that an order is placed finds it here.
    ///
    /// # Errors
    /// [`ViewError`].
    pub async fn shown(&self, order: &OrderId) -> Result<Shown, ViewError> {
        if let Some(found) = self.view().order(order).await? {
            return Ok(Shown::Order(Box::new(found)));
        }
        match self.order(order).await {
            Ok(answer) if answer.ok => {}
            Ok(answer) if answer.error.as_ref().is_some_and(|error| error.code == ErrorCode::NotFound) => {
                return Ok(Shown::Nowhere);
            }
            Ok(_) => return Ok(Shown::NotYet),
            Err(error) => return Ok(Shown::Unknown(error)),
        }
        let until = Instant::now() + SHOWN_WITHIN;
        loop {
            if let Some(found) = self.view().order(order).await? {
                return Ok(Shown::Order(Box::new(found)));
            }
            if Instant::now() >= until {
                return Ok(Shown::NotYet);
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
}
