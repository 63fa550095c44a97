//! One request to the broker: how long its answer may take, and how channels and connections are closed.

use std::sync::Arc;
use std::time::Duration;

use lapin::{Channel, Connection};
use tokio::time::timeout;

use crate::bus::BusError;

/// How long for one answer of the broker: declaring a quorum queue takes longest, some hundred milliseconds.
pub(super) const ANSWER_WITHIN: Duration = Duration::from_secs(5);
/// How long a connection that nobody needs may take to say goodbye.
pub(super) const CLOSE_WITHIN: Duration = Duration::from_secs(1);
/// AMQP's reply code for a normal end.
const GOODBYE: u16 = 200;

/// What the broker says to `asked`, if it does in time.
pub(super) async fn answered<T>(asked: impl Future<Output = lapin::Result<T>>) -> Result<T, BusError> {
    match timeout(ANSWER_WITHIN, asked).await {
        Ok(Ok(answer)) => Ok(answer),
        Ok(Err(error)) => Err(BusError::Lost(error.to_string())),
        Err(_) => Err(BusError::Lost(format!("no answer within {} s", ANSWER_WITHIN.as_secs()))),
    }
}

/// The channel, or a new one where the last question has ended it: the broker does that when something is not there.
pub(super) async fn reopened(connection: &Connection, channel: Option<Channel>) -> Result<Channel, BusError> {
    match channel {
        Some(channel) => Ok(channel),
        None => answered(connection.create_channel()).await,
    }
}

/// Closes a channel that is done.
///
/// # Errors
/// When the connection is lost, or the channel is closed already, which does no harm.
pub(super) async fn leave(channel: &Channel) -> Result<(), BusError> {
    answered(channel.close(GOODBYE, "OK".into())).await
}

/// Says goodbye to the broker and ends the connection.
pub(super) async fn close(connection: Arc<Connection>) {
    // It may be broken already; the broker notices either way.
    let _ = timeout(CLOSE_WITHIN, connection.close(GOODBYE, "OK".into())).await;
}
