//! `skstore store copy`: takes a store to another place, and perhaps to another engine.

use std::io::Write;
use std::path::Path;

use clap::{Args, Subcommand};
use serde_json::{Value, json};
use skstore::text::fit::Side;
use skstore::text::numbers::grouped;
use skstore::text::{Language, Text};
use skstore_domain::signals::Service;
use skstore_workers::desk::clock::Clock;
use skstore_workers::desk::config::{Config, StoreUrl};
use skstore_workers::desk::process::holder_of;
use skstore_workers::desk::signals::Signals;
use skstore_workers::desk::store::copy::{Copied, CopyError, copy};
use tokio::time::Instant;

use super::columns::{fields, table};
use super::failure::Failure;
use super::labels;
use super::output::Output;

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Copy a store to another place, or to another engine, while nobody works on it
    ///
    /// A place is a URL as in the settings (sqlite:PATH, or postgres://USER:PASSWORD@HOST:PORT/DATABASE?schema=NAME), or order,
    /// deposit or item for the store that the settings name for that service: then no password stands on the command line.
    ///
    /// The copy is the same store, with the same history; the old one stays as it is. All of it is copied, or nothing.
    Copy(CopyArguments),
}

#[derive(Debug, Args)]
pub(crate) struct CopyArguments {
    /// The store to copy, on which no worker may be at work
    from: String,
    /// Where the copy goes: where no store is, or one that no worker has ever been at work on
    to: String,
}

/// Does `command`.
///
/// # Errors
/// [`Failure`]; nothing was copied then.
pub(crate) async fn run<W: Write>(
    command: &StoreCommand,
    config: &Config,
    out: &mut Output<W>,
) -> Result<(), Failure> {
    let StoreCommand::Copy(CopyArguments { from, to }) = command;
    // As clap would name them; it would repeat what was given, too.
    let place = |name: &str, given: &str| {
        config.store_at(given).map_err(|wrong| {
            Failure::Usage(format!(
                "the store <{name}> {wrong}. Or name that of the settings: order, deposit or item"
            ))
        })
    };
    let (from, to) = (place("FROM", from)?, place("TO", to)?);
    if from.is_same_place(&to) {
        return Err(Failure::Usage(format!("<FROM> and <TO> are the same store, {from}")));
    }
    nobody_has(config, &from, &to)?;
    let began_at = Instant::now();
    let mut signals = Signals::listen()?;
    let copied = tokio::select! {
        biased;
        () = signals.next() => {
            return Err(Failure::Stays(format!("it was told to end; nothing was copied to {to}")));
        }
        copied = copy(&from, &to, &Clock::System) => copied?,
    };
    let moved = Moved {
        from,
        to,
        copied,
        elapsed_ms: u64::try_from(began_at.elapsed().as_millis()).unwrap_or(u64::MAX),
    };
    out.one(&moved.to_json(config), |language| moved.to_text(language, config))
}

/// That no process without a broker has the directory of one of both, which has no need to tell others that it is at work.
fn nobody_has(config: &Config, from: &StoreUrl, to: &StoreUrl) -> Result<(), Failure> {
    let own = service_of(config, from).or(service_of(config, to)).map(|_| config.data_dir.as_path());
    let beside = |url: &'_ StoreUrl| match url {
        StoreUrl::Sqlite(path) => path.parent().map(Path::to_owned),
        StoreUrl::Postgres(_) => None,
    };
    let directories = own.map(Path::to_owned).into_iter().chain(beside(from)).chain(beside(to));
    for directory in directories {
        let holder = holder_of(&directory).map_err(|error| {
            Failure::Unreachable(format!("it cannot be seen who works in {}: {error}", directory.display()))
        })?;
        if let Some(holder) = holder {
            let directory = directory.display();
            return Err(Failure::Stays(format!(
                "the data in {directory} is in use by {holder}. Stop that one first"
            )));
        }
    }
    Ok(())
}

/// Whose store the settings say it is.
fn service_of(config: &Config, url: &StoreUrl) -> Option<Service> {
    let is_of = |service: &&Service| config.store_url(**service).is_some_and(|of| of.is_same_place(url));
    Service::ALL.iter().find(is_of).copied()
}

/// As the settings of any process may have it, without the password.
fn shown(url: &StoreUrl) -> String {
    let url = match url {
        StoreUrl::Sqlite(path) => {
            StoreUrl::Sqlite(std::path::absolute(path).unwrap_or_else(|_| path.clone()))
        }
        StoreUrl::Postgres(_) => url.clone(),
    };
    url.to_string()
}

/// What was done.
struct Moved {
    from: StoreUrl,
    to: StoreUrl,
    copied: Copied,
    elapsed_ms: u64,
}

impl Moved {
    fn to_json(&self, config: &Config) -> Value {
        let rows: Value =
            self.copied.rows.iter().map(|(table, rows)| ((*table).to_owned(), json!(rows))).collect();
        json!({
            "from": shown(&self.from),
            "to": shown(&self.to),
            "service": service_of(config, &self.from).or(service_of(config, &self.to)),
            "rows": rows,
            "digest": self.copied.digest,
            "elapsed_ms": self.elapsed_ms,
        })
    }

    fn to_text(&self, language: Language, config: &Config) -> String {
        let row = |(table, rows): &(&str, u64)| [(*table).to_owned(), grouped(*rows)];
        let headings = [(labels::TABLE, Side::Left), (labels::ROWS, Side::Right)];
        let rows = table(language, headings, self.copied.rows.iter().map(row));
        let seconds = std::time::Duration::from_millis(self.elapsed_ms).as_secs_f64();
        let about = fields(
            language,
            &[
                (labels::FROM, shown(&self.from)),
                (labels::TO, shown(&self.to)),
                (labels::TOOK, language.fill(Text::MeasuredSeconds, &[&seconds])),
            ],
        );
        let next = match (service_of(config, &self.to), service_of(config, &self.from)) {
            (Some(service), _) => language.fill(Text::StoreCopiedAsSet, &[&service]),
            (None, Some(service)) => language.fill(Text::StoreCopied, &[&service, &shown(&self.to)]),
            (None, None) => language.fill(Text::StoreCopied, &[&"SERVICE", &shown(&self.to)]),
        };
        format!("{rows}\n{about}\n{next}\n")
    }
}

impl From<CopyError> for Failure {
    fn from(error: CopyError) -> Self {
        match error {
            CopyError::InUse { .. } | CopyError::Taken { .. } => Self::Stays(error.to_string()),
            CopyError::Nothing { .. } => Self::NotFound(error.to_string()),
            CopyError::Differs { .. } => Self::Unwell(error.to_string()),
            CopyError::Failed { .. } => Self::Unreachable(error.to_string()),
        }
    }
}
