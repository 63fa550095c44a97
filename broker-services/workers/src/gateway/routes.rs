//! The table of all operations, and the router that is made of it.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;

use super::access::Right;
use super::admission::{self, Asks, Gatekeeper};
use super::operation::Operation;
use super::problem::Problem;
use super::request::Behind;

mod accounts;
mod description;
mod events;
mod myinfo;
mod orders;
mod page;
mod probes;
mod products;
mod supply;

/// All that there is.
pub(super) fn operations() -> Vec<Operation> {
    let tables = [
        orders::operations(),
        accounts::operations(),
        products::operations(),
        myinfo::operations(),
        events::operations(),
        probes::operations(),
        description::operations(),
    ];
    tables.into_iter().flatten().collect()
}

/// The router of all `operations`, to `behind`, for those whom `keeper` lets in.
pub(super) fn of(operations: Vec<Operation>, behind: Behind, keeper: Arc<Gatekeeper>) -> Router {
    let mut router = Router::new();
    for Operation { path, right, body, handler, .. } in operations {
        let asks = Asks { right, takes_body: body.is_some(), keeper: Arc::clone(&keeper) };
        router = router.route(path, handler.layer(from_fn_with_state(asks, admission::admit)));
    }
    router
        .fallback(|request: Request| async move {
            admission::may(&request, Right::Look)
                .err()
                .unwrap_or_else(|| Problem::not_found("there is no such path"))
        })
        .method_not_allowed_fallback(|request: Request| async move {
            let detail = "this path takes other methods";
            let problem = || Problem::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", detail);
            admission::may(&request, Right::Look).err().unwrap_or_else(problem)
        })
        .layer(from_fn_with_state(keeper, admission::identify))
        .with_state(behind)
}
