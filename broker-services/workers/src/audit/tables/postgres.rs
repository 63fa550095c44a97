//! A store in PostgreSQL, as the audit reads it: over a connection on a thread of its own, since the audit waits for what it
//! reads, and may itself be on a runtime.

use std::collections::HashMap;
use std::sync::mpsc;

use tokio_postgres::Statement;
use tokio_postgres::types::{ToSql, Type};

use super::cells::Cell;
use crate::config::address::PostgresAddress;
use crate::store::postgres::Reading;

/// A schema, open to be read. Its connection ends with it.
pub(super) struct Postgres(mpsc::Sender<Ask>);

type Rows = Vec<Vec<Cell>>;

/// What is asked, and where the answer goes.
struct Ask {
    wanted: Wanted,
    answer: mpsc::SyncSender<Result<Rows, String>>,
}

enum Wanted {
    Done(&'static str),
    Rows(&'static str, Vec<Cell>),
}

impl Postgres {
    pub(super) fn open(address: &PostgresAddress) -> Result<Self, String> {
        let (asks, asked) = mpsc::channel();
        let (opened, is_open) = mpsc::sync_channel(1);
        let address = address.clone();
        let read = move || read(&address, &opened, &asked);
        std::thread::Builder::new()
            .name("skstore-audit".to_owned())
            .spawn(read)
            .map_err(|error| format!("no thread can read it: {error}"))?;
        is_open.recv().unwrap_or_else(|_| Err(ended()))?;
        Ok(Self(asks))
    }

    pub(super) fn begin(&self) -> Result<(), String> {
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT count(*) FROM meta";
        self.ask(Wanted::Done(begin)).map(|_| ())
    }

    pub(super) fn end(&self) -> Result<(), String> {
        self.ask(Wanted::Done("COMMIT")).map(|_| ())
    }

    pub(super) fn rows(&self, sql: &'static str, parameters: &[Cell]) -> Result<Rows, String> {
        self.ask(Wanted::Rows(sql, parameters.to_vec()))
    }

    fn ask(&self, wanted: Wanted) -> Result<Rows, String> {
        let (answer, answered) = mpsc::sync_channel(1);
        self.0.send(Ask { wanted, answer }).map_err(|_| ended())?;
        answered.recv().unwrap_or_else(|_| Err(ended()))
    }
}

fn ended() -> String {
    "the thread that reads it has ended".to_owned()
}

/// Opens the store and answers until nobody asks any more.
fn read(
    address: &PostgresAddress,
    opened: &mpsc::SyncSender<Result<(), String>>,
    asked: &mpsc::Receiver<Ask>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return drop(opened.send(Err(error.to_string()))),
    };
    let reading = match runtime.block_on(Reading::open(address)) {
        Ok(reading) => reading,
        Err(error) => return drop(opened.send(Err(error))),
    };
    let _ = opened.send(Ok(()));
    let mut statements = HashMap::new();
    while let Ok(Ask { wanted, answer }) = asked.recv() {
        let rows = runtime.block_on(answer_to(&reading, &mut statements, wanted));
        // Whoever has asked has waited.
        let _ = answer.send(rows.map_err(|error| Reading::in_words(&error)));
    }
}

async fn answer_to(
    reading: &Reading,
    statements: &mut HashMap<&'static str, Statement>,
    wanted: Wanted,
) -> Result<Rows, tokio_postgres::Error> {
    let client = reading.client();
    let (sql, cells) = match wanted {
        Wanted::Done(sql) => return client.batch_execute(sql).await.map(|()| Rows::new()),
        Wanted::Rows(sql, cells) => (sql, cells),
    };
    if !statements.contains_key(sql) {
        statements.insert(sql, client.prepare(sql).await?);
    }
    let Some(statement) = statements.get(sql) else { return Ok(Rows::new()) };
    let parameters = cells.iter().map(|cell| match cell {
        Cell::Text(text) => text as &(dyn ToSql + Sync),
        Cell::Number(number) => number,
    });
    let parameters: Vec<&(dyn ToSql + Sync)> = parameters.collect();
    let rows = client.query(statement, &parameters).await?;
    let cell = |row: &tokio_postgres::Row, column: usize, of: &Type| match *of {
        Type::INT8 => row.try_get(column).map(Cell::Number),
        Type::INT4 => row.try_get::<_, i32>(column).map(|number| Cell::Number(number.into())),
        _ => row.try_get(column).map(Cell::Text),
    };
    let cells = |row: &tokio_postgres::Row| {
        row.columns().iter().enumerate().map(|(at, column)| cell(row, at, column.type_())).collect()
    };
    rows.iter().map(cells).collect()
}
