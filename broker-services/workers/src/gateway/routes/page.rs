//! Pages: how many rows one has, and where the next begins.

use std::fmt::Write as _;

use axum::http::{HeaderValue, Uri, header};
use axum::response::Response;
use serde::{Deserialize, Serialize};

use crate::gateway::problem::Problem;
use crate::gateway::request::said;

/// Rows of a page, if it is not said.
const USUAL_ROWS: usize = 50;
/// Most rows of a page: what a view reads in some milliseconds.
const MAX_ROWS: usize = 200;

/// What a page by names is asked for with.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct After {
    /// The last name of the page before.
    pub(super) after: Option<String>,
    pub(super) limit: Option<usize>,
}

/// How many rows are asked for.
pub(super) fn rows(limit: Option<usize>) -> Result<usize, Problem> {
    match limit.unwrap_or(USUAL_ROWS) {
        rows @ 1..=MAX_ROWS => Ok(rows),
        _ => Err(Problem::invalid(format!("'limit' must be 1 to {MAX_ROWS}"))),
    }
}

/// The first `rows` of those that were read, which are one more if there are more, and the name of the last of them if so.
pub(super) fn cut<T>(mut read: Vec<T>, rows: usize, name: impl Fn(&T) -> &str) -> (Vec<T>, Option<String>) {
    let has_more = read.len() > rows;
    read.truncate(rows);
    let next = read.last().filter(|_| has_more).map(|last| name(last).to_owned());
    (read, next)
}

/// A page as it is answered; a link leads to the next, which has `next` as its parameter `from`.
pub(super) fn answer(page: &impl Serialize, uri: &Uri, from: &str, next: Option<&str>) -> Response {
    let mut response = said(page);
    let link = next.map(|next| {
        let others = uri.query().unwrap_or_default().split('&');
        let others = others.filter(|pair| !pair.is_empty() && pair.split('=').next() != Some(from));
        let others: String = others.map(|pair| format!("{pair}&")).collect();
        format!("<{}?{others}{from}={}>; rel=\"next\"", uri.path(), encoded(next))
    });
    // An address that came as one may stand in a header.
    if let Some(Ok(link)) = link.map(HeaderValue::try_from) {
        response.headers_mut().insert(header::LINK, link);
    }
    response
}

/// `text` as it may stand in an address.
fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // A text takes whatever is written.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_keeps_what_else_was_asked_and_can_be_followed_as_it_is() {
        let of = |asked: &str| {
            let answer = answer(&"", &asked.parse().unwrap(), "after", Some("김 a&b"));
            answer.headers()[header::LINK].to_str().unwrap().to_owned()
        };
        let name = "%EA%B9%80%20a%26b";
        assert_eq!(of("/accounts"), format!("</accounts?after={name}>; rel=\"next\""));
        let whole = format!("</accounts?limit=2&after={name}>; rel=\"next\"");
        assert_eq!(of("/accounts?after=x&limit=2"), whole);
        assert!(
            answer(&"", &"/accounts".parse().unwrap(), "after", None).headers().get(header::LINK).is_none()
        );
    }
}
