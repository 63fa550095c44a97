//! What must hold of a world: at every moment, at every answer, and when nothing is left to happen.

use skstore_domain::answers::{AnswerError, ErrorCode};
use skstore_domain::money::Won;
use skstore_domain::objects::{DeliveryStatus, OrderStatus, PaymentStatus};
use skstore_domain::order::Reply;

use super::World;

impl World {
    fn is_paid(&self, amount: Won) -> bool {
        self.payment.as_ref().is_some_and(|p| p.status == PaymentStatus::Paid && p.amount == amount)
    }

    fn is_started(&self) -> bool {
        self.delivery.as_ref().is_some_and(|delivery| delivery.status == DeliveryStatus::Started)
    }

    pub(super) fn check_answer_to_place(&self, reply: &Reply) -> Result<(), String> {
        match reply {
            Reply::Done(order) if !self.is_paid(order.amount) => {
                Err(format!("P1: {} was answered ok, its payment is {:?}", order.status, self.payment))
            }
            Reply::Done(order) if !matches!(order.status, OrderStatus::Placed | OrderStatus::Delivering) => {
                Err(format!("P1: a place was answered ok while the order is {}", order.status))
            }
            Reply::Refused { error: AnswerError { code: ErrorCode::TryLater, .. }, .. }
                if self.record.is_some() =>
            {
                Err("a place was answered try_later, which says that nothing happened, but there is an order"
                    .into())
            }
            Reply::Gone => Err("a place was answered like a settle".into()),
            Reply::Done(_) | Reply::Refused { .. } => Ok(()),
        }
    }

    /// What holds at every moment.
    pub(super) fn check_always(&self) -> Result<(), String> {
        let taken = match &self.payment {
            Some(payment) if payment.status == PaymentStatus::Paid => payment.amount,
            _ => Won::ZERO,
        };
        if self.account.balance.plus(taken) != Some(self.setup.balance) || self.account.balance < Won::ZERO {
            return Err(format!("P2: {:?} with {:?}", self.account, self.payment));
        }
        if self.item.stock + u64::from(self.is_started()) != self.setup.stock {
            return Err(format!("P4: {:?} with {:?}", self.item, self.delivery));
        }
        let Some(order) = self.order() else { return Ok(()) };
        let is_accepted = matches!(order.status, OrderStatus::Placed | OrderStatus::Delivering);
        if is_accepted && !self.is_paid(order.amount) {
            return Err(format!("P1: the order is {}, its payment {:?}", order.status, self.payment));
        }
        if self.never && (is_accepted || order.status == OrderStatus::Paying) {
            return Err(format!("a cancel said that it will not happen, but it is {}", order.status));
        }
        Ok(())
    }

    /// What holds once nothing is on its way any more.
    pub(crate) fn check_quiet(&self) -> Result<(), String> {
        let payment = self.payment.as_ref().map_or(PaymentStatus::None, |payment| payment.status);
        let delivery = self.delivery.as_ref().map_or(DeliveryStatus::None, |delivery| delivery.status);
        let Some(order) = self.order() else {
            return if payment == PaymentStatus::None && delivery == DeliveryStatus::None {
                Ok(())
            } else {
                Err(format!("P3: there is no order, but its payment is {payment}, its delivery {delivery}"))
            };
        };
        let is_right = match order.status {
            OrderStatus::Paying | OrderStatus::Placed => {
                return Err(format!("P9: the order stays {}", order.status));
            }
            OrderStatus::Delivering => payment == PaymentStatus::Paid && delivery == DeliveryStatus::Started,
            OrderStatus::Cancelled | OrderStatus::Rejected => {
                matches!(payment, PaymentStatus::Declined | PaymentStatus::Voided | PaymentStatus::Refunded)
                    && delivery != DeliveryStatus::Started
            }
        };
        if !is_right {
            return Err(format!(
                "P3: the order is {}, its payment {payment}, its delivery {delivery}",
                order.status
            ));
        }
        // A charge whose answer was lost may have been declined; Order never hears of that, and need not.
        let knows_payment = order.payment == payment
            || (order.payment, payment) == (PaymentStatus::None, PaymentStatus::Declined);
        if !knows_payment || order.delivery != delivery {
            return Err(format!("P6: payment {payment} and delivery {delivery}, but Order says {order:?}"));
        }
        Ok(())
    }
}
