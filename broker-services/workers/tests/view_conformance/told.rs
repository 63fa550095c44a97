//! What the view tells by itself: the feed, the workers' health, and that something has changed.

use std::sync::mpsc;
use std::time::Duration;

use futures_util::FutureExt as _;
use skstore_domain::books::{Books, Breach, BreachKind, Sums};
use skstore_domain::breaker::{
    Breaker, BreakerMode, BreakerSettings, BreakerSnapshot, BreakerState, CallResult, Told, Why,
};
use skstore_domain::charges::NoAnswer;
use skstore_domain::events::{EventKind, OrderKind};
use skstore_domain::money::Won;
use skstore_domain::myinfo::ViewWrite;
use skstore_domain::order::Awaited;
use skstore_domain::signals::{AnswersTold, Beat, BreakerChanged, Service, Wait};
use skstore_domain::time::Timestamp;
use skstore_workers::view::{BREAKER_HISTORY, FEED_ENTRIES, View};

use crate::adapters::Adapter;
use crate::builders::{PLENTY, delivering, feed, finish, order, order_id, place, step};

pub(crate) fn beat(instance: &str, at: i64) -> Beat {
    Beat {
        service: Service::Order,
        instance: instance.to_owned(),
        version: "1".to_owned(),
        started_at: Timestamp(0),
        at: Timestamp(at),
        number: 0,
        clock_ahead_ms: None,
        ready: true,
        last_error: None,
        handled: 0,
        per_second: 0,
        in_flight: 0,
        unsent: 0,
        fault: Some("slow:400".to_owned()),
        fault_left_ms: Some(1_500),
        takes_faults: false,
        breaker: None,
        rebuilding: None,
        unheard: Vec::new(),
        answers: None,
        books: None,
        log: None,
        warnings: Vec::new(),
        past: Vec::new(),
        waits: Vec::new(),
        calls: None,
    }
}

/// What a breaker tells that has seen a call fail, and an operator.
fn calls() -> Told {
    let ms = Duration::from_millis;
    let mut breaker = Breaker::new(BreakerSettings::default(), ms(0));
    let permit = breaker.permit(ms(1)).unwrap();
    breaker.record([(permit, CallResult::Failed)], ms(300), Some(NoAnswer::Timeout), ms(301));
    breaker.force(BreakerMode::Open, ms(302));
    breaker.tell(Timestamp(5), ms(303))
}

pub(crate) fn change(
    instance: &str,
    at: i64,
    from: BreakerState,
    to: BreakerState,
    breaker: BreakerSnapshot,
) -> BreakerChanged {
    let (why, reason) = (format!("{from} to {to}"), Some(Why::ProbesSucceeded { probes: 3 }));
    BreakerChanged { instance: instance.to_owned(), at: Timestamp(at), from, to, why, reason, breaker }
}

fn entries(ids: std::ops::Range<u64>) -> Vec<ViewWrite> {
    ids.map(|n| ViewWrite::Feed(feed(&n.to_string()))).collect()
}

pub(crate) async fn the_feed_is_numbered_and_bounded<A: Adapter>() {
    let view = A::ready(PLENTY).await;
    let ids = async |after, max| {
        let (entries, last) = view.feed(after, max).await.unwrap();
        (entries.into_iter().map(|entry| entry.id.parse().unwrap()).collect::<Vec<u64>>(), last)
    };
    assert_eq!(ids(0, 5).await, (vec![], 0));
    view.apply(&entries(1..11)).await.unwrap();
    assert_eq!(ids(0, 99).await, ((1..11).collect(), 10), "the first is number 1");
    assert_eq!(ids(7, 99).await, (vec![8, 9, 10], 10));
    assert_eq!(ids(0, 2).await, (vec![9, 10], 10), "the newest, if there are more");
    assert_eq!(ids(10, 9).await, (vec![], 10));
    assert_eq!(ids(99, 9).await, (vec![], 10), "nothing comes after what has not happened");
    assert_eq!(ids(0, 0).await, (vec![], 10));
    let total = FEED_ENTRIES as u64 + 500;
    for batch in entries(11..total + 1).chunks(256) {
        view.apply(batch).await.unwrap();
    }
    let kept: Vec<u64> = (501..=total).collect();
    assert_eq!(ids(0, usize::MAX).await, (kept, total), "numbers go on when the oldest are gone");
    assert_eq!(ids(total - 3, 99).await, ((total - 2..=total).collect(), total));
}

pub(crate) async fn an_event_is_in_the_feed_once<A: Adapter>() {
    let view = A::ready(PLENTY).await;
    for batch in [entries(1..4), entries(1..4), entries(2..6), [entries(6..7), entries(6..7)].concat()] {
        view.apply(&batch).await.unwrap();
    }
    let (shown, last) = view.feed(0, 99).await.unwrap();
    let shown: Vec<&str> = shown.iter().map(|entry| entry.id.as_str()).collect();
    assert_eq!((shown, last), (vec!["1", "2", "3", "4", "5", "6"], 6));
}

/// What comes again takes the place of none of the last ones.
pub(crate) async fn an_event_is_in_the_feed_once_whatever_comes_again<A: Adapter>() {
    let view = A::ready(PLENTY).await;
    let kept = FEED_ENTRIES as u64;
    let (some, more) = (kept + 496, kept + 5_900);
    for ids in [1..some + 1, 600..5_000, some + 1..more + 1, 9_000..9_100] {
        for batch in entries(ids).chunks(256) {
            view.apply(batch).await.unwrap();
        }
    }
    let (shown, last) = view.feed(0, usize::MAX).await.unwrap();
    let shown: Vec<u64> = shown.iter().map(|entry| entry.id.parse().unwrap()).collect();
    assert_eq!((shown, last), ((more - kept + 1..=more).collect(), more));
}

/// A step may be known before it is told: another event of its order brings it along, or a rebuild finds it in a log.
pub(crate) async fn a_step_is_told_when_it_happens_and_once<A: Adapter>() {
    let view = A::ready(PLENTY).await;
    let id = order_id("a");
    let step = |n| step(EventKind::Order(OrderKind::Placed), n, 1);
    let known = |n| ViewWrite::Step(id.clone(), step(n));
    let happened = |n: u64| ViewWrite::Happened(id.clone(), step(n), feed(&n.to_string()));
    let told = async || {
        let (shown, last) = view.feed(0, 99).await.unwrap();
        let shown: Vec<String> = shown.into_iter().map(|entry| entry.id).collect();
        assert_eq!(shown.len() as u64, last);
        shown
    };
    view.apply(&[ViewWrite::Order(order("a", 1)), known(1), happened(2), happened(2), known(2)])
        .await
        .unwrap();
    assert_eq!(told().await, ["2"]);
    view.apply(&[happened(1), known(1)]).await.unwrap();
    view.apply(&[known(1), happened(1)]).await.unwrap();
    assert_eq!(told().await, ["2", "1"], "brought along first, then told");

    view.begin_rebuild().await.unwrap();
    let logged = [ViewWrite::Order(order("a", 1)), known(1), known(2), known(3), known(4)];
    view.apply(&logged).await.unwrap();
    view.apply(&[happened(3), happened(1)]).await.unwrap();
    view.apply(&logged).await.unwrap();
    finish(&view).await;
    for n in [1, 2, 3, 4, 4] {
        view.apply(&[happened(n)]).await.unwrap();
    }
    assert_eq!(told().await, ["2", "1", "3", "4"], "found in a log first, then told");
}

/// What Placed of the order `a` writes that is told again for so many times; 0 for the first that is told of it.
fn placed_again(times: u32) -> ViewWrite {
    let placed = step(EventKind::Order(OrderKind::Placed), 2, 2);
    ViewWrite::Happened(order_id("a"), placed, feed("a/2")).as_told_again(times)
}

async fn told_again(view: &View) -> Vec<u32> {
    let detail = view.order(&order_id("a")).await.unwrap();
    detail.map(|detail| detail.timeline.iter().map(|step| step.told_again).collect()).unwrap_or_default()
}

pub(crate) async fn a_step_keeps_how_often_it_was_told_again_and_loses_it_with_the_step<A: Adapter>() {
    let view = A::ready(1).await;
    let paying = ViewWrite::Step(order_id("a"), step(EventKind::Order(OrderKind::Paying), 1, 1));
    view.apply(&[ViewWrite::Order(order("a", 1)), paying, placed_again(0)]).await.unwrap();
    let before = view.feed(0, 99).await.unwrap();
    assert_eq!(told_again(&view).await, [0, 0]);
    view.apply(&[placed_again(0), placed_again(0)]).await.unwrap();
    assert_eq!(told_again(&view).await, [0, 0], "one that only comes again is not told again");
    let batches: [(&[u32], u32); 5] =
        [(&[2], 2), (&[2, 0], 2), (&[1], 2), (&[0, 4, 3], 4), (&[70_000], 65_535)];
    for (batch, expected) in batches {
        let batch: Vec<ViewWrite> = batch.iter().map(|times| placed_again(*times)).collect();
        view.apply(&batch).await.unwrap();
        assert!(told_again(&view).await[1] >= expected, "after {batch:?}");
    }
    assert_eq!(told_again(&view).await[0], 0, "the step before was not");
    assert_eq!(view.feed(0, 99).await.unwrap(), before, "those who watch were told once");
    let mark = view.written().await.unwrap();
    view.apply(&[placed_again(3)]).await.unwrap();
    assert_eq!(view.written().await.unwrap(), mark, "less than what is known changes nothing");

    place(&view, [delivering("a", 1), delivering("b", 2)]).await;
    view.begin_rebuild().await.unwrap();
    place(&view, [delivering("a", 3)]).await;
    view.apply(&[placed_again(0)]).await.unwrap();
    assert_eq!(told_again(&view).await, [0], "it was forgotten with its order");
}

pub(crate) async fn a_rebuild_keeps_only_what_was_told_again_while_it_ran<A: Adapter>() {
    let view = A::ready(PLENTY).await;
    let logged = [ViewWrite::Order(order("a", 1)), placed_again(0).as_told_by_a_log().unwrap()];
    view.apply(&[logged[0].clone(), placed_again(7)]).await.unwrap();
    assert_eq!(told_again(&view).await, [7], "also of a step that nobody heard of before");
    for (live, expected) in [(None, 0), (Some(2), 2), (None, 0)] {
        view.begin_rebuild().await.unwrap();
        view.apply(&logged).await.unwrap();
        view.apply(&live.map(placed_again).into_iter().collect::<Vec<_>>()).await.unwrap();
        view.apply(&logged).await.unwrap();
        finish(&view).await;
        assert_eq!(told_again(&view).await, [expected], "with {live:?}");
    }
}

pub(crate) async fn a_beat_older_than_the_last_is_ignored<A: Adapter>() {
    let view = A::ready(PLENTY).await;
    for (instance, at) in [("b", 20), ("a", 10), ("b", 19), ("a", 12), ("a", 11)] {
        view.beat(&beat(instance, at)).await.unwrap();
    }
    assert_eq!(view.health().await.unwrap().services, [beat("a", 12), beat("b", 20)]);
}

pub(crate) async fn all_that_a_beat_tells_is_kept<A: Adapter>() {
    let view = A::ready(PLENTY).await;
    let sums = [
        Sums::Orders { orders: 1_000_000, live: 7, stuck: 1 },
        Sums::Money { topped_up: Won(12), balances: Won(5), charged: Won(7) },
        Sums::Stock { items: 3, units: 99 },
    ];
    let told = sums.into_iter().enumerate().map(|(n, sums)| Beat {
        service: Service::ALL[n],
        ready: n > 0,
        last_error: Some("the disk\nis \"full\"".to_owned()),
        handled: u64::from(u32::MAX) + 1,
        per_second: 11,
        in_flight: 2,
        unsent: 3,
        fault: Some("slow:400".to_owned()),
        breaker: Some(BreakerSnapshot {
            state: Some(BreakerState::Open),
            in_flight: 5,
            ..Default::default()
        }),
        rebuilding: Some(42),
        unheard: vec![Service::Order, Service::Item],
        answers: Some(AnswersTold {
            answered: 1000,
            refused: 10,
            per_second: 100,
            refused_per_second: 1,
            p50_us: Some(1500),
            p99_us: None,
        }),
        books: Some(Books {
            at: Timestamp(1_790_000_000_001),
            read: 8,
            last: 9,
            sums,
            breach: (n > 0).then(|| Breach {
                kind: BreachKind::Overdrawn,
                id: "김".into(),
                at: Timestamp(5),
            }),
        }),
        waits: (n > 0)
            .then_some(Wait { what: Awaited::Release, count: 7, since: Timestamp(3), told_again: 2 })
            .into_iter()
            .collect(),
        calls: (n == 0).then(|| Box::new(calls())),
        ..beat(&format!("i{n}"), 10)
    });
    let told: Vec<Beat> = told.collect();
    for beat in &told {
        view.beat(beat).await.unwrap();
    }
    assert_eq!(view.health().await.unwrap().services, told);
}

pub(crate) async fn breaker_changes_are_kept_newest_first_for_each_instance<A: Adapter>() {
    let view = A::ready(PLENTY).await;
    let flip = |instance, at: i64| {
        let states = [BreakerState::Open, BreakerState::HalfOpen];
        let from = usize::from(at % 2 == 0);
        change(instance, at, states[from], states[1 - from], BreakerSnapshot::default())
    };
    let calm = flip("calm", 3);
    view.breaker_changed(&calm).await.unwrap();
    let total = i64::try_from(BREAKER_HISTORY).unwrap() + 20;
    for at in 1..=total {
        view.breaker_changed(&flip("busy", at)).await.unwrap();
        view.breaker_changed(&flip("busy", at)).await.unwrap();
    }
    let changes = view.health().await.unwrap().breaker_changes;
    let busy: Vec<i64> = changes.iter().filter(|c| c.instance == "busy").map(|c| c.at.0).collect();
    assert_eq!(busy, (21..=total).rev().collect::<Vec<_>>(), "the last ones, each once");
    assert!(changes.contains(&calm), "a busy instance does not push out another one's");
    assert!(changes.is_sorted_by(|a, b| a.at >= b.at), "newest first");
}

pub(crate) async fn a_change_wakes_a_reader_on_another_thread<A: Adapter>() {
    let view = A::ready(PLENTY).await;
    let (reader, (listening, listens), (saw, seen)) = (view.clone(), mpsc::channel(), mpsc::channel());
    let thread = std::thread::spawn(move || {
        crate::run(async move {
            let mut changes = reader.changes();
            listening.send(()).unwrap();
            for expected in 1..=3 {
                while reader.counts().await.unwrap().orders[0] < expected {
                    changes.changed().await;
                }
                saw.send(expected).unwrap();
            }
        });
    });
    listens.recv().unwrap();
    for n in 1..=3 {
        place(&view, [order(&format!("o{n}"), 1)]).await;
        let told = seen.recv_timeout(std::time::Duration::from_secs(10));
        assert_eq!(told, Ok(u64::try_from(n).unwrap()), "the reader was not woken");
    }
    thread.join().unwrap();
}

pub(crate) async fn what_changes_nothing_wakes_nobody<A: Adapter>() {
    let view = A::ready(PLENTY).await;
    let write = [ViewWrite::Order(order("a", 1)), ViewWrite::Feed(feed("1"))];
    view.apply(&write).await.unwrap();
    view.beat(&beat("a", 5)).await.unwrap();
    let mut changes = view.changes();
    view.apply(&write).await.unwrap();
    view.beat(&beat("a", 4)).await.unwrap();
    view.beat(&beat("a", 5)).await.unwrap();
    view.apply(&[]).await.unwrap();
    assert!(changes.changed().now_or_never().is_none(), "a repetition woke a reader");
    view.beat(&beat("a", 6)).await.unwrap();
    changes.changed().await;
    assert!(changes.changed().now_or_never().is_none(), "one change woke a reader twice");
}

pub(crate) async fn the_mark_of_what_is_written_changes_with_that_and_not_with_heartbeats<A: Adapter>() {
    let view = A::ready(PLENTY).await;
    view.apply(&entries(1..2)).await.unwrap();
    let mark = async || view.written().await.unwrap().expect("something was written");
    let first = mark().await;
    view.beat(&beat("order-1", 1000)).await.unwrap();
    view.apply(&entries(1..2)).await.unwrap();
    assert_eq!(mark().await, first, "a heartbeat and a repetition write nothing");
    let mut marks = vec![first];
    for writes in [entries(2..3), vec![ViewWrite::Order(order("kim-1", 1))]] {
        view.apply(&writes).await.unwrap();
        let next = mark().await;
        assert!(!marks.contains(&next), "{writes:?}");
        marks.push(next);
    }
    let tripped = change("order-1", 7, BreakerState::Closed, BreakerState::Open, BreakerSnapshot::default());
    view.breaker_changed(&tripped).await.unwrap();
    let next = mark().await;
    assert!(!marks.contains(&next), "a breaker's change");
    marks.push(next);
    view.breaker_changed(&tripped).await.unwrap();
    assert_eq!(marks.last(), Some(&mark().await), "a repetition of a breaker's change writes nothing");
    view.begin_rebuild().await.unwrap();
    finish(&view).await;
    assert!(!marks.contains(&mark().await), "what no log named is gone");
}
