//! `skstore dead`: parked messages, to look at, to replay and to drop; and `skstore queues`.

use std::io::Write;

use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;
use skstore::text::Language;
use skstore::text::fit::Side::{Left, Right};
use skstore::text::fit::{clean, shorten};
use skstore::text::times::{Zone, dated, told};
use skstore_workers::desk::bus::QueueDepth;
use skstore_workers::desk::{DeadLetter, Desk, Disposition, ReplayCheck, Summary, Which};

use super::columns::{fields, table};
use super::failure::Failure;
use super::labels::{self, Label};
use super::output::Output;

/// Most parked messages that are listed at once.
const MAX_LISTED: u64 = 10_000;
/// Columns of a reason in a list; `show` has all of it.
const REASON_COLUMNS: usize = 60;
/// Bytes of a body shown to people; JSON has all of it.
const BODY_BYTES: usize = 4096;

#[derive(Debug, Subcommand)]
pub(crate) enum DeadCommand {
    /// List the oldest parked messages
    List {
        /// At most this many
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u64).range(1..=MAX_LISTED))]
        limit: u64,
    },
    /// Show a parked message: why it is parked, all that it carried, what would become of it
    Show {
        /// Its id, as the list has it
        id: String,
    },
    /// Send parked messages where they came from, with the ids that they had
    ///
    /// --all leaves alone what would only be refused again, and what came without an id and may have taken effect
    /// already. Name one of these to have it replayed all the same.
    Replay(Choice),
    /// End parked messages for good
    Drop(Choice),
}

/// What is to be done with which ones.
#[derive(Debug, Args)]
pub(crate) struct Choice {
    #[command(flatten)]
    meant: Meant,
    /// Say what would happen, and do nothing
    #[arg(long)]
    dry_run: bool,
}

/// Which ones.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
struct Meant {
    /// The id of one, as the list has it
    id: Option<String>,
    /// All that are parked now
    #[arg(long)]
    all: bool,
}

impl Choice {
    fn which(&self) -> Which {
        self.meant.id.clone().map_or(Which::All, Which::One)
    }
}

/// Does `command`.
///
/// # Errors
/// [`Failure`]; what was dealt with before it stays so.
pub(crate) async fn run<W: Write>(
    desk: &Desk,
    command: &DeadCommand,
    out: &mut Output<W>,
) -> Result<(), Failure> {
    let zone = out.zone();
    match command {
        DeadCommand::List { limit } => {
            let page = desk.dead_letters(usize::try_from(*limit).unwrap_or(usize::MAX)).await?;
            out.list(&page.letters, |language, letters| list(language, &zone, letters, page.total))
        }
        DeadCommand::Show { id } => match desk.dead_letter(id).await? {
            Some(letter) => out.one(&letter, |language| show(language, &zone, &letter)),
            None => Err(not_parked(id)),
        },
        DeadCommand::Replay(choice) | DeadCommand::Drop(choice) => {
            let (which, mut told) = (choice.which(), Vec::new());
            let tell =
                |letter: &DeadLetter, disposition: &Disposition| told.push(Told::of(letter, disposition));
            let summary = if matches!(command, DeadCommand::Drop(_)) {
                desk.drop_dead(&which, choice.dry_run, tell).await?
            } else {
                desk.replay_dead(&which, choice.dry_run, tell).await?
            };
            report(choice, &told, summary, out)
        }
    }
}

/// How full the queues are.
///
/// # Errors
/// [`Failure`].
pub(crate) async fn queues<W: Write>(desk: &Desk, out: &mut Output<W>) -> Result<(), Failure> {
    let depths = desk.queues().await?;
    let rows: Vec<_> = depths.iter().map(Depth::of).collect();
    out.list(&rows, |language, _| queue_table(language, &depths))
}

/// A queue in JSON. `unacked` is null where the bus does not tell.
#[derive(Debug, Serialize)]
struct Depth<'a> {
    queue: &'a str,
    messages: usize,
    unacked: Option<usize>,
    consumers: usize,
}

impl<'a> Depth<'a> {
    fn of(depth: &'a QueueDepth) -> Self {
        Self { queue: &depth.name, messages: depth.ready, unacked: depth.unacked, consumers: depth.consumers }
    }
}

/// What became of a parked message. Keeps no body: there may be ten thousand.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    id: String,
    routing_key: String,
    queue: String,
    replay_check: ReplayCheck,
    disposition: Disposition,
}

impl Told {
    fn of(letter: &DeadLetter, disposition: &Disposition) -> Self {
        Self {
            id: letter.id.clone(),
            routing_key: letter.routing_key.clone(),
            queue: letter.queue.clone(),
            replay_check: letter.replay_check(),
            disposition: disposition.clone(),
        }
    }

    /// `{"id","routing_key","queue","outlook","fate","why"}`.
    fn to_json(&self) -> serde_json::Value {
        let (disposition, why) = match &self.disposition {
            Disposition::Replayed => ("replayed", None),
            Disposition::WouldReplay => ("would_replay", None),
            Disposition::Dropped => ("dropped", None),
            Disposition::WouldDrop => ("would_drop", None),
            Disposition::Stays(why) => ("stays", Some(why)),
        };
        json!({
            "id": self.id, "routing_key": self.routing_key, "queue": self.queue,
            "outlook": self.replay_check.word(), "fate": disposition, "why": why,
        })
    }
}

/// Writes what became of them. One that was named and stays is a refusal.
fn report<W: Write>(
    choice: &Choice,
    told: &[Told],
    summary: Summary,
    out: &mut Output<W>,
) -> Result<(), Failure> {
    if let (Some(id), true) = (&choice.meant.id, told.is_empty()) {
        return Err(not_parked(id));
    }
    let rows: Vec<_> = told.iter().map(Told::to_json).collect();
    out.list(&rows, |language, _| dealt_table(language, told, summary))?;
    match told {
        [Told { disposition: Disposition::Stays(why), id, .. }] if choice.meant.id.is_some() => {
            Err(Failure::Stays(format!("{id} stays parked: {why}")))
        }
        _ => Ok(()),
    }
}

fn not_parked(id: &str) -> Failure {
    Failure::NotFound(format!("no message '{}' is parked; skstore dead list has their ids", clean(id)))
}

/// A time that a message tells: as it stands where it is none.
fn time(text: &str, zone: &Zone) -> String {
    told(text).map_or_else(|| text.to_owned(), |at| dated(at, zone))
}

fn list(language: Language, zone: &Zone, letters: &[DeadLetter], total: usize) -> String {
    let headings = [
        (labels::ID, Left),
        (labels::AT, Left),
        (labels::QUEUE, Left),
        (labels::KEY, Left),
        (labels::REASON, Left),
    ];
    let row = |letter: &DeadLetter| {
        let reason = shorten(&letter.reason, REASON_COLUMNS, "…");
        [letter.id.clone(), time(&letter.at, zone), letter.queue.clone(), letter.routing_key.clone(), reason]
    };
    let mut text = table(language, headings, letters.iter().map(row));
    if total > letters.len() {
        text.push_str(&format!("{}/{total}\n", letters.len()));
    }
    text
}

fn show(language: Language, zone: &Zone, letter: &DeadLetter) -> String {
    let properties = &letter.properties;
    let given = |text: &Option<String>| text.clone().unwrap_or_default();
    let headers: Vec<_> = properties.headers.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let shown = &letter.body[..letter.body.len().min(BODY_BYTES)];
    let rest = letter.body.len() - shown.len();
    let sign = if letter.is_cut { "≥" } else { "+" };
    let more = if rest > 0 { format!(" … ({sign}{rest} B)") } else { String::new() };
    fields(
        language,
        &[
            (labels::ID, letter.id.clone()),
            (labels::REASON, letter.reason.clone()),
            (labels::OUTLOOK, replay_check(language, &letter.replay_check())),
            (labels::AT, time(&letter.at, zone)),
            (labels::SERVICE, letter.service.clone()),
            (labels::QUEUE, letter.queue.clone()),
            (labels::EXCHANGE, letter.exchange.clone()),
            (labels::KEY, letter.routing_key.clone()),
            (Label::same("message_id"), given(&properties.message_id)),
            (Label::same("correlation_id"), given(&properties.correlation_id)),
            (Label::same("reply_to"), given(&properties.reply_to)),
            (Label::same("content_type"), given(&properties.content_type)),
            (
                Label::same("expiration_ms"),
                properties.expiration.map(|within| within.as_millis().to_string()).unwrap_or_default(),
            ),
            (
                Label::same("priority"),
                properties.priority.map(|priority| priority.to_string()).unwrap_or_default(),
            ),
            (labels::HEADERS, headers.join("; ")),
            (labels::BODY, format!("{}{more}", String::from_utf8_lossy(shown))),
        ],
    )
}

fn dealt_table(language: Language, told: &[Told], summary: Summary) -> String {
    let headings = [
        (labels::ID, Left),
        (labels::QUEUE, Left),
        (labels::KEY, Left),
        (labels::FATE, Left),
        (labels::NOTE, Left),
    ];
    let row = |told: &Told| {
        let (disposition, why) = match &told.disposition {
            Disposition::Replayed => (labels::REPLAYED, replay_check(language, &told.replay_check)),
            Disposition::WouldReplay => (labels::WOULD_REPLAY, replay_check(language, &told.replay_check)),
            Disposition::Dropped => (labels::DROPPED, String::new()),
            Disposition::WouldDrop => (labels::WOULD_DROP, String::new()),
            Disposition::Stays(why) => (labels::STAYS, why.clone()),
        };
        let disposition = disposition.of(language).to_owned();
        [told.id.clone(), told.queue.clone(), told.routing_key.clone(), disposition, why]
    };
    let mut text = table(language, headings, told.iter().map(row));
    if summary.left > 0 {
        text.push_str(&format!("{} {}\n", labels::MORE_PARKED.of(language), summary.left));
    }
    text
}

fn replay_check(language: Language, replay_check: &ReplayCheck) -> String {
    match replay_check {
        ReplayCheck::TakesEffect => labels::TAKES_EFFECT.of(language).to_owned(),
        ReplayCheck::MayDouble => labels::MAY_DOUBLE.of(language).to_owned(),
        ReplayCheck::Refused(why) => format!("{}: {why}", labels::REFUSED_AGAIN.of(language)),
        ReplayCheck::Nowhere => labels::NOWHERE.of(language).to_owned(),
    }
}

fn queue_table(language: Language, depths: &[QueueDepth]) -> String {
    let headings = [
        (labels::QUEUE, Left),
        (labels::MESSAGES, Right),
        (labels::UNACKED, Right),
        (labels::CONSUMERS, Right),
    ];
    let row = |depth: &QueueDepth| {
        let unacked = depth.unacked.map(|count| count.to_string()).unwrap_or_default();
        [depth.name.to_string(), depth.ready.to_string(), unacked, depth.consumers.to_string()]
    };
    table(language, headings, depths.iter().map(row))
}

#[cfg(test)]
mod tests {
    use skstore::text::times::UTC;

    use super::*;

    fn letter() -> DeadLetter {
        DeadLetter {
            id: "p-1".into(),
            reason: "not JSON\u{1b}[2J".into(),
            code: skstore_workers::desk::ParkedCode::NoEffect,
            exchange: "skstore.commands".into(),
            routing_key: "order.place".into(),
            queue: "order.commands".into(),
            service: "order".into(),
            at: "2026-09-21T14:13:20.123Z".into(),
            properties: skstore_workers::desk::bus::Properties::default(),
            body: b"{".as_slice().into(),
            is_cut: false,
        }
    }

    #[test]
    fn people_see_why_it_is_parked_and_what_would_become_of_it() {
        for (language, again) in [(Language::English, "refused again: "), (Language::Korean, "다시 거부됨: ")]
        {
            let text = show(language, &UTC, &letter());
            for part in ["p-1", "order.place", "order.commands", "not JSON[2J", again] {
                assert!(text.contains(part), "'{part}' is missing:\n{text}");
            }
            assert!(!text.contains('\u{1b}'), "{text:?}");
        }
        let text = list(Language::English, &UTC, &[letter()], 7);
        assert!(text.contains("p-1") && text.ends_with("1/7\n"), "{text}");
    }

    #[test]
    fn a_body_that_is_long_is_cut_for_people_only() {
        let long = DeadLetter { body: vec![b'x'; BODY_BYTES + 5].into(), ..letter() };
        assert!(show(Language::English, &UTC, &long).ends_with("x … (+5 B)\n"));
        let json = serde_json::to_value(&long).unwrap();
        assert_eq!(json["body"].as_str().map(str::len), Some(BODY_BYTES + 5));
    }

    #[test]
    fn every_fate_is_told() {
        let table = [
            (Disposition::Replayed, "replayed"),
            (Disposition::WouldReplay, "would_replay"),
            (Disposition::Dropped, "dropped"),
            (Disposition::WouldDrop, "would_drop"),
            (Disposition::Stays("its queue is full".into()), "stays"),
        ];
        for (disposition, word) in table {
            let told = Told::of(&letter(), &disposition);
            let json = told.to_json();
            assert_eq!(
                (&json["fate"], &json["outlook"]),
                (&json!(word), &json!("refused")),
                "{disposition:?}"
            );
            let text = dealt_table(Language::English, &[told], Summary { left: 3, ..Summary::default() });
            assert!(text.contains("p-1") && text.contains("more are parked: 3"), "{text}");
        }
    }
}
