//! What can go wrong with SQLite, in words for the person who has to repair it.

use rusqlite::ErrorCode;

use crate::store::StoreError;

/// What went wrong, before it is said in which store.
#[derive(Debug)]
pub(super) enum Failure {
    /// SQLite said no.
    Sqlite(rusqlite::Error),
    /// What is there, or is asked for, is of no use: a sentence.
    Unusable(String),
    /// The file has another schema version than this program.
    Schema { found: i64, known: i64, remedy: &'static str },
    /// The decision contradicts itself: a sentence.
    Contradiction(String),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl Failure {
    /// As the port's error.
    pub(super) fn of(self, store: &str) -> StoreError {
        let store = store.to_owned();
        match self {
            Self::Schema { found, known, remedy } => StoreError::Schema { store, found, known, remedy },
            Self::Contradiction(cause) => StoreError::Contradiction { store, cause },
            failed @ (Self::Sqlite(_) | Self::Unusable(_)) => {
                StoreError::Failed { store, cause: failed.in_words() }
            }
        }
    }

    /// A sentence without the store.
    pub(super) fn in_words(self) -> String {
        match self {
            Self::Sqlite(error) => in_words(&error),
            Self::Unusable(cause) | Self::Contradiction(cause) => cause,
            Self::Schema { found, known, remedy } => {
                format!("it has schema version {found}; this program knows {known}. {remedy}")
            }
        }
    }
}

/// A sentence for what people can do something about, and SQLite's own words in any case.
pub(super) fn in_words(error: &rusqlite::Error) -> String {
    let Some(advice) = error.sqlite_error_code().and_then(advice) else {
        return error.to_string();
    };
    format!("{advice} (SQLite: {error})")
}

fn advice(code: ErrorCode) -> Option<&'static str> {
    match code {
        ErrorCode::DiskFull => Some("the disk is full; free some space"),
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked | ErrorCode::FileLockingProtocolFailed => {
            Some("another process has kept it locked for too long; see which one uses the file")
        }
        ErrorCode::ReadOnly => {
            Some("it is read-only; let this user write the file and the directory it is in")
        }
        ErrorCode::CannotOpen | ErrorCode::PermissionDenied => Some(
            "the file cannot be opened; see that it is no directory, and that this user may write it and \
             the directory it is in",
        ),
        ErrorCode::NotADatabase => {
            Some("the file is not an SQLite database; choose another path, or move the file away")
        }
        ErrorCode::DatabaseCorrupt => Some(
            "the file is damaged; stop the workers, and restore it from a backup or with sqlite3's .recover",
        ),
        ErrorCode::SystemIoFailure => {
            Some("reading or writing failed; see that the disk is healthy, has space and is within its quota")
        }
        ErrorCode::OutOfMemory => Some("there is no memory left"),
        _ => None,
    }
}
