//! What operations take out of a request, checked: names in the path, parameters, the body, the id; and how they answer.

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequestParts, Path, Query, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::StreamExt as _;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use skstore_domain::answers::Answer;
use skstore_domain::commands::MAX_COMMAND_BYTES;
use skstore_domain::ids::BadId;
use skstore_domain::json;
use tokio::sync::Semaphore;
use tokio::time::{Duration, timeout};

use super::events::MAX_READERS;
use super::problem::Problem;
use crate::desk::Desk;

/// How long a body may take: 64 KiB over the slowest line that there is.
const BODY_WITHIN: Duration = Duration::from_secs(10);
/// Another name for what the command's own id is.
const IDEMPOTENCY_KEY: &str = "idempotency-key";

/// What operations lead to.
#[derive(Debug, Clone)]
pub(super) struct Behind {
    pub(super) desk: Desk,
    /// Seats for those who listen to events.
    pub(super) readers: Arc<Semaphore>,
    /// What there is.
    pub(super) document: Arc<Value>,
}

impl Behind {
    /// For `desk`, as `document` describes it.
    pub(super) fn new(desk: Desk, document: Value) -> Self {
        Self { desk, readers: Arc::new(Semaphore::new(MAX_READERS)), document: Arc::new(document) }
    }
}

pub(super) type Done = Result<Response, Problem>;

/// What the path names.
pub(super) struct Name(pub(super) String);

impl Name {
    /// The name, as `check` has it.
    pub(super) fn checked<T>(&self, check: fn(&str) -> Result<T, BadId>) -> Result<T, Problem> {
        named(&self.0, check)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Name {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let name = Path::<String>::from_request_parts(parts, state).await;
        name.map(|Path(name)| Self(name))
            .map_err(|_| Problem::invalid("the name in the address is no text in UTF-8"))
    }
}

/// The parameters behind the `?`.
pub(super) struct Asked<T>(pub(super) T);

impl<T: DeserializeOwned, S: Send + Sync> FromRequestParts<S> for Asked<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let asked = Query::<T>::from_request_parts(parts, state).await;
        asked.map(|Query(asked)| Self(asked)).map_err(|wrong| Problem::invalid(wrong.body_text()))
    }
}

/// `text`, which the address has, as `check` has it.
pub(super) fn named<T>(text: &str, check: fn(&str) -> Result<T, BadId>) -> Result<T, Problem> {
    check(text).map_err(|why| Problem::invalid(format!("the name in the address {why}")))
}

/// The request with its body in hand, which has to be JSON: a page in a browser cannot send that without asking first.
pub(super) async fn with_its_body(request: Request) -> Result<Request, Problem> {
    let (parts, body) = request.into_parts();
    let kind = parts.headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if !kind.eq_ignore_ascii_case("application/json") {
        let detail = "the header Content-Type must be application/json";
        return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "media_type", detail));
    }
    match timeout(BODY_WITHIN, read(&parts.headers, body)).await {
        Ok(read) => Ok(Request::from_parts(parts, Body::from(read?))),
        Err(_) => {
            let detail = format!("the body did not come within {} s", BODY_WITHIN.as_secs());
            Err(Problem::new(StatusCode::REQUEST_TIMEOUT, "too_slow", detail))
        }
    }
}

async fn read(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, Problem> {
    let too_large = || {
        let detail = format!("the body may have {MAX_COMMAND_BYTES} bytes");
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail)
    };
    let told =
        headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if told.is_some_and(|length| length > MAX_COMMAND_BYTES) {
        return Err(too_large());
    }
    let (mut whole, mut pieces) = (Vec::new(), body.into_data_stream());
    while let Some(piece) = pieces.next().await {
        let piece = piece
            .map_err(|_| Problem::invalid("the body breaks off, or is not framed as its headers say"))?;
        if whole.len() + piece.len() > MAX_COMMAND_BYTES {
            return Err(too_large());
        }
        whole.extend_from_slice(&piece);
    }
    Ok(whole)
}

/// The object `body` with what the address names as its first member. A number in it stays the digits that it is
/// written with, and the same member in the body is noticed, since it then stands there twice.
pub(super) fn with_member(name: &str, value: &str, body: &Bytes) -> Vec<u8> {
    let Some(rest) = body.trim_ascii_start().strip_prefix(b"{") else { return body.to_vec() };
    let comma = if rest.trim_ascii_start().starts_with(b"}") { "" } else { "," };
    let mut whole = format!("{{\"{name}\":{}{comma}", json!(value)).into_bytes();
    whole.extend_from_slice(rest);
    whole
}

/// The id that the header, the body or both give.
pub(super) fn one_id<T: PartialEq>(
    headers: &HeaderMap,
    in_body: Option<T>,
    check: fn(&str) -> Result<T, BadId>,
) -> Result<Option<T>, Problem> {
    let mut keys = headers.get_all(IDEMPOTENCY_KEY).iter();
    let Some(key) = keys.next() else { return Ok(in_body) };
    if keys.next().is_some() {
        return Err(Problem::invalid("the header Idempotency-Key stands there twice"));
    }
    let text = key.to_str().unwrap_or_default();
    let bare = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(text);
    let id = check(bare).map_err(|why| Problem::invalid(format!("the header Idempotency-Key {why}")))?;
    match in_body {
        Some(other) if other != id => Err(Problem::invalid("Idempotency-Key and the id in the body differ")),
        _ => Ok(Some(id)),
    }
}

/// What an answer says: the bare object, or why not.
pub(super) fn done(answer: Answer, status: StatusCode) -> Done {
    let body = match &answer {
        Answer { ok: true, order: Some(order), .. } => json::bytes(order),
        Answer { ok: true, payment: Some(payment), .. } => json::bytes(payment),
        Answer { ok: true, account: Some(account), .. } => json::bytes(account),
        Answer { ok: true, item: Some(item), .. } => json::bytes(item),
        _ => return Err(Problem::refused(answer)),
    };
    Ok((status, JSON, body).into_response())
}

const JSON: [(header::HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];

/// An object that the view shows.
pub(super) fn said(object: &impl Serialize) -> Response {
    (JSON, json::bytes(object)).into_response()
}
