//! Traffic beside a test: 64 clients who place one order after the other and cancel some, until it is enough.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use futures_util::future::join_all;
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::buyers::{Buyer, place};
use super::workers::{At, LOOK_EVERY, PATIENCE};
use super::{APPLE, run};

const CLIENTS: usize = 64;
/// Every so many orders one is cancelled again.
const CANCEL_EVERY: usize = 7;
/// How long a client waits before its next order: several hundred orders a second come of it, on any machine that can do
/// more, so that a longer test is not as much larger.
const PAUSE: Duration = Duration::from_millis(100);

/// The clients, on a thread of their own.
pub(crate) struct Traffic {
    orders: EndOfOrders,
    clients: JoinHandle<()>,
}

/// Lets nobody begin another order once it is dropped, also when the test fails.
struct EndOfOrders(Arc<Orders>);

impl Drop for EndOfOrders {
    fn drop(&mut self) {
        self.0.most.store(0, Ordering::Relaxed);
    }
}

impl Traffic {
    /// Orders until it is [enough](Self::end), with ids that begin with `name`.
    pub(crate) fn start(at: &At, name: &'static str) -> Self {
        Self::of(at, name, usize::MAX)
    }

    /// That many orders.
    pub(crate) fn of(at: &At, name: &'static str, most: usize) -> Self {
        let orders = Arc::new(Orders { name, begun: AtomicUsize::new(0), most: AtomicUsize::new(most) });
        let (placing, at) = (Arc::clone(&orders), at.clone());
        let clients = thread::spawn(move || {
            run(async {
                join_all((0..CLIENTS).map(|_| placing.buy(&at))).await;
            });
        });
        Self { orders: EndOfOrders(orders), clients }
    }

    /// Waits until each client has placed an order that it had not begun when this is asked for: all works.
    pub(crate) fn goes_on(&self) {
        self.has_begun(self.orders.0.begun.load(Ordering::Relaxed) + 2 * CLIENTS);
    }

    /// Waits until that many orders have been begun.
    #[expect(clippy::disallowed_methods, reason = "it is outside of any runtime, and waits for a thread")]
    pub(crate) fn has_begun(&self, orders: usize) {
        let since = Instant::now();
        while self.orders.0.begun.load(Ordering::Relaxed) < orders {
            assert!(since.elapsed() < PATIENCE, "not within {PATIENCE:?}: orders are taken");
            assert!(!self.clients.is_finished(), "the clients have given up");
            thread::sleep(LOOK_EVERY);
        }
    }

    /// No more orders are begun. The ids of all, once each of them is answered.
    pub(crate) fn end(self) -> Vec<String> {
        let Self { orders: end, clients } = self;
        let orders = Arc::clone(&end.0);
        drop(end);
        Self::answered(&orders, clients)
    }

    /// The ids of all, once that many are placed and each of them is answered.
    pub(crate) fn whole(self) -> Vec<String> {
        let Self { orders, clients } = self;
        Self::answered(&orders.0, clients)
    }

    fn answered(orders: &Orders, clients: JoinHandle<()>) -> Vec<String> {
        clients.join().expect("every order is answered");
        (0..orders.begun.load(Ordering::Relaxed)).map(|order| orders.id(order)).collect()
    }
}

struct Orders {
    name: &'static str,
    begun: AtomicUsize,
    most: AtomicUsize,
}

impl Orders {
    fn id(&self, order: usize) -> String {
        format!("{}-{order}", self.name)
    }

    async fn buy(&self, at: &At) {
        let mut buyer = Buyer::new(&at.bus);
        while let Some(order) = self.next() {
            let id = self.id(order);
            buyer.insist("order.place", &place(&id, APPLE)).await;
            if order.is_multiple_of(CANCEL_EVERY) {
                buyer.ask_on("order.cancel", &json!({ "order_id": id })).await;
            }
            sleep(PAUSE).await;
        }
    }

    fn next(&self) -> Option<usize> {
        let most = self.most.load(Ordering::Relaxed);
        self.begun
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |begun| (begun < most).then_some(begun + 1))
            .ok()
    }
}
