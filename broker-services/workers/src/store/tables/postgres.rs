//! The tables of a store in PostgreSQL: over a connection on a thread of its own, since whoever reads or fills them waits for
//! it, and may itself be on a runtime.

use std::sync::mpsc;
use std::time::Duration;

use tokio_postgres::types::{ToSql, Type};

use super::cells::Cell;
use super::table::{Kind, Table};
use crate::config::address::PostgresAddress;
use crate::store::postgres::direct::Direct;

/// How long an answer is waited for: longer than the server lets a statement take, so that it has hung up or stands still.
const ANSWERS_WITHIN: Duration = Duration::from_secs(70);

/// A schema that is open. Its connection ends with it, and what was not committed on it is undone.
pub(crate) struct Postgres(mpsc::Sender<Ask>);

type Rows = Vec<Vec<Cell>>;

/// What is asked, and where the answer goes.
struct Ask {
    wanted: Wanted,
    answer: mpsc::SyncSender<Result<Rows, String>>,
}

enum Wanted {
    Done(&'static str),
    Rows(&'static str, Vec<Cell>),
    Insert(&'static str, Vec<Values>),
}

/// A column of many rows.
enum Values {
    Texts(Vec<Option<String>>),
    Numbers(Vec<Option<i64>>),
}

impl Postgres {
    /// To be read.
    pub(super) fn open(address: &PostgresAddress) -> Result<Self, String> {
        Self::start(address, async |address| Direct::to_look(address).await)
    }

    /// To be filled: within a transaction.
    pub(super) fn open_to_fill(address: &PostgresAddress) -> Result<Self, String> {
        Self::start(address, async |address| Direct::to_fill(address).await)
    }

    fn start(
        address: &PostgresAddress,
        open: impl AsyncFnOnce(&PostgresAddress) -> Result<Direct, String> + Send + 'static,
    ) -> Result<Self, String> {
        let (asks, asked) = mpsc::channel();
        let (opened, is_open) = mpsc::sync_channel(1);
        let address = address.clone();
        std::thread::Builder::new()
            .name("skstore-tables".to_owned())
            .spawn(move || serve(open(&address), &opened, &asked))
            .map_err(|error| format!("no thread can read it: {error}"))?;
        is_open.recv().unwrap_or_else(|_| Err(ended()))?;
        Ok(Self(asks))
    }

    pub(super) fn begin(&self) -> Result<(), String> {
        self.batch("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; SELECT count(*) FROM meta")
    }

    pub(super) fn end(&self) -> Result<(), String> {
        self.batch("COMMIT")
    }

    pub(super) fn batch(&self, sql: &'static str) -> Result<(), String> {
        self.ask(Wanted::Done(sql)).map(drop)
    }

    pub(super) fn rows(&self, sql: &'static str, parameters: &[Cell]) -> Result<Rows, String> {
        self.ask(Wanted::Rows(sql, parameters.to_vec()))
    }

    /// The page of `table` after the row `last`.
    pub(super) fn page(&self, table: &Table, last: Option<&[Cell]>) -> Result<Rows, String> {
        let (sql, parameters) = table.measured_page_after(last);
        self.ask(Wanted::Rows(sql, parameters))
    }

    /// Adds `rows` to `table`.
    pub(super) fn insert(&self, table: &Table, rows: Rows) -> Result<(), String> {
        self.ask(Wanted::Insert(table.into_postgres, columns(table, rows)?)).map(drop)
    }

    fn ask(&self, wanted: Wanted) -> Result<Rows, String> {
        let (answer, answered) = mpsc::sync_channel(1);
        self.0.send(Ask { wanted, answer }).map_err(|_| ended())?;
        answered.recv().unwrap_or_else(|_| Err(ended()))
    }
}

fn ended() -> String {
    "the thread that has its connection has ended".to_owned()
}

/// The columns of `rows`, for a statement that takes each of them whole.
fn columns(table: &Table, rows: Rows) -> Result<Vec<Values>, String> {
    let empty = |kind: &Kind| match kind {
        Kind::Text => Values::Texts(Vec::with_capacity(rows.len())),
        Kind::Number => Values::Numbers(Vec::with_capacity(rows.len())),
    };
    let mut columns: Vec<Values> = table.kinds.iter().map(empty).collect();
    for row in rows {
        for (cell, column) in row.into_iter().zip(&mut columns) {
            match (column, cell) {
                (Values::Texts(texts), Cell::Text(text)) => texts.push(Some(text)),
                (Values::Texts(texts), Cell::Null) => texts.push(None),
                (Values::Numbers(numbers), Cell::Number(number)) => numbers.push(Some(number)),
                (Values::Numbers(numbers), Cell::Null) => numbers.push(None),
                (Values::Texts(_), Cell::Number(_)) | (Values::Numbers(_), Cell::Text(_)) => {
                    return Err(format!("a row for its table {} has something of another type", table.name));
                }
            }
        }
    }
    Ok(columns)
}

/// Opens the store and answers until nobody asks any more.
fn serve(
    open: impl Future<Output = Result<Direct, String>>,
    opened: &mpsc::SyncSender<Result<(), String>>,
    asked: &mpsc::Receiver<Ask>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return drop(opened.send(Err(error.to_string()))),
    };
    let direct = match runtime.block_on(in_time(open)) {
        Ok(direct) => direct,
        Err(error) => return drop(opened.send(Err(error))),
    };
    let _ = opened.send(Ok(()));
    while let Ok(Ask { wanted, answer }) = asked.recv() {
        // Whoever has asked has waited.
        let _ = answer.send(runtime.block_on(in_time(answer_to(&direct, wanted))));
    }
}

async fn in_time<T>(answer: impl Future<Output = Result<T, String>>) -> Result<T, String> {
    let silent = || {
        let seconds = ANSWERS_WITHIN.as_secs();
        Err(format!("the server has not answered for {seconds} s; see whether it stands still"))
    };
    tokio::time::timeout(ANSWERS_WITHIN, answer).await.unwrap_or_else(|_| silent())
}

async fn answer_to(direct: &Direct, wanted: Wanted) -> Result<Rows, String> {
    let client = direct.client();
    let answer = match &wanted {
        Wanted::Done(sql) => client.batch_execute(sql).await.map(|()| Rows::new()),
        Wanted::Rows(sql, cells) => {
            let statement = direct.statement(sql).await?;
            let parameters: Vec<&(dyn ToSql + Sync)> = cells.iter().map(parameter).collect();
            client.query(&statement, &parameters).await.and_then(|rows| rows.iter().map(cells_of).collect())
        }
        Wanted::Insert(sql, columns) => {
            let statement = direct.statement(sql).await?;
            let parameters = columns.iter().map(|column| match column {
                Values::Texts(texts) => texts as &(dyn ToSql + Sync),
                Values::Numbers(numbers) => numbers,
            });
            let parameters: Vec<&(dyn ToSql + Sync)> = parameters.collect();
            client.execute(&statement, &parameters).await.map(|_| Rows::new())
        }
    };
    answer.map_err(|error| Direct::in_words(&error))
}

fn parameter(cell: &Cell) -> &(dyn ToSql + Sync) {
    match cell {
        Cell::Text(text) => text,
        Cell::Number(number) => number,
        Cell::Null => &None::<i64>,
    }
}

fn cells_of(row: &tokio_postgres::Row) -> Result<Vec<Cell>, tokio_postgres::Error> {
    let number = |number: Option<i64>| number.map_or(Cell::Null, Cell::Number);
    let cell = |(column, of): (usize, &Type)| match *of {
        Type::INT8 => row.try_get(column).map(number),
        Type::INT4 => row.try_get::<_, Option<i32>>(column).map(|found| number(found.map(i64::from))),
        _ => row.try_get::<_, Option<String>>(column).map(|text| text.map_or(Cell::Null, Cell::Text)),
    };
    row.columns().iter().map(tokio_postgres::Column::type_).enumerate().map(cell).collect()
}
