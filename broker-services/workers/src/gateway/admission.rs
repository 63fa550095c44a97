//! Who is let in, and to what.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Request as HttpRequest, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use tokio::sync::Semaphore;

use super::access::Right;
use super::connections::Connection;
use super::guard;
use super::problem::Problem;
use super::rate::Rate;
use super::request::with_its_body;
use super::tokens::{Bearer, TokenFile};

/// Stands before all operations.
#[derive(Debug)]
pub(super) struct Gatekeeper {
    /// Without them, whoever is on this machine may do everything.
    tokens: Option<TokenFile>,
    rate: Option<Rate<Caller>>,
    room: Semaphore,
}

/// Requests that are carried out at once: as many as Order has charges in flight. More would only wait there.
const MAX_IN_FLIGHT: usize = 512;
/// When to come back if there are more: they are done in far less.
const BUSY_FOR: Duration = Duration::from_secs(1);

/// By what requests are counted: who shows a token by that, and everybody else by the address.
#[derive(Debug, PartialEq, Eq, Hash)]
enum Caller {
    Token(Arc<str>),
    Peer(IpAddr),
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

/// What is known of a request before anything is done for it.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    pub(super) who: Who,
    pub(super) connection: Connection,
}

/// What an operation asks of a request.
#[derive(Debug, Clone)]
pub(super) struct Asks {
    pub(super) right: Right,
    pub(super) takes_body: bool,
    pub(super) keeper: Arc<Gatekeeper>,
}

impl Gatekeeper {
    /// Without `tokens`, for this machine alone; for `rate_per_s` requests a second of each caller, 0 being any number.
    pub(super) fn new(tokens: Option<TokenFile>, rate_per_s: u32) -> Self {
        Self { tokens, rate: Rate::of(rate_per_s), room: Semaphore::new(MAX_IN_FLIGHT) }
    }

    /// Finds out who asks, and counts it. Who may ask for nothing here is sent away.
    pub(super) fn identify<B>(&self, request: &HttpRequest<B>, peer: IpAddr) -> Result<Who, Problem> {
        let who = self.who(request)?;
        self.count(&who, peer)?;
        Ok(who)
    }

    fn who<B>(&self, request: &HttpRequest<B>) -> Result<Who, Problem> {
        let headers = request.headers();
        let Some(tokens) = &self.tokens else {
            return guard::only_from_here(request).map(|()| Who::Local).map_err(Problem::forbidden);
        };
        match secret(headers)?.and_then(|secret| tokens.bearer(secret)) {
            Some(bearer) => Ok(Who::Bearer(bearer)),
            // A page has no token, unless somebody gave it one.
            None => guard::no_other_page(request)
                .map(|()| Who::Unknown { has_token: headers.contains_key(header::AUTHORIZATION) })
                .map_err(Problem::forbidden),
        }
    }

    /// Counts a request of `who` from `peer`.
    fn count(&self, who: &Who, peer: IpAddr) -> Result<(), Problem> {
        let Some(rate) = &self.rate else { return Ok(()) };
        let caller = match who {
            Who::Bearer(bearer) => Caller::Token(Arc::clone(&bearer.name)),
            Who::Local | Who::Unknown { .. } => Caller::Peer(peer),
        };
        rate.count(caller)
            .map_err(|wait| Problem::too_many("more requests than gateway.rate_per_s lets in", wait))
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

/// The token that a request shows, if it shows one: in one header, `Authorization: Bearer TOKEN`.
fn secret(headers: &HeaderMap) -> Result<Option<&[u8]>, Problem> {
    const SCHEME: &[u8] = b"bearer ";
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::invalid("the header Authorization stands there twice"));
    }
    let secret = value.as_bytes().split_at_checked(SCHEME.len());
    Ok(secret
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case(SCHEME))
        .map(|(_, secret)| secret.trim_ascii()))
}

/// Lets a request through to an operation that asks for this, once all of it is there and there is room for it.
pub(super) async fn admit(State(asks): State<Asks>, request: Request, next: Next) -> Response {
    let request = match admitted(&asks, request).await {
        Ok(request) => request,
        Err(problem) => return problem.into_response(),
    };
    let Ok(_room) = asks.keeper.room.try_acquire() else {
        return Problem::busy("as many requests as there is room for are being carried out", BUSY_FOR)
            .into_response();
    };
    if let Some(visit) = request.extensions().get::<Visit>() {
        visit.connection.is_served();
    }
    next.run(request).await
}

async fn admitted(asks: &Asks, request: Request) -> Result<Request, Problem> {
    may(&request, asks.right)?;
    if asks.takes_body { with_its_body(request).await } else { Ok(request) }
}

/// Whether who sent `request` has `right`.
pub(super) fn may(request: &Request, right: Right) -> Result<(), Problem> {
    match request.extensions().get::<Visit>() {
        Some(visit) => visit.who.may(right),
        None => Err(Problem::unauthorized(false)),
    }
}
