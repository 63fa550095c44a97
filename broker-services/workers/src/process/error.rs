//! Why a process does not start, in sentences for the person who has to mend it.

use std::fmt;
use std::path::PathBuf;

use skstore_domain::signals::Service;

use crate::bus::BusError;
use crate::catalog::CatalogError;
use crate::store::StoreError;
use crate::view::ViewError;

/// Who holds a data directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder(pub(super) Option<(u32, String)>);

impl Holder {
    /// Whether it has said who it is: workers over a broker do not, as any of them may be the last.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        self.0.is_some()
    }
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Some((pid, command)) => write!(f, "'{command}' (process {pid})"),
            None => f.write_str("another process, or workers over a broker"),
        }
    }
}

/// Why the process cannot start. All of it is for a person to mend; see [`StartError::may_heal`].
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Some of the workers would have nobody to talk to.
    #[error(
        "the embedded bus ends at this process, so it must have all workers, not only {0}. Name all four, or set \
         bus.url to a broker that all processes share (amqp://…)"
    )]
    Alone(String),
    /// The broker cannot be used.
    #[error("cannot use the message bus {url}: {error}")]
    Bus {
        /// Its URL, without the password.
        url: String,
        /// What is wrong.
        error: BusError,
    },
    /// Nobody else could see the view.
    #[error(
        "bus.url is a broker, whose workers are several processes, but view.url is embedded, which only one of \
         them would see. Set view.url to one that they share (redis://…)"
    )]
    Unseen,
    /// Somebody else works on that data.
    #[error(
        "{} is in use by {holder}{}. Stop that one, or give this one another --data-dir",
        path.display(),
        why.as_ref().map(|why| format!(", and {why}")).unwrap_or_default()
    )]
    Held {
        /// The data directory.
        path: PathBuf,
        /// The process that holds it.
        holder: Holder,
        /// Why its workers cannot be used from here.
        why: Option<String>,
    },
    /// The data directory cannot be used.
    #[error("cannot use the data directory {}: {cause}", path.display())]
    DataDir {
        /// The data directory.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// The catalogue cannot be read.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// A store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The view cannot be opened.
    #[error(transparent)]
    View(#[from] ViewError),
    /// A thread did not start.
    #[error("cannot start the thread that reads the services' logs: {0}")]
    Books(String),
    /// A thread did not start.
    #[error("cannot start the {service} worker: {cause}")]
    Thread {
        /// The service.
        service: Service,
        /// What the system said.
        cause: String,
    },
}

impl StartError {
    /// Whether the settings or the catalogue are what is wrong: a mistake in how it was called.
    #[must_use]
    pub const fn is_usage(&self) -> bool {
        matches!(self, Self::Alone(_) | Self::Unseen | Self::Catalog(_))
    }

    /// Whether it may be mended without other settings, so that it is worth trying again: a broker that is down, full or has
    /// no such user yet, a full disk, somebody else who works on the data.
    #[must_use]
    pub const fn may_heal(&self) -> bool {
        match self {
            Self::Bus { .. }
            | Self::Held { .. }
            | Self::DataDir { .. }
            | Self::View(_)
            | Self::Books(_)
            | Self::Thread { .. }
            | Self::Store(StoreError::Failed { .. }) => true,
            Self::Alone(_)
            | Self::Unseen
            | Self::Catalog(_)
            | Self::Store(
                StoreError::Url { .. } | StoreError::Schema { .. } | StoreError::Contradiction { .. },
            ) => false,
        }
    }
}
