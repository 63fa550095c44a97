//! All that a store has, and putting it back to that later: what an operator does with a copy of its file, for a simulation.

use rusqlite::types::Value;
use rusqlite::{Connection, TransactionBehavior, params_from_iter};

use super::failure::Failure;

/// The tables, each with the columns that are stored.
const TABLES: [(&str, &str); 5] = [
    ("meta", "key, value"),
    ("openings", "number, id, since_seq"),
    ("aggregates", "kind, id, revision, body, due"),
    ("events", "seq, kind, aggregate_id, revision, type, body, headers"),
    ("unsent", "seq, told_again"),
];

/// What a store had.
#[derive(Debug, Clone)]
pub struct Snapshot([Vec<Vec<Value>>; TABLES.len()]);

pub(super) fn copy(connection: &mut Connection) -> Result<Snapshot, Failure> {
    let transaction = connection.transaction()?;
    let mut tables = [const { Vec::new() }; TABLES.len()];
    for ((table, columns), rows) in TABLES.iter().zip(&mut tables) {
        let mut statement = transaction.prepare(&format!("SELECT {columns} FROM {table}"))?;
        let width = statement.column_count();
        let found = statement.query_map([], |row| (0..width).map(|column| row.get(column)).collect())?;
        *rows = found.collect::<rusqlite::Result<_>>()?;
    }
    Ok(Snapshot(tables))
}

pub(super) fn put_back(connection: &mut Connection, snapshot: &Snapshot) -> Result<(), Failure> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for ((table, columns), rows) in TABLES.iter().zip(&snapshot.0) {
        transaction.execute(&format!("DELETE FROM {table}"), [])?;
        let places = vec!["?"; columns.split(',').count()].join(", ");
        let mut insert =
            transaction.prepare(&format!("INSERT INTO {table} ({columns}) VALUES ({places})"))?;
        for row in rows {
            insert.execute(params_from_iter(row))?;
        }
    }
    Ok(transaction.commit()?)
}
