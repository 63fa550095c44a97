//! Takes a URL apart, in the one way in which no password can be taken for something else; and the parts that every
//! address has: hosts and a login.

use std::fmt;
use std::net::Ipv6Addr;
use std::ops::RangeInclusive;

use super::encoding::decode;
use super::error::AddressError;
use super::login::{Login, Password};

/// Longest host name, in bytes: what the domain name system has.
const MAX_HOST_BYTES: usize = 253;
/// Longest name of a parameter that is repeated, in bytes.
const MAX_SHOWN_BYTES: usize = 32;

/// One host and its port.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Endpoint {
    /// A name or an address; one of version 6 is without its brackets.
    pub host: String,
    /// Its port.
    pub port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

/// Hosts with commas between them.
pub(super) struct Endpoints<'a>(pub(super) &'a [Endpoint]);

impl fmt::Display for Endpoints<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, endpoint) in self.0.iter().enumerate() {
            let comma = if at == 0 { "" } else { "," };
            write!(f, "{comma}{endpoint}")?;
        }
        Ok(())
    }
}

/// The parts of a URL, still encoded.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    /// Before `://`.
    scheme: &'a str,
    login: Option<&'a str>,
    hosts: &'a str,
    /// Without its first slash.
    pub(super) path: &'a str,
    query: &'a str,
}

/// Takes `url` apart. Whatever separates its parts may just as well belong to a password that is not encoded; so the only
/// `@` stands before the hosts, and there is no `#`.
pub(super) fn split(url: &str) -> Result<Parts<'_>, AddressError> {
    let (scheme, rest) = url.split_once("://").ok_or(AddressError::NoHost)?;
    let (authority, behind) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let (login, hosts) = match authority.split_once('@') {
        Some((login, hosts)) => (Some(login), hosts),
        None => (None, authority),
    };
    if rest.contains('#') || behind.contains('@') || hosts.contains('@') {
        return Err(AddressError::Unencoded);
    }
    let (path, query) = behind.split_once('?').unwrap_or((behind, ""));
    Ok(Parts { scheme, login, hosts, path: path.strip_prefix('/').unwrap_or(path), query })
}

impl Parts<'_> {
    /// Which of two schemes it is: the plain one or the encrypted one.
    pub(super) fn is_encrypted(&self, schemes: [&str; 2]) -> Option<bool> {
        let is = |scheme: &str| scheme.strip_suffix("://") == Some(self.scheme);
        let [plain, encrypted] = schemes.map(is);
        (plain || encrypted).then_some(encrypted)
    }

    /// User and password, decoded.
    pub(super) fn login(&self) -> Result<Option<Login>, AddressError> {
        let Some(login) = self.login else { return Ok(None) };
        let (user, password) = login.split_once(':').ok_or(AddressError::NoPassword)?;
        Ok(Some(Login { user: decode(user)?, password: Password::given(decode(password)?) }))
    }

    /// The hosts, one at least.
    pub(super) fn endpoints(&self, default_port: u16) -> Result<Vec<Endpoint>, AddressError> {
        self.hosts.split(',').map(|host| endpoint(host, default_port)).collect()
    }

    /// The numbers that the parameters have that there are. `known` tells of them in words.
    pub(super) fn parameters<const COUNT: usize>(
        &self,
        parameters: &[(&'static str, RangeInclusive<u32>); COUNT],
        known: &'static str,
    ) -> Result<[Option<u32>; COUNT], AddressError> {
        let mut numbers = [None; COUNT];
        let given = self.words(&parameters.each_ref().map(|(name, _)| *name), known)?;
        for ((number, words), (name, range)) in numbers.iter_mut().zip(given).zip(parameters) {
            *number = match words[..] {
                [] => continue,
                [word] => word.parse().ok().filter(|number| range.contains(number)),
                _ => None,
            };
            if number.is_none() {
                return Err(AddressError::Value { name, min: *range.start(), max: *range.end() });
            }
        }
        Ok(numbers)
    }

    /// Whatever the parameters `names` are given as, in their order. `known` tells of them in words.
    pub(super) fn words<const COUNT: usize>(
        &self,
        names: &[&'static str; COUNT],
        known: &'static str,
    ) -> Result<[Vec<&str>; COUNT], AddressError> {
        let mut words = [const { Vec::new() }; COUNT];
        for pair in self.query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let at = names.iter().position(|known| *known == name);
            words[at.ok_or_else(|| AddressError::Parameter(self.shown(name), known))?].push(value);
        }
        Ok(words)
    }

    /// A parameter as a sentence may name it: without a login, `?` may be in the midst of a password.
    fn shown(&self, name: &str) -> String {
        let is_name = name.len() <= MAX_SHOWN_BYTES
            && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_');
        if self.login.is_some() && is_name && !name.is_empty() {
            format!("a parameter '{name}'")
        } else {
            "a parameter".to_owned()
        }
    }
}

fn endpoint(text: &str, default_port: u16) -> Result<Endpoint, AddressError> {
    let (host, port) = match text.strip_prefix('[') {
        Some(rest) => {
            let (host, port) = rest.split_once(']').ok_or(AddressError::Brackets)?;
            host.parse::<Ipv6Addr>().map_err(|_| AddressError::Brackets)?;
            (host, port)
        }
        None => {
            let (host, port) = text.split_at(text.find(':').unwrap_or(text.len()));
            if port.matches(':').count() > 1 {
                return Err(AddressError::Brackets);
            }
            let is_named = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
            if host.is_empty() || host.len() > MAX_HOST_BYTES || !host.bytes().all(is_named) {
                return Err(AddressError::NoHost);
            }
            (host, port)
        }
    };
    let port = match port.strip_prefix(':') {
        Some(digits) if !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit()) => {
            digits.parse().ok().filter(|port| *port > 0).ok_or(AddressError::Port)?
        }
        None if port.is_empty() => default_port,
        _ => return Err(AddressError::Port),
    };
    Ok(Endpoint { host: host.to_owned(), port })
}
