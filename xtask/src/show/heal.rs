//! *heal*: one worker hangs and another one dies under load. Liveness tells of both, and whoever looks after them, here this
//! program as an engine would, starts new ones.

use std::time::{Duration, Instant};

use super::length::Length;
use super::stage::Stage;
use crate::chart::Chart;
use crate::clock::Moment;
use crate::desk::{Desk, SERVICES, until};
use crate::page::Page;
use crate::traffic::{Seen, Traffic};

/// How often an engine asks for health, and after how many failures in a row it starts a worker again.
const ASK_EVERY: Duration = Duration::from_secs(1);
const FAILURES: u32 = 2;

/// When what happens, in seconds.
#[derive(Clone, Copy)]
struct Times {
    clients: u32,
    whole: u64,
    hang_at: u64,
    die_at: u64,
    /// How long it may take at most until a hung worker has been replaced.
    replaced_within: u64,
}

impl Times {
    fn of(length: Length, stage: Stage) -> Self {
        match stage {
            // Its silence is noticed after 6 s, twice asked for.
            Stage::Processes(_) => length.pick(
                Self { clients: 50, whole: 60, hang_at: 10, die_at: 35, replaced_within: 15 },
                Self { clients: 10, whole: 50, hang_at: 3, die_at: 22, replaced_within: 15 },
            ),
            // The compose file has the engine ask every 5 s, and six times before it calls a container unhealthy.
            Stage::Containers => {
                Self { clients: 50, whole: 120, hang_at: 10, die_at: 85, replaced_within: 60 }
            }
        }
    }
}

/// A worker that was replaced.
struct Replaced {
    service: &'static str,
    /// How long after its trouble.
    after: Duration,
    broken: Moment,
    replaced: Moment,
    why: &'static str,
}

/// What a worker is harmed by.
type Harm = fn(&mut dyn Desk, &str) -> Result<(), String>;

pub(super) fn run(length: Length, stage: Stage) -> Result<Page, String> {
    let times = Times::of(length, stage);
    let Times { clients, whole, hang_at, die_at, replaced_within } = times;
    let mut desk = stage.open(false)?;
    let load = Traffic::begin(&*desk, &format!("load -c {clients} -t {whole}s --run heal --fund"))?;
    let replaced = harm(&mut *desk, &times)?;
    let seen = load.end()?;
    let story = format!(
        "{clients} clients order as fast as they are answered for {whole} s. At second {hang_at} the worker of Order is stopped \
         (SIGSTOP), at second {die_at} that of Deposit is killed (SIGKILL). Health is asked for once a second; who fails {FAILURES} \
         times in a row is killed and started again.{}",
        stage.sentence()
    );
    let chart = draw(&times, &seen, &replaced)?;
    let mut page = Page::new("heal", format!("cargo xtask show heal{}", stage.option()), story, chart);
    for Replaced { service, after, why, .. } in &replaced {
        page.promise(
            &format!("the worker of {service} that was {why} is replaced within {replaced_within} s"),
            &format!("{:.1} s", after.as_secs_f64()),
            length == Length::Short || *after <= Duration::from_secs(replaced_within),
        );
    }
    let last = usize::try_from(whole).unwrap_or(usize::MAX).saturating_sub(3);
    let at_end: u64 = (last..last + 2).map(|second| seen.second(second, "ok")).sum();
    page.promise("orders are accepted at the end", &format!("{at_end} in two seconds"), at_end > 0);
    seen.tell(&*desk, &mut page)?;
    Ok(page)
}

/// Harms a worker of Order and one of Deposit, each in its time, and sees to it that another one takes its place.
fn harm(desk: &mut dyn Desk, times: &Times) -> Result<Vec<Replaced>, String> {
    let begun = Instant::now();
    let hang: Harm = |desk, worker| desk.hang(worker);
    let kill: Harm = |desk, worker| desk.kill(worker);
    let mut replaced = Vec::new();
    for (service, harm, at, why) in
        [("order", hang, times.hang_at, "hung"), ("deposit", kill, times.die_at, "killed")]
    {
        std::thread::sleep(Duration::from_secs(at).saturating_sub(begun.elapsed()));
        let worker = desk.workers(service)?.into_iter().next();
        let worker = worker.ok_or_else(|| format!("there is no worker of {service}"))?;
        let known = desk.ready()?;
        let (trouble, broken) = (Instant::now(), Moment::now());
        harm(desk, &worker)?;
        look_after(desk, service, &worker, &known, Duration::from_secs(2 * times.replaced_within))?;
        replaced.push(Replaced { service, after: trouble.elapsed(), broken, replaced: Moment::now(), why });
    }
    Ok(replaced)
}

fn draw(times: &Times, seen: &Seen, replaced: &[Replaced]) -> Result<String, String> {
    let mut chart = Chart::new(usize::try_from(times.whole).unwrap_or(usize::MAX));
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
    Ok(chart.text())
}

/// Asks for the health of all workers, and replaces `worker` once it is not well; returns when there is one of `service` that takes
/// work and is none of those that were `known` before.
fn look_after(
    desk: &mut dyn Desk,
    service: &'static str,
    worker: &str,
    known: &[(String, String)],
    within: Duration,
) -> Result<(), String> {
    let is_new = |beat: &(String, String)| beat.0 == service && !known.contains(beat);
    let begun = Instant::now();
    let mut failures = 0;
    while failures < FAILURES {
        if begun.elapsed() > within {
            return Err(format!("nothing tells that the worker of {service} is not well"));
        }
        for other in SERVICES {
            for asked in desk.workers(other)? {
                let is_well = desk.is_well(&asked)?;
                if asked == worker {
                    failures = if is_well { 0 } else { failures + 1 };
                }
            }
        }
        // An engine starts what has died by itself.
        if desk.ready()?.iter().any(is_new) {
            return Ok(());
        }
        std::thread::sleep(ASK_EVERY);
    }
    desk.start(service)?;
    desk.remove(worker)?;
    until(desk, "the new worker takes work", |desk| Ok(desk.ready()?.iter().any(is_new)))
}
