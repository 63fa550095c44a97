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

/// What is asked of open orders one by one.
#[derive(Default)]
struct Asked {
    /// The last one that was asked for.
    last: u64,
    /// How often Order has said of them that there is none.
    none: BTreeMap<u64, u8>,
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
    let (mut progress, mut asked) = (Instant::now(), Asked::default());
    loop {
        let before = ledger.open();
        if before == 0 {
            return Ok(());
        }
        let mut looked = Ok(());
        if before > ASKED_SINGLY as u64 {
            looked = look(target, run, ledger, &mut told).await;
        }
        ask_singly(target, run, ledger, &mut asked).await;
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

/// Asks for some of the open orders, after those that were asked for the last time.
async fn ask_singly<T: Target>(target: &T, run: &RunName, ledger: &mut Ledger, asked: &mut Asked) {
    let mut numbers: Vec<u64> = ledger.open_after(asked.last).take(ASKED_SINGLY).collect();
    if numbers.is_empty() {
        numbers = ledger.open_after(0).take(ASKED_SINGLY).collect();
    }
    asked.last = numbers.last().copied().unwrap_or(0);
    for (number, heard) in ask_all(target, run, ledger, &numbers).await {
        match heard {
            Heard::Stands(stand) => ledger.set(number, stand),
            Heard::None => {
                let times = asked.none.entry(number).or_default();
                *times += 1;
                if *times >= SAID_TO_BE_NONE {
                    ledger.set(number, Stand::NotPlaced);
                    asked.none.remove(&number);
                }
            }
            Heard::Nothing => {}
        }
    }
}

/// Looks through the orders that the view has of the run, newest first, for as long as there may be any.
async fn look<T: Target>(
    target: &T,
    run: &RunName,
    ledger: &mut Ledger,
    told: &mut impl FnMut(u64),
) -> Result<(), Unanswered> {
    let (prefix, mut after) = (run.prefix(), None);
    loop {
        let page = target.page(&prefix, after.as_ref()).await?;
        for order in &page.orders {
            if let Some(number) = run.number_of(&order.order_id) {
                ledger.seen(number, order.status);
            }
        }
        told(ledger.open());
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

#[cfg(test)]
mod tests {
    use skstore_domain::commands::Place;
    use skstore_domain::ids::{Customer, ItemId};
    use skstore_domain::objects::{Order, OrderStatus};

    use super::super::fake::{self, desk, yes};
    use super::super::ledger::Became;
    use super::*;

    fn run() -> RunName {
        RunName::new("r").unwrap()
    }

    fn order(number: u64, status: OrderStatus) -> (OrderId, Order) {
        let order_id = run().order_id(number).unwrap();
        let place = Place {
            item_id: ItemId::new("10").unwrap(),
            qty: 1,
            customer: Some(Customer::new("kim").unwrap()),
            order_id: Some(order_id.clone()),
            unit_price: None,
        };
        (order_id, Order { status, ..fake::order(&place) })
    }

    fn ledger(stands: &[Stand]) -> Ledger {
        let mut ledger = Ledger::default();
        stands.iter().zip(1..).for_each(|(stand, number)| ledger.set(number, *stand));
        ledger
    }

    #[tokio::test(start_paused = true)]
    async fn what_the_view_does_not_tell_order_is_asked_for() {
        let desk = desk(yes);
        // Of the first the view knows; of the second and the third Order alone; of the fourth nobody.
        desk.shown.borrow_mut().extend([order(1, OrderStatus::Cancelled)]);
        desk.known.borrow_mut().extend([order(2, OrderStatus::Delivering), order(3, OrderStatus::Rejected)]);
        let mut ledger = ledger(&[Stand::TakenBack, Stand::Accepted, Stand::Unknown, Stand::Unknown]);
        follow(&desk, &run(), &mut ledger, |_| {}).await.unwrap();
        let expected = Became { delivering: 1, cancelled: 1, rejected: 1, not_placed: 1, open: 0 };
        assert_eq!(ledger.became(), expected);
    }

    #[tokio::test(start_paused = true)]
    async fn an_order_that_nobody_knows_is_not_given_up_at_once() {
        let desk = desk(yes);
        let mut ledger = ledger(&[Stand::Unknown]);
        let late = async {
            sleep(LOOK_EVERY * 2).await;
            desk.known.borrow_mut().extend([order(1, OrderStatus::Delivering)]);
        };
        let run = run();
        let (followed, ()) = tokio::join!(follow(&desk, &run, &mut ledger, |_| {}), late);
        followed.unwrap();
        assert_eq!(ledger.became(), Became { delivering: 1, ..Became::default() });
    }

    #[tokio::test(start_paused = true)]
    async fn many_are_found_page_by_page_and_what_does_not_end_has_a_bound() {
        const ORDERS: u64 = 2000;
        let desk = desk(yes);
        let placed = |number| if number == 77 { OrderStatus::Placed } else { OrderStatus::Delivering };
        desk.shown.borrow_mut().extend((1..=ORDERS).map(|number| order(number, placed(number))));
        let mut ledger = ledger(&[Stand::Accepted; 2000]);
        let (begun, mut told) = (Instant::now(), Vec::new());
        follow(&desk, &run(), &mut ledger, |open| told.push(open)).await.unwrap();
        assert_eq!(ledger.became(), Became { delivering: ORDERS - 1, open: 1, ..Became::default() });
        assert_eq!((told.first(), ledger.open_after(0).collect::<Vec<_>>()), (Some(&1), vec![77]));
        assert!(begun.elapsed() >= PATIENCE && begun.elapsed() < PATIENCE * 2, "{:?}", begun.elapsed());
    }
}
