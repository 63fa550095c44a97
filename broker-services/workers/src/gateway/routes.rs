//! The table of all operations, and the router that is made of it.

use std::sync::Arc;

use axum::Router;
use axum::extract::Request;
use axum::http::{Request as HttpRequest, StatusCode};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse as _, Response};
use hyper::body::Incoming;
use hyper::service::Service as _;
use hyper_util::service::TowerToHyperService;

use super::access::Right;
use super::admission::{self, Asks, Gatekeeper, Visit};
use super::connections::Connection;
use super::operation::Operation;
use super::problem::Problem;
use super::request::Behind;

mod accounts;
mod description;
mod events;
mod myinfo;
mod operator;
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
        operator::operations(),
        probes::operations(),
        description::operations(),
    ];
    tables.into_iter().flatten().collect()
}

/// Where requests go.
#[derive(Debug)]
pub(super) struct Routes {
    router: TowerToHyperService<Router>,
    keeper: Arc<Gatekeeper>,
}

impl Routes {
    /// To all `operations` on `behind`, for those whom `keeper` lets in.
    pub(super) fn of(operations: Vec<Operation>, behind: Behind, keeper: Arc<Gatekeeper>) -> Self {
        let mut router = Router::new();
        for Operation { path, right, body, handler, .. } in operations {
            let asks = Asks { right, takes_body: body.is_some(), keeper: Arc::clone(&keeper) };
            router = router.route(path, handler.layer(from_fn_with_state(asks, admission::admit)));
        }
        let router = router
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
            .with_state(behind);
        Self { router: TowerToHyperService::new(router), keeper }
    }

    /// Answers a request that came on `connection`. Who may ask for nothing gets no further than this.
    pub(super) async fn answer(
        &self,
        mut request: HttpRequest<Incoming>,
        connection: &Connection,
    ) -> Response {
        let who = match self.keeper.identify(&request, connection.peer()) {
            Ok(who) => who,
            Err(problem) => return problem.into_response(),
        };
        request.extensions_mut().insert(Visit { who, connection: connection.clone() });
        match self.router.call(request).await {
            Ok(response) => response,
            Err(never) => match never {},
        }
    }
}
