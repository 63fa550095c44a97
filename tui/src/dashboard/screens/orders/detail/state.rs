//! One order, whole: from the view, and as Order and Deposit themselves answer now.

use std::time::Duration;

use skstore_domain::answers::{Answer, AnswerError, PaymentAnswer};
use skstore_domain::events::{DepositKind, EventKind, ItemKind, OrderKind, Source};
use skstore_domain::ids::OrderId;
use skstore_domain::myinfo::Step;
use skstore_domain::objects::{DeliveryStatus, Order, OrderReason, OrderStatus, PaymentStatus};
use skstore_domain::time::Timestamp;
use skstore_workers::desk::DeskError;
use skstore_workers::desk::view::OrderDetail;

use crate::dashboard::shown::Scroll;

/// How long after a question that brought no object it is asked again while the detail is open.
pub const ASK_AGAIN_AFTER: Duration = Duration::from_secs(5);

/// What a service said when it was asked.
#[derive(Debug, Clone)]
pub enum Said<T> {
    /// Nothing yet.
    NotYet,
    /// The object.
    This(T),
    /// That it will not say.
    Refused(AnswerError),
    /// Nothing, and it was waited long enough.
    Failed(DeskError),
}

/// A question to a service about one order. At most one is on its way; a change that happens meanwhile is asked
/// about after it.
#[derive(Debug, Clone)]
pub struct Asked<T> {
    /// What it said last.
    pub said: Said<T>,
    /// When it said so.
    pub at: Timestamp,
    /// Whether a question is on its way.
    pub is_asking: bool,
    /// The revisions of order and payment that were known when it was asked last.
    about: Option<(u64, u64)>,
}

impl<T> Default for Asked<T> {
    fn default() -> Self {
        Self { said: Said::NotYet, at: Timestamp::default(), is_asking: false, about: None }
    }
}

impl<T> Asked<T> {
    /// Whether to ask now, when `revisions` of order and payment are known. If so, it counts as asked.
    pub fn asks(&mut self, revisions: (u64, u64), now: Timestamp) -> bool {
        let again =
            matches!(self.said, Said::Refused(_) | Said::Failed(_)) && now.since(self.at) >= ASK_AGAIN_AFTER;
        if self.is_asking || (self.about == Some(revisions) && !again) {
            return false;
        }
        self.is_asking = true;
        self.about = Some(revisions);
        true
    }

    /// Takes the answer, of which `object` picks the part that was asked for.
    pub fn answered(
        &mut self,
        result: &Result<Option<Answer>, DeskError>,
        now: Timestamp,
        object: impl Fn(&Answer) -> Option<T>,
    ) {
        self.is_asking = false;
        self.at = now;
        self.said = match result {
            Ok(Some(answer)) => match (object(answer), &answer.error) {
                (Some(object), None) => Said::This(object),
                (_, Some(error)) => Said::Refused(error.clone()),
                (None, None) => Said::NotYet,
            },
            Ok(None) => Said::NotYet,
            Err(error) => Said::Failed(error.clone()),
        };
    }
}

/// One order, whole.
#[derive(Debug, Clone)]
pub struct Detail {
    /// The order.
    pub id: OrderId,
    /// What the view says.
    pub found: Option<OrderDetail>,
    /// Whether the view was asked.
    pub is_read: bool,
    /// What Order answers.
    pub order: Asked<Order>,
    /// What Deposit answers.
    pub payment: Asked<PaymentAnswer>,
    /// How far it is scrolled.
    pub scroll: Scroll,
    /// The step after which the order is shown as it was; as it is now if absent.
    pub then: Option<usize>,
    /// Whether that step shall be on the screen, wherever it was scrolled to.
    pub keeps_step_in_sight: bool,
    /// Whether it is shown as the view has it, word for word.
    pub is_raw: bool,
}

impl Detail {
    /// Before anything was read or asked.
    #[must_use]
    pub fn of(id: OrderId) -> Self {
        Self {
            id,
            found: None,
            is_read: false,
            order: Asked::default(),
            payment: Asked::default(),
            scroll: Scroll::default(),
            then: None,
            keeps_step_in_sight: false,
            is_raw: false,
        }
    }

    /// What happened to it, in the order of time, as far as it was read.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        self.found.as_ref().map_or(&[], |found| &found.timeline)
    }

    /// Goes `by` steps back or forth in time; after the last step it is shown as it is now.
    pub fn go_to(&mut self, by: isize) {
        let Some(last) = self.steps().len().checked_sub(1) else { return };
        let from = self.then.unwrap_or(last);
        let to = from.saturating_add_signed(by);
        self.then = (to < last).then_some(to);
        self.keeps_step_in_sight = true;
    }

    /// Scrolls down by so many lines.
    pub fn scroll_by(&mut self, lines: isize) {
        self.scroll.by(lines);
        self.keeps_step_in_sight = false;
    }

    /// How far it is scrolled where `shown` of its `lines` fit on the screen. Its steps are the last lines; of those as many of
    /// the earliest are not shown as there are lines left to scroll.
    #[must_use]
    pub fn scrolled(&self, lines: usize, shown: usize) -> Scroll {
        let mut scroll = self.scroll.within(lines, shown);
        if self.keeps_step_in_sight {
            let kept = self.then.unwrap_or_else(|| self.steps().len().saturating_sub(1));
            scroll.keep(kept, shown);
        }
        scroll
    }

    /// Shows it word for word, or in words again.
    pub fn toggle_raw(&mut self) {
        self.is_raw = !self.is_raw;
        (self.scroll, self.keeps_step_in_sight) = (Scroll::default(), false);
    }

    /// The steps up to the one after which it is shown.
    #[must_use]
    pub fn steps_then(&self) -> Option<&[Step]> {
        self.steps().get(..=self.then?)
    }
}

/// `order` as it was after `steps`, which are the first of its timeline. What never changes is as it is now.
#[must_use]
pub fn as_it_was(order: &Order, steps: &[Step]) -> Order {
    let mut then = Order {
        status: OrderStatus::Paying,
        reason: None,
        cancel_requested: false,
        payment: PaymentStatus::None,
        delivery: DeliveryStatus::None,
        revision: 0,
        ..order.clone()
    };
    for step in steps {
        take(&mut then, step);
    }
    then
}

fn take(order: &mut Order, step: &Step) {
    order.updated_at = step.at;
    if step.source == Source::Order {
        order.revision = step.revision;
    }
    match step.kind {
        EventKind::Order(OrderKind::Paying) => order.status = OrderStatus::Paying,
        EventKind::Order(OrderKind::CancelRequested) => order.cancel_requested = true,
        EventKind::Order(OrderKind::Placed) => order.status = OrderStatus::Placed,
        EventKind::Order(OrderKind::Delivering) => order.status = OrderStatus::Delivering,
        EventKind::Order(OrderKind::Rejected) => order.status = OrderStatus::Rejected,
        EventKind::Order(OrderKind::Cancelled | OrderKind::Disowned) => order.status = OrderStatus::Cancelled,
        EventKind::Deposit(DepositKind::Paid) => order.payment = PaymentStatus::Paid,
        EventKind::Deposit(DepositKind::Declined) => order.payment = PaymentStatus::Declined,
        EventKind::Deposit(DepositKind::Refunded) => order.payment = PaymentStatus::Refunded,
        EventKind::Deposit(DepositKind::Voided) => order.payment = PaymentStatus::Voided,
        EventKind::Item(ItemKind::DeliveryStarted) => order.delivery = DeliveryStatus::Started,
        EventKind::Item(ItemKind::DeliveryCancelled) => order.delivery = DeliveryStatus::Cancelled,
        EventKind::Item(ItemKind::SoldOut) => order.delivery = DeliveryStatus::SoldOut,
        EventKind::Order(OrderKind::Noted)
        | EventKind::Deposit(DepositKind::ToppedUp)
        | EventKind::Item(ItemKind::Listed | ItemKind::Restocked) => {}
    }
    if matches!(step.kind, EventKind::Order(OrderKind::Rejected | OrderKind::Cancelled)) {
        order.reason = step.reason.as_deref().and_then(OrderReason::from_word);
    }
}
