//! What happens, as it happens.

use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::IntoResponse as _;
use serde::Deserialize;

use crate::gateway::admission::Visit;
use crate::gateway::events::{Place, body};
use crate::gateway::operation::Operation;
use crate::gateway::problem::Problem;
use crate::gateway::request::{Asked, Behind, Done};

/// When to come back if too many listen: somebody goes sooner or later.
const FULL_FOR: Duration = Duration::from_secs(10);
/// The place that somebody had who was cut off.
const LAST_EVENT_ID: &str = "last-event-id";

pub(super) fn operations() -> Vec<Operation> {
    let says = ("listen", "What happens, as it happens");
    vec![
        Operation::get("/events", says, events)
            .takes(&["after_event", "last_event_id"])
            .answers(&[(200, "Events")]),
    ]
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct After {
    after: Option<String>,
}

async fn events(
    State(behind): State<Behind>,
    Extension(Visit { connection, .. }): Extension<Visit>,
    headers: HeaderMap,
    Asked(After { after }): Asked<After>,
) -> Done {
    // Who was cut off comes back to the same address, and says in the header how far it has got since.
    let last = headers.get(LAST_EVENT_ID).map(|last| String::from_utf8_lossy(last.as_bytes()).into_owned());
    let place = match last.or(after) {
        Some(text) => Place::parse(&text)
            .ok_or_else(|| Problem::invalid("'after' and Last-Event-ID must be the id of an event, or 0"))?,
        None => Place::newest(behind.desk.view()).await?,
    };
    let seat = Arc::clone(&behind.readers).try_acquire_owned();
    let seat = seat.map_err(|_| Problem::busy("as many listen as there is room for", FULL_FOR))?;
    connection.streams();
    // The connection ends with what is told.
    let headers = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (header::CONNECTION, "close"),
    ];
    Ok((headers, body(behind.desk.view(), place, connection, seat)).into_response())
}
