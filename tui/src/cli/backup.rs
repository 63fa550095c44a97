//! `skstore backup`: a copy of each service's store, made while they are in use.
//!
//! Order comes first: each of its orders is then in the copies that follow with what it has cost and taken. What these have
//! beyond that, of orders that began meanwhile, the audit of the copies shows.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;
use skstore::text::fit::Side;
use skstore::text::numbers::grouped;
use skstore_domain::events::Source;
use skstore_workers::desk::config::{Config, StoreUrl};
use skstore_workers::desk::store::{Store, StoreError};

use super::columns::table;
use super::failure::Failure;
use super::labels;
use super::output::Output;
use super::stderr::tell;

#[derive(Debug, Args)]
pub(crate) struct BackupArguments {
    /// Where the copies go: `order.db`, `deposit.db` and `item.db`, none of which may be there
    directory: PathBuf,
}

/// One copy.
#[derive(Debug, Serialize)]
struct Copied {
    service: Source,
    file: PathBuf,
    /// Entries of its log.
    entries: u64,
    bytes: u64,
}

/// Copies all stores that the settings name.
///
/// # Errors
/// [`Failure::Unreachable`] for a store that cannot be copied; those before it are.
pub(crate) async fn run<W: Write>(
    arguments: &BackupArguments,
    config: &Config,
    out: &mut Output<W>,
) -> Result<(), Failure> {
    let directory = &arguments.directory;
    fs::create_dir_all(directory).map_err(|error| {
        Failure::Usage(format!("the directory {} cannot be made: {error}", directory.display()))
    })?;
    // All of them before any is made: a part of a backup is none.
    let is_there = |source: &&Source| file(directory, **source).exists();
    if let Some(source) = Source::ALL.iter().find(is_there) {
        let there = file(directory, *source);
        return Err(Failure::Usage(format!(
            "the copy {} is there already; name another directory, or move it away",
            there.display()
        )));
    }
    let mut copies = Vec::new();
    let is_a_file =
        |source: &&&Source| matches!(config.store_url((***source).into()), Some(StoreUrl::Sqlite(_)));
    let (files, elsewhere): (Vec<&Source>, Vec<&Source>) =
        Source::ALL.iter().partition(|source| is_a_file(&source));
    for source in if files.is_empty() { &elsewhere } else { &files } {
        copies.push(copy(**source, config, file(directory, **source)).await?);
    }
    for source in elsewhere {
        tell(&format!(
            "skstore: the store of {source} is in PostgreSQL, and is not among these copies: it is copied by pg_dump or \
             pg_basebackup"
        ));
    }
    out.list(&copies, |language, copies| {
        let headings = [
            (labels::SERVICE, Side::Left),
            (labels::ENTRIES, Side::Right),
            (labels::BYTES, Side::Right),
            (labels::FILE, Side::Left),
        ];
        let row = |copy: &Copied| {
            let file = copy.file.display().to_string();
            [copy.service.word().to_owned(), grouped(copy.entries), grouped(copy.bytes), file]
        };
        table(language, headings, copies.iter().map(row))
    })
}

fn file(directory: &Path, source: Source) -> PathBuf {
    directory.join(format!("{source}.db"))
}

async fn copy(service: Source, config: &Config, file: PathBuf) -> Result<Copied, Failure> {
    let failed = |error: StoreError| Failure::Unreachable(error.to_string());
    let Some(url) = config.store_url(service.into()) else {
        return Err(Failure::Unreachable(format!("{service} has no store")));
    };
    Store::back_up(url, &file).await.map_err(failed)?;
    // As somebody would read it who restores it.
    let copied = Store::open_to_read(&StoreUrl::Sqlite(file.clone())).await.map_err(failed)?;
    let entries = copied.log(i64::MAX..=i64::MAX, 1, 1).await.map_err(failed)?.last_seq;
    let bytes = fs::metadata(&file).map_or(0, |found| found.len());
    Ok(Copied { service, file, entries: u64::try_from(entries).unwrap_or(0), bytes })
}
