//! *breaker*: Deposit is slowed down beyond the payment's timeout under load. The breaker opens, tries again, and closes when
//! Deposit is well; meanwhile callers are refused at once and Deposit's queue stays short.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::Length;
use super::chart::Chart;
use super::page::Page;
use super::traffic::{Seen, Traffic};
use crate::desk::{Build, Desk};

/// As the original's `siege -c255`.
const CLIENTS: u32 = 255;
/// By how much Deposit is slowed down: its callers wait for 300 ms.
const SLOW_MS: u32 = 400;
/// Charges that one Order worker has in flight at most, by default.
const MAX_IN_FLIGHT: u64 = 512;
/// How fast a refusal has to be for all but a hundredth.
const REFUSED_WITHIN_US: u64 = 5_000;
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// When what happens, in seconds.
#[derive(Clone, Copy)]
struct Times {
    whole: u32,
    slow_from: u32,
    slow_for: u32,
}

/// What was seen from outside while it ran.
#[derive(Default)]
struct Watched {
    /// When, and how many messages were in Deposit's queue of charges.
    depths: Vec<(u64, u64)>,
}

pub(super) fn run(length: Length, build: Build) -> Result<Page, String> {
    let times = length.pick(
        Times { whole: 60, slow_from: 10, slow_for: 30 },
        Times { whole: 24, slow_from: 3, slow_for: 9 },
    );
    let desk = Desk::start(build, &build.program("skstore-worker"), &[("SKSTORE__FAULTS__ALLOWED", "true")])?;
    let file = desk.data.join("breaker.jsonl");
    let recorder = desk.begin(&format!("breaker record {} --for {}", file.display(), times.whole + 5))?;
    let begun = Instant::now();
    let Times { whole, slow_from, slow_for } = times;
    let load = Traffic::begin(&desk, &format!("load -c {CLIENTS} -t {whole}s --run breaker --fund"))?;
    let watched = watch(&desk, &times, begun)?;
    let seen = load.end()?;
    recorder.wait_with_output().map_err(|error| format!("the recorder: {error}"))?;
    let recording = std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}", file.display()))?;
    let changes = changes(&recording);
    let story = format!(
        "{CLIENTS} clients order as fast as they are answered for {whole} s. From second {slow_from} on Deposit takes {SLOW_MS} ms \
         longer for each batch, for {slow_for} s; Order waits for 300 ms."
    );
    let mut page = Page::new("breaker", story, draw(&times, &seen, &watched, &changes));
    tell(length, &seen, &watched, &changes, &mut page);
    seen.tell(&desk, &mut page)?;
    Ok(page)
}

/// Slows Deposit down in its time, and looks at its queue.
fn watch(desk: &Desk, times: &Times, begun: Instant) -> Result<Watched, String> {
    let mut watched = Watched::default();
    let mut is_slow = false;
    while begun.elapsed() < Duration::from_secs(times.whole.into()) {
        if !is_slow && begun.elapsed() >= Duration::from_secs(times.slow_from.into()) {
            desk.ask(&format!("fault deposit slow {SLOW_MS}ms --for {}s", times.slow_for))?;
            is_slow = true;
        }
        let at = begun.elapsed().as_secs();
        let queues = desk.ask("queues")?;
        let charges = queues.iter().find(|queue| queue["queue"] == "deposit.payments");
        let depth = charges.and_then(|queue| queue["messages"].as_u64()).unwrap_or(0);
        watched.depths.push((at, depth));
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(watched)
}

/// When the breaker went from one state to another, in seconds since the recording began, and to which.
fn changes(recording: &str) -> Vec<(u64, String)> {
    let lines: Vec<Value> = recording.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let first = lines.iter().find_map(|line| line["state"]["at_us"].as_u64()).unwrap_or(0);
    let changed = lines.iter().filter_map(|line| {
        let changed = line.get("changed")?;
        let at = changed["at_us"].as_u64()?.saturating_sub(first) / 1_000_000;
        Some((at, changed["to"].as_str()?.to_owned()))
    });
    changed.collect()
}

fn draw(times: &Times, seen: &Seen, watched: &Watched, changes: &[(u64, String)]) -> String {
    let mut chart = Chart::new(usize::try_from(times.whole).unwrap_or(usize::MAX));
    let slow = usize::try_from(times.slow_from).unwrap_or(0)
        ..usize::try_from(times.slow_from + times.slow_for).unwrap_or(0);
    chart.marks("Deposit", "s: slow", |second| if slow.contains(&second) { 's' } else { '-' });
    chart.marks("breaker", "-: closed, O: open, h: half-open", |second| {
        let in_second = changes.iter().take_while(|(at, _)| *at <= second as u64);
        match in_second.last().map_or("closed", |(_, to)| to.as_str()) {
            "open" => 'O',
            "half_open" => 'h',
            _ => '-',
        }
    });
    seen.draw(&mut chart);
    chart.bars("Deposit's queue", "", |second| {
        let of_second = watched.depths.iter().filter(|(at, _)| *at == second as u64);
        of_second.map(|(_, depth)| *depth).max().unwrap_or(0)
    });
    chart.text()
}

fn tell(length: Length, seen: &Seen, watched: &Watched, changes: &[(u64, String)], page: &mut Page) {
    let path: Vec<&str> =
        std::iter::once("closed").chain(changes.iter().map(|(_, to)| to.as_str())).collect();
    let times = |to: &str| changes.iter().filter(|(_, state)| state == to).count();
    page.figure(
        "opened, tried again, closed",
        &format!("{}, {}, {}", times("open"), times("half_open"), times("closed")),
    );
    let heals = path.windows(2).any(|pair| pair == ["closed", "open"])
        && path.windows(2).any(|pair| pair == ["half_open", "open"])
        && path.ends_with(&["open", "half_open", "closed"]);
    page.promise("closed → open → half-open, again and again, → closed", &path.join(" → "), heals);
    let deepest = watched.depths.iter().map(|(_, depth)| *depth).max().unwrap_or(0);
    page.promise(
        &format!("Deposit's queue has no more than the {MAX_IN_FLIGHT} charges that may be in flight"),
        &deepest,
        deepest <= MAX_IN_FLIGHT,
    );
    let p99 = seen.number("latency_us.refused.p99");
    let fast = length == Length::Short || p99 <= REFUSED_WITHIN_US;
    page.promise("refusals take no longer than 5 ms, p99", &seen.ms("latency_us.refused.p99"), fast);
    page.promise(
        "every order is answered",
        &format!("{} %", seen.report["availability_percent"]),
        seen.number("failed") == 0,
    );
}
