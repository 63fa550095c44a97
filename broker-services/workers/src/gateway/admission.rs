//! Who is let in, and to what.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::access::Right;
use super::guard;
use super::problem::Problem;
use super::request::with_its_body;
use super::tokens::{Bearer, TokenFile};

/// Stands before all operations.
#[derive(Debug)]
pub(super) struct Gatekeeper {
    /// Without them, whoever is on this machine may do everything.
    pub(super) tokens: Option<TokenFile>,
}

/// Who asks.
#[derive(Debug, Clone)]
pub(super) enum Who {
    /// Somebody on this machine, where no tokens are asked for.
    Local,
    Bearer(Bearer),
    Unknown {
        /// Whether a token was shown, one that is not known.
        has_token: bool,
    },
}

/// What an operation asks of a request.
#[derive(Debug, Clone)]
pub(super) struct Asks {
    pub(super) right: Right,
    pub(super) takes_body: bool,
}

impl Gatekeeper {
    fn who(&self, headers: &HeaderMap) -> Result<Who, Problem> {
        let Some(tokens) = &self.tokens else {
            return guard::only_from_here(headers).map(|()| Who::Local).map_err(Problem::forbidden);
        };
        let secret = secret(headers);
        match secret.and_then(|secret| tokens.bearer(secret)) {
            Some(bearer) => Ok(Who::Bearer(bearer)),
            // A page has no token, unless somebody gave it one.
            None => guard::no_other_page(headers)
                .map(|()| Who::Unknown { has_token: headers.contains_key(header::AUTHORIZATION) })
                .map_err(Problem::forbidden),
        }
    }
}

impl Who {
    /// Whether it has `right`.
    fn may(&self, right: Right) -> Result<(), Problem> {
        match self {
            Self::Local => Ok(()),
            Self::Bearer(bearer) if bearer.role.has(right) => Ok(()),
            Self::Bearer(Bearer { name, role }) => Err(Problem::role(format!(
                "the token '{name}' is a {}'s, who may not {}",
                role.word(),
                right.what()
            ))),
            Self::Unknown { .. } if right == Right::None => Ok(()),
            Self::Unknown { has_token } => Err(Problem::unauthorized(*has_token)),
        }
    }
}

/// The token that a request shows: in one header, `Authorization: Bearer TOKEN`.
fn secret(headers: &HeaderMap) -> Option<&[u8]> {
    const SCHEME: &[u8] = b"bearer ";
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return None };
    let (scheme, secret) = value.as_bytes().split_at_checked(SCHEME.len())?;
    scheme.eq_ignore_ascii_case(SCHEME).then(|| secret.trim_ascii())
}

/// Finds out who asks, and sends away who may ask for nothing.
pub(super) async fn identify(
    State(keeper): State<Arc<Gatekeeper>>,
    mut request: Request,
    next: Next,
) -> Response {
    match keeper.who(request.headers()) {
        Ok(who) => {
            request.extensions_mut().insert(who);
            next.run(request).await
        }
        Err(problem) => problem.into_response(),
    }
}

/// Lets a request through to an operation that asks for this.
pub(super) async fn admit(State(asks): State<Asks>, request: Request, next: Next) -> Response {
    match admitted(&asks, request).await {
        Ok(request) => next.run(request).await,
        Err(problem) => problem.into_response(),
    }
}

async fn admitted(asks: &Asks, request: Request) -> Result<Request, Problem> {
    may(&request, asks.right)?;
    if asks.takes_body { with_its_body(request).await } else { Ok(request) }
}

/// Whether who sent `request` has `right`.
pub(super) fn may(request: &Request, right: Right) -> Result<(), Problem> {
    match request.extensions().get::<Who>() {
        Some(who) => who.may(right),
        None => Err(Problem::unauthorized(false)),
    }
}
