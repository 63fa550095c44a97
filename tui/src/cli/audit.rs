//! `skstore audit`: whether the desk keeps its promises, by a second opinion on its books.
//!
//! It needs the stores, and looks at the rest as far as it can be reached: a dashboard may hold the data directory,
//! and the message bus may be away.

use std::io::Write;
use std::time::Duration;

use clap::Args;
use serde_json::json;
use skstore::text::Language;
use skstore::text::fit::clean;
use skstore_workers::desk::audit::{self, AuditError, Finding, MAX_FINDINGS, Report, Sources, Traffic};
use skstore_workers::desk::clock::Clock;
use skstore_workers::desk::config::{BusUrl, Config, ViewUrl};
use skstore_workers::desk::process::{Process, StartError};
use skstore_workers::desk::view::View;
use skstore_workers::desk::{BusState, Desk};

use super::columns::fields;
use super::failure::Failure;
use super::labels;
use super::output::Output;

/// Longest time to wait for what is on its way, in seconds.
pub(super) const LONGEST_WAIT_S: u64 = 600;

#[derive(Debug, Args)]
pub(crate) struct AuditArguments {
    /// Wait this many seconds for what is still on its way before judging it
    #[arg(long, value_name = "SECONDS", default_value_t = audit::WAIT.as_secs(),
        value_parser = clap::value_parser!(u64).range(0..=LONGEST_WAIT_S))]
    wait: u64,
}

/// What of the desk can be reached from here.
pub(crate) struct Reached {
    /// The workers, or the connection to them.
    pub(crate) process: Option<Process>,
    /// Why not.
    pub(super) missing: Option<String>,
}

/// Finds stores that are missing, another service's or not to be read: workers would make a missing one, with nothing in it.
///
/// # Errors
/// [`Failure::Unreachable`] names the store.
pub(crate) fn check(config: &Config) -> Result<(), Failure> {
    Ok(audit::check(&Sources::of(config, None, Duration::ZERO, Clock::System.now()))?)
}

/// Starts what can be started: all workers over the embedded bus, unless somebody else has them; else a
/// connection.
///
/// # Errors
/// [`StartError`] for what a person has to correct.
pub(crate) fn reach(config: &Config) -> Result<Reached, StartError> {
    match Process::start(config) {
        Ok(process) => Ok(Reached { process: Some(process), missing: None }),
        Err(error @ (StartError::Held { .. } | StartError::Bus { .. })) => {
            Ok(Reached { process: None, missing: Some(without(&error, config)) })
        }
        Err(
            error @ (StartError::Alone(_)
            | StartError::Unseen
            | StartError::DataDir { .. }
            | StartError::Catalog(_)
            | StartError::Store(_)
            | StartError::View(_)
            | StartError::Books(_)
            | StartError::Thread { .. }),
        ) => Err(error),
    }
}

fn without(error: &StartError, config: &Config) -> String {
    match (&config.bus.url, error) {
        (BusUrl::Embedded, StartError::Held { holder, .. }) => {
            format!("the view and the queues are in the memory of {holder}, and were not looked at")
        }
        _ => format!("the queues were not looked at: {error}"),
    }
}

/// Audits what the settings name.
///
/// # Errors
/// [`Failure::Violated`]; [`Failure::Unreachable`] when a part cannot be read.
pub(crate) async fn run<W: Write>(
    arguments: &AuditArguments,
    config: &Config,
    reached: &Reached,
    out: &mut Output<W>,
) -> Result<(), Failure> {
    let seen = Seen::of(reached, config, Duration::from_secs(arguments.wait)).await?;
    let mut unwritten = None;
    let told = |finding: &Finding| {
        let written = out.one(finding, |_| line(finding));
        unwritten = unwritten.take().or(written.err());
    };
    let mut report = audit::run(&seen.sources, async || seen.traffic().await, told).await?;
    unwritten.map_or(Ok(()), Err)?;
    report.notes.extend(reached.missing.clone());
    report.notes.extend(seen.lost.map(|cause| {
        format!("the queues were not looked at: cannot use the message bus {}: {cause}", config.bus.url)
    }));
    out.one(&json!({ "audited": report }), |language| summary(language, &report))?;
    match (report.violations, report.forgotten) {
        (0, 0) => Ok(()),
        (0, count) => Err(Failure::Forgotten(count)),
        (count, _) => Err(Failure::Violated(count)),
    }
}

/// What is looked at, as far as it can be reached.
pub(super) struct Seen {
    pub(super) desk: Option<Desk>,
    pub(super) sources: Sources,
    /// Why the message bus cannot be used.
    pub(super) lost: Option<String>,
}

impl Seen {
    pub(super) async fn of(reached: &Reached, config: &Config, wait: Duration) -> Result<Self, Failure> {
        let desk = match &reached.process {
            Some(process) => Some(process.attach().await),
            None => None,
        };
        let state = desk.as_ref().map(|desk| desk.bus_state().borrow().clone());
        let lost = match state {
            Some(BusState::Lost { cause, .. }) => Some(cause),
            Some(BusState::Up) | None => None,
        };
        let view = match (&config.view.url, &desk) {
            (_, Some(desk)) => Some(desk.view().clone()),
            (ViewUrl::Redis(_), None) => Some(View::open(&config.view.url, config.view.keep_orders)?),
            (ViewUrl::Embedded, None) => None,
        };
        Ok(Self { desk, sources: Sources::of(config, view, wait, Clock::System.now()), lost })
    }

    pub(super) async fn traffic(&self) -> Traffic {
        match &self.desk {
            Some(desk) if self.lost.is_none() => Traffic::seen_from(desk).await,
            Some(_) | None => Traffic::default(),
        }
    }
}

fn line(finding: &Finding) -> String {
    let Finding { promise, of, id, message, is_forgotten } = finding;
    let why = if *is_forgotten { " (a store was put back)" } else { "" };
    format!("{promise} {of} {}: {}{why}\n", clean(id), clean(message))
}

fn summary(language: Language, report: &Report) -> String {
    let untold = (report.violations + report.forgotten).saturating_sub(MAX_FINDINGS as u64);
    let more = if untold > 0 { format!(" (+{untold})") } else { String::new() };
    let lines = |texts: &[String]| texts.join("; ");
    fields(
        language,
        &[
            (labels::ORDERS, report.orders.to_string()),
            (labels::PAYMENTS, report.payments.to_string()),
            (labels::DELIVERIES, report.deliveries.to_string()),
            (labels::ACCOUNTS, report.accounts.to_string()),
            (labels::ITEMS, report.items.to_string()),
            (labels::EVENTS, report.events.to_string()),
            (labels::SHOWN, report.shown.to_string()),
            (labels::VIOLATIONS, format!("{}{more}", report.violations)),
            (
                labels::FORGOTTEN,
                if report.forgotten > 0 { report.forgotten.to_string() } else { String::new() },
            ),
            (labels::RESTORED, lines(&report.restored)),
            (labels::UNDECIDED, lines(&report.undecided)),
            (labels::NOTE, lines(&report.notes)),
        ],
    )
}

impl From<AuditError> for Failure {
    fn from(error: AuditError) -> Self {
        Self::Unreachable(error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_what_is_wrong_and_how_much_was_looked_at() {
        let finding = Finding {
            promise: audit::Promise::P2,
            of: "account",
            id: "kim\u{1b}[2J".into(),
            message: "its balance is 1".into(),
            is_forgotten: false,
        };
        assert_eq!(line(&finding), "P2 account kim[2J: its balance is 1\n");
        let forgotten = Finding { is_forgotten: true, ..finding };
        assert!(
            line(&forgotten).ends_with("its balance is 1 (a store was put back)\n"),
            "{}",
            line(&forgotten)
        );
        let report = Report { orders: 7, violations: 10_002, ..Report::default() };
        for (language, violations) in [(Language::English, "violations"), (Language::Korean, "위반")] {
            let text = summary(language, &report);
            assert!(text.contains(violations) && text.contains("10002 (+2)"), "{text}");
        }
    }
}
