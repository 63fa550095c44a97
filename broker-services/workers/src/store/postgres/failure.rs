//! What can go wrong with PostgreSQL, in words for the person who has to repair it.

use std::error::Error as _;
use std::time::Duration;

use tokio_postgres::Error;
use tokio_postgres::error::SqlState;

use crate::store::StoreError;
use crate::tls;

/// What went wrong, before it is said in which store.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server, or the way to it, said no.
    Postgres(Error),
    /// The server said nothing for so long.
    Silent(Duration),
    /// What is there, or is asked for, is of no use: a sentence.
    Unusable(String),
    /// The schema has another version than this program.
    Schema { found: i64, known: i64, remedy: &'static str },
    /// The decision contradicts itself: a sentence.
    Contradiction(String),
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Postgres(error)
    }
}

impl Failure {
    /// As the port's error.
    pub(super) fn of(self, store: &str) -> StoreError {
        let store = store.to_owned();
        match self {
            Self::Schema { found, known, remedy } => StoreError::Schema { store, found, known, remedy },
            Self::Contradiction(cause) => StoreError::Contradiction { store, cause },
            failed @ (Self::Postgres(_) | Self::Silent(_) | Self::Unusable(_)) => {
                StoreError::Failed { store, cause: failed.in_words() }
            }
        }
    }

    /// A sentence without the store.
    pub(super) fn in_words(self) -> String {
        match self {
            Self::Postgres(error) => in_words(&error),
            Self::Silent(within) => {
                format!(
                    "the server has not answered for {} s; see whether it is overloaded",
                    within.as_secs()
                )
            }
            Self::Unusable(cause) | Self::Contradiction(cause) => cause,
            Self::Schema { found, known, remedy } => {
                format!("it has schema version {found}; this program knows {known}. {remedy}")
            }
        }
    }

    /// Whether something is there already that was to be created.
    pub(super) fn is_taken(&self) -> bool {
        matches!(self, Self::Postgres(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION))
    }
}

/// A sentence for what people can do something about, and the server's own words in any case.
pub(super) fn in_words(error: &Error) -> String {
    // The library's own words come first, and the cause is what tells something.
    let said = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    match advice(error, &said) {
        Some(advice) => format!("{advice} (PostgreSQL: {said})"),
        None => format!("{said} (PostgreSQL)"),
    }
}

fn advice(error: &Error, said: &str) -> Option<&'static str> {
    let Some(code) = error.code() else {
        return tls::advice(said).or_else(|| about_the_way(said));
    };
    let known = [
        (SqlState::DISK_FULL, "the server's disk is full; free some space there"),
        (
            SqlState::READ_ONLY_SQL_TRANSACTION,
            "the server takes no writes; name the one that does, or all of its hosts",
        ),
        (
            SqlState::LOCK_NOT_AVAILABLE,
            "others have kept rows locked for too long; see which process stands still",
        ),
        (SqlState::QUERY_CANCELED, "the server took too long; see whether it is overloaded"),
        (SqlState::INVALID_PASSWORD, "the server does not know this user with this password"),
        (SqlState::INVALID_AUTHORIZATION_SPECIFICATION, "the server does not let this user in"),
        (SqlState::INVALID_CATALOG_NAME, "there is no such database; create it"),
        (
            SqlState::INSUFFICIENT_PRIVILEGE,
            "this user may not do that; grant it the schema, or the right to create it",
        ),
        (
            SqlState::TOO_MANY_CONNECTIONS,
            "the server has no connection left; raise max_connections, or run fewer workers",
        ),
        (SqlState::CANNOT_CONNECT_NOW, "the server is starting or stopping"),
        (SqlState::ADMIN_SHUTDOWN, "the server was shut down, or ended this connection"),
        (SqlState::CRASH_SHUTDOWN, "the server ended because of a crash, and starts again"),
    ];
    known.iter().find(|(known, _)| known == code).map(|(_, advice)| *advice)
}

fn about_the_way(said: &str) -> Option<&'static str> {
    let known = [
        ("refused", "nothing listens there; see that the server runs, and that host and port are right"),
        ("timed out", "it cannot be reached; see that the server runs, and that host and port are right"),
        ("lookup", "there is no host of that name"),
        ("allow writes", "none of its hosts takes writes now"),
        ("closed", "the connection was lost"),
    ];
    known.iter().find(|(part, _)| said.contains(part)).map(|(_, advice)| *advice)
}
