//! `skstore view`: what the view holds, and having it built anew.

use std::io::Write;
use std::time::Duration;

use clap::Subcommand;
use serde::Serialize;
use serde_json::json;
use skstore::text::fit::Side;
use skstore::text::numbers::grouped;
use skstore_domain::events::Source;
use skstore_domain::signals::Service;
use skstore_workers::desk::Desk;
use skstore_workers::desk::signals::asked_to_stop;
use skstore_workers::desk::view::{Rebuilds, View, ViewError};
use tokio::time::Instant;

use super::columns::{fields, table};
use super::failure::Failure;
use super::labels;
use super::output::{Output, by_status};
use super::stderr::tell;

/// When a rebuild that nobody has begun is asked for again: many times what it takes one that was heard.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(1);
/// How long it may take until a rebuild has begun: another process of MyInfo may have to take charge of it.
const BEGINS_WITHIN: Duration = Duration::from_secs(10);
/// How long a rebuild may come no further. A service that is down holds it up, and it goes on when that is back.
const STALLS_FOR: Duration = Duration::from_secs(30);
/// How often a rebuild may begin again before it is said that it does not come to its end: once because the view had
/// revisions that no log knows, and once more because it was lost meanwhile.
const MAX_BEGINNING: u32 = 3;
/// How often it is looked how far it has come.
const LOOK_EVERY: Duration = Duration::from_millis(50);

#[derive(Debug, Clone, Copy, Subcommand)]
pub(crate) enum ViewCommand {
    /// Build the view anew from the logs of the services
    ///
    /// What is shown stays while that is being done. It goes on when this command is interrupted, and asking again
    /// does no harm.
    Rebuild,
}

/// Does `command`, and shows what the view holds.
///
/// # Errors
/// [`Failure`].
pub(crate) async fn run<W: Write>(
    desk: &Desk,
    command: Option<ViewCommand>,
    out: &mut Output<W>,
) -> Result<(), Failure> {
    match command {
        None => {}
        Some(ViewCommand::Rebuild) => tokio::select! {
            biased;
            // It goes on without us.
            stopped = asked_to_stop() => stopped?,
            rebuilt = rebuild(desk) => rebuilt?,
        },
    }
    show(desk.view(), out).await
}

async fn show<W: Write>(view: &View, out: &mut Output<W>) -> Result<(), Failure> {
    let counts = view.counts().await?;
    let orders: u64 = counts.orders.iter().sum();
    let is_running = view.rebuilds().await?.is_running;
    let rebuilding = if is_running { Some(percent(view).await?.unwrap_or(0)) } else { None };
    let logs = logs(view).await?;
    let object = json!({
        "orders": orders,
        "by_status": by_status(&counts),
        "accounts": counts.accounts,
        "items": counts.items,
        "rebuilding": rebuilding,
        "logs": logs,
    });
    out.one(&object, |language| {
        let counts = fields(
            language,
            &[
                (labels::ORDERS, orders.to_string()),
                (labels::ACCOUNTS, counts.accounts.to_string()),
                (labels::ITEMS, counts.items.to_string()),
                (labels::REBUILDING, rebuilding.map(|percent| format!("{percent} %")).unwrap_or_default()),
            ],
        );
        let headings = [
            (labels::LOG, Side::Left),
            (labels::ENTRIES, Side::Right),
            (labels::APPLIED, Side::Right),
            (labels::MISSING, Side::Right),
        ];
        let row = |log: &LogSeen| {
            let number = |number: Option<u64>| number.map(grouped).unwrap_or_default();
            [log.service.word().to_owned(), number(log.last_seq), number(log.applied), number(log.missing)]
        };
        format!("{counts}\n{}", table(language, headings, logs.iter().map(row)))
    })
}

/// How much of one service's log the view has.
#[derive(Debug, Serialize)]
struct LogSeen {
    service: Source,
    /// Its store, where it was told.
    store: Option<String>,
    /// Its newest entry.
    last_seq: Option<u64>,
    /// Its entries that were applied.
    applied: Option<u64>,
    /// Those that were not: on their way, or lost and soon asked for.
    missing: Option<u64>,
}

async fn logs(view: &View) -> Result<Vec<LogSeen>, Failure> {
    let checkpoints = view.checkpoints().await?;
    let seen = |service: &Source| {
        let known = checkpoints.get(service);
        let head = known.and_then(|known| known.head.as_ref());
        let missing = known.zip(head).map(|(known, head)| known.applied.missing(head.last_seq));
        let last_seq = head.and_then(|head| u64::try_from(head.last_seq).ok());
        LogSeen {
            service: *service,
            store: known.map(|known| known.store.clone()),
            last_seq,
            applied: last_seq.zip(missing).map(|(last, missing)| last - missing),
            missing,
        }
    };
    Ok(Source::ALL.iter().map(seen).collect())
}

/// How far MyInfo says that it has come.
async fn percent(view: &View) -> Result<Option<u8>, Failure> {
    Ok(view.health().await?.services.iter().find_map(|beat| beat.rebuilding))
}

/// A rebuild as it is seen from outside.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Seen {
    rebuilds: Rebuilds,
    percent: Option<u8>,
    /// Whose logs it has not heard to their end.
    unheard: Vec<Service>,
    /// Why MyInfo does not get on with it.
    trouble: Option<String>,
}

/// What is in the view's way is no reason not to ask for a rebuild: that replaces it.
async fn look(view: &View) -> Result<Seen, Failure> {
    let found = async {
        let rebuilds = view.rebuilds().await?;
        let beats = view.health().await?.services;
        let keeper = beats.iter().find(|beat| beat.rebuilding.is_some());
        let keepers = || beats.iter().filter(|beat| beat.service == Service::MyInfo);
        Ok(Seen {
            rebuilds,
            percent: keeper.and_then(|beat| beat.rebuilding),
            unheard: keeper.map(|beat| beat.unheard.clone()).unwrap_or_default(),
            trouble: keepers().find(|beat| !beat.ready).and_then(|beat| beat.last_error.clone()),
        })
    };
    match found.await {
        Err(ViewError::Foreign(why)) => Ok(Seen { trouble: Some(why), ..Seen::default() }),
        found => Ok(found?),
    }
}

/// Asks for a rebuild, again where nobody begins one: a wish that comes before MyInfo listens, or just as it ends a rebuild, is
/// heard by nobody. Waits until one that has begun since, or was going on already, has ended.
async fn rebuild(desk: &Desk) -> Result<(), Failure> {
    let view = desk.view();
    let before = look(view).await?;
    desk.rebuild_view().await?;
    let mut told = before.clone();
    let (began, mut asked, mut moved, mut begins) = (Instant::now(), Instant::now(), Instant::now(), 0);
    loop {
        let now = look(view).await?;
        let has_begun = before.rebuilds.is_running || now.rebuilds.last > before.rebuilds.last;
        if has_begun && !now.rebuilds.is_running {
            return Ok(());
        }
        if !has_begun && asked.elapsed() > ASK_AGAIN_AFTER {
            desk.rebuild_view().await?;
            asked = Instant::now();
        }
        begins += u32::from(now.rebuilds.last > told.rebuilds.last);
        if progress(&now, &told) {
            moved = Instant::now();
        }
        told = now;
        if let Some(why) = stuck(&told, has_begun.then(|| moved.elapsed()), began.elapsed(), begins) {
            return Err(Failure::Unreachable(why));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Why it is not worth waiting any longer. `stands` is for how long a rebuild has come no further.
fn stuck(seen: &Seen, stands: Option<Duration>, since: Duration, begins: u32) -> Option<String> {
    let because = |end: &str| match &seen.trouble {
        Some(trouble) => format!("{end}: {trouble}"),
        None => end.to_owned(),
    };
    match stands {
        None if since > BEGINS_WITHIN => Some(because("no worker of MyInfo has begun to rebuild the view")),
        Some(_) if begins > MAX_BEGINNING => Some(because("the rebuild begins again and again")),
        Some(stands) if stands > STALLS_FOR && seen.unheard.is_empty() => Some(because(
            "the rebuild comes no further; nothing was removed from the view, and it goes on by itself",
        )),
        Some(stands) if stands > STALLS_FOR => {
            let silent: Vec<&str> = seen.unheard.iter().map(|service| service.word()).collect();
            let (silent, for_secs) = (silent.join(" and "), STALLS_FOR.as_secs());
            Some(because(&format!(
                "the rebuild has heard nothing more from {silent} for {for_secs} s; nothing was removed from the view, \
                 and it goes on by itself when {silent} answers"
            )))
        }
        _ => None,
    }
}

/// Tells people when it has come further. Whether it has: beginning anew is no progress.
fn progress(now: &Seen, told: &Seen) -> bool {
    if let (true, Some(percent)) = (now.percent != told.percent, now.percent) {
        tell(&format!("skstore: rebuilding the view: {percent} %"));
    }
    (now.percent, &now.unheard) != (told.percent, &told.unheard)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_for_a_rebuild_has_an_end_with_a_sentence_that_names_the_cause() {
        let [soon, long] = [Duration::from_secs(1), STALLS_FOR + Duration::from_secs(1)];
        let seen = |unheard: &[Service], trouble: Option<&str>| Seen {
            unheard: unheard.to_vec(),
            trouble: trouble.map(str::to_owned),
            ..Seen::default()
        };
        let key = Some("the key 'myinfo:orders' holds a string");
        let table = [
            (seen(&[], None), None, soon, 0, None),
            (seen(&[], None), None, long, 0, Some("no worker of MyInfo has begun")),
            (seen(&[], key), None, long, 0, Some("the key 'myinfo:orders' holds a string")),
            (seen(&[Service::Order], None), Some(soon), long, 1, None),
            (seen(&[Service::Order], None), Some(long), long, 1, Some("nothing more from order for 30 s")),
            (seen(&[], None), Some(long), long, 1, Some("comes no further; nothing was removed")),
            (
                seen(&[], key),
                Some(soon),
                soon,
                MAX_BEGINNING + 1,
                Some("again and again: the key 'myinfo:orders'"),
            ),
        ];
        for (seen, stands, since, begins, expected) in table {
            let told = stuck(&seen, stands, since, begins);
            let is_right = match (&told, expected) {
                (None, None) => true,
                (Some(told), Some(expected)) => told.contains(expected),
                _ => false,
            };
            assert!(is_right, "{told:?} for {seen:?}");
        }
    }
}
