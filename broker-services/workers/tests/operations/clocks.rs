//! Clocks that are wrong, and that jump: orders are taken and paid all the same, and it is said whose clock is off.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use skstore_domain::signals::Service;
use skstore_workers::desk::Desk;

use crate::view::placed;
use crate::workers::{At, Worker, place, until};

/// Orders for each way in which a clock is wrong.
const ORDERS: usize = 30;
/// Where a process looks up how far its clock is off, anew each time.
const OFFSET_FILE: &str = "offset";

/// What lets a process see another time than its machine's, built in `directory` by the compiler that links this test.
fn shim(directory: &Path) -> PathBuf {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/operations/clock.c");
    let library = directory.join("clock.so");
    let built = Command::new("cc").args(["-shared", "-fPIC", "-O1", "-o"]).arg(&library).arg(source).status();
    assert!(built.unwrap().success(), "{source} is not built");
    library
}

/// A desk whose `skewed` service has a clock of its own.
struct Skewed {
    at: At,
    offset: PathBuf,
    _workers: Vec<Worker>,
}

impl Skewed {
    fn start(skewed: &str) -> Self {
        let at = At::given();
        let offset = at.data.path().join(OFFSET_FILE);
        std::fs::write(&offset, "0").unwrap();
        let (library, file) = (shim(at.data.path()).display().to_string(), offset.display().to_string());
        let environment = [("LD_PRELOAD", library.as_str()), ("CLOCK_OFFSET_FILE", &file)];
        let workers = ["order", "deposit", "item", "myinfo"]
            .map(|service| {
                let environment = if service == skewed { &environment[..] } else { &[] };
                Worker::start(&[service], &at.settings(), environment)
            })
            .into();
        Self { at, offset, _workers: workers }
    }

    fn set(&self, millis: i64) {
        std::fs::write(&self.offset, millis.to_string()).unwrap();
    }
}

async fn skew_told(desk: &Desk, service: Service) -> Option<i64> {
    let beats = desk.view().health().await.ok()?.services;
    beats.iter().find(|beat| beat.service == service)?.clock_ahead_ms
}

/// Each is accepted at the first try: none is refused because of a clock.
async fn place_all(desk: &Desk, first: usize, when: &str) {
    for number in first..first + ORDERS {
        let answer = desk.place(&place(number)).await.unwrap();
        assert!(answer.ok, "{when}: order {number}: {:?}", answer.error);
    }
}

async fn nobody_is_refused(skewed: &str, service: Service) {
    let desk = Skewed::start(skewed);
    let process = desk.at.attach();
    let door = process.desk().await.unwrap();
    placed(&door, 9_999).await;
    let table = [2_000_i64, -2_000, 300_000, -300_000, 3_600_000, 0];
    for (n, millis) in table.into_iter().enumerate() {
        desk.set(millis);
        let offset = format!("{millis} ms");
        place_all(&door, n * ORDERS, &format!("{skewed} is off by {offset}")).await;
        until(&format!("it is told that {skewed} is off by {offset}"), async || {
            let told = skew_told(&door, service).await;
            told.is_some_and(|told| Duration::from_millis(told.abs_diff(millis)) < Duration::from_millis(300))
        })
        .await;
        let beats = door.view().health().await.unwrap().services;
        let warnings: Vec<String> = beats.into_iter().flat_map(|beat| beat.warnings).collect();
        assert_eq!(
            warnings.iter().any(|said| said.contains("its clock is")),
            millis != 0,
            "{offset}: {warnings:?}"
        );
    }
    process.stop().unwrap();
}

#[tokio::test]
async fn no_order_is_refused_because_of_the_clock_of_deposit() {
    nobody_is_refused("deposit", Service::Deposit).await;
}

#[tokio::test]
async fn no_order_is_refused_because_of_the_clock_of_order() {
    nobody_is_refused("order", Service::Order).await;
}
