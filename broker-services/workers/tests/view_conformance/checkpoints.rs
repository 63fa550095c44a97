//! How much of each log was applied is kept beside what the logs told.

use std::collections::BTreeMap;

use skstore_domain::checkpoint::{Advance, Checkpoint, LogHead, LogId, Seqs};
use skstore_domain::events::Source;
use skstore_workers::view::{View, ViewError};

use crate::adapters::Adapter;
use crate::builders::PLENTY;

fn seqs(text: &str) -> Seqs {
    text.parse().unwrap()
}

fn log(store: &str) -> LogId {
    LogId { store: store.to_owned(), incarnation: "first".to_owned() }
}

fn applied(store: &str, text: &str) -> Advance {
    Advance::Applied { of: log(store), seqs: seqs(text) }
}

fn begun(store: &str, text: &str) -> Advance {
    Advance::Begun { head: LogHead { store: store.to_owned(), ..head(0) }, seqs: seqs(text) }
}

fn head(last_seq: i64) -> LogHead {
    let [store, incarnation] = ["a", "first"].map(str::to_owned);
    LogHead { store, incarnation, since_seq: 1, last_seq, sent_seq: last_seq, earlier: Vec::new() }
}

async fn known(view: &View) -> BTreeMap<Source, String> {
    let checkpoints = view.checkpoints().await.unwrap();
    let text = |Checkpoint { store, applied, head, .. }| {
        format!("{store} {applied} {}", head.map_or(0, |head| head.last_seq))
    };
    checkpoints.into_iter().map(|(source, checkpoint)| (source, text(checkpoint))).collect()
}

pub(crate) async fn a_checkpoint_is_what_its_advances_come_to<A: Adapter>() {
    let view = A::lost(PLENTY).await;
    let advances = [(Source::Order, begun("a", "1-3")), (Source::Item, begun("b", ""))];
    assert!(matches!(view.advance(&advances).await, Err(ViewError::Empty)), "the contents were lost");
    assert_eq!(known(&view).await, BTreeMap::new());
    view.begin_rebuild().await.unwrap();
    let table = [
        (vec![(Source::Order, applied("a", "2"))], vec![]),
        (advances.to_vec(), vec![(Source::Order, "a 1-3 0"), (Source::Item, "b  0")]),
        (
            vec![
                (Source::Order, applied("a", "4,7")),
                (Source::Order, applied("a", "5")),
                (Source::Order, applied("b", "6")),
                (Source::Order, Advance::Told(head(9))),
            ],
            vec![(Source::Order, "a 1-5,7 9"), (Source::Item, "b  0")],
        ),
        (vec![], vec![(Source::Order, "a 1-5,7 9"), (Source::Item, "b  0")]),
        // A rebuild that has heard something of a log that is another one by now does not count.
        (vec![(Source::Order, begun("b", "1"))], vec![(Source::Item, "b  0")]),
        (
            vec![(Source::Order, Advance::Restarted), (Source::Order, begun("b", "1"))],
            vec![(Source::Order, "b 1 0"), (Source::Item, "b  0")],
        ),
    ];
    for (advances, expected) in table {
        view.advance(&advances).await.unwrap();
        let expected = expected.into_iter().map(|(source, text)| (source, text.to_owned())).collect();
        assert_eq!(known(&view).await, expected, "after {advances:?}");
    }
}

pub(crate) async fn what_two_say_at_once_is_both_kept<A: Adapter>() {
    let view = A::ready(PLENTY).await;
    view.advance(&[(Source::Deposit, begun("a", ""))]).await.unwrap();
    let say = async |view: View, first: i64| {
        for seq in (first..=40).step_by(2) {
            let one = Advance::Applied { of: log("a"), seqs: Seqs::range(seq, seq) };
            view.advance(&[(Source::Deposit, one)]).await.unwrap();
        }
    };
    tokio::join!(say(view.clone(), 1), say(view.clone(), 2));
    assert_eq!(known(&view).await, BTreeMap::from([(Source::Deposit, "a 1-40 0".to_owned())]));
}

pub(crate) async fn who_sees_the_view_for_the_first_time_goes_on_with_what_is_there<A: Adapter>() {
    let view = A::ready(PLENTY).await;
    let others = A::another(&view).await;
    view.advance(&[(Source::Item, begun("a", "1-3"))]).await.unwrap();
    others.advance(&[(Source::Item, applied("a", "4"))]).await.unwrap();
    assert_eq!(known(&view).await, BTreeMap::from([(Source::Item, "a 1-4 0".to_owned())]));
    view.advance(&[(Source::Item, Advance::Restarted), (Source::Item, begun("b", "1"))]).await.unwrap();
    others.advance(&[(Source::Item, applied("b", "2"))]).await.unwrap();
    assert_eq!(known(&view).await, BTreeMap::from([(Source::Item, "b 1-2 0".to_owned())]));
}
