//! *rolling*: every worker is replaced in turn by a new one while orders come in. The new one takes work before the old one is
//! told to end, so nobody notices.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use super::length::Length;
use super::stage::Stage;
use crate::chart::Chart;
use crate::clock::Moment;
use crate::desk::{Desk, SERVICES, until};
use crate::page::Page;
use crate::traffic::Traffic;

/// Names the program of the workers at the beginning, for an update from another version: a path. Without it the same
/// version takes the place of itself.
const FROM: &str = "SKSTORE_SHOW_FROM";
/// The slowest answer that nobody complains of.
const SLOWEST_US: u64 = 1_000_000;

pub(super) fn run(length: Length, stage: Stage) -> Result<Page, String> {
    let (clients, seconds, every) = length.pick((100, 80_u64, 15), (20, 24, 4));
    let from = std::env::var_os(FROM).map(PathBuf::from);
    let mut desk = from.as_ref().map_or_else(|| stage.open(false), |program| stage.open_with(program))?;
    let begun = Instant::now();
    let load = Traffic::begin(&*desk, &format!("load -c {clients} -t {seconds}s --run rolling --fund"))?;
    let mut replaced = Vec::new();
    for (at, service) in SERVICES.into_iter().enumerate() {
        let due = Duration::from_secs(every * (at as u64 + 1));
        std::thread::sleep(due.saturating_sub(begun.elapsed()));
        replace(&mut *desk, service)?;
        replaced.push((Moment::now(), service));
    }
    let seen = load.end()?;
    let began = seen.began()?;
    let second_of = |moment: &Moment| moment.seconds_since(began);
    let last = replaced.last().and_then(|(at, _)| second_of(at)).unwrap_or(seconds);
    let story = format!(
        "{clients} clients order as fast as they are answered for {seconds} s. Every {every} s a new worker of the next service is \
         started{}; once it takes work, the old one is told to end.{}",
        if from.is_none() { "" } else { ", of another version" },
        stage.sentence()
    );
    let mut chart = Chart::new(usize::try_from(seconds).unwrap_or(usize::MAX));
    chart.marks("replaced", "o: order, d: deposit, i: item, m: myinfo", |second| {
        let of_second = replaced.iter().find(|(at, _)| second_of(at) == Some(second as u64));
        of_second.and_then(|(_, service)| service.chars().next()).unwrap_or(' ')
    });
    seen.draw(&mut chart);
    let mut page =
        Page::new("rolling", format!("cargo xtask show rolling{}", stage.option()), story, chart.text());
    let availability = seen.report["availability_percent"].as_f64().unwrap_or(0.0);
    let is_whole = seen.number("failed") == 0 && seen.number("answered") == seen.number("sent");
    page.promise("availability is 100.00 %", &format!("{availability:.2} %"), is_whole);
    let slowest = seen.number("latency_us.all.max");
    let fast = length == Length::Short || slowest <= SLOWEST_US;
    page.promise("no answer takes longer than 1 s", &seen.ms("latency_us.all.max"), fast);
    let in_time = length == Length::Short || last < seconds;
    page.promise("all are replaced while orders come in", &format!("by second {last}"), in_time);
    seen.tell(&*desk, &mut page)?;
    Ok(page)
}

/// Starts a new worker of `service`, and has the old one end once the new one takes work.
fn replace(desk: &mut dyn Desk, service: &'static str) -> Result<(), String> {
    let (old, known) = (desk.workers(service)?, desk.ready()?);
    desk.start(service)?;
    let is_new = |beat: &(String, String)| beat.0 == service && !known.contains(beat);
    until(desk, "the new worker takes work", |desk| Ok(desk.ready()?.iter().any(is_new)))?;
    old.iter().try_for_each(|worker| desk.end(worker))
}
