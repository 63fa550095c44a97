//! `keep_orders` bounds the memory, and never at the cost of what still happens.

use skstore_domain::events::{EventKind, OrderKind};
use skstore_domain::myinfo::ViewWrite;
use skstore_domain::objects::{Order, OrderStatus};
use skstore_workers::view::OrderFilter;

use crate::adapters::Adapter;
use crate::builders::{delivering, ids, order, order_id, payment, place, step, then};

pub(crate) async fn only_ended_orders_are_forgotten_and_the_oldest_first<A: Adapter>() {
    for seed in 0..20 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let keep = rng.usize(1..20);
        let view = A::ready(keep).await;
        let mut stored: Vec<Order> = Vec::new();
        for n in 0..80 {
            let placed = order(&format!("o{n}"), rng.i64(0..30));
            let status = *rng.choice(OrderStatus::ALL).unwrap();
            let order = if status == OrderStatus::Paying { placed } else { then(&placed, status) };
            place(&view, [order.clone()]).await;
            stored.push(order);
            stored.sort_by_key(|order| std::cmp::Reverse((order.placed_at, order.order_id.clone())));
            while stored.len() > keep
                && let Some(oldest) = stored.iter().rposition(|order| order.status.is_ended())
            {
                stored.remove(oldest);
            }
            let left: Vec<&str> = stored.iter().map(|order| order.order_id.as_str()).collect();
            assert_eq!(
                ids(&view, &OrderFilter::default()).await,
                left,
                "seed {seed}, keep {keep}, order {n}"
            );
        }
        let mut counts = [0; OrderStatus::ALL.len()];
        for order in &stored {
            counts[order.status as usize] += 1;
        }
        assert_eq!(view.counts().await.unwrap().orders, counts, "seed {seed}");
    }
}

pub(crate) async fn a_forgotten_order_is_not_brought_back_by_a_late_repetition<A: Adapter>() {
    let view = A::ready(2).await;
    let old = order("old", 1);
    place(&view, [old.clone(), then(&old, OrderStatus::Delivering), delivering("b", 2), delivering("c", 3)])
        .await;
    let id = order_id("old");
    let late = [
        ViewWrite::Order(old),
        ViewWrite::Payment(payment("old", 1)),
        ViewWrite::Step(id.clone(), step(EventKind::Order(OrderKind::Paying), 1, 1)),
    ];
    view.apply(&late).await.unwrap();
    assert_eq!(ids(&view, &OrderFilter::default()).await, ["c", "b"], "it would be paying for ever");
    assert_eq!(view.order(&id).await.unwrap(), None);
}

pub(crate) async fn an_order_older_than_all_that_are_kept_is_forgotten_once_it_ends<A: Adapter>() {
    let view = A::ready(2).await;
    let old = order("old", 1);
    place(&view, [old.clone(), delivering("b", 2), delivering("c", 3)]).await;
    assert_eq!(ids(&view, &OrderFilter::default()).await, ["c", "old"], "what still happens is kept");
    place(&view, [order("d", 4), order("e", 5)]).await;
    assert_eq!(ids(&view, &OrderFilter::default()).await, ["e", "d", "old"], "even beyond the bound");
    place(&view, [then(&old, OrderStatus::Cancelled)]).await;
    assert_eq!(ids(&view, &OrderFilter::default()).await, ["e", "d"]);
}
