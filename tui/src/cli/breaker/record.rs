//! `skstore breaker record`: whose breaker, for how long, and what was recorded. The recording itself is [`skstore::recording`].

use std::io::Write;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use skstore::recording::{MAX_BYTES, Recording, RecordingError, SILENT_AFTER, Seen};
use skstore::text::numbers::grouped;
use skstore_domain::breaker::recording::Recorded;
use skstore_domain::signals::{Beat, Service};
use skstore_workers::desk::signals::asked_to_stop;
use skstore_workers::desk::view::View;
use tokio::time::Instant;

use super::RecordArguments;
use crate::cli::columns::fields;
use crate::cli::failure::Failure;
use crate::cli::labels;
use crate::cli::output::Output;
use crate::cli::stderr::tell;

/// How long the first heartbeat, which come every second, is waited for.
const HEARD_WITHIN: Duration = Duration::from_secs(5);
/// How often it is looked for meanwhile.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Records until the time is over, the recording is full or somebody wants it to end, and says what there is.
///
/// # Errors
/// [`Failure`], when nobody can be recorded, or the file cannot be written any more.
pub(crate) async fn run<W: Write>(
    view: &View,
    arguments: &RecordArguments,
    out: &mut Output<W>,
) -> Result<(), Failure> {
    let begin = find(view, arguments.instance.as_deref());
    let beat = tokio::select! {
        biased;
        stopped = asked_to_stop() => return Ok(stopped?),
        beat = begin => beat?,
    };
    let mut recording = Recording::begin(arguments.file.clone(), &beat).map_err(|error| failure(&error))?;
    let instance = beat.instance;
    let stop = async {
        match arguments.for_ {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    if arguments.for_.is_none() {
        let file = arguments.file.display();
        tell(&format!("skstore: recording the breaker of {instance} into {file}, until Ctrl-C"));
    }
    let tell_of_silence = |seen| {
        if seen == Seen::Silent {
            let secs = SILENT_AFTER.as_secs();
            tell(&format!(
                "skstore: nothing was heard of {instance} for {secs} s; what it does is not recorded"
            ));
        }
    };
    tokio::select! {
        biased;
        stopped = asked_to_stop() => stopped?,
        () = stop => {}
        followed = recording.follow(view, tell_of_silence) => followed.map_err(|error| failure(&error))?,
    }
    if recording.is_full() {
        tell(&format!("skstore: the recording has {} MiB, which is the most; it is ended", MAX_BYTES >> 20));
    }
    let recorded = recording.finish(view).await.map_err(|error| failure(&error))?;
    out.one(
        &json!({ "recording": { "file": arguments.file, "instance": instance, "recorded": recorded } }),
        |language| fields(language, &told(&arguments.file, &instance, &recorded)),
    )
}

fn failure(error: &RecordingError) -> Failure {
    match error {
        RecordingError::NotMade { is_there: true, .. } => {
            Failure::Usage(format!("{error}; name another file, or move it away"))
        }
        RecordingError::NotMade { .. } => Failure::Usage(error.to_string()),
        RecordingError::NotWritten { .. } => Failure::Unreachable(error.to_string()),
    }
}

fn told(file: &Path, instance: &str, recorded: &Recorded) -> [(labels::Label, String); 7] {
    let missing = if recorded.missing > 0 { grouped(recorded.missing) } else { String::new() };
    [
        (labels::FILE, file.display().to_string()),
        (labels::INSTANCE, instance.to_owned()),
        (labels::CALLS, grouped(recorded.calls)),
        (labels::CHARGES, grouped(recorded.charges)),
        (labels::REFUSED, grouped(recorded.refused)),
        (labels::CHANGES, grouped(recorded.changes)),
        (labels::GAPS, if recorded.gaps > 0 { format!("{} ({missing})", recorded.gaps) } else { "0".into() }),
    ]
}

/// The worker that is to be recorded, as soon as it is heard of.
async fn find(view: &View, instance: Option<&str>) -> Result<Beat, Failure> {
    let until = Instant::now() + HEARD_WITHIN;
    loop {
        let services = view.health().await?.services;
        let is_meant = |beat: &Beat| {
            beat.service == Service::Order && instance.is_none_or(|name| *name == beat.instance)
        };
        let mut meant: Vec<Beat> = services.into_iter().filter(is_meant).collect();
        if meant.len() > 1 {
            let names: Vec<&str> = meant.iter().map(|beat| beat.instance.as_str()).collect();
            return Err(Failure::Usage(format!(
                "there are several breakers; name one with --instance: {}",
                names.join(", ")
            )));
        }
        let found = meant.pop();
        if let Some(beat) = found.as_ref().filter(|beat| beat.calls.is_some()) {
            return Ok(beat.clone());
        }
        if Instant::now() >= until {
            return Err(match (found, instance) {
                (Some(beat), _) => Failure::NotFound(format!(
                    "the worker {} is of version {}, which does not tell its calls; bring it up to date",
                    beat.instance, beat.version
                )),
                (None, Some(name)) => {
                    Failure::NotFound(format!("no worker '{name}' with such a breaker has been heard"))
                }
                (None, None) => Failure::Unreachable(
                    "no worker of Order is heard of, so there is nothing to record".to_owned(),
                ),
            });
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
