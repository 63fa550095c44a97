//! Keeps pages in a browser from using the gateway of the machine that the browser runs on.
//!
//! A page may send some requests anywhere without being asked (CORS calls them simple), and may give its own name our
//! address (DNS rebinding). The first say where they come from, and the second for whom they are.

use axum::extract::Request;
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;

/// Lets a request through that names this machine, and comes from no page of another one.
pub(super) async fn only_from_here(request: Request, next: Next) -> Response {
    match check(request.headers()) {
        Ok(()) => next.run(request).await,
        Err(detail) => Problem::new(StatusCode::FORBIDDEN, "forbidden", detail).into_response(),
    }
}

fn check(headers: &HeaderMap) -> Result<(), &'static str> {
    let text = |name| headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let host = text(header::HOST).unwrap_or_default();
    if headers.get_all(header::HOST).iter().count() != 1 || !is_this_machine(host) {
        return Err("the header Host must name this machine: localhost, 127.0.0.1 or [::1]");
    }
    match text(header::ORIGIN) {
        Some(origin) if origin.strip_prefix("http://") != Some(host) => {
            Err("pages of other origins may not use this gateway")
        }
        _ => Ok(()),
    }
}

/// Whether `host` is this machine, with or without a port.
fn is_this_machine(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    };
    name.eq_ignore_ascii_case("localhost")
        || name == "[::1]"
        || name.parse::<std::net::Ipv4Addr>().is_ok_and(|address| address.is_loopback())
}
