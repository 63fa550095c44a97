//! *breaker*: Deposit is slowed down beyond the payment's timeout under load. The breaker opens, tries again, and closes when
//! Deposit is well; meanwhile callers are refused at once and Deposit's queue stays short.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::length::Length;
use super::stage::Stage;
use crate::chart::Chart;
use crate::clock::Moment;
use crate::desk::Desk;
use crate::page::Page;
use crate::traffic::{Seen, Traffic};

/// As the original's `siege -c255`.
const CLIENTS: u32 = 255;
/// By how much Deposit is slowed down: its callers wait for 300 ms.
const SLOW_MS: u32 = 400;
/// Charges that one Order worker has in flight at most, by default.
const MAX_IN_FLIGHT: u64 = 512;
/// How fast a refusal has to be for all but a hundredth.
const REFUSED_WITHIN_US: u64 = 5_000;
/// The time that Order's figures of its answers are of.
const TOLD_OF: Duration = Duration::from_secs(12);
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// The file that the breaker's calls are written to.
const RECORDING: &str = "breaker.jsonl";

/// When what happens, in seconds.
#[derive(Clone, Copy)]
struct Times {
    whole: u32,
    slow_from: u32,
    slow_for: u32,
}

/// What was seen from outside while it ran.
struct Watched {
    /// When Deposit was slowed down.
    slow_from: Moment,
    /// When, and how many messages were in Deposit's queue of charges.
    depths: Vec<(Moment, u64)>,
    /// What Order tells of how long all but a hundredth of its answers of the last ten seconds took, in microseconds, while
    /// the breaker had been open for longer than that.
    refused_us: Vec<u64>,
}

/// When the breaker went to which state.
type Change = (Moment, String);

pub(super) fn run(length: Length, stage: Stage) -> Result<Page, String> {
    let times = length.pick(
        Times { whole: 80, slow_from: 10, slow_for: 45 },
        Times { whole: 34, slow_from: 3, slow_for: 18 },
    );
    let desk = stage.open(true)?;
    // The load gets its money and units first, and follows its orders to their end afterwards.
    let recorder = desk.begin(&format!("breaker record {RECORDING} --for {}s", times.whole + 10))?;
    let Times { whole, slow_from, slow_for } = times;
    let load = Traffic::begin(&*desk, &format!("load -c {CLIENTS} -t {whole}s --run breaker --fund"))?;
    let watched = watch(&*desk, &times)?;
    let seen = load.end()?;
    recorder.wait_with_output().map_err(|error| format!("the recorder: {error}"))?;
    let changes = changes(&desk.read(RECORDING)?);
    let story = format!(
        "{CLIENTS} clients order as fast as they are answered for {whole} s. From second {slow_from} on Deposit takes {SLOW_MS} ms \
         longer for each batch, for {slow_for} s; Order waits for 300 ms.{}",
        stage.sentence()
    );
    let mut page = Page::new(
        "breaker",
        format!("cargo xtask show breaker{}", stage.option()),
        story,
        draw(&times, &seen, &watched, &changes)?,
    );
    tell(length, &seen, &watched, &changes, &mut page);
    seen.tell(&*desk, &mut page)?;
    Ok(page)
}

/// Slows Deposit down in its time, and looks at its queue.
fn watch(desk: &dyn Desk, times: &Times) -> Result<Watched, String> {
    let begun = Instant::now();
    let (mut slow_from, mut depths, mut refused_us) = (None, Vec::new(), Vec::new());
    let mut open_since: Option<Instant> = None;
    while begun.elapsed() < Duration::from_secs(times.whole.into()) {
        if slow_from.is_none() && begun.elapsed() >= Duration::from_secs(times.slow_from.into()) {
            desk.ask(&format!("fault deposit slow {SLOW_MS}ms --for {}s", times.slow_for))?;
            slow_from = Some(Moment::now());
        }
        let queues = desk.ask("queues")?;
        let charges = queues.iter().find(|queue| queue["queue"] == "deposit.payments");
        let depth = charges.map_or(0, |queue| {
            ["messages", "unacked"].iter().filter_map(|name| queue[name].as_u64()).max().unwrap_or(0)
        });
        depths.push((Moment::now(), depth));
        let order = order(desk)?;
        let is_closed = order["breaker"]["state"] == "closed";
        open_since = if is_closed { None } else { open_since.or_else(|| Some(Instant::now())) };
        let is_long_open = open_since.is_some_and(|since| since.elapsed() > TOLD_OF);
        refused_us.extend(order["answers"]["p99_us"].as_u64().filter(|_| is_long_open));
        std::thread::sleep(LOOK_EVERY);
    }
    Ok(Watched { slow_from: slow_from.ok_or("Deposit was never slowed down")?, depths, refused_us })
}

/// The last heartbeat of Order.
fn order(desk: &dyn Desk) -> Result<Value, String> {
    let status = desk.ask("status")?;
    let services = status.first().and_then(|status| status["services"].as_array());
    let order = services.and_then(|services| services.iter().find(|beat| beat["service"] == "order"));
    Ok(order.cloned().unwrap_or_default())
}

/// The changes of state in a recording.
fn changes(recording: &str) -> Vec<Change> {
    let mut began = None;
    let mut changes = Vec::new();
    for line in recording.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok()) {
        if let Some(told) = line["state"]["began_at"].as_str() {
            began = Moment::read(told);
        }
        let changed = &line["changed"];
        if let (Some(began), Some(at_us), Some(to)) =
            (began, changed["at_us"].as_u64(), changed["to"].as_str())
        {
            changes.push((began.after(Duration::from_micros(at_us)), to.to_owned()));
        }
    }
    changes
}

fn draw(times: &Times, seen: &Seen, watched: &Watched, changes: &[Change]) -> Result<String, String> {
    let began = seen.began()?;
    let second_of = |moment: Moment| moment.seconds_since(began).unwrap_or(0);
    let mut chart = Chart::new(usize::try_from(times.whole).unwrap_or(usize::MAX));
    let slow = second_of(watched.slow_from)..second_of(watched.slow_from) + u64::from(times.slow_for);
    chart.marks("Deposit", "s: slow", |second| if slow.contains(&(second as u64)) { 's' } else { '-' });
    chart.marks("breaker", "-: closed, O: open, h: half-open", |second| {
        // It is half-open for less than a second.
        let mut in_second = changes.iter().filter(|(at, _)| second_of(*at) == second as u64);
        if in_second.any(|(_, to)| to == "half_open") {
            return 'h';
        }
        let until_then = changes.iter().take_while(|(at, _)| second_of(*at) <= second as u64);
        match until_then.last().map_or("closed", |(_, to)| to.as_str()) {
            "open" => 'O',
            _ => '-',
        }
    });
    seen.draw(&mut chart);
    chart.bars("Deposit's queue", "", |second| {
        let of_second = watched.depths.iter().filter(|(at, _)| second_of(*at) == second as u64);
        of_second.map(|(_, depth)| *depth).max().unwrap_or(0)
    });
    Ok(chart.text())
}

fn tell(length: Length, seen: &Seen, watched: &Watched, changes: &[Change], page: &mut Page) {
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
    page.figure(
        "told to try later, p50 and p99 for clients that ask again at once",
        &[50, 99].map(|percent| seen.ms(&format!("latency_us.refused_as.try_later.p{percent}"))).join(", "),
    );
    let slowest = watched.refused_us.iter().copied().max();
    let told =
        slowest.map_or_else(|| "not told".to_owned(), |us| format!("{}.{:02} ms", us / 1000, us % 1000 / 10));
    let is_fast = length == Length::Short || slowest.is_some_and(|us| us <= REFUSED_WITHIN_US);
    page.promise("while the breaker is open, Order answers within 5 ms, p99", &told, is_fast);
    page.promise(
        "every order is answered",
        &format!("{} %", seen.report["availability_percent"]),
        seen.number("failed") == 0,
    );
}
