//! Refusals as HTTP says them: a status, and a body of RFC 9457.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;
use skstore_domain::answers::{Answer, AnswerError, ErrorCode};
use skstore_domain::objects::Order;

use crate::desk::DeskError;
use crate::view::ViewError;

/// When to come back to a part that is away, in seconds: what a broker takes to be used again.
const RETRY_AFTER_S: u64 = 2;

/// Why a request is not done.
#[derive(Debug)]
pub(super) struct Problem {
    status: StatusCode,
    code: &'static str,
    detail: String,
    /// In whole seconds.
    retry_after: Option<u64>,
    /// How to say who one is, for those who have not.
    challenge: Option<&'static str>,
    /// The refused order, if there is one.
    order: Option<Box<Order>>,
}

impl Problem {
    pub(super) fn new(status: StatusCode, code: &'static str, detail: impl Into<String>) -> Self {
        Self { status, code, detail: detail.into(), retry_after: None, challenge: None, order: None }
    }

    /// The request itself is wrong.
    pub(super) fn invalid(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, ErrorCode::Invalid.word(), detail)
    }

    pub(super) fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, ErrorCode::NotFound.word(), detail)
    }

    /// Whoever asks may ask for nothing here, whoever it is.
    pub(super) fn forbidden(detail: &'static str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", detail)
    }

    /// Who asks may ask for other things.
    pub(super) fn role(detail: String) -> Self {
        let challenge = Some(r#"Bearer realm="skstore", error="insufficient_scope""#);
        Self { challenge, ..Self::new(StatusCode::FORBIDDEN, "forbidden", detail) }
    }

    /// Nobody knows who asks.
    pub(super) fn unauthorized(has_token: bool) -> Self {
        let (detail, challenge) = if has_token {
            ("this token is not known here", r#"Bearer realm="skstore", error="invalid_token""#)
        } else {
            ("a token is needed: Authorization: Bearer TOKEN", r#"Bearer realm="skstore""#)
        };
        Self { challenge: Some(challenge), ..Self::new(StatusCode::UNAUTHORIZED, "unauthorized", detail) }
    }

    /// Who asks has asked too often.
    pub(super) fn too_many(detail: &'static str, wait: Duration) -> Self {
        Self::new(StatusCode::TOO_MANY_REQUESTS, "too_many", detail).after(wait)
    }

    /// There is no room for it just now. Nothing happened.
    pub(super) fn busy(detail: &'static str, wait: Duration) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "busy", detail).after(wait)
    }

    fn after(self, wait: Duration) -> Self {
        Self { retry_after: Some(u64::try_from(wait.as_millis().div_ceil(1000)).unwrap_or(u64::MAX)), ..self }
    }

    /// It is worth another try soon.
    pub(super) fn come_back(self) -> Self {
        Self { retry_after: Some(RETRY_AFTER_S), ..self }
    }

    /// What `answer` refuses with.
    pub(super) fn refused(answer: Answer) -> Self {
        let missing = || AnswerError::new(ErrorCode::Internal, "the answer says neither what nor why not");
        let error = answer.error.unwrap_or_else(missing);
        let retry_after = error.retry_after_ms.map(|ms| ms.div_ceil(1000));
        let problem = Self::new(status(error.code), error.code.word(), error.message);
        Self { retry_after, order: answer.order.map(Box::new), ..problem }
    }
}

const fn status(code: ErrorCode) -> StatusCode {
    match code {
        ErrorCode::Invalid => StatusCode::BAD_REQUEST,
        ErrorCode::NotFound => StatusCode::NOT_FOUND,
        ErrorCode::Conflict | ErrorCode::Cancelled => StatusCode::CONFLICT,
        ErrorCode::Declined => StatusCode::PAYMENT_REQUIRED,
        ErrorCode::PaymentTimeout => StatusCode::GATEWAY_TIMEOUT,
        ErrorCode::TryLater => StatusCode::SERVICE_UNAVAILABLE,
        ErrorCode::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl From<DeskError> for Problem {
    fn from(error: DeskError) -> Self {
        let told = error.to_string();
        let repeat = format!("{told}: repeat it with the same id");
        match error {
            DeskError::NoAnswer { .. } => Self::new(StatusCode::GATEWAY_TIMEOUT, "no_answer", repeat),
            DeskError::Lost { .. } => Self::new(StatusCode::BAD_GATEWAY, "lost", repeat),
            DeskError::Unreachable(_) => {
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unreachable", told).come_back()
            }
        }
    }
}

impl From<ViewError> for Problem {
    fn from(error: ViewError) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unreachable", error.to_string()).come_back()
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": format!("/problems/{}", self.code),
            "title": self.status.canonical_reason().unwrap_or_default(),
            "status": self.status.as_u16(),
            "code": self.code,
            "detail": self.detail,
        });
        if let Some(order) = self.order {
            body["order"] = json!(order);
        }
        let media_type = [(header::CONTENT_TYPE, "application/problem+json")];
        let mut response = (self.status, media_type, body.to_string()).into_response();
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let Some(challenge) = self.challenge {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        response
    }
}
