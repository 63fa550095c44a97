//! Asks a gateway on this machine whether it is of use: for health checks of containers, whose images have no other client.

use std::io::{self, Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

use crate::config::GatewayConfig;

/// How long connecting, and each part of the answer, may take: what a health check of a container has time for.
const WITHIN: Duration = Duration::from_secs(3);
/// The longest answer that is read, in bytes: a problem with its sentence, several times over.
const MAX_BYTES: u64 = 16 * 1024;

/// Whether the gateway that listens as `settings` have it can be used.
///
/// # Errors
/// A sentence that says why not.
pub fn check(settings: &GatewayConfig) -> Result<(), String> {
    let at = on_this_machine(settings.listen());
    let answer = ask(at).map_err(|error| format!("the gateway at {at} does not answer: {error}"))?;
    match answer.split_once("\r\n\r\n") {
        Some((head, _)) if head.starts_with("HTTP/1.1 200 ") => Ok(()),
        Some((_, problem)) => Err(format!("the gateway at {at} is not ready: {}", sentence(problem))),
        None => Err(format!("what is at {at} does not speak HTTP")),
    }
}

/// Where whoever listens at `address` can be reached from here.
const fn on_this_machine(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

fn ask(at: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&at, WITHIN)?;
    stream.set_read_timeout(Some(WITHIN))?;
    stream.set_write_timeout(Some(WITHIN))?;
    stream.write_all(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.take(MAX_BYTES).read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// What a problem says for people.
fn sentence(problem: &str) -> String {
    let problem: serde_json::Value = serde_json::from_str(problem).unwrap_or_default();
    problem["detail"].as_str().unwrap_or("it does not say why").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_listens_everywhere_is_asked_here() {
        for (listens, asked) in [
            ("0.0.0.0:8080", "127.0.0.1:8080"),
            ("[::]:8080", "[::1]:8080"),
            ("127.0.0.5:1", "127.0.0.5:1"),
            ("10.0.0.1:80", "10.0.0.1:80"),
        ] {
            assert_eq!(on_this_machine(listens.parse().unwrap()), asked.parse().unwrap(), "{listens}");
        }
    }
}
