//! What the table of operations has in each of its rows.

use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};

use super::access::Right;
use super::request::Behind;

/// What can be asked of the gateway: a method on a path.
pub(super) struct Operation {
    pub(super) path: &'static str,
    pub(super) right: Right,
    /// Whether a JSON body belongs to it.
    pub(super) takes_body: bool,
    pub(super) handler: MethodRouter<Behind>,
}

impl Operation {
    /// Shows something.
    pub(super) fn get<H: Handler<T, Behind>, T: 'static>(path: &'static str, handler: H) -> Self {
        Self::new(MethodFilter::GET, path, Right::Look, handler)
    }

    /// Does something that has no body, for those who have `right`.
    pub(super) fn act<H: Handler<T, Behind>, T: 'static>(
        method: MethodFilter,
        path: &'static str,
        right: Right,
        handler: H,
    ) -> Self {
        Self::new(method, path, right, handler)
    }

    fn new<H: Handler<T, Behind>, T: 'static>(
        method: MethodFilter,
        path: &'static str,
        right: Right,
        handler: H,
    ) -> Self {
        Self { path, right, takes_body: false, handler: on(method, handler) }
    }

    /// The same, without a token.
    pub(super) fn for_anyone(self) -> Self {
        Self { right: Right::None, ..self }
    }

    /// The same, with a JSON body.
    pub(super) fn with_body(self) -> Self {
        Self { takes_body: true, ..self }
    }
}
