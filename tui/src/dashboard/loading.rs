//! Puts load on the desk for the runner, and tells how it does: the outside of the window of the load.

use std::sync::Arc;
use std::time::Duration;

use skstore_workers::desk::{ANSWER_WITHIN, Desk};
use tokio::sync::watch;

use super::layers::load::state::{News, Seen};
use crate::load::follow::follow;
use crate::load::pace::Steer;
use crate::load::plan::RunName;
use crate::load::report::Report;
use crate::load::runner::{self, Limits};
use crate::load::supply::{Buyers, Supplied, Wish, supply};

/// Orders in flight at most: what a dashboard can place beside drawing, and far more than a desk that is well needs at the
/// highest rate that can be chosen.
const CLIENTS: usize = 64;
/// Customers that order.
const CUSTOMERS: u32 = 100;
/// Orders that are provided for, in money and stock: a quarter of an hour at the highest rate.
const MOST_ORDERS: u64 = 1_000_000;
/// Letters of an id that name a run: its last ones, which are by chance.
const NAME_CHARS: usize = 8;
/// How long a dashboard that is left waits for what is in flight: until every answer has come or will not.
pub(super) const LEFT_WITHIN: Duration = ANSWER_WITHIN.saturating_add(Duration::from_secs(1));

/// A run that somebody can steer.
#[derive(Debug)]
pub(super) struct Loading {
    steer: watch::Sender<Steer>,
    /// Whether nobody waits for its orders to end.
    left: watch::Sender<bool>,
    news: watch::Receiver<Option<News>>,
}

impl Loading {
    /// A run on `desk`, and what has to be waited for to have it done. The last news come from there.
    pub(super) fn start(desk: Desk, rate: Option<u32>) -> (Self, impl Future<Output = News>) {
        let (steer, steered) = watch::channel(Steer { rate: rate.map(f64::from), is_stopped: false });
        let (left, is_left) = watch::channel(false);
        let (told, news) = watch::channel(None);
        (Self { steer, left, news }, put(desk, steered, is_left, told))
    }

    /// Places orders at another rate from now on.
    pub(super) fn steer(&self, rate: Option<u32>) {
        self.steer.send_modify(|steer| steer.rate = rate.map(f64::from));
    }

    /// Places nothing more. Asked for again, its orders are not waited for.
    pub(super) fn stop(&self) {
        if self.steer.borrow().is_stopped {
            self.left.send_replace(true);
        }
        self.steer.send_modify(|steer| steer.is_stopped = true);
    }

    /// Places nothing more, and waits for what is in flight alone.
    pub(super) fn leave(&self) {
        self.stop();
        self.left.send_replace(true);
    }

    /// The next news of it. Cancel-safe.
    pub(super) async fn news(&mut self) -> News {
        loop {
            if self.news.changed().await.is_err() {
                // The last ones come from elsewhere.
                std::future::pending::<()>().await;
            }
            if let Some(news) = self.news.borrow_and_update().clone() {
                return news;
            }
        }
    }
}

/// What a run is.
fn wish(desk: &Desk) -> Wish {
    let id: String = desk.request_id().as_str().chars().filter(char::is_ascii_alphanumeric).collect();
    let name = &id[id.len().saturating_sub(NAME_CHARS)..];
    let seed = u64::from_str_radix(name, 36).unwrap_or(0);
    Wish {
        run: RunName::new(name).unwrap_or_else(|_| RunName::minted(seed)),
        seed,
        items: None,
        buyers: Buyers::Own(CUSTOMERS),
        qty: 1..=1,
        cancels: 0,
        repeats: 0,
        is_funded: false,
        most_orders: MOST_ORDERS,
    }
}

async fn put(
    desk: Desk,
    mut steer: watch::Receiver<Steer>,
    mut left: watch::Receiver<bool>,
    told: watch::Sender<Option<News>>,
) -> News {
    let wish = wish(&desk);
    let supplied = tokio::select! {
        biased;
        _ = steer.wait_for(|steer| steer.is_stopped) => None,
        supplied = supply(&desk, &wish) => Some(supplied),
    };
    let Supplied { plan, stock, .. } = match supplied {
        None => return News::NotBegun,
        Some(Err(why)) => return News::Failed(why.to_string()),
        Some(Ok(supplied)) => supplied,
    };
    told.send_replace(Some(News::Begun(plan.run.to_string())));
    let limits = Limits { clients: CLIENTS, time: None, orders: Some(wish.most_orders) };
    let rate = steer.borrow().rate;
    let seen = |seen: &runner::Seen<'_>| {
        let (second, orders, in_flight) = (seen.second, seen.orders.clone(), seen.in_flight);
        told.send_replace(Some(News::Seen(Box::new(Seen { second, orders, in_flight }))));
    };
    let mut ran = runner::run(&desk, &plan, &limits, stock, steer, seen).await;
    told.send_replace(Some(News::Open(ran.ledger.open())));
    let open = |open| {
        told.send_replace(Some(News::Open(open)));
    };
    let is_followed = tokio::select! {
        biased;
        _ = left.wait_for(|left| *left) => ran.ledger.open() == 0,
        // What could not be read stays open, and is told so.
        _ = follow(&desk, &plan.run, &mut ran.ledger, open) => true,
    };
    // By which way the desk is reached makes no difference here.
    let report = Report::of(ran, &plan, &limits, rate, "dashboard");
    News::Ended(Arc::new(Report { is_followed, ..report }))
}
