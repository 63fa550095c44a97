//! Requests over HTTP to what the compose file publishes on this machine.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// How long one may take.
const WITHIN: Duration = Duration::from_secs(10);

/// Asks whoever listens at `port`, with the value of `Authorization` where there is one; gives the status and the object of the
/// answer.
///
/// # Errors
/// A sentence where nobody answers.
pub(super) fn ask(
    port: u16,
    line: &str,
    authorization: Option<&str>,
    body: Option<&Value>,
) -> Result<(u16, Value), String> {
    let body = body.map(Value::to_string).unwrap_or_default();
    let authorization = authorization.map(|value| format!("Authorization: {value}\r\n")).unwrap_or_default();
    let request = format!(
        "{line} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n{authorization}Content-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    let answer = exchange(port, &request).map_err(|error| format!("{line} at port {port}: {error}"))?;
    read(&answer).ok_or_else(|| format!("{line} at port {port}: no answer over HTTP: {answer}"))
}

fn exchange(port: u16, request: &str) -> std::io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&SocketAddr::from((Ipv4Addr::LOCALHOST, port)), WITHIN)?;
    stream.set_read_timeout(Some(WITHIN))?;
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// The status and the object of an answer. What comes in pieces has their lengths on lines of their own.
fn read(answer: &str) -> Option<(u16, Value)> {
    let (head, body) = answer.split_once("\r\n\r\n")?;
    let status = head.split(' ').nth(1)?.parse().ok()?;
    let object = body.find(['{', '[']).map(|at| &body[at..]).unwrap_or_default();
    let mut objects = serde_json::Deserializer::from_str(object).into_iter();
    Some((status, objects.next().and_then(Result::ok).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_whole_in_pieces_or_empty() {
        let read = |rest: &str| read(&format!("HTTP/1.1 201 Created\r\nContent-Length: 8\r\n\r\n{rest}"));
        let object = serde_json::json!({"a": 1});
        assert_eq!(read("{\"a\":1}\n"), Some((201, object.clone())));
        assert_eq!(read("7\r\n{\"a\":1}\r\n0\r\n\r\n"), Some((201, object)));
        assert_eq!(read(""), Some((201, Value::Null)));
        assert_eq!(super::read("SSH-2.0"), None);
    }
}
