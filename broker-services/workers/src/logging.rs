//! The log of a process: how much and in which form. Where it goes is each program's choice.
//!
//! Lines of a worker carry its `service` and `instance`, lines about an order its id as `order`, and where a trace was
//! begun outside, its `traceparent`.

use serde::Deserialize;
use skstore_domain::ids::OrderId;
use tracing::Span;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::config::{LogConfig, LogFormat, LogLevel};
use crate::context::Context;
use crate::store::StoredEvent;

mod apart;

pub use apart::Apart;

/// Sends the log of this process to `to` from now on. A line that cannot be written is lost, and nothing else is.
///
/// # Errors
/// A sentence, when there is a log already.
pub fn start<W>(config: &LogConfig, to: W) -> Result<(), String>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let log = tracing_subscriber::fmt()
        .with_max_level(level(config.level))
        .with_ansi(false)
        // Else it complains of a line that it cannot write on stderr, by a macro that panics where that cannot be written
        // either: whoever reads the log would take the process with them. On a terminal it would write across the dashboard.
        .log_internal_errors(false)
        .with_writer(to);
    let started = match config.format {
        LogFormat::Text => log.finish().with(keeps_secrets(config.level)).try_init(),
        LogFormat::Json => {
            let log = log.json().flatten_event(true).with_span_list(false);
            log.finish().with(keeps_secrets(config.level)).try_init()
        }
    };
    started.map_err(|error| format!("there is no log: {error}"))
}

/// What every line of a worker carries. Its thread enters it once, since that is what no other worker uses.
#[must_use]
pub fn worker(context: &Context) -> Span {
    tracing::error_span!("worker", service = %context.service, instance = %context.instance)
}

/// Tells what was committed, event by event: that is how one order is followed through the logs of all workers.
pub(crate) fn committed(events: &[StoredEvent]) {
    if !tracing::enabled!(tracing::Level::DEBUG) {
        return;
    }
    for StoredEvent { event, .. } in events {
        let about = about(event.body.as_bytes());
        tracing::debug!(
            event = event.kind.word(),
            order = about.order(),
            subject = event.aggregate_id,
            revision = event.revision,
            traceparent = about.traceparent,
            "committed"
        );
    }
}

/// What a message says of the order that it is about.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct About {
    order_id: Option<String>,
    /// Events have the order's id here.
    correlationid: Option<String>,
    traceparent: Option<String>,
}

impl About {
    /// The order's id, if it can be one: anybody may have written the message.
    pub(crate) fn order(&self) -> Option<&str> {
        let named = self.order_id.as_deref().or(self.correlationid.as_deref());
        named.filter(|id| OrderId::new(id).is_ok())
    }
}

/// Which order the message in `body` is about, for a line of the log. Whatever cannot be read is about none.
pub(crate) fn about(body: &[u8]) -> About {
    serde_json::from_slice(body).unwrap_or_default()
}

/// As much as is asked for, but of the connection to a broker less than everything: that has each frame as it is sent, the
/// password of the login in it. That the broker closes a channel is its only way to say no, also to a mere question whether
/// something is there: whoever asked says what it means.
fn keeps_secrets(asked: LogLevel) -> Targets {
    let asked = level(asked);
    let of_channels = if asked >= LevelFilter::DEBUG { LevelFilter::DEBUG } else { LevelFilter::OFF };
    Targets::new()
        .with_default(asked)
        .with_target("lapin", asked.min(LevelFilter::DEBUG))
        .with_target("lapin::channel", of_channels)
}

const fn level(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    }
}
