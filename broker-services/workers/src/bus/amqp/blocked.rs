//! Whether the broker has stopped reading what is published, for lack of memory or disk, and why.
//!
//! It says so to a connection once that publishes, and then reads nothing more from it, heartbeats of ours included:
//! a worker knows within a second, and only those who look at it from elsewhere have to ask.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use lapin::options::{BasicPublishOptions, ConfirmSelectOptions};
use lapin::{BasicProperties, Connection, ConnectionStatus, Event};
use tokio::time::timeout;

use super::request::{answered, leave};
use crate::bus::{BusError, blocked_words};

/// How often it is looked whether a broker that had no memory or disk reads again.
pub(super) const BLOCKED_POLL: Duration = Duration::from_millis(100);
/// How long a broker that reads may take to confirm a message that goes nowhere.
const PROBED_WITHIN: Duration = Duration::from_secs(1);
/// Where the probe goes: to no queue, on the exchange that routes to queues by their name.
const NOWHERE: &str = "skstore.probe";
/// For a broker that does not say why.
const NO_REASON: &str = "low on memory or disk";

/// What the broker has said of this to one connection after the other.
#[derive(Debug, Default)]
pub(super) struct Blocked(Mutex<Option<Told>>);

/// What it has said to one.
#[derive(Debug, Clone)]
struct Told {
    status: ConnectionStatus,
    reason: Arc<Mutex<String>>,
}

impl Blocked {
    /// Listens to what the broker says on `connection`, which takes the place of the last one. What is over is told to
    /// `over`.
    pub(super) fn watch(&self, connection: &Connection, over: impl Fn(String) + Send + 'static) {
        let told = listen(connection, over);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(told);
    }

    /// Why the broker reads nothing, if it does not.
    pub(super) fn reason(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(Told::reason)
    }
}

impl Told {
    fn reason(&self) -> Option<String> {
        let is_blocked = self.status.connected() && self.status.blocked();
        is_blocked.then(|| self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone())
    }
}

fn listen(connection: &Connection, over: impl Fn(String) + Send + 'static) -> Told {
    let reason = Arc::new(Mutex::new(NO_REASON.to_owned()));
    let told = Told { status: connection.status().clone(), reason: Arc::clone(&reason) };
    let mut events = Box::pin(connection.events_listener());
    // It ends with the connection.
    tokio::spawn(async move {
        while let Some(event) = events.next().await {
            match event {
                Event::ConnectionBlocked(why) => {
                    tracing::error!(why, "the broker blocks all who publish");
                    if !why.is_empty() {
                        *reason.lock().unwrap_or_else(PoisonError::into_inner) = why;
                    }
                }
                Event::ConnectionUnblocked => {
                    tracing::info!("the broker takes messages again");
                    over(blocked_words(&reason.lock().unwrap_or_else(PoisonError::into_inner)));
                }
                _ => {}
            }
        }
    });
    told
}

/// Publishes something that goes nowhere, and tells whether the broker still reads after that, and if not, why.
///
/// # Errors
/// When the connection is lost.
pub(super) async fn probe(connection: &Connection) -> Result<Option<String>, BusError> {
    let told = listen(connection, drop);
    if let Some(reason) = told.reason() {
        return Ok(Some(reason));
    }
    let round = async {
        let channel = answered(connection.create_channel()).await?;
        answered(channel.confirm_select(ConfirmSelectOptions::default())).await?;
        let options = BasicPublishOptions::default();
        let properties = BasicProperties::default();
        let sent =
            answered(channel.basic_publish("".into(), NOWHERE.into(), options, &[], properties)).await?;
        answered(sent).await?;
        // It may confirm the very message upon which it stops reading, but not answer this one.
        leave(&channel).await
    };
    match timeout(PROBED_WITHIN, round).await {
        Ok(Err(error)) => Err(error),
        Ok(Ok(())) | Err(_) => Ok(told.reason()),
    }
}
