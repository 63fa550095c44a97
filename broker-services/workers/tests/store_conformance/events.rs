//! What is promised of events: their numbers, the outbox, the log.

use skstore_domain::events::OrderKind;
use skstore_workers::store::{Again, Changes, LogPage, NewEvent, Store, StoredEvent};

use crate::builders::{ALL, advance, commit, event, keys, order, seqs, whole_log};
use crate::engines::Engine;

/// Appends one event for each of `bodies`; returns their numbers.
async fn append(store: &Store, bodies: &[&str]) -> Vec<i64> {
    let mut appended = Vec::new();
    for (number, body) in bodies.iter().enumerate() {
        let body = (*body).to_owned();
        let events = vec![NewEvent { body, ..event(&number.to_string(), 1) }];
        let events =
            commit(store, Changes { writes: Vec::new(), events, ..Changes::default() }).await.unwrap();
        appended.extend(seqs(&events));
    }
    appended
}

pub(crate) async fn events_are_numbered_in_the_order_of_their_decision(engine: &impl Engine) {
    let store = engine.open().await;
    let mut numbers = Vec::new();
    let mut told = Vec::new();
    for round in 0..5 {
        // Descending, so that no order but that of the decision can pass.
        let events: Vec<_> = (0..7).rev().map(|at| event(&format!("{round}-{at}"), 1)).collect();
        told.extend(events.iter().map(|event| event.body.clone()));
        let appended =
            commit(&store, Changes { writes: Vec::new(), events, ..Changes::default() }).await.unwrap();
        numbers.extend(seqs(&appended));
    }
    assert!(numbers.is_sorted_by(|a, b| a < b), "{numbers:?}");
    assert!(numbers[0] > 0, "numbers are above 0, where paging starts");
    assert_eq!(whole_log(&store).await, told);
    assert_eq!(seqs(&store.unsent(0, |_| false, ALL).await.unwrap()), numbers);
}

pub(crate) async fn an_event_is_unsent_until_it_is_marked(engine: &impl Engine) {
    let store = engine.open().await;
    assert_eq!(store.unsent_count().await.unwrap(), 0);
    let all = append(&store, &["a", "b", "c", "d", "e", "f"]).await;

    store.mark_sent(&[]).await.unwrap();
    assert_eq!(store.unsent_count().await.unwrap(), 6, "nothing was marked");
    // In any order, with gaps; again; and one that does not exist.
    store.mark_sent(&[all[4], all[1], all[2]]).await.unwrap();
    store.mark_sent(&[all[2], all[5] + 1_000, i64::MAX, -1]).await.unwrap();
    let left = [all[0], all[3], all[5]];
    assert_eq!(seqs(&store.unsent(0, |_| false, ALL).await.unwrap()), left);
    assert_eq!(store.unsent_count().await.unwrap(), 3);
    assert_eq!(seqs(&engine.open().await.unsent(0, |_| false, ALL).await.unwrap()), left);

    store.mark_sent(&all).await.unwrap();
    assert!(store.unsent(0, |_| false, ALL).await.unwrap().is_empty());
    let next = advance(&store, &keys([&order("x")])).await.unwrap();
    assert!(next[0].seq > all[5], "a number is never given twice");
    assert_eq!(whole_log(&store).await.len(), 7, "sent events stay in the log");
}

pub(crate) async fn a_recorded_event_can_be_published_again(engine: &impl Engine) {
    let store = engine.open().await;
    let (a, b) = (keys([&order("a")]), keys([&order("b")]));
    // Paying, placed, noted, noted; and another order.
    for _ in 0..4 {
        advance(&store, &a).await.unwrap();
    }
    advance(&store, &b).await.unwrap();
    let all = store.unsent(0, |_| false, ALL).await.unwrap();
    store.mark_sent(&seqs(&all)).await.unwrap();
    let again =
        |kind: OrderKind, id: &str| Again { kind: kind.into(), aggregate_id: id.to_owned(), told_again: 0 };
    let wanted = vec![
        again(OrderKind::Noted, "a"),
        again(OrderKind::Paying, "a"),
        // What never happened, or happened to nobody, is not published.
        again(OrderKind::Placed, "b"),
        again(OrderKind::Paying, "c"),
    ];
    let told = commit(&store, Changes { again: wanted, ..Changes::default() }).await.unwrap();
    assert_eq!(told, [all[3].clone(), all[0].clone()], "the newest of its kind, as it was recorded");
    assert_eq!(seqs(&store.unsent(0, |_| false, ALL).await.unwrap()), [all[0].seq, all[3].seq]);
    let repeated = vec![again(OrderKind::Paying, "a")];
    commit(&store, Changes { again: repeated, ..Changes::default() }).await.unwrap();
    assert_eq!(store.unsent_count().await.unwrap(), 2, "what is unsent already is unsent once");
    assert_eq!(whole_log(&store).await.len(), 5, "nothing was appended");
}

pub(crate) async fn whoever_publishes_an_event_that_is_told_again_knows_for_how_many_times(
    engine: &impl Engine,
) {
    let store = engine.open().await;
    let (a, b) = (keys([&order("a")]), keys([&order("b")]));
    let sent = advance(&store, &a).await.unwrap();
    store.mark_sent(&seqs(&sent)).await.unwrap();
    advance(&store, &b).await.unwrap();
    let told_again = |id: &str, times| {
        let (kind, aggregate_id) = (OrderKind::Paying.into(), id.to_owned());
        Changes { again: vec![Again { kind, aggregate_id, told_again: times }], ..Changes::default() }
    };
    let times = |events: Vec<StoredEvent>| events.iter().map(|event| event.told_again).collect::<Vec<_>>();
    assert_eq!(times(commit(&store, told_again("a", 2)).await.unwrap()), [2]);
    assert_eq!(times(commit(&store, told_again("b", 2)).await.unwrap()), [0], "it was never sent");
    commit(&store, told_again("a", 3)).await.unwrap();
    let another = engine.open().await;
    assert_eq!(times(another.unsent(0, |_| false, ALL).await.unwrap()), [2, 0], "it is still on its way");
    store.mark_sent(&seqs(&another.unsent(0, |_| false, ALL).await.unwrap())).await.unwrap();
    assert_eq!(times(commit(&store, told_again("a", 4)).await.unwrap()), [4]);
}

pub(crate) async fn unsent_events_can_be_paged_through(engine: &impl Engine) {
    let store = engine.open().await;
    let all = append(&store, &["a", "b", "c", "d", "e"]).await;
    store.mark_sent(&[all[1]]).await.unwrap();

    let table: [(i64, usize, &[i64]); 6] = [
        (0, 2, &[all[0], all[2]]),
        (all[2], 2, &[all[3], all[4]]),
        (all[4], 2, &[]),
        (all[0], ALL, &[all[2], all[3], all[4]]),
        (0, 0, &[]),
        (i64::MIN, usize::MAX, &[all[0], all[2], all[3], all[4]]),
    ];
    for (after, max, expected) in table {
        let page = store.unsent(after, |_| false, max).await.unwrap();
        assert_eq!(seqs(&page), expected, "after {after}, at most {max}");
    }
    let is_known = |seq| seq == all[0] || seq == all[3];
    for (max, expected) in [(1, vec![all[2]]), (2, vec![all[2], all[4]]), (ALL, vec![all[2], all[4]])] {
        let unknown = store.unsent(0, is_known, max).await.unwrap();
        assert_eq!(seqs(&unknown), expected, "at most {max} without those that are known");
    }
}

pub(crate) async fn the_log_is_paged_by_count(engine: &impl Engine) {
    let store = engine.open().await;
    let empty = LogPage { bodies: Vec::new(), next_seq: None, last_seq: 0 };
    assert_eq!(store.log(0..=i64::MAX, 10, 1_000).await.unwrap(), empty);

    let bodies = ["a", "b", "c", "d", "e"];
    let all = append(&store, &bodies).await;
    let table: [(i64, usize, &[&str], Option<i64>); 8] = [
        (0, 2, &["a", "b"], Some(all[2])),
        (all[2], 2, &["c", "d"], Some(all[4])),
        (all[4], 2, &["e"], None),
        (all[3], 2, &["d", "e"], None),
        (all[4] + 1, 2, &[], None),
        (i64::MIN, usize::MAX, &bodies, None),
        (0, 5, &bodies, None),
        (0, 0, &["a"], Some(all[1])),
    ];
    for (from, max, expected, next_seq) in table {
        let page = store.log(from..=i64::MAX, max, usize::MAX).await.unwrap();
        let expected = expected.iter().map(|&body| body.to_owned()).collect();
        let expected = LogPage { bodies: expected, next_seq, last_seq: all[4] };
        assert_eq!(page, expected, "from {from}, at most {max}");
    }
}

pub(crate) async fn the_log_is_paged_by_bytes_but_never_stuck(engine: &impl Engine) {
    let store = engine.open().await;
    let oversize = "x".repeat(500_000);
    let all = append(&store, &["aaaa", "bbbb", &oversize, "cccc", "dddd"]).await;

    let mut pages = Vec::new();
    let mut from = Some(0);
    while let Some(seq) = from {
        let page = store.log(seq..=i64::MAX, ALL, 9).await.unwrap();
        assert_eq!(page.last_seq, all[4]);
        pages.push(page.bodies.iter().map(String::len).collect::<Vec<_>>());
        from = page.next_seq;
    }
    assert_eq!(pages, [vec![4, 4], vec![500_000], vec![4, 4]]);

    let page = store.log(all[3]..=i64::MAX, ALL, 0).await.unwrap();
    assert_eq!((page.bodies.len(), page.next_seq), (1, Some(all[4])), "at least one entry");
}

pub(crate) async fn a_part_of_the_log_ends_where_it_was_asked_to_end(engine: &impl Engine) {
    let store = engine.open().await;
    let all = append(&store, &["a", "b", "c", "d", "e"]).await;
    type Row<'a> = (i64, i64, usize, &'a [&'a str], Option<i64>);
    let table: [Row<'_>; 5] = [
        (all[1], all[3], ALL, &["b", "c", "d"], None),
        (all[1], all[3], 2, &["b", "c"], Some(all[3])),
        (all[1], all[2], 2, &["b", "c"], None),
        (all[3], i64::MAX, ALL, &["d", "e"], None),
        (all[3], all[2], ALL, &[], None),
    ];
    for (from, to, max, expected, next_seq) in table {
        let page = store.log(from..=to, max, usize::MAX).await.unwrap();
        let bodies = expected.iter().map(|&body| body.to_owned()).collect();
        assert_eq!(
            page,
            LogPage { bodies, next_seq, last_seq: all[4] },
            "from {from} to {to}, at most {max}"
        );
    }
}
