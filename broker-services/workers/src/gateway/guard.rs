//! Keeps pages in a browser from using the gateway of the machine that the browser runs on.
//!
//! A page may send some requests anywhere without being asked (CORS calls them simple), and may give its own name our
//! address (DNS rebinding). The first say where they come from, and the second for whom they are. A request with a token
//! is none of a page's, which can neither know one nor, without leave from us, send one.

use axum::http::{HeaderMap, HeaderName, header};

/// Whether a request names this machine, and comes from no page of another one.
pub(super) fn only_from_here(headers: &HeaderMap) -> Result<(), &'static str> {
    if headers.get_all(header::HOST).iter().count() != 1 || !is_this_machine(text(headers, header::HOST)) {
        return Err("the header Host must name this machine: localhost, 127.0.0.1 or [::1]");
    }
    no_other_page(headers)
}

/// Whether a request comes from no page of another origin.
pub(super) fn no_other_page(headers: &HeaderMap) -> Result<(), &'static str> {
    let ours = ["http://", "https://"].map(|scheme| format!("{scheme}{}", text(headers, header::HOST)));
    if headers.contains_key(header::ORIGIN) && !ours.iter().any(|ours| ours == text(headers, header::ORIGIN))
    {
        return Err("pages of other origins may not use this gateway");
    }
    Ok(())
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
