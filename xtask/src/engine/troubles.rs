//! Trouble for each container in turn, while orders come in: its process dies, it is paused, it is cut off from the network.

use std::time::Duration;

use crate::clock::Moment;
use crate::compose::IMAGES;
use crate::desk::composed::{Composed, well_within};
use crate::desk::{SERVICES, all_take_work, until};
use crate::docker;
use crate::page::Page;
use crate::traffic::Seen;

use super::orders;

/// How long a container is paused or cut off.
const AWAY: Duration = Duration::from_secs(6);
/// How long after its trouble orders have to be accepted again: the breaker tries after 5 s whether Deposit is well again, and
/// a broker starts for longer than that.
const ACCEPTED_WITHIN_S: u64 = 15;
const ACCEPTED_WITHOUT_BROKER_S: u64 = 40;
/// How long the container itself may take to be well again, and its workers to be heard of.
const WELL_WITHIN: Duration = Duration::from_secs(60);
/// For how long orders are seen to be accepted afterwards.
const AFTERWARDS_S: u64 = 5;

/// What comes over a container.
#[derive(Clone, Copy)]
enum Trouble {
    Killed,
    Paused,
    CutOff,
}

impl Trouble {
    const ALL: [Self; 3] = [Self::Killed, Self::Paused, Self::CutOff];

    const fn word(self) -> &'static str {
        match self {
            Self::Killed => "killed",
            Self::Paused => "paused",
            Self::CutOff => "cut off",
        }
    }

    fn described(self) -> String {
        match self.lasts().as_secs() {
            0 => self.word().to_owned(),
            seconds => format!("{} for {seconds} s", self.word()),
        }
    }

    /// How long it lasts.
    const fn lasts(self) -> Duration {
        match self {
            Self::Killed => Duration::ZERO,
            Self::Paused | Self::CutOff => AWAY,
        }
    }

    /// Lets it come and go.
    fn happen(self, desk: &Composed, service: &str, container: &str) -> Result<(), String> {
        let network = desk.compose().network();
        match self {
            Self::Killed => docker::crash(container, IMAGES[0]),
            Self::Paused => {
                docker::ask(&["pause", container])?;
                std::thread::sleep(self.lasts());
                docker::ask(&["unpause", container]).map(drop)
            }
            Self::CutOff => {
                docker::ask(&["network", "disconnect", &network, container])?;
                std::thread::sleep(self.lasts());
                // Under the name by which the others know it.
                docker::ask(&["network", "connect", "--alias", service, &network, container]).map(drop)
            }
        }
    }
}

/// Each trouble for each container.
pub(super) fn run(desk: &mut Composed, page: &mut Page) -> Result<(), String> {
    for service in SERVICES.into_iter().chain(["rabbitmq", "redis", "postgres"]) {
        for trouble in Trouble::ALL {
            println!("   {service} is {}", trouble.word());
            let bound = if service == "rabbitmq" { ACCEPTED_WITHOUT_BROKER_S } else { ACCEPTED_WITHIN_S };
            let bound = trouble.lasts().as_secs() + bound;
            let seconds = bound + AFTERWARDS_S;
            let what = format!(
                "{service} is {}: orders are accepted again within {bound} s, and all end",
                trouble.described()
            );
            match one(desk, service, trouble, seconds) {
                Ok((began, seen)) => tell(page, &what, bound, began, seconds, &seen)?,
                Err(why) => page.promise(&what, &why.replace('\n', " "), false),
            }
        }
    }
    Ok(())
}

/// Lets a trouble happen while orders come in for so many seconds; gives when it began, and what became of the orders.
fn one(desk: &mut Composed, service: &str, trouble: Trouble, seconds: u64) -> Result<(Moment, Seen), String> {
    let containers = desk.compose().containers(service)?;
    let container = containers.first().ok_or_else(|| format!("there is no container of {service}"))?;
    let run = format!("{service}_{}", trouble.word().replace(' ', "_"));
    let load = orders::begin(desk, &run, seconds)?;
    let began = Moment::now();
    trouble.happen(desk, service, container)?;
    well_within(container, WELL_WITHIN)?;
    let seen = load.end()?;
    until(desk, "all workers take work again", all_take_work)?;
    Ok((began, seen))
}

fn tell(
    page: &mut Page,
    what: &str,
    bound: u64,
    began: Moment,
    seconds: u64,
    seen: &Seen,
) -> Result<(), String> {
    let from = began.seconds_since(seen.began()?).unwrap_or(0);
    let accepted = |second: u64| seen.second(usize::try_from(second).unwrap_or(usize::MAX), "ok") > 0;
    // The last second may be cut short.
    let mut none = (from..seconds.saturating_sub(1)).filter(|second| !accepted(*second));
    let again = none.next_back().map_or(0, |last| last + 1 - from);
    let n = |path: &str| seen.number(path);
    page.promise(
        what,
        &format!(
            "after {again} s; {} accepted, {} refused, {} not answered, {} open",
            n("ok"),
            n("refused"),
            n("failed"),
            n("became.open")
        ),
        again <= bound && n("became.open") == 0,
    );
    Ok(())
}
