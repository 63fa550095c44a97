//! `skstore breaker record` and `skstore breaker replay`: what other settings would have made of the same calls.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::durations::up_to_a_day;

mod drawing;
pub(super) mod record;
pub(super) mod replay;

#[derive(Debug, Subcommand)]
pub(crate) enum BreakerCommand {
    /// Record the calls of a breaker into a file, until Ctrl-C
    Record(RecordArguments),
    /// Go through a recording again under other settings, and draw both beside each other
    ///
    /// Other settings: skstore breaker replay outage.jsonl --set breaker.failed_percent=30
    Replay(ReplayArguments),
}

#[derive(Debug, Args)]
pub(crate) struct RecordArguments {
    /// The recording, which must not be there yet: JSON lines
    #[arg(value_name = "FILE")]
    pub(super) file: PathBuf,
    /// Stop after this time: 60s, 5m
    #[arg(long = "for", value_name = "TIME", value_parser = up_to_a_day)]
    pub(super) for_: Option<Duration>,
    /// The breaker of this instance of Order, where there are several
    #[arg(long)]
    pub(super) instance: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct ReplayArguments {
    /// The recording
    #[arg(value_name = "RECORDING")]
    pub(super) file: PathBuf,
}
