//! Pages of orders: newest first, complete, and at the cost of what they show.

use std::collections::BTreeSet;

use skstore_domain::myinfo::{OrderRow, ViewWrite};
use skstore_domain::objects::{Order, OrderStatus};
use skstore_workers::view::{Cursor, OrderFilter, SCAN_ORDERS};

use crate::adapters::Adapter;
use crate::builders::{
    PLENTY, account, all, apply, customer, delivering, expected, histories, ids, item, item_id, order,
    order_id, place, then,
};

fn matches(filter: &OrderFilter, row: &OrderRow) -> bool {
    let order = &row.order;
    let text = filter.text.as_deref().unwrap_or_default().to_lowercase();
    let reason = order.reason.map_or("", |reason| reason.word());
    let texts =
        [order.order_id.as_str(), order.customer.as_str(), order.item_id.as_str(), &order.item_name, reason];
    filter.status.is_none_or(|status| order.status == status)
        && filter.customer.as_ref().is_none_or(|customer| order.customer == *customer)
        && filter.item_id.as_ref().is_none_or(|item_id| order.item_id == *item_id)
        && filter.id_prefix.as_ref().is_none_or(|prefix| order.order_id.as_str().starts_with(prefix.as_str()))
        && (text.is_empty()
            || filter.text_means.contains(&order.item_id)
            || texts.iter().any(|field| field.to_lowercase().contains(&text)))
}

fn some_filter(rng: &mut fastrand::Rng) -> OrderFilter {
    let some = |rng: &mut fastrand::Rng, words: &[&str]| {
        rng.bool().then(|| (*rng.choice(words).unwrap()).to_owned())
    };
    OrderFilter {
        status: rng.bool().then(|| *rng.choice(OrderStatus::ALL).unwrap()),
        customer: some(rng, &["kim", "Lee", "박지민", "nobody"]).map(|name| customer(&name)),
        item_id: some(rng, &["10", "pear", "사과", "nothing"]).map(|id| item_id(&id)),
        id_prefix: some(rng, &["", "a", "ab", "0193", "1", "사과", "no such id"]),
        text: some(rng, &["", "KIM", "le", "사과", "red", "SOLD", "declined", "-1", "zzz"]),
        text_means: some(rng, &["10", "pear", "nothing"]).map(|id| item_id(&id)).into_iter().collect(),
    }
}

pub(crate) async fn every_filter_finds_what_looking_at_everything_finds<A: Adapter>() {
    for seed in 0..25 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let writes = histories(&mut rng, 120);
        let view = A::ready(PLENTY).await;
        apply(&view, &mut rng, &writes).await;
        let orders = expected(&writes).orders;
        for _ in 0..60 {
            let filter = some_filter(&mut rng);
            let matching = orders.iter().map(|detail| &detail.row).filter(|row| matches(&filter, row));
            let matching: Vec<OrderRow> = matching.cloned().collect();
            let found = all(&view, &filter, rng.usize(1..30)).await;
            assert_eq!(found, matching, "seed {seed}, {filter:?}");
        }
    }
}

pub(crate) async fn pages_above_are_the_same_orders_from_the_other_end<A: Adapter>() {
    for seed in 0..15 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let writes = histories(&mut rng, 120);
        let view = A::ready(PLENTY).await;
        apply(&view, &mut rng, &writes).await;
        for _ in 0..40 {
            let (filter, max) = (some_filter(&mut rng), rng.usize(1..30));
            let downwards = all(&view, &filter, max).await;
            let (mut upwards, mut before) = (Vec::new(), None);
            loop {
                let page = view.orders_before(&filter, before.as_ref(), max).await.unwrap();
                assert!(page.rows.len() <= max, "a page of {max} has {} rows", page.rows.len());
                upwards.splice(0..0, page.rows);
                let Some(next) = page.next else { break };
                before = Some(next);
            }
            assert_eq!(upwards, downwards, "seed {seed}, pages of {max}, {filter:?}");
        }
    }
}

pub(crate) async fn the_page_above_a_place_ends_with_its_neighbour<A: Adapter>() {
    let view = A::ready(PLENTY).await;
    // Several of the same millisecond.
    place(&view, (1..=9).map(|n| order(&format!("o{n}"), n / 3))).await;
    let ids = |rows: &[OrderRow]| rows.iter().map(|row| row.order.order_id.to_string()).collect::<Vec<_>>();
    let at =
        |id: &str, placed_at| Cursor { placed_at: order(id, placed_at).placed_at, order_id: order_id(id) };
    let table = [
        (Some(at("o4", 1)), vec!["o6", "o5"], true),
        (Some(at("o45", 1)), vec!["o6", "o5"], true),
        (Some(at("zz", 2)), vec!["o9"], false),
        (Some(at("o9", 3)), vec![], false),
        (None, vec!["o2", "o1"], true),
    ];
    for (before, expected, has_more) in table {
        let page = view.orders_before(&OrderFilter::default(), before.as_ref(), 2).await.unwrap();
        assert_eq!(ids(&page.rows), expected, "before {before:?}");
        assert_eq!((page.next.is_some(), page.scanned), (has_more, None), "before {before:?}");
    }
}

pub(crate) async fn pages_are_complete_and_without_repetition_while_orders_come_and_change<A: Adapter>() {
    for seed in 0..20 {
        let mut rng = fastrand::Rng::with_seed(seed);
        let view = A::ready(PLENTY).await;
        let there: Vec<Order> = (0..100).map(|n| order(&format!("b{n}"), rng.i64(100..110))).collect();
        place(&view, there.clone()).await;
        let (mut shown, mut after) = (Vec::new(), None);
        for round in 0.. {
            let page = view.orders(&OrderFilter::default(), after.as_ref(), 7).await.unwrap();
            shown.extend(page.rows.into_iter().map(|row| row.order.order_id.to_string()));
            let Some(next) = page.next else { break };
            after = Some(next);
            // Newer ones, older ones, some of the very same millisecond; and one that was there changes.
            let at = [90, 100 + round, 120][rng.usize(0..3)];
            let changed = then(rng.choice(&there).unwrap(), OrderStatus::Rejected);
            place(&view, [order(&format!("a{round}"), at), order(&format!("c{round}"), at), changed]).await;
        }
        let distinct: BTreeSet<&String> = shown.iter().collect();
        assert_eq!(distinct.len(), shown.len(), "seed {seed}: an order is shown twice");
        let mut sorted = there;
        sorted.sort_by_key(|order| std::cmp::Reverse((order.placed_at, order.order_id.clone())));
        let lasting: Vec<&String> = shown.iter().filter(|id| id.starts_with('b')).collect();
        let sorted: Vec<String> = sorted.iter().map(|order| order.order_id.to_string()).collect();
        assert_eq!(
            lasting,
            sorted.iter().collect::<Vec<_>>(),
            "seed {seed}: not complete, or not newest first"
        );
    }
}

pub(crate) async fn a_cursor_goes_on_where_its_order_was_even_if_that_is_gone<A: Adapter>() {
    let view = A::ready(3).await;
    place(&view, (1..=3).map(|n| delivering(&format!("o{n}"), n))).await;
    let oldest = Cursor { placed_at: order("o1", 1).placed_at, order_id: order("o1", 1).order_id };
    place(&view, [delivering("o0", 0), order("o4", 4)]).await;
    assert_eq!(ids(&view, &OrderFilter::default()).await, ["o4", "o3", "o2"]);
    let page = view.orders(&OrderFilter::default(), Some(&oldest), 5).await.unwrap();
    assert_eq!((page.rows, page.next), (Vec::new(), None), "nothing is older than the one that is gone");
    let between = Cursor { placed_at: oldest.placed_at, order_id: order("zz", 1).order_id };
    let newer = Cursor { placed_at: order("o3", 3).placed_at, ..between };
    let page = view.orders(&OrderFilter::default(), Some(&newer), 1).await.unwrap();
    assert_eq!(page.rows[0].order.order_id.as_str(), "o3", "an id that never was is a place all the same");
    assert!(page.next.is_some());
    let nothing = view.orders(&OrderFilter::default(), Some(&newer), 0).await.unwrap();
    assert_eq!((nothing.rows, nothing.next), (Vec::new(), Some(newer)), "a page of nothing goes nowhere");
}

pub(crate) async fn the_last_page_says_so_even_if_it_is_full<A: Adapter>() {
    let view = A::ready(PLENTY).await;
    place(&view, (1..=4).map(|n| order(&format!("o{n}"), n))).await;
    for prefix in [None, Some("o".to_owned())] {
        let filter = OrderFilter { id_prefix: prefix, ..OrderFilter::default() };
        let first = view.orders(&filter, None, 2).await.unwrap();
        assert!(first.next.is_some(), "{filter:?}: two more are there");
        let last = view.orders(&filter, first.next.as_ref(), 2).await.unwrap();
        assert_eq!((last.rows.len(), last.next), (2, None), "{filter:?}");
    }
}

pub(crate) async fn a_page_of_one_index_looks_only_at_what_it_shows<A: Adapter>() {
    let view = A::ready(PLENTY).await;
    let mut stored = 0;
    for more in [200, 15_000] {
        // Every other order matches, so walking any other index would look at twice as many.
        place(&view, (stored..stored + more).map(mixed)).await;
        stored += more;
        let filters = [
            OrderFilter::default(),
            OrderFilter { status: Some(OrderStatus::Delivering), ..OrderFilter::default() },
            OrderFilter { customer: Some(customer("lee")), ..OrderFilter::default() },
            OrderFilter { item_id: Some(item_id("20")), ..OrderFilter::default() },
            OrderFilter { id_prefix: Some("odd-15".to_owned()), ..OrderFilter::default() },
        ];
        for filter in filters {
            let page = view.orders(&filter, None, 50).await.unwrap();
            assert!(!page.rows.is_empty(), "{filter:?} finds nothing among {stored} orders");
            assert_eq!(page.scanned, None, "{filter:?} among {stored} orders");
        }
    }
}

/// Order `n`: every odd one has another status, customer, item and prefix.
fn mixed(n: i64) -> Order {
    if n % 2 == 0 {
        return order(&format!("even-{n}"), n);
    }
    Order { customer: customer("lee"), item_id: item_id("20"), ..delivering(&format!("odd-{n}"), n) }
}

pub(crate) async fn a_combined_filter_walks_the_smallest_index<A: Adapter>() {
    let view = A::ready(PLENTY).await;
    place(&view, (10..12_000).map(|n| delivering(&format!("o{n}"), n))).await;
    let rare = |n: i64| Order { customer: customer("rare"), ..order(&format!("r{n}"), n) };
    place(&view, [rare(1), then(&rare(2), OrderStatus::Delivering), rare(3)]).await;
    let filter = OrderFilter {
        status: Some(OrderStatus::Delivering),
        item_id: Some(item_id("10")),
        customer: Some(customer("rare")),
        ..OrderFilter::default()
    };
    let page = view.orders(&filter, None, 50).await.unwrap();
    assert_eq!(page.rows.len(), 1);
    assert_eq!(page.next, None, "the customer's index says that there are no more");
    assert!(page.scanned.unwrap_or(0) <= 3, "looked at {:?} orders for a customer with 3", page.scanned);
}

pub(crate) async fn a_filter_without_an_index_stops_says_how_far_it_looked_and_goes_on<A: Adapter>() {
    let view = A::ready(PLENTY).await;
    let stored = i64::try_from(SCAN_ORDERS).unwrap() + 2500;
    place(&view, (0..stored).map(|n| order(&format!("o{n}"), n))).await;
    place(&view, [Order { customer: customer("Needle"), ..order("old", -1) }]).await;
    let filter = OrderFilter { text: Some("nEEdle".to_owned()), ..OrderFilter::default() };
    let first = view.orders(&filter, None, 50).await.unwrap();
    assert_eq!((first.rows.len(), first.scanned), (0, Some(SCAN_ORDERS)));
    let second = view.orders(&filter, first.next.as_ref(), 50).await.unwrap();
    assert_eq!(second.rows.len(), 1, "the page goes on where the last one stopped");
    assert_eq!((second.scanned, second.next), (Some(2501), None));
}

pub(crate) async fn a_common_prefix_is_found_newest_first<A: Adapter>() {
    let view = A::ready(PLENTY).await;
    // Ids run against time, so that their own order is the wrong one.
    place(
        &view,
        (0..3000).map(|n| order(&format!("{}{:04}", if n % 3 == 0 { "x" } else { "y" }, 9999 - n), n)),
    )
    .await;
    for (prefix, stored) in [("y", 2000), ("x", 1000), ("y99", 66), ("x9999", 1), ("z", 0)] {
        let filter = OrderFilter { id_prefix: Some(prefix.to_owned()), ..OrderFilter::default() };
        let rows = all(&view, &filter, 50).await;
        let times: Vec<_> = rows.iter().map(|row| row.order.placed_at).collect();
        assert!(times.is_sorted_by(|a, b| a > b), "prefix {prefix:?} is not newest first");
        assert!(rows.iter().all(|row| row.order.order_id.as_str().starts_with(prefix)));
        assert_eq!(rows.len(), stored, "prefix {prefix:?}");
    }
}

pub(crate) async fn accounts_and_items_are_paged_by_key<A: Adapter>() {
    let view = A::ready(PLENTY).await;
    for name in ["c", "a", "d", "b"] {
        view.apply(&[ViewWrite::Account(account(name, 1, 1)), ViewWrite::Item(item(name, 1, 1))])
            .await
            .unwrap();
    }
    let accounts = view.accounts(Some(&customer("a")), 2).await.unwrap();
    assert_eq!(accounts, [account("b", 1, 1), account("c", 1, 1)]);
    let items = view.items(Some(&item_id("b")), 9).await.unwrap();
    assert_eq!(items, [item("c", 1, 1), item("d", 1, 1)]);
    assert_eq!(
        view.items(Some(&item_id("bb")), 1).await.unwrap(),
        [item("c", 1, 1)],
        "a key that is not there"
    );
}
