//! What there is, for programs.

use axum::extract::State;

use crate::gateway::operation::Operation;
use crate::gateway::request::{Behind, Done, said};

pub(super) fn operations() -> Vec<Operation> {
    let says = ("describe", "What there is: this document");
    vec![Operation::get("/openapi.json", says, describe).answers(&[(200, "Document")]).for_anyone()]
}

async fn describe(State(Behind { document, .. }): State<Behind>) -> Done {
    Ok(said(&*document))
}
