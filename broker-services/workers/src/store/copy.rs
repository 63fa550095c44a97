//! Takes a store to another place, and perhaps to another engine: all of its tables, as they were at one moment, so that it is
//! the same store there, with the same history.
//!
//! It is read page by page and written in one transaction. Before that is committed, what is in the new place is read again: as
//! many rows of each table, and the same digest of them. Nobody may work on the old one meanwhile, since what he commits would
//! be missing in the new one; and the new place must be one that nobody has heard of as another store.

use ring::digest::{Context, SHA256};
use skstore_domain::time::Timestamp;

use super::lease::{LEASE_LASTS, Lease};
use super::tables::{Cell, Columns, Filler, NotFilled, Reader, TABLES, Table};
use crate::clock::Clock;
use crate::config::StoreUrl;

/// Of whoever works on a store: its lease, the last of its entries, and the last of its incarnations.
const MARK: &str = "
    SELECT coalesce((SELECT value FROM meta WHERE key = 'relay_lease'), ''),
        coalesce((SELECT max(seq) FROM events), 0), coalesce((SELECT max(number) FROM openings), 0)";

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Copied {
    /// How many rows each table has.
    pub rows: Vec<(&'static str, u64)>,
    /// A SHA-256 over all of them, in hexadecimal: the same for stores that have the same in them, whichever engine has them.
    pub digest: String,
}

/// Why nothing was copied.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// One of both cannot be read or written.
    #[error("the store {store} cannot be {}: {cause}", if *is_read { "read" } else { "written" })]
    Failed {
        /// Its URL, without the password.
        store: String,
        /// Whether it is the one to be copied.
        is_read: bool,
        /// What is wrong, or what to do.
        cause: String,
    },
    /// Somebody works on the one that is to be copied.
    #[error("the store {store} is in use: {why}. Stop the workers of that service first, all of them")]
    InUse {
        /// Its URL, without the password.
        store: String,
        /// How that was noticed.
        why: String,
    },
    /// Nobody has ever worked on the one that is to be copied.
    #[error("the store {store} is empty: a worker has never worked on it, and there is nothing to copy")]
    Nothing {
        /// Its URL, without the password.
        store: String,
    },
    /// There is something where the copy was to be.
    #[error(
        "the store {store} holds something already, and was left as it is; name another place, or move that away"
    )]
    Taken {
        /// Its URL, without the password.
        store: String,
    },
    /// What was written is not what was read.
    #[error(
        "what came to the store {store} is not what was read, in its table {table}, and was undone; see that disks and memory \
         are healthy"
    )]
    Differs {
        /// The URL of the copy, without the password.
        store: String,
        /// The first table that differs.
        table: &'static str,
    },
}

/// Copies the store at `from` to the place `to`, where there must be none, or one that nobody has ever worked on. What it has
/// returned from survives a crash of the machine. Dropped before that it leaves nothing; it looks up between two pages.
///
/// # Errors
/// [`CopyError`]; nothing was written then.
pub async fn copy(from: &StoreUrl, to: &StoreUrl, clock: &Clock) -> Result<Copied, CopyError> {
    let source = Source::open(from, clock)?;
    let filler = Filler::begin(to).map_err(|why| match why {
        NotFilled::Taken => CopyError::Taken { store: to.to_string() },
        NotFilled::Failed(cause) => cannot_be_written(to, cause),
    })?;
    let read = source.pour_into(&filler, to).await?;
    let written = sum(|table, last| filler.page(table, last), |_, _| Ok(())).await;
    let written = written.map_err(|cause| cannot_be_written(to, cause))?;
    if let Some((of, _)) = read.iter().zip(&written).find(|(of, found)| of != found) {
        return Err(CopyError::Differs { store: to.to_string(), table: of.table });
    }
    source.check_unused().await?;
    filler.commit().map_err(|cause| cannot_be_written(to, cause))?;
    Ok(Copied::of(&read))
}

/// The digest of all that is in the store at `url`, as [`copy`] makes it.
///
/// # Errors
/// [`CopyError::Failed`].
pub async fn digest(url: &StoreUrl) -> Result<Copied, CopyError> {
    let failed = |cause| cannot_be_read(url, cause);
    let reader = Reader::open(url).map_err(failed)?;
    reader.check_whole().and_then(|()| reader.begin()).map_err(failed)?;
    let sums = sum(|table, last| reader.page(table, last), |_, _| Ok(())).await.map_err(failed)?;
    Ok(Copied::of(&sums))
}

fn cannot_be_read(url: &StoreUrl, cause: String) -> CopyError {
    CopyError::Failed { store: url.to_string(), is_read: true, cause }
}

fn cannot_be_written(url: &StoreUrl, cause: String) -> CopyError {
    CopyError::Failed { store: url.to_string(), is_read: false, cause }
}

/// The store that is copied, as it was at one moment.
struct Source<'a> {
    url: &'a StoreUrl,
    reader: Reader,
    mark: Mark,
    since: tokio::time::Instant,
}

/// What changes where somebody works.
#[derive(Debug, PartialEq, Eq)]
struct Mark {
    /// As it stands there; empty where there is none.
    lease: String,
    last_seq: i64,
    last_opening: i64,
}

impl<'a> Source<'a> {
    fn open(url: &'a StoreUrl, clock: &Clock) -> Result<Self, CopyError> {
        let failed = |cause| cannot_be_read(url, cause);
        let reader = Reader::open(url).map_err(failed)?;
        reader.check_whole().and_then(|()| reader.begin()).map_err(failed)?;
        let mark = Mark::of(&reader).map_err(failed)?;
        if let Some(why) = mark.says_who_works(clock.now()) {
            return Err(CopyError::InUse { store: url.to_string(), why });
        }
        if mark.last_opening == 0 {
            return Err(CopyError::Nothing { store: url.to_string() });
        }
        Ok(Self { url, reader, mark, since: tokio::time::Instant::now() })
    }

    /// Fills the other one, at `to`, with all that is in this one.
    async fn pour_into(&self, filler: &Filler, to: &StoreUrl) -> Result<Vec<Sum>, CopyError> {
        // Both fail in sentences; who did is known by where.
        let mut unwritten = None;
        let read = sum(
            |table, last| self.reader.page(table, last),
            |table, rows| {
                filler.insert(table, rows).map_err(|cause| {
                    unwritten = Some(cannot_be_written(to, cause));
                    String::new()
                })
            },
        )
        .await;
        read.map_err(|cause| unwritten.unwrap_or_else(|| cannot_be_read(self.url, cause)))
    }

    /// That nobody has worked on it since, whatever his clock says: whoever has a lease prolongs it.
    async fn check_unused(&self) -> Result<(), CopyError> {
        if !self.mark.lease.is_empty() {
            tokio::time::sleep_until(self.since + LEASE_LASTS).await;
        }
        let now = self.reader.end().and_then(|()| Mark::of(&self.reader));
        if now.map_err(|cause| cannot_be_read(self.url, cause))? == self.mark {
            return Ok(());
        }
        let why = "a worker has worked on it while it was copied".to_owned();
        Err(CopyError::InUse { store: self.url.to_string(), why })
    }
}

impl Mark {
    fn of(reader: &Reader) -> Result<Self, String> {
        let row = reader.rows(MARK, &[])?.pop().unwrap_or_default();
        let mut columns = Columns::of(row);
        let mark = Self { lease: columns.text(), last_seq: columns.number(), last_opening: columns.number() };
        columns.end().map(|()| mark)
    }

    /// Who has its lease, and for how long, in a sentence.
    fn says_who_works(&self, now: Timestamp) -> Option<String> {
        let lease = Lease::of(&self.lease).filter(|lease| lease.counts(now, LEASE_LASTS))?;
        let left = Timestamp(lease.until).since(now).as_millis();
        Some(format!(
            "{} has the right to relay its events. If that one was killed, this is over in {left} ms",
            lease.holder
        ))
    }
}

/// The rows of a table, added up.
#[derive(Debug, PartialEq, Eq)]
struct Sum {
    table: &'static str,
    rows: u64,
    digest: Vec<u8>,
}

/// Reads all tables by `page`, from the row after which it begins, has `take` take each page, and adds everything up.
async fn sum(
    page: impl Fn(&Table, Option<&[Cell]>) -> Result<Vec<Vec<Cell>>, String>,
    mut take: impl FnMut(&Table, Vec<Vec<Cell>>) -> Result<(), String>,
) -> Result<Vec<Sum>, String> {
    let mut sums = Vec::new();
    for table in &TABLES {
        let (mut count, mut digest, mut last) = (0, Context::new(&SHA256), None::<Vec<Cell>>);
        loop {
            // Whoever waits for this may have changed his mind.
            tokio::task::yield_now().await;
            let rows = page(table, last.as_deref())?;
            let Some(newest) = rows.last() else { break };
            last = Some(newest.clone());
            count += rows.len() as u64;
            rows.iter().flatten().for_each(|cell| add(&mut digest, cell));
            take(table, rows)?;
        }
        let digest = digest.finish().as_ref().to_vec();
        sums.push(Sum { table: table.name, rows: count, digest });
    }
    Ok(sums)
}

/// Each cell says what it is and how long, so that no two rows are the same bytes unless they are the same.
fn add(digest: &mut Context, cell: &Cell) {
    match cell {
        Cell::Null => digest.update(&[0]),
        Cell::Number(number) => {
            digest.update(&[1]);
            digest.update(&number.to_be_bytes());
        }
        Cell::Text(text) => {
            digest.update(&[2]);
            digest.update(&(text.len() as u64).to_be_bytes());
            digest.update(text.as_bytes());
        }
    }
}

impl Copied {
    fn of(sums: &[Sum]) -> Self {
        let mut whole = Context::new(&SHA256);
        sums.iter().for_each(|sum| whole.update(&sum.digest));
        let digest = whole.finish().as_ref().iter().map(|byte| format!("{byte:02x}")).collect();
        Self { rows: sums.iter().map(|sum| (sum.table, sum.rows)).collect(), digest }
    }
}
