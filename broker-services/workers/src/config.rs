//! The settings: `config/skstore.toml`, then a file, the environment and flags on top of it.
//!
//! The commented file is built in and is the only place that holds defaults; [`keys`] says what each of its keys
//! may be, and [`settings`] holds the result as types. Every value remembers where it came from, so that a
//! mistake is reported with its place and with what is allowed there.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use ::config::{FileFormat, Value, ValueKind};

use crate::files;

pub mod address;
mod given;
pub mod keys;
mod logins;
pub mod settings;
mod url;

pub use given::{ConfigError, Origin};
use given::{Setting, Settings, bad, fill, text};
pub use settings::{
    Allowed, Ascii, Config, FaultsConfig, GatewayConfig, Language, LogConfig, LogFormat, LogLevel,
    ServiceConfig, Theme, TimeShown,
};
pub use url::{BusUrl, StoreUrl, ViewUrl};

/// The built-in defaults, with the comments that explain them.
pub const DEFAULTS: &str = include_str!("../../../config/skstore.toml");

/// What environment variables of ours start with; `__` stands for the dot of a key.
pub const ENVIRONMENT_PREFIX: &str = "SKSTORE__";

/// Where settings may come from, lowest first. The built-in file lies below all of them.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    /// A file that must be there. Without one, `$XDG_CONFIG_HOME/skstore/skstore.toml` is read if it is there.
    pub file: Option<PathBuf>,
    /// The process's environment, or whatever else shall stand for it. An empty value counts as unset.
    pub environment: Vec<(OsString, OsString)>,
    /// Keys and values of the command line, the last one winning.
    pub flags: Vec<(String, String)>,
}

impl Sources {
    /// Where a user's file is read from without a [`Self::file`], if it is there.
    #[must_use]
    pub fn usual_file(&self) -> Option<PathBuf> {
        let dir = self.xdg_dir("XDG_CONFIG_HOME", ".config")?;
        Some(dir.join("skstore").join("skstore.toml"))
    }

    /// The value of an environment variable, unless it is empty or not Unicode.
    fn variable(&self, name: &str) -> Option<&str> {
        let found = self.environment.iter().find(|(variable, _)| variable == name);
        found.and_then(|(_, value)| value.to_str()).filter(|value| !value.is_empty())
    }

    /// The directory that an XDG variable names, else its place below the home directory.
    fn xdg_dir(&self, variable: &str, below_home: &str) -> Option<PathBuf> {
        // The specification wants relative paths in these variables to be ignored.
        let named = self.variable(variable).map(PathBuf::from).filter(|path| path.is_absolute());
        named.or_else(|| self.variable("HOME").map(|home| Path::new(home).join(below_home)))
    }
}

impl Config {
    /// Reads the settings from `sources`.
    ///
    /// Touches nothing but the configuration file, and files of passwords that are named: the environment is what it is handed. Paths come out
    /// complete: `data_dir`, the stores' URLs and `log.file` are filled in where they were left empty.
    ///
    /// # Errors
    /// [`ConfigError`] names the first key that is unknown or wrong, where it stands, and what it may be.
    pub fn load(sources: &Sources) -> Result<Self, ConfigError> {
        let mut settings = Settings::new();
        add_toml(&mut settings, DEFAULTS, &Origin::BuiltIn)?;
        if let Some((path, text)) = read_file(sources)? {
            add_toml(&mut settings, &text, &Origin::File(path))?;
        }
        add_environment(&mut settings, sources)?;
        for (key, value) in &sources.flags {
            add(&mut settings, key, ValueKind::String(value.clone()), Origin::CommandLine)?;
        }
        check_together(&settings)?;
        let data_dir = fill_in_paths(&mut settings, sources)?;
        let logins = logins::take(&mut settings, &data_dir)?;
        let mut config = typed(settings)?;
        logins::enter(&mut config, logins);
        Ok(config)
    }
}

/// The user's file: the one that is named, which must be there, or the usual one if it is there.
fn read_file(sources: &Sources) -> Result<Option<(PathBuf, String)>, ConfigError> {
    let (path, required) = match &sources.file {
        Some(path) => (path.clone(), true),
        None => match sources.usual_file() {
            Some(path) => (path, false),
            None => return Ok(None),
        },
    };
    match files::read_text(&path) {
        Ok(text) => Ok(Some((path, text))),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !required => Ok(None),
        Err(error) => Err(ConfigError::Unreadable { path, cause: error.to_string() }),
    }
}

/// Reads a TOML text as a table, for this module and for the catalogue.
///
/// # Errors
/// What is wrong, with line and column.
pub(crate) fn read_toml(text: &str) -> Result<BTreeMap<String, Value>, String> {
    let file = ::config::File::from_str(text, FileFormat::Toml);
    let read = ::config::Config::builder().add_source(file).build().map_err(|error| error.to_string())?;
    let table = read.cache.into_table().map_err(|error| error.to_string())?;
    Ok(table.into_iter().collect())
}

fn add_toml(settings: &mut Settings, text: &str, origin: &Origin) -> Result<(), ConfigError> {
    let not_toml =
        |cause: String| ConfigError::NotToml { origin: origin.clone(), cause: without_excerpt(&cause) };
    for (key, value) in read_toml(text).map_err(not_toml)? {
        add_tree(settings, &key, value.kind, origin)?;
    }
    Ok(())
}

/// What a parser says of a text, without the line that it points to: that may hold a password.
fn without_excerpt(cause: &str) -> String {
    cause.lines().filter(|line| !line.contains('|')).map(str::trim).collect::<Vec<_>>().join(": ")
}

fn add_tree(
    settings: &mut Settings,
    path: &str,
    value: ValueKind,
    origin: &Origin,
) -> Result<(), ConfigError> {
    match value {
        ValueKind::Table(table) if keys::find(path).is_none() => {
            let sorted: BTreeMap<_, _> = table.into_iter().collect();
            if sorted.is_empty() && !keys::is_section(path) {
                return Err(unknown(path, origin.clone()));
            }
            sorted
                .into_iter()
                .try_for_each(|(key, value)| add_tree(settings, &format!("{path}.{key}"), value.kind, origin))
        }
        leaf => add(settings, path, leaf, origin.clone()),
    }
}

fn add_environment(settings: &mut Settings, sources: &Sources) -> Result<(), ConfigError> {
    for (variable, value) in &sources.environment {
        let Some(name) = variable.to_str() else { continue };
        let Some(rest) = name.strip_prefix(ENVIRONMENT_PREFIX) else { continue };
        let key = rest.to_ascii_lowercase().replace("__", ".");
        let origin = Origin::Environment(name.to_owned());
        match value.to_str() {
            Some("") => {}
            Some(text) => add(settings, &key, ValueKind::String(text.to_owned()), origin)?,
            None => return Err(bad(&key, origin, "is not Unicode".into())),
        }
    }
    Ok(())
}

fn add(settings: &mut Settings, key: &str, value: ValueKind, origin: Origin) -> Result<(), ConfigError> {
    let rule = match keys::find(key) {
        Some(known) => known.rule,
        None if keys::is_action(key) => keys::Rule::KeyNames,
        None => return Err(unknown(key, origin)),
    };
    match rule.check(value) {
        Ok(value) => {
            settings.insert(key.to_owned(), Setting { value, origin });
            Ok(())
        }
        Err(problem) => Err(bad(key, origin, problem)),
    }
}

fn unknown(key: &str, origin: Origin) -> ConfigError {
    ConfigError::UnknownKey { key: key.to_owned(), origin, known: keys::near(key) }
}

/// What no key can say alone.
fn check_together(settings: &Settings) -> Result<(), ConfigError> {
    let at_least = [
        ("breaker.window_ms", 0, "breaker.buckets"),
        ("sweeper.abort_after_ms", 1, "payment.timeout_ms"),
        ("retry.most_ms", 0, "retry.first_ms"),
    ];
    for (key, more, other) in at_least {
        let (ValueKind::I64(value), ValueKind::I64(min)) = (&settings[key].value, &settings[other].value)
        else {
            continue;
        };
        if *value < min + more {
            let than = if more == 0 { "at least" } else { "more than" };
            // Blame the key that was changed: the later source of the two.
            let changed = if settings[key].origin == Origin::BuiltIn { other } else { key };
            let problem = format!("does not fit: '{key}' ({value}) must be {than} '{other}' ({min})");
            return Err(bad(changed, settings[changed].origin.clone(), problem));
        }
    }
    listens_to_whom_it_knows(settings)
}

/// Whoever reaches the gateway may place orders: without tokens, that is this machine alone.
fn listens_to_whom_it_knows(settings: &Settings) -> Result<(), ConfigError> {
    let (listen, tokens) = ("gateway.listen", "gateway.tokens");
    let is_far = text(settings, listen).parse::<SocketAddr>().is_ok_and(|at| !at.ip().is_loopback());
    if is_far && text(settings, tokens).is_empty() {
        let problem = format!(
            "can be reached from other machines, where anybody may place orders: name a file of tokens in '{tokens}' \
             (`skstore-worker gateway token --help`), or listen at a loopback address, like 127.0.0.1:8080"
        );
        return Err(bad(listen, settings[listen].origin.clone(), problem));
    }
    Ok(())
}

/// Fills in the paths that were left empty, from `data_dir` down, which it hands back.
fn fill_in_paths(settings: &mut Settings, sources: &Sources) -> Result<PathBuf, ConfigError> {
    let data_dir = match text(settings, "data_dir") {
        "" => sources.xdg_dir("XDG_DATA_HOME", ".local/share").ok_or(ConfigError::NoHome)?.join("skstore"),
        given => match (given.strip_prefix("~/"), sources.variable("HOME")) {
            (Some(rest), Some(home)) => Path::new(home).join(rest),
            _ => PathBuf::from(given),
        },
    };
    let mut stores: Vec<(StoreUrl, &'static str)> = Vec::new();
    for (key, file) in keys::STORES {
        let url = match StoreUrl::try_from(text(settings, key).to_owned()) {
            Ok(url) => url.below(&data_dir),
            Err(_) => StoreUrl::Sqlite(data_dir.join(file)),
        };
        if let Some((_, other)) = stores.iter().find(|(taken, _)| taken.is_same_place(&url)) {
            let what = match url {
                StoreUrl::Sqlite(_) => "file",
                StoreUrl::Postgres(_) => "schema of a database (?schema=NAME names another)",
            };
            let problem = format!("names the same {what} as '{other}': each service needs one of its own");
            return Err(bad(key, settings[key].origin.clone(), problem));
        }
        if let StoreUrl::Sqlite(path) = &url {
            fill(settings, key, format!("{}{}", url::SQLITE, path.display()));
        }
        stores.push((url, key));
    }
    let tokens = text(settings, "gateway.tokens");
    if !tokens.is_empty() {
        fill(settings, "gateway.tokens", data_dir.join(tokens).display().to_string());
    }
    if text(settings, "log.file").is_empty() {
        fill(settings, "log.file", data_dir.join("skstore.log").display().to_string());
    }
    fill(settings, "data_dir", data_dir.display().to_string());
    Ok(data_dir)
}

/// Turns checked values into the typed form.
fn typed(settings: Settings) -> Result<Config, ConfigError> {
    let wrong = |error: ::config::ConfigError| ConfigError::Mismatch(error.to_string());
    let mut builder = ::config::Config::builder();
    for (key, setting) in settings {
        let origin = setting.origin.to_string();
        let value = Value::new(Some(&origin), setting.value);
        builder = builder.set_override(key, value).map_err(wrong)?;
    }
    let built = builder.build().and_then(::config::Config::try_deserialize);
    built.map_err(wrong)
}

#[cfg(test)]
mod tests;
