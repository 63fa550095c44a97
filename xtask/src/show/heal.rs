//! *heal*: one worker hangs and another one dies under load. Liveness tells of both, and whoever looks after them, here this
//! program as an engine would, starts new ones.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use super::chart::Chart;
use super::clock::Moment;
use super::length::Length;
use super::page::Page;
use super::traffic::Traffic;
use crate::desk::{Build, Desk, SERVICES};

/// How often an engine asks for health, and after how many failures in a row it starts a worker again: as the compose file
/// has it, but sooner, so that it fits on a page.
const ASK_EVERY: Duration = Duration::from_secs(1);
const FAILURES: u32 = 2;
/// How long it may take at most until a hung worker has been replaced: its silence is noticed after 6 s, twice asked for.
const REPLACED_WITHIN: Duration = Duration::from_secs(15);

/// A worker that was replaced.
struct Replaced {
    service: &'static str,
    /// How long after its trouble.
    after: Duration,
    broken: Moment,
    replaced: Moment,
    why: &'static str,
}

pub(super) fn run(length: Length, build: Build) -> Result<Page, String> {
    let (clients, seconds, hang_at, die_at) = length.pick((50, 60_u64, 10, 35), (10, 50, 3, 22));
    let mut desk = Desk::start(build, &build.program("skstore-worker"), &[])?;
    let begun = Instant::now();
    let load = Traffic::begin(&desk, &format!("load -c {clients} -t {seconds}s --run heal --fund"))?;
    let mut replaced = Vec::new();
    for (service, signal, at, why) in
        [("order", "STOP", hang_at, "hung"), ("deposit", "KILL", die_at, "killed")]
    {
        std::thread::sleep(Duration::from_secs(at).saturating_sub(begun.elapsed()));
        let worker = desk.workers.iter().find(|worker| worker.service == service);
        worker.ok_or_else(|| format!("there is no worker of {service}"))?.process.send(signal);
        let (trouble, broken) = (Instant::now(), Moment::now());
        look_after(&mut desk, build, service, trouble)?;
        replaced.push(Replaced { service, after: trouble.elapsed(), broken, replaced: Moment::now(), why });
    }
    let seen = load.end()?;
    let story = format!(
        "{clients} clients order as fast as they are answered for {seconds} s. At second {hang_at} the worker of Order is stopped \
         (SIGSTOP), at second {die_at} that of Deposit is killed (SIGKILL). `skstore-worker health` is asked once a second; who \
         fails {FAILURES} times in a row is killed and started again."
    );
    let mut chart = Chart::new(usize::try_from(seconds).unwrap_or(usize::MAX));
    let began = seen.began()?;
    chart.marks("workers", "h: Order hangs, k: Deposit killed, +: replaced", |second| {
        let is_then = |moment: &Moment| moment.seconds_since(began) == Some(second as u64);
        match replaced.iter().find(|seen| is_then(&seen.broken)) {
            Some(seen) => seen.why.chars().next().unwrap_or(' '),
            None if replaced.iter().any(|seen| is_then(&seen.replaced)) => '+',
            None => ' ',
        }
    });
    seen.draw(&mut chart);
    let mut page = Page::new("heal", story, chart.text());
    for Replaced { service, after, why, .. } in &replaced {
        page.promise(
            &format!(
                "the worker of {service} that was {why} is replaced within {} s",
                REPLACED_WITHIN.as_secs()
            ),
            &format!("{:.1} s", after.as_secs_f64()),
            length == Length::Short || *after <= REPLACED_WITHIN,
        );
    }
    let last = usize::try_from(seconds).unwrap_or(usize::MAX).saturating_sub(3);
    let at_end: u64 = (last..last + 2).map(|second| seen.second(second, "ok")).sum();
    page.promise("orders are accepted at the end", &format!("{at_end} in two seconds"), at_end > 0);
    seen.tell(&desk, &mut page)?;
    Ok(page)
}

/// Asks for the health of all workers, and replaces `service`'s once it is not well; returns when its new one takes work.
fn look_after(desk: &mut Desk, build: Build, service: &'static str, trouble: Instant) -> Result<(), String> {
    let program = build.program("skstore-worker");
    let mut failures = 0;
    while failures < FAILURES {
        if trouble.elapsed() > 2 * REPLACED_WITHIN {
            return Err(format!("nothing tells that the worker of {service} is not well"));
        }
        for other in SERVICES {
            let is_well = is_well(desk, build, other)?;
            if other == service {
                failures = if is_well { 0 } else { failures + 1 };
            }
        }
        std::thread::sleep(ASK_EVERY);
    }
    let known = desk.ready()?;
    let new = desk.worker(service, &program)?;
    if let Some(old) = desk.workers.iter_mut().find(|worker| worker.service == service) {
        std::mem::replace(old, new).process.end("KILL");
    }
    desk.until("the new worker takes work", |desk| {
        Ok(desk.ready()?.iter().any(|beat| beat.0 == service && !known.contains(beat)))
    })
}

fn is_well(desk: &Desk, build: Build, service: &str) -> Result<bool, String> {
    let mut health = Command::new(build.program("skstore-worker"));
    health.args(["health", service]).envs(desk.environment());
    let status = health.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.map(|status| status.success()).map_err(|error| format!("skstore-worker health: {error}"))
}
