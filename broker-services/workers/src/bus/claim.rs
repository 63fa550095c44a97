//! Who may work for a service: all who name the same owner, and nobody else meanwhile.

use super::{amqp, embedded};

/// A right that is had for as long as this is held.
#[derive(Debug)]
pub enum Claim {
    /// Within this process.
    Embedded(embedded::EmbeddedClaim),
    /// At an AMQP broker.
    Amqp(Box<amqp::AmqpClaim>),
}

impl Claim {
    /// Returns once it is not held any more: somebody else may have it.
    pub async fn lost(&mut self) {
        match self {
            Self::Embedded(_) => std::future::pending().await,
            Self::Amqp(claim) => claim.lost().await,
        }
    }
}
