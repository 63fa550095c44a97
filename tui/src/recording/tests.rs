//! The file of a recording: what is in it, whose it is, and how it ends.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;
use skstore_domain::breaker::replay::Replay;
use skstore_domain::breaker::{Breaker, BreakerSettings, BreakerState, CallResult};
use skstore_domain::time::Timestamp;
use skstore_workers::desk::view::embedded::EmbeddedView;

use super::*;

const BEGAN_AT: Timestamp = Timestamp(1_790_000_000_000);

/// An Order worker whose breaker is recorded.
struct Worker {
    breaker: Breaker,
    now: Duration,
}

impl Worker {
    fn new() -> Self {
        let now = Duration::from_secs(1_000);
        Self { breaker: Breaker::new(BreakerSettings::default(), now), now }
    }

    /// Calls of which each fails.
    fn fails(&mut self, calls: usize) {
        for _ in 0..calls {
            self.now += Duration::from_millis(10);
            if let Ok(permit) = self.breaker.permit(self.now) {
                let charge = [(permit, CallResult::Failed)];
                self.breaker.record_call(charge, Duration::from_millis(5), self.now);
            }
        }
    }

    fn beat(&mut self) -> Beat {
        self.now += Duration::from_secs(1);
        let told = self.breaker.tell(BEGAN_AT, self.now);
        let beat = json!({
            "service": "order", "instance": "order-1", "version": "0.1.0", "started_at": BEGAN_AT, "at": BEGAN_AT,
            "ready": true, "last_error": null, "handled": 0, "per_second": 0, "in_flight": 0, "unsent": 0, "fault": null,
            "breaker": self.breaker.snapshot(self.now), "rebuilding": null, "calls": told,
        });
        serde_json::from_value(beat).unwrap()
    }
}

/// A view in which nobody is heard of.
fn empty() -> View {
    View::Embedded(EmbeddedView::new(10))
}

fn lines(path: &Path) -> Vec<Line> {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(text.ends_with('\n'), "its last line is whole: {text}");
    text.lines().map(|line| Line::read(line.as_bytes()).unwrap()).collect()
}

fn ends(path: &Path) -> usize {
    lines(path).iter().filter(|line| matches!(line, Line::End(_))).count()
}

#[tokio::test]
async fn what_heartbeats_tell_is_written_once_and_replayed_to_the_same() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("a.jsonl");
    let mut worker = Worker::new();
    let mut recording = Recording::begin(path.clone(), &worker.beat()).unwrap();
    for _ in 0..4 {
        worker.fails(3);
        let beat = worker.beat();
        assert!(recording.hear(&beat).unwrap(), "it tells of a later time");
        assert!(!recording.hear(&beat).unwrap(), "heard again it tells nothing new");
    }
    let recorded = recording.finish(&empty()).await.unwrap();
    assert_eq!((recorded.calls, recorded.gaps), (5, 0), "five failures in a row, and the breaker is open");
    let mut lines = lines(&path).into_iter();
    let Some(Line::Header(header)) = lines.next() else { panic!("it begins with what it is of") };
    assert_eq!((header.instance.as_str(), &header.settings), ("order-1", &BreakerSettings::default()));
    let mut replay = Replay::new(&header, header.settings.clone());
    lines.for_each(|line| replay.take(line).unwrap());
    let outcome = replay.finish();
    assert_eq!(outcome.recorded, outcome.replayed);
    assert_eq!(outcome.recorded.tally.opened, 1);
    assert!(outcome.recorded.states.iter().any(|shift| shift.state == Some(BreakerState::Open)));
}

#[tokio::test]
async fn one_that_is_dropped_has_its_end_and_one_that_is_finished_has_it_once() {
    let data = tempfile::tempdir().unwrap();
    let of = |name: &str| data.path().join(name);
    drop(Recording::begin(of("dropped"), &Worker::new().beat()).unwrap());
    assert_eq!(ends(&of("dropped")), 1);
    Recording::begin(of("finished"), &Worker::new().beat()).unwrap().finish(&empty()).await.unwrap();
    assert_eq!(ends(&of("finished")), 1);
}

#[tokio::test]
async fn no_file_that_is_there_is_touched_and_only_its_owner_reads_it() {
    let data = tempfile::tempdir().unwrap();
    let directory = data.path().join("data").join("recordings");
    let mut names = Vec::new();
    for _ in 0..3 {
        let recording = Recording::begin_in(&directory, "breaker-1", &Worker::new().beat()).unwrap();
        names.push(recording.path().file_name().unwrap().to_string_lossy().into_owned());
        let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(recording.path()), mode(&directory)), (0o600, 0o700));
    }
    assert_eq!(names, ["breaker-1.jsonl", "breaker-1-2.jsonl", "breaker-1-3.jsonl"]);
    let first = directory.join("breaker-1.jsonl");
    let before = std::fs::read(&first).unwrap();
    let refused = Recording::begin(first.clone(), &Worker::new().beat()).unwrap_err();
    assert!(matches!(refused, RecordingError::NotMade { is_there: true, .. }), "{refused}");
    assert_eq!(std::fs::read(&first).unwrap(), before);
    let no_directory = Recording::begin_in(&first, "breaker-1", &Worker::new().beat()).unwrap_err();
    assert!(matches!(no_directory, RecordingError::NotMade { is_there: false, .. }), "{no_directory}");
}

#[tokio::test]
async fn a_file_that_cannot_be_written_any_more_is_told_and_whole_up_to_there() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("a.jsonl");
    let mut worker = Worker::new();
    let mut recording = Recording::begin(path.clone(), &worker.beat()).unwrap();
    let before = lines(&path);
    recording.file = File::open(&path).unwrap();
    worker.fails(3);
    let error = recording.hear(&worker.beat()).unwrap_err();
    assert!(error.to_string().contains("cannot be written any more: Bad file descriptor"), "{error}");
    drop(recording);
    assert_eq!(lines(&path), before);
}

#[tokio::test]
async fn one_that_is_full_ends_by_itself() {
    let data = tempfile::tempdir().unwrap();
    let path = data.path().join("a.jsonl");
    let mut recording = Recording::begin(path.clone(), &Worker::new().beat()).unwrap();
    assert!(!recording.is_full());
    recording.bytes = MAX_BYTES;
    recording.follow(&empty(), |_| {}).await.unwrap();
    recording.finish(&empty()).await.unwrap();
    assert_eq!(ends(&path), 1);
}

#[tokio::test(start_paused = true)]
async fn silence_is_told_once() {
    let data = tempfile::tempdir().unwrap();
    let mut recording = Recording::begin(data.path().join("a.jsonl"), &Worker::new().beat()).unwrap();
    let mut seen = Vec::new();
    let view = empty();
    let followed = recording.follow(&view, |what| seen.push(what));
    assert!(tokio::time::timeout(SILENT_AFTER * 3, followed).await.is_err(), "it does not end by itself");
    assert_eq!(seen, [Seen::Silent]);
}
