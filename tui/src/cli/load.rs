//! `skstore load`: many orders at once, over whatever way there is to a desk, and what became of each.
//!
//! The mechanics are in [`skstore::load`]; here is what is asked for on the command line and what people are told.

use std::io::Write;
use std::time::Duration;

use skstore::load::follow::{PATIENCE, follow};
use skstore::load::ledger::Ledger;
use skstore::load::pace::Steer;
use skstore::load::report::Report;
use skstore::load::runner::{self, Ran, Seen};
use skstore::load::supply::{NoSupply, Supplied, supply};
use skstore::load::target::http::Gateway;
use skstore::load::target::{Target, Unanswered};
use skstore_workers::desk::Desk;
use skstore_workers::desk::clock::Clock;
use skstore_workers::desk::signals::Signals;
use tokio::sync::watch;

use super::failure::Failure;
use super::output::Output;
use super::stderr::tell;
use progress::Progress;

mod arguments;
mod progress;
mod told;

pub(crate) use arguments::LoadArguments;

/// How often people are told how many orders are open, once none is placed any more.
const TELL_OPEN_EVERY: Duration = Duration::from_secs(5);

/// Puts load on a desk, which is reached by `way`.
///
/// # Errors
/// [`Failure`], [`Failure::Load`] if something failed or has not ended.
pub(crate) async fn at_desk<W: Write>(
    desk: &Desk,
    way: &'static str,
    arguments: &LoadArguments,
    may_rewrite: bool,
    out: &mut Output<W>,
) -> Result<(), Failure> {
    run(desk, way, arguments, may_rewrite, out).await
}

/// Puts load on a gateway.
///
/// # Errors
/// As [`at_desk`].
pub(crate) async fn over_http<W: Write>(
    address: &str,
    arguments: &LoadArguments,
    may_rewrite: bool,
    out: &mut Output<W>,
) -> Result<(), Failure> {
    let token = arguments.token().map_err(Failure::Usage)?;
    let gateway = Gateway::at(address, token.as_deref(), arguments.clients());
    let gateway = gateway.map_err(|why| Failure::Usage(format!("--to: {why}")))?;
    run(&gateway, "http", arguments, may_rewrite, out).await
}

async fn run<T: Target, W: Write>(
    target: &T,
    way: &'static str,
    arguments: &LoadArguments,
    may_rewrite: bool,
    out: &mut Output<W>,
) -> Result<(), Failure> {
    let mut signals = Signals::listen()?;
    let wish = arguments.wish();
    let supplied = tokio::select! {
        biased;
        () = signals.next() => return Err(Failure::NoAnswer("it was told to end before it began".to_owned())),
        supplied = supply(target, &wish) => supplied?,
    };
    let limits = arguments.limits();
    tell(&told::beginning(&supplied, &limits, arguments.rate(), way));
    let began_at = Clock::System.now();
    let ran = place_all(target, &supplied, arguments, &mut signals, may_rewrite).await;
    let Supplied { plan, .. } = &supplied;
    if let Some(why) = &ran.forbidden {
        let accepted = match ran.tally.orders.ok {
            0 => String::new(),
            ok => format!(" Of the run {}, {ok} orders were accepted before.", plan.run),
        };
        return Err(Failure::Forbidden(not_let_in(why) + &accepted));
    }
    let Ran { mut ledger, .. } = ran;
    let followed = see_them_end(target, &mut ledger, &supplied, &mut signals).await;
    let report = Report::of(Ran { ledger, ..ran }, plan, &limits, arguments.rate(), way);
    let is_followed = *followed.as_ref().unwrap_or(&true);
    let report = Report { began_at: Some(began_at), is_followed, ..report };
    out.one(&report.to_json(), |language| told::report(language, &report))?;
    if let Err(why) = followed {
        tell(&format!("skstore: the orders could not be followed to their end: {why}"));
    }
    match (report.failed(), report.became.open) {
        (0, 0) => Ok(()),
        (failed, open) => Err(Failure::Load { failed, open, is_followed }),
    }
}

/// Places the orders until a limit is reached or somebody wants it to end.
async fn place_all<T: Target>(
    target: &T,
    supplied: &Supplied,
    arguments: &LoadArguments,
    signals: &mut Signals,
    may_rewrite: bool,
) -> Ran {
    let (steer, steered) = watch::channel(Steer { rate: arguments.rate(), is_stopped: false });
    let mut progress = Progress::new(may_rewrite);
    let limits = arguments.limits();
    let ran = {
        let told = |seen: &Seen<'_>| progress.show(seen);
        let running = runner::run(target, &supplied.plan, &limits, supplied.stock.clone(), steered, told);
        tokio::pin!(running);
        tokio::select! {
            biased;
            ran = &mut running => ran,
            () = signals.next() => {
                steer.send_modify(|steer| steer.is_stopped = true);
                running.await
            }
        }
    };
    progress.end();
    ran
}

/// What to do where a gateway lets nobody in without a token, or not with this one.
fn not_let_in(why: &str) -> String {
    format!(
        "the gateway does not let this order ({why}). Where it asks for tokens, name a file with one that may order: \
         --token-file PATH. Whoever runs the gateway makes it: skstore-worker gateway token NAME desk --add."
    )
}

/// Waits until every order has ended, or somebody does not want to wait. Whether it was waited.
async fn see_them_end<T: Target>(
    target: &T,
    ledger: &mut Ledger,
    supplied: &Supplied,
    signals: &mut Signals,
) -> Result<bool, Unanswered> {
    if ledger.open() == 0 {
        return Ok(true);
    }
    tell(&format!(
        "skstore: {} orders are to end yet; it waits for them, at most {} s after the last one that ended",
        ledger.open(),
        PATIENCE.as_secs()
    ));
    let mut next = tokio::time::Instant::now() + TELL_OPEN_EVERY;
    let told = |open: u64| {
        let now = tokio::time::Instant::now();
        if open > 0 && now >= next {
            tell(&format!("skstore: {open} orders are to end yet"));
            next = now + TELL_OPEN_EVERY;
        }
    };
    tokio::select! {
        biased;
        () = signals.next() => Ok(ledger.open() == 0),
        followed = follow(target, &supplied.plan.run, ledger, told) => followed.map(|()| true),
    }
}

impl From<NoSupply> for Failure {
    fn from(error: NoSupply) -> Self {
        match error {
            NoSupply::Unanswered(Unanswered::NoAnswer(why) | Unanswered::Lost(why)) => Self::NoAnswer(why),
            NoSupply::Unanswered(Unanswered::Unreachable(why) | Unanswered::Unexpected(why)) => {
                Self::Unreachable(why)
            }
            NoSupply::Unanswered(Unanswered::Forbidden(why)) => Self::Forbidden(not_let_in(&why)),
            NoSupply::Nothing(why) => Self::NotFound(why),
            NoSupply::Refused(why) => Self::Stays(why),
        }
    }
}
