//! What a frame costs, from the view to the screen: reading the window and drawing it, with few orders in the view
//! and with a million.
//!
//! Prints one JSON object a line, as `cargo xtask bench` wants them.

#![expect(clippy::unwrap_used, reason = "a benchmark that fails has nothing to say")]

use std::io::Write as _;
use std::time::Duration;

use futures_util::FutureExt;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use skstore::dashboard::message::{Found, Message, Query, Snapshot, Start};
use skstore::dashboard::screens::orders::state::WINDOW_ROWS;
use skstore::dashboard::screens::wanted;
use skstore::dashboard::shown::Shown;
use skstore::dashboard::size::Size;
use skstore::dashboard::state::{Look, State};
use skstore::dashboard::{draw, update};
use skstore::text::Language;
use skstore::text::times::UTC;
use skstore::theme::{Glyphs, ThemeName};
use skstore_domain::myinfo::ViewWrite;
use skstore_domain::time::Timestamp;
use skstore_workers::desk::config::TimeShown;
use skstore_workers::desk::view::embedded::EmbeddedView;
use skstore_workers::desk::view::{Swept, View, ViewError};
use tokio::time::Instant;

#[path = "orders/sample.rs"]
mod sample;

use sample::{BEGUN, order};

/// A large screen.
const SIZE: Size = Size { width: 200, height: 60 };
/// Frames that are timed; all but a hundredth of them must keep the bound.
const FRAMES: usize = 1000;
/// Orders written to the view at once.
const BATCH: i64 = 1000;
/// The bound of a frame, in microseconds.
const MAX_FRAME: f64 = 2000.0;

fn main() {
    measure(1000);
    // `cargo test --all-targets` runs this too, without the flag: it only wants to see it work.
    if std::env::args().any(|arg| arg == "--bench") {
        measure(1_000_000);
    }
}

/// What the view in memory answers: at once.
fn answered<T>(asked: impl Future<Output = Result<T, ViewError>>) -> T {
    asked.now_or_never().unwrap().unwrap()
}

fn measure(orders: i64) {
    let view = View::Embedded(EmbeddedView::new(usize::MAX));
    let rebuild = answered(view.begin_rebuild());
    assert_eq!(answered(view.finish_rebuild(rebuild)), Swept::Whole);
    for first in (0..orders).step_by(usize::try_from(BATCH).unwrap()) {
        let batch: Vec<ViewWrite> =
            (first..first + BATCH).map(|number| ViewWrite::Order(order(number))).collect();
        answered(view.apply(&batch));
    }
    let now = Timestamp(BEGUN + orders);
    let look = Look {
        language: Language::Korean,
        theme: ThemeName::Dark,
        glyphs: Glyphs::UNICODE,
        zone: UTC.clone(),
        time: TimeShown::Local,
        data_at: "embedded".to_owned(),
    };
    let mut state = State::new(look, SIZE, now);
    let mut screen = Terminal::new(TestBackend::new(SIZE.width, SIZE.height)).unwrap();
    let (mut reads, mut frames) = (Vec::new(), Vec::new());
    for frame in 0..FRAMES {
        // Every frame shows something new, as under load.
        let newest = orders + i64::try_from(frame).unwrap();
        answered(view.apply(&[ViewWrite::Order(order(newest))]));
        let started = Instant::now();
        let snapshot = read(&view, &state);
        reads.push(started.elapsed());
        let started = Instant::now();
        update(&mut state, Timestamp(BEGUN + newest), Message::Read(Box::new(snapshot)));
        let mut shown = Shown::default();
        screen.draw(|frame| shown = draw(&state, frame)).unwrap();
        state.drawn(shown);
        frames.push(started.elapsed());
    }
    report(orders, "read a window", median(reads), "");
    let note = format!(r#","at_most":{MAX_FRAME},"median_us":{:.1}"#, median(frames.clone()));
    report(orders, "update and draw a frame, p99", percentile(frames, 99), &note);
}

fn read(view: &View, state: &State) -> Snapshot {
    let wanted = wanted(state);
    let Query::Orders(query) = &wanted.query else { panic!("it shows orders") };
    assert_eq!(query.start, Start::Newest, "it follows");
    let page = answered(view.orders(&query.filter, None, WINDOW_ROWS));
    let (counts, health) = (answered(view.counts()), answered(view.health()));
    Snapshot {
        wanted,
        found: Found::Orders(page),
        detail: None,
        counts,
        health,
        last_event: None,
        items: None,
        pickers: None,
    }
}

fn median(times: Vec<Duration>) -> f64 {
    percentile(times, 50)
}

fn percentile(mut times: Vec<Duration>, percent: usize) -> f64 {
    times.sort();
    times[(times.len() * percent).div_ceil(100) - 1].as_secs_f64() * 1e6
}

fn report(orders: i64, what: &str, value: f64, bound: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, r#"{{"name":"{what}, {orders} orders","value":{value:.1},"unit":"us"{bound}}}"#).unwrap();
}
