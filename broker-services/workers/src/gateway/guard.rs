//! Keeps pages in a browser from using the gateway of the machine that the browser runs on.
//!
//! A page may send some requests anywhere without being asked (CORS calls them simple), and may give its own name our
//! address (DNS rebinding). The first say where they come from, and the second for whom they are. A request with a token
//! is none of a page's, which can neither know one nor, without leave from us, send one.

use axum::http::{HeaderMap, HeaderName, Request, header};

/// Whether a request names this machine, and comes from no page of another one.
pub(super) fn only_from_here<B>(request: &Request<B>) -> Result<(), &'static str> {
    if request.headers().get_all(header::HOST).iter().count() != 1 || !is_this_machine(host(request)) {
        return Err("the header Host must name this machine: localhost, 127.0.0.1 or [::1]");
    }
    no_other_page(request)
}

/// Whether a request comes from no page of another origin.
pub(super) fn no_other_page<B>(request: &Request<B>) -> Result<(), &'static str> {
    let Some(origin) = request.headers().get(header::ORIGIN) else { return Ok(()) };
    let ours = ["http://", "https://"].map(|scheme| format!("{scheme}{}", host(request)));
    if ours.iter().any(|ours| ours.as_bytes() == origin.as_bytes()) {
        return Ok(());
    }
    Err("pages of other origins may not use this gateway")
}

/// For whom a request is: what its first line says, if that names a host, goes before the header (RFC 9112, 3.2.2).
fn host<B>(request: &Request<B>) -> &str {
    let of_line = request.uri().authority().map(|authority| authority.as_str());
    of_line.unwrap_or_else(|| text(request.headers(), header::HOST))
}

fn text(headers: &HeaderMap, name: HeaderName) -> &str {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default()
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
