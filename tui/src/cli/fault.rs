//! `skstore fault`: has workers misbehave on purpose, for a time that is said beforehand, shows who does, and ends it.

use std::io::Write;
use std::time::Duration;

use clap::{Args, Subcommand};
use skstore::dashboard::state::SILENT_AFTER;
use skstore::text::Language;
use skstore_domain::faults::{Fault, MAX_FAULT_FOR, MAX_SLOW_MS};
use skstore_domain::signals::{Beat, Service};
use skstore_workers::desk::Desk;
use skstore_workers::desk::clock::Clock;
use tokio::time::Instant;

use super::durations::duration;
use super::failure::Failure;
use super::heard::wait_for;
use super::output::{Output, Replaced};
use super::stderr::tell;

/// What is wanted.
#[derive(Debug, Subcommand)]
pub(crate) enum FaultCommand {
    /// Order, which takes the orders
    #[command(subcommand)]
    Order(Misbehaviour),
    /// Deposit, which keeps the money
    #[command(subcommand)]
    Deposit(Misbehaviour),
    /// Item, which keeps the stock
    #[command(subcommand)]
    Item(Misbehaviour),
    /// MyInfo, which keeps the view
    #[command(subcommand)]
    Myinfo(Misbehaviour),
    /// Have so many of Deposit's replies to Order get lost
    LostReplies {
        /// 1 to 100, in percent: 5%
        #[arg(value_parser = percent)]
        percent: u8,
        #[command(flatten)]
        whom: Whom,
    },
    /// What a worker as a whole may do: skstore fault worker order crash
    Worker {
        /// order, deposit, item or myinfo
        #[arg(value_parser = service)]
        service: Service,
        #[command(subcommand)]
        what: Fate,
    },
    /// Show who misbehaves, and for how long still
    List,
    /// End the faults of a service, or of all
    Heal {
        /// order, deposit, item or myinfo [default: all of them]
        #[arg(value_parser = service)]
        service: Option<Service>,
    },
}

/// How a service misbehaves.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Misbehaviour {
    /// Every batch takes longer by so much
    Slow {
        /// 1ms to 60s, with its unit: 400ms, 1.5s
        #[arg(value_parser = slow)]
        by: u64,
        #[command(flatten)]
        whom: Whom,
    },
    /// It works, but so many of its answers and replies get lost
    LostReplies {
        /// 1 to 100, in percent: 5%
        #[arg(value_parser = percent)]
        percent: u8,
        #[command(flatten)]
        whom: Whom,
    },
    /// It takes no work
    Stopped {
        #[command(flatten)]
        whom: Whom,
    },
    /// It dies in the midst of what it does
    Crash {
        /// Only this instance
        #[arg(long)]
        instance: Option<String>,
    },
}

/// What happens to a worker as a whole.
#[derive(Debug, Clone, Subcommand)]
pub(crate) enum Fate {
    /// It dies in the midst of what it does: over a broker its process, which must be started again; else the worker alone
    Crash {
        /// Only this instance
        #[arg(long)]
        instance: Option<String>,
    },
}

#[derive(Debug, Clone, Args)]
pub(crate) struct Whom {
    /// For how long at most, up to 1h
    #[arg(long = "for", value_name = "TIME", value_parser = fault_time, default_value = "5m")]
    lasts: Duration,
    /// Only this instance
    #[arg(long)]
    instance: Option<String>,
}

fn service(text: &str) -> Result<Service, String> {
    let words = || Service::ALL.iter().map(|service| service.word()).collect::<Vec<_>>().join(", ");
    Service::from_word(text).ok_or_else(|| format!("it must be one of {}", words()))
}

fn percent(text: &str) -> Result<u8, String> {
    let number = text.strip_suffix('%').unwrap_or(text).trim();
    let read = number.parse().ok().filter(|percent| (1..=100).contains(percent));
    read.ok_or_else(|| "it must be 1% to 100%".to_owned())
}

/// Milliseconds are as likely meant as seconds, so a number alone is neither.
fn slow(text: &str) -> Result<u64, String> {
    if text.trim().ends_with(|last: char| last.is_ascii_digit()) {
        return Err(format!("{text} what? Give the time its unit (ms, s, m or h): 400ms, 1.5s"));
    }
    let ms = u64::try_from(duration(text)?.as_millis()).unwrap_or(u64::MAX);
    let is_possible = (1..=MAX_SLOW_MS).contains(&ms);
    is_possible.then_some(ms).ok_or_else(|| format!("it must be 1ms to {}s", MAX_SLOW_MS / 1000))
}

fn fault_time(text: &str) -> Result<Duration, String> {
    let time = duration(text)?;
    let is_possible = !time.is_zero() && time <= MAX_FAULT_FOR;
    is_possible.then_some(time).ok_or_else(|| "it must be more than 0 and at most 1h, with its unit (ms, s, m or h): 30s, 5m; a number alone is seconds".to_owned())
}

impl FaultCommand {
    /// Whether it makes somebody misbehave, which ends with the workers.
    pub(crate) const fn lasts_with_workers(&self) -> bool {
        !matches!(self, Self::List | Self::Heal { .. })
    }
}

/// Does `command` and shows who misbehaves then.
///
/// # Errors
/// [`Failure`], also where the settings of those who are meant do not allow it.
pub(crate) async fn run<W: Write>(
    desk: &Desk,
    command: &FaultCommand,
    out: &mut Output<W>,
) -> Result<(), Failure> {
    match command {
        FaultCommand::Order(what) => misbehave(desk, Service::Order, what, out).await,
        FaultCommand::Deposit(what) => misbehave(desk, Service::Deposit, what, out).await,
        FaultCommand::Item(what) => misbehave(desk, Service::Item, what, out).await,
        FaultCommand::Myinfo(what) => misbehave(desk, Service::MyInfo, what, out).await,
        FaultCommand::LostReplies { percent, whom } => {
            inject(desk, Service::Deposit, Fault::LostReplies { percent: *percent }, whom, out).await
        }
        FaultCommand::Worker { service, what: Fate::Crash { instance } } => {
            crash(desk, *service, instance.as_ref(), out).await
        }
        FaultCommand::List => {
            let services = wait_for(desk, |services| services.iter().any(is_heard)).await?;
            out.faults(&faulty(services), &[])
        }
        FaultCommand::Heal { service } => heal(desk, *service, out).await,
    }
}

async fn misbehave<W: Write>(
    desk: &Desk,
    service: Service,
    what: &Misbehaviour,
    out: &mut Output<W>,
) -> Result<(), Failure> {
    let (fault, whom) = match what {
        Misbehaviour::Slow { by, whom } => (Fault::Slow { ms: *by }, whom),
        Misbehaviour::LostReplies { percent, whom } => (Fault::LostReplies { percent: *percent }, whom),
        Misbehaviour::Stopped { whom } => (Fault::Stopped, whom),
        Misbehaviour::Crash { instance } => return crash(desk, service, instance.as_ref(), out).await,
    };
    inject(desk, service, fault, whom, out).await
}

/// Has them misbehave, and waits until they say that they do.
async fn inject<W: Write>(
    desk: &Desk,
    service: Service,
    fault: Fault,
    whom: &Whom,
    out: &mut Output<W>,
) -> Result<(), Failure> {
    let meant = who_is_meant(desk, service, whom.instance.as_ref()).await?;
    let lasts = skstore::text::times::took(Language::English, whom.lasts);
    tell(&format!(
        "skstore: {service} {fault} for {lasts} at most; this ends it before: skstore fault heal {service}"
    ));
    let begun = Instant::now();
    desk.inject_for(service, whom.instance.clone(), fault, whom.lasts).await?;
    let told = fault.to_string();
    let replaced: Vec<Replaced> = meant.iter().filter_map(|beat| Replaced::by(&told, beat)).collect();
    for Replaced { instance, fault } in &replaced {
        tell(&format!("skstore: this takes the place of the fault {fault} of {instance}"));
    }
    let is_meant = |beat: &Beat| meant.iter().any(|meant| meant.instance == beat.instance);
    let obeys = |beat: &Beat| !is_meant(beat) || beat.fault.as_deref() == Some(&*told);
    let services = wait_for(desk, |services| services.iter().all(obeys)).await?;
    let obeyed = services.iter().all(obeys);
    out.faults(&faulty(services), &replaced)?;
    // One that is shorter than what is between two heartbeats is told by none.
    if obeyed || begun.elapsed() >= whom.lasts {
        return Ok(());
    }
    Err(Failure::Unreachable("not every worker says that it does so".to_owned()))
}

async fn heal<W: Write>(desk: &Desk, service: Option<Service>, out: &mut Output<W>) -> Result<(), Failure> {
    match service {
        Some(service) => desk.inject(service, Fault::None).await?,
        None => desk.heal().await?,
    }
    let is_well = |beat: &Beat| {
        !is_heard(beat) || beat.fault.is_none() || service.is_some_and(|service| beat.service != service)
    };
    let services = wait_for(desk, |services| services.iter().all(is_well)).await?;
    let are_well = services.iter().all(is_well);
    out.faults(&faulty(services), &[])?;
    if are_well {
        Ok(())
    } else {
        Err(Failure::Unreachable("not every worker says that it is well".to_owned()))
    }
}

async fn crash<W: Write>(
    desk: &Desk,
    service: Service,
    instance: Option<&String>,
    out: &mut Output<W>,
) -> Result<(), Failure> {
    let meant = who_is_meant(desk, service, instance).await?;
    desk.crash(service, instance.cloned()).await?;
    let names: Vec<&str> = meant.iter().map(|beat| beat.instance.as_str()).collect();
    tell(&format!("skstore: told to crash: {}", names.join(", ")));
    let services = desk.view().health().await?.services;
    out.faults(&faulty(services), &[])
}

/// The instances that are heard of and would obey.
///
/// # Errors
/// [`Failure`], where there is none.
async fn who_is_meant(
    desk: &Desk,
    service: Service,
    instance: Option<&String>,
) -> Result<Vec<Beat>, Failure> {
    let is_meant = |beat: &Beat| {
        is_heard(beat) && beat.service == service && instance.is_none_or(|name| *name == beat.instance)
    };
    let services = wait_for(desk, |services| services.iter().any(is_meant)).await?;
    let meant: Vec<&Beat> = services.iter().filter(|beat| is_meant(beat)).collect();
    if meant.is_empty() {
        return Err(match instance {
            Some(name) => Failure::NotFound(format!("no worker '{name}' of {service} is heard of")),
            None => Failure::Unreachable(format!("no worker of {service} is heard of")),
        });
    }
    let obeying: Vec<Beat> = meant.into_iter().filter(|beat| beat.takes_faults).cloned().collect();
    if obeying.is_empty() {
        return Err(Failure::Stays(format!(
            "{service} takes no faults, as its settings have it. Start its worker with --set faults.allowed=true, or with \
             SKSTORE__FAULTS__ALLOWED=true in its environment"
        )));
    }
    Ok(obeying)
}

fn is_heard(beat: &Beat) -> bool {
    Clock::System.now().since(beat.at) <= SILENT_AFTER
}

fn faulty(services: Vec<Beat>) -> Vec<Beat> {
    services.into_iter().filter(|beat| is_heard(beat) && beat.fault.is_some()).collect()
}

#[cfg(test)]
mod tests {
    use skstore_domain::faults::FAULT_FOR;

    use super::*;

    #[test]
    fn numbers_of_faults_are_read_as_people_write_them_and_bounded() {
        assert_eq!(percent("5%"), Ok(5));
        assert_eq!(percent("100"), Ok(100));
        assert_eq!(slow("400ms"), Ok(400));
        assert_eq!(slow("1.5s"), Ok(1500));
        assert_eq!(fault_time("1h"), Ok(MAX_FAULT_FOR));
        assert_eq!(fault_time("5m"), Ok(FAULT_FOR), "the default that the help tells");
        for text in ["0", "0%", "101%", "-1", "x", ""] {
            assert!(percent(text).is_err(), "{text}");
        }
        assert!(slow("0ms").is_err() && slow("61s").is_err());
        assert!(slow("400").unwrap_err().contains("(ms, s, m or h)"), "nobody knows of what");
        assert!(fault_time("0s").is_err() && fault_time("61m").is_err());
    }
}
