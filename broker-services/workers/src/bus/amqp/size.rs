//! Whether the broker limits how long a message may be. Neither AMQP nor the management API tells: one that is too long is
//! sent, to nobody.

use std::time::Duration;

use lapin::Confirmation;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use tokio::time::timeout;

use super::link::Link;
use super::refusal::code;
use super::request::answered;
use crate::bus::BusError;
use crate::topology::DEFAULT;

/// What no broker should take: RabbitMQ 4's own limit. Up to 3.13 a broker takes eight times as much unless it is told
/// otherwise, ours takes a sixteenth.
pub const TOO_LONG_BYTES: usize = 16 * 1024 * 1024;
/// How long such a message may take to get there.
const SENT_WITHIN: Duration = Duration::from_secs(8);
/// No queue has this name, so the message ends there.
const NOBODY: &str = "skstore.nobody";

/// Whether the broker takes a message of more than [`TOO_LONG_BYTES`]. It may close `link` over it.
pub(super) async fn takes_too_long(link: &Link) -> Result<bool, BusError> {
    let opened = link.channel().await?;
    answered(opened.channel.confirm_select(ConfirmSelectOptions::default())).await?;
    let body = vec![0; TOO_LONG_BYTES + 1];
    let sending = async {
        let (exchange, key) = (DEFAULT.into(), NOBODY.into());
        let options = BasicPublishOptions::default();
        opened.channel.basic_publish(exchange, key, options, &body, Default::default()).await?.await
    };
    let taken = match timeout(SENT_WITHIN, sending).await {
        Ok(Ok(Confirmation::Ack(_))) => Ok(true),
        Ok(Ok(Confirmation::Nack(_) | Confirmation::NotRequested)) => Ok(false),
        // It closes the channel over it, or the connection.
        Ok(Err(error)) if code(&error).is_some() => Ok(false),
        Ok(Err(error)) => Err(BusError::Lost(error.to_string())),
        Err(_) => Err(BusError::Lost(format!("no answer within {} s", SENT_WITHIN.as_secs()))),
    };
    link.close().await;
    taken
}
