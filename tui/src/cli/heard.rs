//! What is heard of the workers, for a command that has told them something or looks only once.

use std::time::Duration;

use skstore_domain::signals::Beat;
use skstore_workers::desk::{BusState, Desk};
use tokio::time::Instant;

use super::failure::Failure;

/// How long heartbeats, which come every second, are waited for.
const HEARD_WITHIN: Duration = Duration::from_secs(3);
/// How often the view is looked at when it does not say by itself that it has changed.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// The services as they are when they are as wanted, or when there is no more time to wait for it.
/// While the bus cannot be reached nobody is heard.
pub(crate) async fn wait_for(desk: &Desk, wanted: impl Fn(&[Beat]) -> bool) -> Result<Vec<Beat>, Failure> {
    let view = desk.view();
    let is_lost = *desk.bus_state().borrow() != BusState::Up;
    let until = Instant::now() + if is_lost { Duration::ZERO } else { HEARD_WITHIN };
    let mut changes = view.changes();
    loop {
        let services = view.health().await?.services;
        if wanted(&services) || Instant::now() >= until {
            return Ok(services);
        }
        // A time limit, since a heartbeat need not count as a change of what is shown.
        let _ = tokio::time::timeout(LOOK_EVERY, changes.changed()).await;
    }
}
