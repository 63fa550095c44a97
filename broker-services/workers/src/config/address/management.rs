//! Where a broker's management API is, and as whom to ask it.

use std::fmt;

use serde::Deserialize;

use super::encoding::encode;
use super::parts::{Endpoints, split};
use super::{AddressError, BrokerAddress, Endpoint, Login, Password};

/// What its URL begins with.
const HTTP: [&str; 2] = ["http://", "https://"];
/// Where the plugin listens unless it is told otherwise, without encryption and with it.
const PORTS: [u16; 2] = [15672, 15671];
/// In place of a URL: beside the broker, and nowhere.
const AUTO: &str = "auto";
const OFF: &str = "off";

/// Where it is to be asked: `auto`, `off`, or `http(s)://[USER:PASSWORD@]HOST[:PORT]`. Shown without the password.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum ManagementAt {
    /// On the broker's own hosts, at the plugin's usual port, with the user and the password of the bus.
    Beside,
    /// Nowhere: it is not to be asked.
    Off,
    /// Elsewhere; without a login, with that of the bus.
    Url {
        /// Whether the connection is encrypted.
        is_encrypted: bool,
        /// As whom.
        login: Option<Login>,
        /// Its hosts, tried in turn.
        endpoints: Vec<Endpoint>,
    },
}

impl ManagementAt {
    /// Reads a setting.
    ///
    /// # Errors
    /// [`AddressError`], which repeats nothing of it.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        match text {
            AUTO => return Ok(Self::Beside),
            OFF => return Ok(Self::Off),
            _ => {}
        }
        let scheme = AddressError::Scheme("http:// or https://, or be auto or off");
        let parts = split(text).map_err(|error| match error {
            AddressError::NoHost => scheme.clone(),
            other => other,
        })?;
        let is_encrypted = parts.is_encrypted(HTTP).ok_or(scheme)?;
        if !parts.path.is_empty() {
            return Err(AddressError::NoHost);
        }
        let [] = parts.parameters(&[], "there are none")?;
        let endpoints = parts.endpoints(PORTS[usize::from(is_encrypted)])?;
        Ok(Self::Url { is_encrypted, login: parts.login()?, endpoints })
    }

    /// What it takes to ask there about the broker at `bus`; nothing where it is not to be asked.
    #[must_use]
    pub fn seen_from(&self, bus: &BrokerAddress) -> Option<ManagementAddress> {
        let (is_encrypted, login, endpoints) = match self {
            Self::Off => return None,
            Self::Beside => {
                let port = PORTS[usize::from(bus.is_encrypted())];
                let beside = |broker: &Endpoint| Endpoint { host: broker.host.clone(), port };
                (bus.is_encrypted(), None, bus.endpoints().iter().map(beside).collect())
            }
            Self::Url { is_encrypted, login, endpoints } => (*is_encrypted, login.clone(), endpoints.clone()),
        };
        let of_bus = || (bus.user().to_owned(), bus.password());
        let (user, password) = login.map_or_else(of_bus, |login| (login.user, login.password));
        Some(ManagementAddress { is_encrypted, user, password, endpoints, vhost: bus.vhost().to_owned() })
    }
}

impl fmt::Display for ManagementAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Beside => f.write_str(AUTO),
            Self::Off => f.write_str(OFF),
            Self::Url { is_encrypted, login, endpoints } => {
                f.write_str(HTTP[usize::from(*is_encrypted)])?;
                login.iter().try_for_each(|login| write!(f, "{login}"))?;
                write!(f, "{}", Endpoints(endpoints))
            }
        }
    }
}

impl fmt::Debug for ManagementAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ManagementAt({self})")
    }
}

impl TryFrom<String> for ManagementAt {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        Self::parse(&text)
    }
}

/// What it takes to ask a management API about one virtual host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagementAddress {
    /// Whether the connection is encrypted.
    pub is_encrypted: bool,
    /// Who asks.
    pub user: String,
    /// That user's password.
    pub password: Password,
    /// Its hosts, tried in turn.
    pub endpoints: Vec<Endpoint>,
    /// The virtual host.
    pub vhost: String,
}

impl ManagementAddress {
    /// The virtual host as a part of a path.
    #[must_use]
    pub fn vhost_in_path(&self) -> String {
        encode(&self.vhost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_where_the_settings_say_and_otherwise_beside_the_broker() {
        const BUS: &str = "amqp://kim:p%40ss@rabbit:5673,[::1]:9/desk";
        let table = [
            (BUS, "auto", "kim:p@ss at rabbit:15672,[::1]:15672"),
            ("amqps://kim:x@r", "auto", "kim:x at encrypted r:15671"),
            (BUS, "http://other", "kim:p@ss at other:15672"),
            (BUS, "https://a:b%3Ac@other:8443/", "a:b:c at encrypted other:8443"),
        ];
        for (bus, at, expected) in table {
            let seen =
                ManagementAt::parse(at).unwrap().seen_from(&BrokerAddress::parse(bus).unwrap()).unwrap();
            let encrypted = if seen.is_encrypted { "encrypted " } else { "" };
            let (user, password, places) =
                (seen.user, seen.password.read().unwrap(), Endpoints(&seen.endpoints));
            let password = password.reveal();
            assert_eq!(format!("{user}:{password} at {encrypted}{places}"), expected, "{at} for {bus}");
        }
        let off = ManagementAt::parse("off").unwrap();
        assert_eq!(off.seen_from(&BrokerAddress::parse(BUS).unwrap()), None);
    }

    #[test]
    fn what_it_cannot_be_is_refused_and_what_it_is_shown_without_the_password() {
        for wrong in
            ["", "on", "ftp://kim:hunter2@mq", "http://", "http://kim:hunter2@mq/api", "http://mq?a=1"]
        {
            let error = ManagementAt::parse(wrong).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{wrong}: {error}");
        }
        let table = [("auto", "auto"), ("off", "off"), ("http://kim:hunter2@mq", "http://kim:***@mq:15672")];
        for (given, shown) in table {
            let at = ManagementAt::parse(given).unwrap();
            assert_eq!(
                (at.to_string(), format!("{at:?}")),
                (shown.to_owned(), format!("ManagementAt({shown})"))
            );
        }
    }
}
