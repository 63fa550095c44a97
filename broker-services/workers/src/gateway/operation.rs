//! What the table of operations has in each of its rows: of it, the router and the description are made, so that neither has
//! what the other lacks.

use axum::handler::Handler;
use axum::routing::{MethodFilter, MethodRouter, on};

use super::access::Right;
use super::request::Behind;

/// What can be asked of the gateway: a method on a path.
pub(super) struct Operation {
    pub(super) method: Method,
    pub(super) path: &'static str,
    /// What it is called where clients are made from the description.
    pub(super) id: &'static str,
    /// What it does, in a line.
    pub(super) summary: &'static str,
    pub(super) right: Right,
    /// Its parameters behind the `?` and in headers, by their names among the schemas' parameters.
    pub(super) parameters: &'static [&'static str],
    /// What its JSON body is, by the name of its schema.
    pub(super) body: Option<&'static str>,
    /// What it answers with if it is done: the status, and the name of a schema.
    pub(super) answers: &'static [(u16, &'static str)],
    /// With which statuses it may refuse, beside those that all have.
    pub(super) refusals: &'static [u16],
    pub(super) handler: MethodRouter<Behind>,
}

/// The methods there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Get,
    Post,
    Put,
    Delete,
}

impl Method {
    /// As the description has it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Get => "get",
            Self::Post => "post",
            Self::Put => "put",
            Self::Delete => "delete",
        }
    }

    const fn filter(self) -> MethodFilter {
        match self {
            Self::Get => MethodFilter::GET,
            Self::Post => MethodFilter::POST,
            Self::Put => MethodFilter::PUT,
            Self::Delete => MethodFilter::DELETE,
        }
    }
}

impl Operation {
    /// Something to look at.
    pub(super) fn get<H: Handler<T, Behind>, T: 'static>(
        path: &'static str,
        (id, summary): (&'static str, &'static str),
        handler: H,
    ) -> Self {
        Self::act(Method::Get, path, Right::Look, (id, summary), handler)
    }

    /// Something that is done for those who have `right`.
    pub(super) fn act<H: Handler<T, Behind>, T: 'static>(
        method: Method,
        path: &'static str,
        right: Right,
        (id, summary): (&'static str, &'static str),
        handler: H,
    ) -> Self {
        Self {
            method,
            path,
            id,
            summary,
            right,
            parameters: &[],
            body: None,
            answers: &[],
            refusals: &[],
            handler: on(method.filter(), handler),
        }
    }

    /// The same, without a token.
    pub(super) fn for_anyone(self) -> Self {
        Self { right: Right::None, ..self }
    }

    /// The same, with these parameters.
    pub(super) fn takes(self, parameters: &'static [&'static str]) -> Self {
        Self { parameters, ..self }
    }

    /// The same, with a JSON body of that schema.
    pub(super) fn takes_body(self, schema: &'static str) -> Self {
        Self { body: Some(schema), ..self }
    }

    /// The same, which answers this.
    pub(super) fn answers(self, answers: &'static [(u16, &'static str)]) -> Self {
        Self { answers, ..self }
    }

    /// The same, which may refuse with these statuses.
    pub(super) fn may_refuse(self, refusals: &'static [u16]) -> Self {
        Self { refusals, ..self }
    }
}
