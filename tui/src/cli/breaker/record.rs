//! Records what the heartbeats of an Order worker tell of its breaker.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::Duration;

use serde_json::json;
use skstore::text::numbers::grouped;
use skstore_domain::breaker::Told;
use skstore_domain::breaker::recording::{End, Header, Line, Recorded, Recorder, VERSION};
use skstore_domain::signals::{Beat, Service};
use skstore_workers::desk::signals::asked_to_stop;
use skstore_workers::desk::view::{View, ViewError};
use tokio::time::Instant;

use super::RecordArguments;
use crate::cli::columns::fields;
use crate::cli::failure::Failure;
use crate::cli::labels;
use crate::cli::output::Output;
use crate::cli::stderr::tell;

/// How long the first heartbeat, which come every second, is waited for.
const HEARD_WITHIN: Duration = Duration::from_secs(5);
/// How often the view is looked at when it does not say by itself that it has changed.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// After this long without a heartbeat a person is told.
const SILENT_AFTER: Duration = Duration::from_secs(10);

/// A recording that is being written.
struct Recording<'a> {
    path: &'a Path,
    file: File,
    instance: String,
    recorder: Recorder,
    /// How far the breaker's clock was heard of.
    reached_us: u64,
    heard: Instant,
    has_told: bool,
}

/// Records until the time is over or somebody wants it to end, and says what there is.
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
    let mut recording = Recording::begin(&arguments.file, &beat)?;
    let stop = async {
        match arguments.for_ {
            Some(limit) => tokio::time::sleep(limit).await,
            None => std::future::pending().await,
        }
    };
    if arguments.for_.is_none() {
        let (instance, file) = (&recording.instance, arguments.file.display());
        tell(&format!("skstore: recording the breaker of {instance} into {file}, until Ctrl-C"));
    }
    let ended = tokio::select! {
        biased;
        stopped = asked_to_stop() => stopped.map_err(Failure::from),
        () = stop => Ok(()),
        failed = recording.follow(view) => failed,
    };
    ended?;
    // What the last second has told.
    if let Ok(Some(beat)) = newest(view, &recording.instance).await {
        recording.hear(&beat)?;
    }
    recording.end()?;
    let (recorded, instance) = (recording.recorder.recorded(), &recording.instance);
    out.one(
        &json!({ "recording": { "file": arguments.file, "instance": instance, "recorded": recorded } }),
        |language| fields(language, &told(&arguments.file, instance, &recorded)),
    )
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

/// What a worker said last.
async fn newest(view: &View, instance: &str) -> Result<Option<Beat>, ViewError> {
    Ok(view.health().await?.services.into_iter().find(|beat| beat.instance == *instance))
}

impl<'a> Recording<'a> {
    fn begin(path: &'a Path, beat: &Beat) -> Result<Self, Failure> {
        let file = File::options().write(true).create_new(true).open(path).map_err(|error| {
            let remedy = match error.kind() {
                std::io::ErrorKind::AlreadyExists => "; name another file, or move it away",
                _ => "",
            };
            Failure::Usage(format!("the file {} cannot be made: {error}{remedy}", path.display()))
        })?;
        let settings = beat.breaker.as_ref().and_then(|breaker| breaker.settings.clone());
        let header = Header {
            version: VERSION,
            program: concat!("skstore ", env!("CARGO_PKG_VERSION")).to_owned(),
            instance: beat.instance.clone(),
            at: beat.at,
            settings: settings.unwrap_or_default(),
        };
        let mut recording = Self {
            path,
            file,
            instance: beat.instance.clone(),
            recorder: Recorder::default(),
            reached_us: 0,
            heard: Instant::now(),
            has_told: false,
        };
        recording.write(&[Line::Header(header)])?;
        recording.hear(beat)?;
        Ok(recording)
    }

    /// Writes what is told as it comes; never ends by itself. A view that cannot be read for a while is a gap, if it is for
    /// longer than what heartbeats tell.
    async fn follow(&mut self, view: &View) -> Result<(), Failure> {
        let mut changes = view.changes();
        loop {
            if let Ok(Some(beat)) = newest(view, &self.instance).await {
                self.hear(&beat)?;
            }
            if self.heard.elapsed() > SILENT_AFTER && !self.has_told {
                self.has_told = true;
                let (name, secs) = (&self.instance, SILENT_AFTER.as_secs());
                tell(&format!(
                    "skstore: nothing was heard of {name} for {secs} s; what it does is not recorded"
                ));
            }
            let _ = tokio::time::timeout(LOOK_EVERY, changes.changed()).await;
            // It changes often while much is done, and heartbeats come once in a second.
            tokio::time::sleep(LOOK_EVERY / 2).await;
        }
    }

    fn hear(&mut self, beat: &Beat) -> Result<(), Failure> {
        let Some(told) = &beat.calls else { return Ok(()) };
        let lines = self.recorder.hear(told);
        if self.reach(told) {
            (self.heard, self.has_told) = (Instant::now(), false);
        }
        self.write(&lines)
    }

    /// Whether this tells of a later time than what was told before.
    fn reach(&mut self, told: &Told) -> bool {
        let is_new = told.image.at_us != self.reached_us;
        self.reached_us = told.image.at_us;
        is_new
    }

    fn end(&mut self) -> Result<(), Failure> {
        self.write(&[Line::End(End { at_us: self.reached_us })])
    }

    fn write(&mut self, lines: &[Line]) -> Result<(), Failure> {
        let text: String = lines.iter().map(|line| line.text() + "\n").collect();
        self.file.write_all(text.as_bytes()).map_err(|error| {
            let path = self.path.display();
            Failure::Unreachable(format!(
                "the file {path} cannot be written any more: {error}; it is whole up to there"
            ))
        })
    }
}
