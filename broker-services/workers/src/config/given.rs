//! What was given: values by their keys, where each came from, and what is wrong with it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use ::config::ValueKind;

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The file that is built in.
    BuiltIn,
    /// A file of the user.
    File(PathBuf),
    /// An environment variable, by its name.
    Environment(String),
    /// A flag.
    CommandLine,
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::BuiltIn => f.write_str("the built-in defaults"),
            Self::File(path) => write!(f, "the file {}", path.display()),
            Self::Environment(name) => write!(f, "the environment variable {name}"),
            Self::CommandLine => f.write_str("the command line"),
        }
    }
}

/// Why there are no settings. All of it is for a person to correct.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("the configuration file {} cannot be read: {cause}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system said.
        cause: String,
    },
    /// The file is not TOML.
    #[error("{origin} is not valid TOML: {cause}")]
    NotToml {
        /// Which one.
        origin: Origin,
        /// Line, column and what is wrong there.
        cause: String,
    },
    /// There is no such key.
    #[error("unknown setting '{key}' from {origin}; {known}")]
    UnknownKey {
        /// As it was given.
        key: String,
        /// The file, variable or flag, and the line.
        origin: Origin,
        /// What there is instead.
        known: String,
    },
    /// The value is not one of those that the key allows.
    #[error("the setting '{key}' from {origin} {problem}")]
    BadValue {
        /// Which key.
        key: String,
        /// The file, variable or flag, and the line.
        origin: Origin,
        /// What it must be, and what it is.
        problem: String,
    },
    /// The built-in list of keys and the types that hold them differ: a mistake of ours.
    #[error("the settings do not fit this program, which is a mistake in it: {0}")]
    Mismatch(String),
    /// The system does not say where this user's data belongs.
    #[error("neither XDG_DATA_HOME nor HOME says where to keep data; give a directory with --data-dir")]
    NoHome,
}

/// A value and where it came from.
#[derive(Debug, Clone)]
pub(super) struct Setting {
    pub(super) value: ValueKind,
    pub(super) origin: Origin,
}

/// Every key with the value that counts.
pub(super) type Settings = BTreeMap<String, Setting>;

pub(super) fn bad(key: &str, origin: Origin, problem: String) -> ConfigError {
    ConfigError::BadValue { key: key.to_owned(), origin, problem }
}

pub(super) fn text<'a>(settings: &'a Settings, key: &str) -> &'a str {
    match settings.get(key).map(|setting| &setting.value) {
        Some(ValueKind::String(text)) => text,
        _ => "",
    }
}

pub(super) fn fill(settings: &mut Settings, key: &str, text: String) {
    if let Some(setting) = settings.get_mut(key) {
        setting.value = ValueKind::String(text);
    }
}
