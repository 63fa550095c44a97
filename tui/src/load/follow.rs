//! Waits until every order of a run has ended: by the view, page by page, and for what that does not tell by asking Order
//! for each.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::stream::{self, StreamExt as _};
use skstore_domain::answers::ErrorCode;
use skstore_domain::ids::OrderId;
use tokio::time::{Instant, sleep};

use super::ledger::{Ledger, Stand};
use super::plan::RunName;
use super::target::{Target, Unanswered};

/// How long it is waited after the last order that ended: half of what an order may take after all faults are healed.
pub const PATIENCE: Duration = Duration::from_secs(30);
/// How often it is looked again.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Up to this many open orders each is asked for: what costs no more than some pages.
const ASKED_SINGLY: usize = 256;
/// Most questions at once.
const AT_ONCE: usize = 32;
/// How often Order has to say that there is no such order, a look apart each: where there are several workers, one may have
/// it in hand of which another knows nothing yet.
const SAID_TO_BE_NONE: u8 = 4;

/// What was asked, and what that says of an order.
enum Heard {
    /// It stands there.
    Stands(Stand),
    /// There is no such order, by Order itself.
    None,
    /// Nothing new.
    Nothing,
}

/// Follows the orders of `ledger` until all have ended, or none has for [`PATIENCE`]. `told` hears how many are open, now
/// and then. It may be dropped at any time: what it has found out is in the ledger.
///
/// # Errors
/// Why the view could not be read, if that was the last that was heard of it; what is open stays so.
pub async fn follow<T: Target>(
    target: &T,
    run: &RunName,
    ledger: &mut Ledger,
    mut told: impl FnMut(u64),
) -> Result<(), Unanswered> {
    let (mut progress, mut from, mut none) = (Instant::now(), 0, BTreeMap::<u64, u8>::new());
    loop {
        let before = ledger.open();
        if before == 0 {
            return Ok(());
        }
        let mut looked = Ok(());
        if before > ASKED_SINGLY as u64 {
            looked = look(target, run, ledger).await;
        }
        let mut asked: Vec<u64> = ledger.open_after(from).take(ASKED_SINGLY).collect();
        if asked.is_empty() {
            asked = ledger.open_after(0).take(ASKED_SINGLY).collect();
        }
        from = asked.last().copied().unwrap_or(0);
        for (number, heard) in ask_all(target, run, ledger, &asked).await {
            match heard {
                Heard::Stands(stand) => ledger.set(number, stand),
                Heard::None => {
                    let times = none.entry(number).or_default();
                    *times += 1;
                    if *times >= SAID_TO_BE_NONE {
                        ledger.set(number, Stand::NotPlaced);
                        none.remove(&number);
                    }
                }
                Heard::Nothing => {}
            }
        }
        let open = ledger.open();
        told(open);
        if open < before {
            progress = Instant::now();
        } else if progress.elapsed() >= PATIENCE {
            return looked;
        }
        if open > 0 {
            sleep(LOOK_EVERY).await;
        }
    }
}

/// Looks through the orders that the view has of the run, newest first, for as long as there may be any.
async fn look<T: Target>(target: &T, run: &RunName, ledger: &mut Ledger) -> Result<(), Unanswered> {
    let (prefix, mut after) = (run.prefix(), None);
    loop {
        let page = target.page(&prefix, after.as_ref()).await?;
        for order in &page.orders {
            if let Some(number) = run.number_of(&order.order_id) {
                ledger.seen(number, order.status);
            }
        }
        match page.next {
            Some(next) if ledger.open() > 0 && ledger.may_be_from(next.placed_at) => after = Some(next),
            _ => return Ok(()),
        }
    }
}

async fn ask_all<T: Target>(
    target: &T,
    run: &RunName,
    ledger: &Ledger,
    numbers: &[u64],
) -> Vec<(u64, Heard)> {
    let asked = numbers.iter().filter_map(|number| Some((*number, run.order_id(*number)?)));
    let asked = asked.map(|(number, id)| {
        let (client, stand) = (usize::try_from(number).unwrap_or(0), ledger.stand(number));
        async move { (number, ask(target, client, &id, stand).await.unwrap_or(Heard::Nothing)) }
    });
    stream::iter(asked).buffer_unordered(AT_ONCE).collect().await
}

/// What is to be heard of one order. Of those that were answered the view tells, of the others Order itself.
async fn ask<T: Target>(target: &T, client: usize, id: &OrderId, stand: Stand) -> Result<Heard, Unanswered> {
    if stand != Stand::Unknown
        && let Some(shown) = target.shown(client, id).await?
    {
        return Ok(match Stand::ended(shown.status) {
            Some(ended) if stand != Stand::TakenBack || ended == Stand::Cancelled => Heard::Stands(ended),
            _ => Heard::Nothing,
        });
    }
    let answer = target.order(client, id).await?;
    // A view that keeps fewer orders than there are has forgotten it; Order has not.
    Ok(match (answer.order.and_then(|order| Stand::ended(order.status)), answer.error) {
        (Some(ended), _) => Heard::Stands(ended),
        (None, Some(error)) if error.code == ErrorCode::NotFound => Heard::None,
        (None, _) => Heard::Nothing,
    })
}
