//! `skstore place --from FILE`: places the orders of a file, several at once, and tells of each in the order of the
//! lines.
//!
//! Ids make it repeatable: what was placed by an earlier run is answered as recorded, and a line that was changed since
//! is a `conflict`. So whoever stops it, or loses the bus, runs the same command again.

use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use futures_util::StreamExt as _;
use serde_json::{Value, json};
use skstore::text::Language;
use skstore::text::fit::clean;
use skstore::text::names::Names;
use skstore::text::words::Worded as _;
use skstore_domain::answers::{Answer, ErrorCode};
use skstore_domain::commands::Place;
use skstore_domain::ids::OrderId;
use skstore_domain::objects::Item;
use skstore_domain::time::Timestamp;
use skstore_workers::desk::Desk;
use skstore_workers::desk::clock::Clock;
use skstore_workers::desk::signals::Signals;
use tokio::sync::{mpsc, watch};
use tokio::time::Instant;

use super::failure::Failure;
use super::output::Output;
use super::stderr::tell;
use lines::{Line, Lines};

mod lines;

/// Most orders that one command has on their way at once: far below what the queue of commands holds.
const MAX_AT_ONCE: u16 = 1024;
/// How long an order is tried again while nobody takes it: longer than an open breaker or a broker's restart.
const RETRY_FOR: Duration = Duration::from_secs(60);
/// How long is waited before the second try; twice as long before each further one.
const RETRY_FIRST: Duration = Duration::from_millis(200);
/// How long is waited at most between two tries, also where the answer asks for more.
const MAX_RETRY: Duration = Duration::from_secs(10);
/// Most characters of a batch's name: an id has 64, and a line number at most 20.
const MAX_BATCH_CHARS: usize = 40;

#[derive(Debug, Args)]
pub(crate) struct FromArguments {
    /// Place the orders of a file, or of standard input (-): JSON objects, one a line, or CSV with headings
    ///
    /// The headings of CSV and the members of an object are item_id (or productId), qty, customer, order_id and unit_price;
    /// item_id alone must be there. Other columns are passed over.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["item", "customer", "order_id", "unit_price"])]
    pub(crate) from: Option<PathBuf>,
    /// What ids are made of for lines without an order_id: NAME-LINE [default: the file's name]
    #[arg(long, value_name = "NAME", requires = "from", value_parser = batch_name)]
    batch: Option<String>,
    /// How many orders are on their way at once
    #[arg(long, value_name = "COUNT", requires = "from", default_value_t = 64,
          value_parser = clap::value_parser!(u16).range(1..=i64::from(MAX_AT_ONCE)))]
    at_once: u16,
    /// Pass over the lines before this one
    #[arg(long, value_name = "LINE", requires = "from", default_value_t = 1)]
    from_line: u64,
    /// Place nothing more once an order was refused or a line is wrong
    #[arg(long, requires = "from")]
    stop_on_error: bool,
}

fn batch_name(text: &str) -> Result<String, String> {
    OrderId::new(text).map_err(|why| why.to_string())?;
    if text.len() > MAX_BATCH_CHARS {
        return Err(format!("it must have at most {MAX_BATCH_CHARS} characters"));
    }
    Ok(text.to_owned())
}

/// What a file's lines are called by its name: the name itself where ids may have it, else with a hash beside what is
/// left of it, so that two names do not become one.
fn batch_of(file: &Path) -> String {
    let name = file.file_stem().unwrap_or_default().to_string_lossy();
    if let Ok(batch) = batch_name(&name) {
        return batch;
    }
    // FNV-1a, which is the same in every version: ids are made of it.
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    let left: String = name.chars().filter(char::is_ascii_alphanumeric).take(20).collect();
    format!("{left}-{hash:016x}")
}

/// How much earlier than this run an order must have been placed to be of an earlier one: the clocks of two machines may
/// differ by so much, and are told of as wrong from there on.
const CLOCKS_APART: Duration = Duration::from_millis(500);

/// What became of a line.
#[derive(Debug)]
enum Outcome {
    Answered(Box<Answer>),
    Wrong(String),
    /// Nobody answered for as long as it was tried, or it was not tried again since this was to end.
    Unanswered(String),
}

impl Outcome {
    fn is_placed(&self) -> bool {
        matches!(self, Self::Answered(answer) if answer.ok)
    }

    /// Whether that was done by an earlier run, of the same file or of another of the same name.
    fn was_placed_before(&self, began: Timestamp) -> bool {
        match self {
            Self::Answered(answer) if answer.ok => {
                answer.order.as_ref().is_some_and(|order| began.since(order.placed_at) > CLOCKS_APART)
            }
            Self::Answered(_) | Self::Wrong(_) | Self::Unanswered(_) => false,
        }
    }

    fn words(&self, language: Language, names: Names<'_>, began: Timestamp) -> String {
        let before = if self.was_placed_before(began) { " (was placed before)" } else { "" };
        match self {
            Self::Answered(answer) => match (&answer.order, &answer.error) {
                (Some(order), _) if answer.ok => {
                    let (status, item) = (language.get(order.status.text()), names.of_order(order));
                    format!("{status}: {} x {item}, {}{before}", order.qty, order.amount)
                }
                (_, Some(error)) => format!("{}: {}", error.code, error.message),
                _ => "the answer says neither yes nor no".to_owned(),
            },
            Self::Wrong(why) => format!("wrong: {why}"),
            Self::Unanswered(why) => format!("no answer: {why}"),
        }
    }

    fn json(&self, number: u64, id: Option<&OrderId>, began: Timestamp) -> Value {
        let mut object = json!({ "line": number, "order_id": id });
        if self.is_placed() {
            object["before"] = json!(self.was_placed_before(began));
        }
        match self {
            Self::Answered(answer) => {
                if let Some(order) = &answer.order {
                    object["order"] = json!(order);
                }
                if let Some(error) = &answer.error {
                    object["error"] = json!(error);
                }
            }
            Self::Wrong(why) => object["error"] = json!({ "code": "invalid", "message": why }),
            Self::Unanswered(why) => object["error"] = json!({ "code": "no_answer", "message": why }),
        }
        object
    }
}

/// Places the orders and tells of each, with items called as `items` have it.
///
/// # Errors
/// [`Failure::NotAllPlaced`] if one was refused or wrong, [`Failure::NoAnswer`] if it ended early.
pub(crate) async fn run<W: Write>(
    desk: &Desk,
    file: &Path,
    arguments: &FromArguments,
    items: &[Item],
    out: &mut Output<W>,
) -> Result<(), Failure> {
    let mut signals = Signals::listen()?;
    let lines = read(file, arguments)?;
    let (end, ended) = watch::channel(false);
    let taken = futures_util::stream::unfold((lines, ended.clone()), |(mut lines, mut ended)| async move {
        let line = tokio::select! {
            biased;
            _ = ended.wait_for(|ended| *ended) => None,
            line = lines.recv() => line,
        };
        line.map(|line| (line, (lines, ended)))
    });
    let outcomes = taken.map(|line| attempt(desk, line, ended.clone()));
    let outcomes = outcomes.buffered(usize::from(arguments.at_once));
    tokio::pin!(outcomes);
    let (mut placed, mut before, mut others, mut last, mut cut) = (0_u64, 0_u64, 0_u64, 0_u64, None);
    let (mut is_open, began) = (false, Clock::System.now());
    loop {
        let next = tokio::select! {
            biased;
            () = signals.next(), if cut.is_none() => {
                cut = Some(TOLD_TO_END);
                end.send_replace(true);
                continue;
            }
            next = outcomes.next() => next,
        };
        let Some(next) = next else { break };
        let (number, id, outcome) = next.map_err(Failure::Usage)?;
        let shown = id.as_ref().map_or_else(|| "-".to_owned(), ToString::to_string);
        out.one(&outcome.json(number, id.as_ref(), began), |language| {
            let words = outcome.words(language, Names::new(language, items), began);
            format!("line {number}  {shown}  {}\n", clean(&words))
        })?;
        if outcome.was_placed_before(began) {
            before += 1;
        } else if outcome.is_placed() {
            placed += 1;
        } else {
            others += 1;
        }
        // It goes on from the first line of which it is not known what became of it.
        is_open |= matches!(outcome, Outcome::Unanswered(_));
        if !is_open {
            last = number;
        }
        if cut.is_none() && is_open {
            cut = Some(NOBODY);
        } else if cut.is_none() && arguments.stop_on_error && !outcome.is_placed() {
            cut = Some(NOT_PLACED);
        }
        if cut.is_some() {
            end.send_replace(true);
        }
    }
    tell(&format!("skstore: lines placed: {placed}; placed before: {before}; not placed: {others}"));
    if before > 0 && arguments.batch.is_none() {
        tell(
            "skstore: lines go by the name of their file: one that was placed before from a file of the same name is not placed \
             again. If these are other orders, give them another --batch",
        );
    }
    let goes_on = |why: &str| {
        format!(
            "it ended {why}, with line {last} done. The same command goes on: no line is placed twice; with --from-line \
             {} it passes over what is done",
            last + 1
        )
    };
    match cut {
        Some(NOT_PLACED) => tell(&format!("skstore: {}", goes_on(NOT_PLACED))),
        Some(why) => return Err(Failure::NoAnswer(goes_on(why))),
        None => {}
    }
    if others > 0 { Err(Failure::NotAllPlaced(others)) } else { Ok(()) }
}

/// Why it ends before the end of the file: the desk is not to be had, somebody wanted it, or a line was not placed and
/// none shall follow one.
const NOBODY: &str = "as nobody answers";
const TOLD_TO_END: &str = "as it was told to";
const NOT_PLACED: &str = "at a line that was not placed";

type Told = (u64, Option<OrderId>, Outcome);

/// Opens the file and reads it on a thread of its own: a pipe may keep a reader waiting for as long as it likes. It is
/// never further ahead than what may be on its way.
fn read(file: &Path, arguments: &FromArguments) -> Result<mpsc::Receiver<Result<Line, String>>, Failure> {
    let unreadable =
        |error: std::io::Error| Failure::Usage(format!("{} cannot be read: {error}", file.display()));
    let is_input = file == Path::new("-");
    if !is_input {
        let about = fs::metadata(file).map_err(unreadable)?;
        if !about.is_file() && !about.file_type().is_fifo() {
            return Err(Failure::Usage(format!("{} is no file, and no pipe", file.display())));
        }
    }
    let own = || (!is_input).then(|| batch_of(file));
    let batch = arguments.batch.clone().or_else(own);
    let (sender, receiver) = mpsc::channel(usize::from(arguments.at_once));
    let (first, file) = (arguments.from_line, file.to_owned());
    let send_all = move || {
        // To open a pipe waits for whoever writes to it.
        let opened: Result<Box<dyn BufRead + Send>, _> = if is_input {
            Ok(Box::new(BufReader::new(std::io::stdin())))
        } else {
            File::open(&file).map(|file| Box::new(BufReader::new(file)) as _)
        };
        let from = match opened {
            Ok(from) => from,
            Err(error) => {
                let why = format!("{} cannot be read: {error}", file.display());
                return drop(sender.blocking_send(Err(why)));
            }
        };
        for line in Lines::new(from, batch) {
            let has_failed = line.is_err();
            let is_wanted = line.as_ref().map_or(true, |line| line.number >= first);
            if (is_wanted && sender.blocking_send(line).is_err()) || has_failed {
                return;
            }
        }
    };
    std::thread::Builder::new().name("orders".to_owned()).spawn(send_all).map_err(unreadable)?;
    Ok(receiver)
}

async fn attempt(
    desk: &Desk,
    line: Result<Line, String>,
    ended: watch::Receiver<bool>,
) -> Result<Told, String> {
    let Line { number, place } = line?;
    match place {
        Ok(place) => {
            let outcome = place_with_patience(desk, &place, ended).await;
            Ok((number, place.order_id, outcome))
        }
        Err(why) => Ok((number, None, Outcome::Wrong(why))),
    }
}

/// Places an order, again and again under its id while it is told to try later or nobody answers.
async fn place_with_patience(desk: &Desk, place: &Place, mut ended: watch::Receiver<bool>) -> Outcome {
    let until = Instant::now() + RETRY_FOR;
    let mut wait = RETRY_FIRST;
    loop {
        let (asked, outcome) = match desk.place(place).await {
            Ok(answer) if answer.code() == Some(ErrorCode::TryLater) => {
                let asked = answer.error.as_ref().and_then(|error| error.retry_after_ms).unwrap_or(0);
                (Duration::from_millis(asked), Outcome::Answered(Box::new(answer)))
            }
            Ok(answer) => return Outcome::Answered(Box::new(answer)),
            Err(error) => (Duration::ZERO, Outcome::Unanswered(error.to_string())),
        };
        let pause = asked.max(wait).min(MAX_RETRY);
        if Instant::now() + pause > until {
            return outcome;
        }
        tokio::select! {
            biased;
            _ = ended.wait_for(|ended| *ended) => return outcome,
            () = tokio::time::sleep(pause) => {}
        }
        wait = (wait * 2).min(MAX_RETRY);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_a_file_makes_ids_that_can_be_told_apart() {
        assert_eq!(batch_of(Path::new("a/orders-2026.csv")), "orders-2026");
        let [one, other] = ["주문.csv", "발주.csv"].map(|name| batch_of(Path::new(name)));
        assert_ne!(one, other);
        for batch in [&one, &other] {
            assert!(batch_name(batch).is_ok(), "{batch}");
        }
    }
}
