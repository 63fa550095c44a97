//! The tables of a store in PostgreSQL: over a connection on a thread of its own, since whoever reads them waits for
//! it, and may itself be on a runtime.

use std::sync::mpsc;
use std::time::Duration;

use tokio_postgres::types::{ToSql, Type};

use super::cells::Cell;
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
}

impl Postgres {
    /// To be read.
    pub(super) fn open(address: &PostgresAddress) -> Result<Self, String> {
        Self::start(address, async |address| Direct::to_look(address).await)
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

    fn batch(&self, sql: &'static str) -> Result<(), String> {
        self.ask(Wanted::Done(sql)).map(drop)
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
    "the thread that has its connection has ended".to_owned()
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
