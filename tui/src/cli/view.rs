//! `skstore view`: what the view holds, and having it built anew.

use std::io::Write;
use std::time::Duration;

use clap::Subcommand;
use serde_json::json;
use skstore_domain::objects::OrderStatus;
use skstore_workers::desk::Desk;
use skstore_workers::signals::asked_to_stop;
use skstore_workers::view::{Rebuilds, View};
use tokio::time::Instant;

use super::columns::fields;
use super::failure::Failure;
use super::labels;
use super::output::Output;

/// How long it may take until a rebuild has begun: another process of MyInfo may have to take charge of it.
const BEGINS_WITHIN: Duration = Duration::from_secs(10);
/// How long a rebuild may come no further. A service that is down holds it up, and it goes on when that is back.
const STALLS_FOR: Duration = Duration::from_secs(30);
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
    let by_status: serde_json::Map<_, _> = OrderStatus::ALL
        .iter()
        .zip(counts.orders)
        .map(|(status, count)| (status.word().to_owned(), json!(count)))
        .collect();
    let object = json!({
        "orders": orders,
        "by_status": by_status,
        "accounts": counts.accounts,
        "items": counts.items,
        "rebuilding": rebuilding,
    });
    out.one(&object, |language| {
        fields(&[
            (labels::ORDERS.of(language), orders.to_string()),
            (labels::ACCOUNTS.of(language), counts.accounts.to_string()),
            (labels::ITEMS.of(language), counts.items.to_string()),
            (
                labels::REBUILDING.of(language),
                rebuilding.map(|percent| format!("{percent} %")).unwrap_or_default(),
            ),
        ])
    })
}

/// How far MyInfo says that it has come.
async fn percent(view: &View) -> Result<Option<u8>, Failure> {
    Ok(view.health().await?.services.iter().find_map(|beat| beat.rebuilding))
}

/// Asks for a rebuild and waits until one that has begun since, or was going on already, has ended.
async fn rebuild(desk: &Desk) -> Result<(), Failure> {
    let view = desk.view();
    let before = view.rebuilds().await?;
    desk.rebuild_view().await?;
    let (began, mut moved, mut told) = (Instant::now(), Instant::now(), (before, None));
    loop {
        let now = view.rebuilds().await?;
        let has_begun = before.is_running || now.last > before.last;
        if has_begun && !now.is_running {
            return Ok(());
        }
        if !has_begun && began.elapsed() > BEGINS_WITHIN {
            return Err(Failure::Unreachable("no worker of MyInfo has begun to rebuild the view".to_owned()));
        }
        moved = progress((now, percent(view).await?), &mut told).unwrap_or(moved);
        if moved.elapsed() > STALLS_FOR {
            return Err(Failure::Unreachable(
                "the rebuild comes no further: is a service down? It goes on when all are back".to_owned(),
            ));
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Tells people when it has come further, and says when that was.
fn progress(now: (Rebuilds, Option<u8>), told: &mut (Rebuilds, Option<u8>)) -> Option<Instant> {
    if now == *told {
        return None;
    }
    if let (true, Some(percent)) = (now.1 != told.1, now.1) {
        super::tell(&format!("skstore: rebuilding the view: {percent} %"));
    }
    *told = now;
    Some(Instant::now())
}
