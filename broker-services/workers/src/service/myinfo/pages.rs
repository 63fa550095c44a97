//! Pages of the services' logs: how one is asked for, and what it brings.
//!
//! An answer belongs to one question. Each names the process that asks, what for, the service and the place in its log; the
//! page carries that name, and whoever gets a page with another drops it.

use std::time::Duration;

use skstore_domain::answers::Answer;
use skstore_domain::checkpoint::{Advance, LogHead, LogId, Seqs};
use skstore_domain::commands::{Command, DepositCommand, ItemCommand, OrderCommand, Replay};
use skstore_domain::events::{BadEvent, Event, Source};
use skstore_domain::myinfo::{self, ViewWrite};

use crate::bus::{Message, Publisher};
use crate::context::{Context, WorkerStatus};
use crate::envelope::json_message;
use crate::topology;

/// A service that has not sent a page by then is asked again: it may have been down.
pub(super) const ASK_AGAIN_AFTER: Duration = Duration::from_secs(2);

/// Asks for pages on behalf of one process.
#[derive(Debug)]
pub(super) struct Questions {
    publisher: Publisher,
    /// What its questions begin with: another process may have asked before.
    asker: String,
}

impl Questions {
    pub(super) fn new(context: &Context, publisher: Publisher) -> Self {
        Self { publisher, asker: context.ids.mint() }
    }

    /// The name of the question for the entries of `source` from `from` on, that is asked for the sake of `purpose`. Asking
    /// again asks the same.
    pub(super) fn name(&self, purpose: &str, source: Source, from: i64) -> String {
        format!("{}/{purpose}/{source}/{from}", self.asker)
    }

    /// Asks, under that name, for what `replay` wants of the log of `source`.
    pub(super) fn ask(&self, name: String, source: Source, replay: Replay) {
        let command: Command = match source {
            Source::Order => OrderCommand::Replay(replay).into(),
            Source::Deposit => DepositCommand::Replay(replay).into(),
            Source::Item => ItemCommand::Replay(replay).into(),
        };
        let body = command.to_json().into_bytes();
        let mut message = json_message(topology::COMMANDS, command.kind().word(), body);
        message.properties.reply_to = Some(topology::MYINFO_REBUILD.to_owned());
        message.properties.correlation_id = Some(name);
        self.publisher.send(message);
    }
}

/// A part of a log, as it was asked for.
#[derive(Debug)]
pub(super) struct Page {
    /// What its events write to the view.
    pub(super) writes: Vec<ViewWrite>,
    /// Whose log it is, where the service tells it.
    pub(super) log: Option<LogHead>,
    /// The last entry that it covers.
    pub(super) last: i64,
    /// Whether there is more of what was asked for.
    pub(super) goes_on: bool,
    /// The newest entry of the log.
    pub(super) newest: i64,
}

impl Page {
    /// Reads the page that `message` brings, up to the entry `to` of the log of `source`. Nothing if it was refused: it is
    /// asked for again.
    pub(super) fn read(message: &Message, source: Source, to: i64, status: &WorkerStatus) -> Option<Self> {
        let page = serde_json::from_slice::<Answer>(&message.body).ok()?.replay?;
        let mut writes = Vec::new();
        for event in &page.events {
            match Event::from_json(event.get()) {
                Ok(event) => writes.extend(myinfo::writes(&event)),
                Err(BadEvent::UnknownType(kind)) => status.ignored(&kind),
                Err(error) => tracing::error!(%source, %error, "an event of the log cannot be read"),
            }
        }
        Some(Self {
            writes,
            log: page.log,
            last: page.next_seq.map_or(page.last_seq.min(to), |next| next - 1),
            goes_on: page.next_seq.is_some(),
            newest: page.last_seq,
        })
    }

    /// What it makes of the checkpoint of its log once it was applied, where it begins with `from`; from 0 on is from the
    /// beginning. Nothing where it does not say whose log it is.
    pub(super) fn advance(&self, from: i64) -> Option<Advance> {
        let (head, seqs) = (self.log.clone()?, Seqs::range(from, self.last));
        if from == 0 {
            return Some(Advance::Begun { head, seqs });
        }
        let of = LogId { store: head.store, incarnation: head.incarnation };
        Some(Advance::Applied { of, seqs })
    }
}
