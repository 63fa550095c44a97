//! Whether the gateway lives, and whether it is of use: for those who keep it running, who need no token.

use axum::extract::State;
use axum::http::StatusCode;
use serde_json::json;

use crate::gateway::operation::Operation;
use crate::gateway::problem::Problem;
use crate::gateway::request::{Behind, Done, said};

pub(super) fn operations() -> Vec<Operation> {
    vec![
        Operation::get("/livez", ("isAlive", "Whether it lives"), alive)
            .answers(&[(200, "Probe")])
            .for_anyone(),
        Operation::get("/readyz", ("isReady", "Whether bus and view can be used"), ready)
            .answers(&[(200, "Probe")])
            .for_anyone(),
    ]
}

/// That it answers is the answer, whatever becomes of the broker: to start it again would not bring that back.
async fn alive() -> Done {
    Ok(said(&json!({ "status": "alive" })))
}

async fn ready(State(Behind { desk, .. }): State<Behind>) -> Done {
    // Why is for those who may look: they are told when they ask for something.
    match desk.lost().await {
        Some(what) => Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unreachable", what).come_back()),
        None => Ok(said(&json!({ "status": "ready" }))),
    }
}
