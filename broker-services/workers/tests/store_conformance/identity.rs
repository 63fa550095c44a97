//! Which store it is, whose copy it is, and how far its log goes.

use skstore_domain::checkpoint::{Advance, Checkpoint, Lineage, LogHead, Seqs};

use crate::builders::{advance, keys, order, seqs};
use crate::engines::{Engine, Shared};

/// What somebody knows who has heard a log that was told to go so far.
pub(crate) fn heard(head: LogHead) -> Checkpoint {
    let seqs = Seqs::range(1, head.last_seq);
    Checkpoint::advanced(None, &Advance::Begun { head, seqs }).unwrap()
}

pub(crate) async fn the_head_tells_how_far_the_log_goes_and_was_sent(engine: &impl Engine) {
    let store = engine.open().await;
    let head = store.head().await.unwrap().expect("who opens a store gives it an identity");
    assert_eq!((head.last_seq, head.sent_seq), (0, 0), "an empty log: {head:?}");
    let all = seqs(&advance(&store, &keys(&["a", "b", "c"].map(order))).await.unwrap());
    let told = async |sent: &[i64]| {
        store.mark_sent(sent).await.unwrap();
        let head = store.head().await.unwrap().unwrap();
        (head.last_seq, head.sent_seq)
    };
    assert_eq!(told(&[]).await, (all[2], all[0] - 1), "nothing was sent");
    assert_eq!(told(&[all[1], all[2]]).await, (all[2], all[0] - 1), "the first was not");
    assert_eq!(told(&[all[0]]).await, (all[2], all[2]), "all were");
}

pub(crate) async fn a_store_that_is_opened_again_is_the_same_and_begins_an_incarnation(engine: &impl Shared) {
    let first = engine.open().await;
    advance(&first, &keys(&["a", "b"].map(order))).await.unwrap();
    let before = first.head().await.unwrap().unwrap();
    let second = engine.open().await;
    let after = second.head().await.unwrap().unwrap();
    assert_eq!(before.store, after.store);
    assert_ne!(before.incarnation, after.incarnation);
    assert_eq!(after.since_seq, before.last_seq + 1);
    assert_eq!(first.head().await.unwrap().unwrap(), after, "all who share it tell the same");
    let known = heard(before);
    assert_eq!(known.lineage(&after), Lineage::Same);
}

pub(crate) async fn who_sends_events_sends_them_in_the_name_of_no_incarnation_before_theirs(
    engine: &impl Shared,
) {
    let first = engine.open().await;
    advance(&first, &keys(&[order("a")])).await.unwrap();
    let alone = first.identity().await.unwrap().unwrap();
    let second = engine.open().await;
    let of_second = second.identity().await.unwrap().unwrap();
    assert_ne!(alone, of_second, "an incarnation of its own");
    advance(&first, &keys(&[order("b")])).await.unwrap();
    assert_eq!(first.identity().await.unwrap(), Some(of_second), "with what is committed since");
    let third = engine.open().await;
    advance(&third, &keys(&[order("c")])).await.unwrap();
    assert_eq!(first.unsent(0, |_| false, 9).await.unwrap().len(), 3, "all of them");
    assert_eq!(
        first.identity().await.unwrap(),
        third.identity().await.unwrap(),
        "with what others committed"
    );
}
