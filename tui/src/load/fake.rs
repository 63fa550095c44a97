//! A desk for tests that need one to stall, to forget, or to answer wrongly: what the real one does only by chance.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::time::Duration;

use skstore_domain::answers::{Answer, ErrorCode};
use skstore_domain::commands::{Place, Restock, TopUp};
use skstore_domain::ids::{Customer, ItemId, OrderId};
use skstore_domain::money::Won;
use skstore_domain::objects::{DeliveryStatus, Item, Order, OrderStatus, PaymentStatus};
use skstore_domain::time::Timestamp;
use skstore_workers::desk::view::Cursor;
use tokio::time::{Instant, sleep, sleep_until};

use super::target::{Page, Target, Unanswered};

/// How long a target takes for an answer, when it does not stall.
pub(super) const QUICK: Duration = Duration::from_millis(1);

/// What a desk that answers in [`QUICK`] does otherwise.
pub(super) struct Desk {
    /// From when until when it answers nobody.
    pub(super) stall: Option<(Instant, Instant)>,
    /// What it makes of the `n`th question, if that is not yes.
    pub(super) answers: fn(u64, Order) -> Option<Result<Answer, Unanswered>>,
    pub(super) asked: Cell<u64>,
    pub(super) most_at_once: Cell<usize>,
    pub(super) at_once: Cell<usize>,
    /// The orders that its view shows.
    pub(super) shown: RefCell<BTreeMap<OrderId, Order>>,
    /// Those that Order knows.
    pub(super) known: RefCell<BTreeMap<OrderId, Order>>,
}

pub(super) fn yes(_: u64, _: Order) -> Option<Result<Answer, Unanswered>> {
    None
}

/// What is placed, placed.
pub(super) fn order(place: &Place) -> Order {
    Order {
        order_id: place.order_id.clone().unwrap(),
        customer: place.customer.clone().unwrap(),
        item_id: place.item_id.clone(),
        item_name: "apple".to_owned(),
        qty: place.qty,
        unit_price: Won(1),
        amount: Won(place.qty.into()),
        status: OrderStatus::Placed,
        reason: None,
        cancel_requested: false,
        payment: PaymentStatus::Paid,
        delivery: DeliveryStatus::None,
        placed_at: Timestamp(0),
        updated_at: Timestamp(0),
        revision: 1,
    }
}

impl Target for Desk {
    async fn place(&self, _: usize, place: &Place) -> Result<Answer, Unanswered> {
        self.at_once.set(self.at_once.get() + 1);
        self.most_at_once.set(self.most_at_once.get().max(self.at_once.get()));
        self.asked.set(self.asked.get() + 1);
        let number = self.asked.get();
        if let Some((from, until)) = self.stall
            && (from..until).contains(&Instant::now())
        {
            sleep_until(until).await;
        }
        sleep(QUICK).await;
        self.at_once.set(self.at_once.get() - 1);
        let order = order(place);
        (self.answers)(number, order.clone()).unwrap_or_else(|| Ok(Answer::order(order)))
    }

    async fn cancel(&self, _: usize, _: &OrderId) -> Result<Answer, Unanswered> {
        Err(Unanswered::Lost("gone".to_owned()))
    }

    async fn order(&self, _: usize, id: &OrderId) -> Result<Answer, Unanswered> {
        sleep(QUICK).await;
        let known = self.known.borrow().get(id).cloned();
        Ok(known.map_or_else(|| Answer::refuse(ErrorCode::NotFound, "none"), Answer::order))
    }

    async fn shown(&self, _: usize, id: &OrderId) -> Result<Option<Order>, Unanswered> {
        sleep(QUICK).await;
        Ok(self.shown.borrow().get(id).cloned())
    }

    async fn page(&self, prefix: &str, _: Option<&Cursor>) -> Result<Page, Unanswered> {
        sleep(QUICK).await;
        let shown = self.shown.borrow();
        let matching = shown.values().filter(|order| order.order_id.as_str().starts_with(prefix));
        Ok(Page { orders: matching.cloned().collect(), next: None })
    }

    async fn items(&self, _: Option<&ItemId>) -> Result<Vec<Item>, Unanswered> {
        Ok(Vec::new())
    }

    async fn account(&self, _: usize, _: &Customer) -> Result<Answer, Unanswered> {
        Ok(Answer::default())
    }

    async fn top_up(&self, _: usize, _: &TopUp) -> Result<Answer, Unanswered> {
        Ok(Answer::default())
    }

    async fn restock(&self, _: usize, _: &Restock) -> Result<Answer, Unanswered> {
        Ok(Answer::default())
    }
}

/// A desk that makes of each question what `answers` says.
pub(super) fn desk(answers: fn(u64, Order) -> Option<Result<Answer, Unanswered>>) -> Desk {
    Desk {
        stall: None,
        answers,
        asked: Cell::new(0),
        most_at_once: Cell::new(0),
        at_once: Cell::new(0),
        shown: RefCell::default(),
        known: RefCell::default(),
    }
}
