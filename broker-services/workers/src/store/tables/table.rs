//! Which tables a store has, and how each is read page by page, in the order of its keys, and filled.

use super::cells::Cell;

/// Rows of a page, at most.
const PAGE_ROWS: i64 = 2_000;
/// Texts of a page of large rows, at most, in bytes; a page has one row in any case. Two pages are in memory at a time: the one
/// that was read, and the same on its way.
pub(super) const PAGE_BYTES: i64 = 8 << 20;

/// What a column has in it, or nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::store) enum Kind {
    Text,
    Number,
}

/// A table. In what is read of it, the columns of its key come first.
#[derive(Debug)]
pub(in crate::store) struct Table {
    pub(in crate::store) name: &'static str,
    pub(super) kinds: &'static [Kind],
    /// How many columns the key has.
    key: usize,
    /// Its parameters are the key after which the page begins, and [`PAGE_ROWS`].
    page: &'static str,
    /// The same where rows may be large, without those that come after [`PAGE_BYTES`], its last parameter: a server would send
    /// them all, while SQLite reads a row when it is asked for the next one, and would sort them for this.
    measured_page: Option<&'static str>,
    pub(super) into_sqlite: &'static str,
    /// Its parameters are whole columns.
    pub(super) into_postgres: &'static str,
}

/// All of them, without what a copy has of its own: who relays the events of a store, and which version of its engine's tables
/// it has.
pub(in crate::store) const TABLES: [Table; 5] = [
    Table {
        name: "meta",
        kinds: &[Kind::Text, Kind::Text],
        key: 1,
        page: "SELECT key, value FROM meta
               WHERE key > $1 AND key NOT IN ('schema_version', 'relay_lease') ORDER BY key LIMIT $2",
        measured_page: None,
        into_sqlite: "INSERT INTO meta (key, value) VALUES (?1, ?2)",
        into_postgres: "INSERT INTO meta (key, value) SELECT * FROM unnest($1::text[], $2::text[])",
    },
    Table {
        name: "aggregates",
        kinds: &[Kind::Text, Kind::Text, Kind::Number, Kind::Text, Kind::Number],
        key: 2,
        page: "SELECT kind, id, revision, body, due FROM aggregates
               WHERE (kind, id) > ($1, $2) ORDER BY kind, id LIMIT $3",
        measured_page: Some(
            "SELECT kind, id, revision, body, due FROM (
                   SELECT kind, id, revision, body, due,
                       sum(octet_length(body)) OVER (ORDER BY kind, id) - octet_length(body) AS bytes_before
                   FROM (
                       SELECT kind, id, revision, body, due FROM aggregates
                       WHERE (kind, id) > ($1, $2) ORDER BY kind, id LIMIT $3
                   ) AS page
               ) AS measured WHERE bytes_before < $4 ORDER BY kind, id",
        ),
        into_sqlite: "INSERT INTO aggregates (kind, id, revision, body, due) VALUES (?1, ?2, ?3, ?4, ?5)",
        into_postgres: "INSERT INTO aggregates (kind, id, revision, body, due)
                        SELECT * FROM unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::bigint[])",
    },
    Table {
        name: "events",
        kinds: &[Kind::Number, Kind::Text, Kind::Text, Kind::Number, Kind::Text, Kind::Text, Kind::Text],
        key: 1,
        page: "SELECT seq, kind, aggregate_id, revision, type, body, headers FROM events
               WHERE seq > $1 ORDER BY seq LIMIT $2",
        measured_page: Some(
            "SELECT seq, kind, aggregate_id, revision, type, body, headers FROM (
                   SELECT seq, kind, aggregate_id, revision, type, body, headers,
                       sum(octet_length(body)) OVER (ORDER BY seq) - octet_length(body) AS bytes_before
                   FROM (
                       SELECT seq, kind, aggregate_id, revision, type, body, headers FROM events
                       WHERE seq > $1 ORDER BY seq LIMIT $2
                   ) AS page
               ) AS measured WHERE bytes_before < $3 ORDER BY seq",
        ),
        into_sqlite: "INSERT INTO events (seq, kind, aggregate_id, revision, type, body, headers)
                      VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        into_postgres: "INSERT INTO events (seq, kind, aggregate_id, revision, type, body, headers)
                        SELECT * FROM unnest($1::bigint[], $2::text[], $3::text[], $4::bigint[], $5::text[],
                            $6::text[], $7::text[])",
    },
    Table {
        name: "unsent",
        kinds: &[Kind::Number, Kind::Number],
        key: 1,
        page: "SELECT seq, told_again FROM unsent WHERE seq > $1 ORDER BY seq LIMIT $2",
        measured_page: None,
        into_sqlite: "INSERT INTO unsent (seq, told_again) VALUES (?1, ?2)",
        into_postgres: "INSERT INTO unsent (seq, told_again) SELECT * FROM unnest($1::bigint[], $2::bigint[])",
    },
    Table {
        name: "openings",
        kinds: &[Kind::Number, Kind::Text, Kind::Number],
        key: 1,
        page: "SELECT number, id, since_seq FROM openings WHERE number > $1 ORDER BY number LIMIT $2",
        measured_page: None,
        into_sqlite: "INSERT INTO openings (number, id, since_seq) VALUES (?1, ?2, ?3)",
        into_postgres: "INSERT INTO openings (number, id, since_seq)
                        SELECT * FROM unnest($1::bigint[], $2::text[], $3::bigint[])",
    },
];

impl Table {
    /// What asks for the page after the row `last`, or for the first one, and its parameters.
    pub(super) fn page_after(&self, last: Option<&[Cell]>) -> (&'static str, Vec<Cell>) {
        // No key has an empty text in it, and no number is the lowest there is.
        let lowest = |kind: &Kind| match kind {
            Kind::Text => "".into(),
            Kind::Number => i64::MIN.into(),
        };
        let mut parameters: Vec<Cell> = match last {
            Some(last) => last.iter().take(self.key).cloned().collect(),
            None => self.kinds.iter().take(self.key).map(lowest).collect(),
        };
        parameters.push(PAGE_ROWS.into());
        (self.page, parameters)
    }

    /// The same for a server.
    pub(super) fn measured_page_after(&self, last: Option<&[Cell]>) -> (&'static str, Vec<Cell>) {
        let (page, mut parameters) = self.page_after(last);
        let Some(measured) = self.measured_page else { return (page, parameters) };
        parameters.push(PAGE_BYTES.into());
        (measured, parameters)
    }
}
