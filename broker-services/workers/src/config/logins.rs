//! Users and passwords that stand apart from the URLs of the servers they are for: `bus.user`, `bus.password_file` and the
//! like. A URL is shown, copied and committed; a secret comes from elsewhere.

use std::path::Path;

use super::address::{Login, Password};
use super::given::{ConfigError, Settings, bad, text};
use super::settings::Config;
use super::url::{BusUrl, StoreUrl, ViewUrl};

/// A server that somebody has to log in at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    Bus,
    View,
    OrderStore,
    DepositStore,
    ItemStore,
}

const PLACES: [Place; 5] =
    [Place::Bus, Place::View, Place::OrderStore, Place::DepositStore, Place::ItemStore];

/// The three keys that may say how to log in.
struct Keys {
    user: String,
    password: String,
    password_file: String,
}

impl Place {
    const fn section(self) -> &'static str {
        match self {
            Self::Bus => "bus",
            Self::View => "view",
            Self::OrderStore => "order.store",
            Self::DepositStore => "deposit.store",
            Self::ItemStore => "item.store",
        }
    }

    fn keys(self) -> Keys {
        let key = |name: &str| format!("{}.{name}", self.section());
        Keys { user: key("user"), password: key("password"), password_file: key("password_file") }
    }

    /// Whether `url`, which is one of this place's, has a login of its own; nothing where nobody logs in.
    fn has_login(self, url: &str) -> Option<bool> {
        let url = url.to_owned();
        match self {
            Self::Bus => match BusUrl::try_from(url) {
                Ok(BusUrl::Amqp(address)) => Some(address.login().is_some()),
                Ok(BusUrl::Embedded) | Err(_) => None,
            },
            Self::View => match ViewUrl::try_from(url) {
                Ok(ViewUrl::Redis(address)) => Some(address.login().is_some()),
                Ok(ViewUrl::Embedded) | Err(_) => None,
            },
            Self::OrderStore | Self::DepositStore | Self::ItemStore => match StoreUrl::try_from(url) {
                Ok(StoreUrl::Postgres(address)) => Some(address.login().is_some()),
                Ok(StoreUrl::Sqlite(_)) | Err(_) => None,
            },
        }
    }
}

/// Takes all logins out of `settings`, whose URLs are checked. A relative file starts at `data_dir`.
///
/// # Errors
/// [`ConfigError::BadValue`] for what does not go together, and for a file that has no password now.
pub(super) fn take(settings: &mut Settings, data_dir: &Path) -> Result<Vec<(Place, Login)>, ConfigError> {
    let mut logins = Vec::new();
    for place in PLACES {
        if let Some(login) = login(settings, place, data_dir)? {
            logins.push((place, login));
        }
        let Keys { user, password, password_file } = place.keys();
        settings.retain(|key, _| ![&user, &password, &password_file].contains(&key));
    }
    Ok(logins)
}

fn login(settings: &Settings, place: Place, data_dir: &Path) -> Result<Option<Login>, ConfigError> {
    let keys = place.keys();
    let (user, given) = (text(settings, &keys.user), text(settings, &keys.password));
    let file = text(settings, &keys.password_file);
    let is_set = |key: &&String| !text(settings, key.as_str()).is_empty();
    let Some(first) = [&keys.user, &keys.password, &keys.password_file].into_iter().find(is_set) else {
        return Ok(None);
    };
    let wrong = |key: &str, problem: String| Err(bad(key, settings[key].origin.clone(), problem));
    let url = format!("{}.url", place.section());
    match place.has_login(text(settings, &url)) {
        None => return wrong(first, format!("is for a server, and '{url}' names none")),
        Some(true) => {
            return wrong(
                first,
                format!("says how to log in, and so does '{url}': leave it out in one of them"),
            );
        }
        Some(false) => {}
    }
    if user.is_empty() && place != Place::View {
        return wrong(first, format!("is the password of nobody: name its user in '{}'", keys.user));
    }
    let password = match (given, file) {
        ("", "") => {
            return wrong(
                first,
                format!("names a user without a password: name its file in '{}'", keys.password_file),
            );
        }
        (_, "") => Password::given(given.to_owned()),
        ("", _) => Password::InFile(data_dir.join(file)),
        (_, _) => {
            return wrong(
                &keys.password_file,
                format!("stands beside '{}': leave one of them out", keys.password),
            );
        }
    };
    match password.read() {
        Ok(_) => Ok(Some(Login { user: user.to_owned(), password })),
        Err(error) => wrong(&keys.password_file, format!("is of no use: {error}")),
    }
}

/// Puts what [`take`] took where it is for.
pub(super) fn enter(config: &mut Config, logins: Vec<(Place, Login)>) {
    for (place, login) in logins {
        let store = match place {
            Place::Bus => {
                if let BusUrl::Amqp(address) = &mut config.bus.url {
                    address.log_in(login);
                }
                continue;
            }
            Place::View => {
                if let ViewUrl::Redis(address) = &mut config.view.url {
                    address.log_in(login);
                }
                continue;
            }
            Place::OrderStore => &mut config.order.store.url,
            Place::DepositStore => &mut config.deposit.store.url,
            Place::ItemStore => &mut config.item.store.url,
        };
        if let StoreUrl::Postgres(address) = store {
            address.log_in(login);
        }
    }
}
