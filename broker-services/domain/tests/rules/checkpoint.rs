//! What was applied of a log, what is missing, and whether it is still the same log.

use std::collections::BTreeSet;

use proptest::prelude::*;
use skstore_domain::checkpoint::{
    Advance, Began, Checkpoint, Former, Lineage, LogHead, LogId, MAX_RANGES, Seqs,
};

fn head(store: &str, incarnation: &str, since_seq: i64, last_seq: i64) -> LogHead {
    let [store, incarnation] = [store, incarnation].map(str::to_owned);
    LogHead { store, incarnation, since_seq, last_seq, sent_seq: last_seq, earlier: Vec::new() }
}

/// Made by a rebuild that heard of the incarnation *first*, and told of `head` since.
fn checkpoint(applied: &str, told: Option<LogHead>) -> Checkpoint {
    let seqs: Seqs = applied.parse().expect("ranges");
    let begun = Advance::Begun { head: head("a", "first", 1, seqs.last().unwrap_or(0)), seqs };
    let begun = Checkpoint::advanced(None, &begun).expect("a rebuild makes one");
    match told.filter(|told| begun.head.as_ref() != Some(told)) {
        Some(head) => Checkpoint::advanced(Some(&begun), &Advance::Told(head)).expect("it is news"),
        None => begun,
    }
}

#[test]
fn a_log_is_the_same_unless_it_is_another_or_took_something_back() {
    let known = checkpoint("1-20", Some(head("a", "first", 1, 20)));
    let table = [
        ("it goes on", head("a", "first", 1, 25), Lineage::Same),
        ("an older message of it", head("a", "first", 1, 19), Lineage::Same),
        ("opened again at its end", head("a", "second", 21, 20), Lineage::Same),
        ("opened again, and went on before it was heard", head("a", "second", 24, 30), Lineage::Same),
        ("an older copy, opened", head("a", "second", 11, 10), Lineage::RolledBack),
        ("an older copy that has grown as long again", head("a", "second", 20, 40), Lineage::RolledBack),
        ("another store", head("b", "first", 1, 20), Lineage::Replaced),
    ];
    for (what, told, expected) in table {
        assert_eq!(known.lineage(&told), expected, "{what}: {told:?}");
    }
    let after = |earlier: &[(&str, i64)], head: LogHead| LogHead {
        earlier: earlier
            .iter()
            .map(|(incarnation, since_seq)| Began {
                incarnation: (*incarnation).to_owned(),
                since_seq: *since_seq,
            })
            .collect(),
        ..head
    };
    let table = [
        ("opened twice", after(&[("first", 1), ("second", 21)], head("a", "third", 25, 30)), Lineage::Same),
        (
            "an older copy that was opened twice before it was heard",
            after(&[("first", 1), ("second", 11)], head("a", "third", 21, 30)),
            Lineage::RolledBack,
        ),
        (
            "the heard one was so long ago that it is not told of",
            after(&[("second", 21), ("third", 22)], head("a", "fourth", 25, 30)),
            Lineage::Same,
        ),
    ];
    for (what, told, expected) in table {
        assert_eq!(known.lineage(&told), expected, "{what}: {told:?}");
    }
    let by_second = LogId { store: "a".to_owned(), incarnation: "second".to_owned() };
    let applied = Advance::Applied { of: by_second, seqs: Seqs::range(21, 21) };
    let known = Checkpoint::advanced(Some(&known), &applied).expect("more was applied");
    let table = [
        (
            "a copy from before the second opening, as long again and opened twice",
            after(&[("first", 1), ("other", 21)], head("a", "third", 22, 30)),
            Lineage::RolledBack,
        ),
        ("opened again", after(&[("first", 1), ("second", 21)], head("a", "third", 22, 30)), Lineage::Same),
    ];
    for (what, told, expected) in table {
        assert_eq!(known.lineage(&told), expected, "{what}: {told:?}");
    }
    let empty = checkpoint("", None);
    assert_eq!(empty.lineage(&head("a", "second", 1, 3)), Lineage::Same, "nothing was there to take back");
}

#[test]
fn what_was_in_a_logs_place_is_remembered_until_that_is_replaced_in_turn() {
    let former = |until_seq| Some(Former { store: "a".to_owned(), last_seq: 20, until_seq });
    let known = checkpoint("1-20", Some(head("a", "first", 1, 20)));
    let table = [
        ("it goes on", head("a", "first", 1, 25), None),
        ("opened again", head("a", "second", 21, 20), None),
        ("an older copy", head("a", "second", 11, 15), former(11)),
        ("another store", head("b", "first", 1, 3), former(1)),
    ];
    for (what, head, expected) in table {
        let begun = |known: &Checkpoint| {
            let seqs = Seqs::range(1, head.last_seq);
            let restarted = Checkpoint::advanced(Some(known), &Advance::Restarted);
            let begun = Advance::Begun { head: head.clone(), seqs };
            Checkpoint::advanced(restarted.as_ref(), &begun).expect("a rebuild makes one")
        };
        let rebuilt = begun(&known);
        assert_eq!(rebuilt.former, expected, "{what}");
        assert_eq!(begun(&rebuilt).former, expected, "{what}, and the view was rebuilt once more");
    }
}

#[test]
fn a_rebuild_during_which_the_log_took_something_back_that_was_heard_does_not_count() {
    let of = |incarnation: &str| LogId { store: "a".to_owned(), incarnation: incarnation.to_owned() };
    let by = |known: Option<&Checkpoint>, advance| Checkpoint::advanced(known, &advance);
    let applied = |incarnation, seq| Advance::Applied { of: of(incarnation), seqs: Seqs::range(seq, seq) };
    let begun = |head: LogHead| Advance::Begun { seqs: Seqs::range(1, head.last_seq), head };
    let put_back = LogHead {
        earlier: vec![Began { incarnation: "zeroth".into(), since_seq: 1 }],
        ..head("a", "second", 4, 6)
    };
    let known = checkpoint("1-20", Some(head("a", "first", 1, 20)));
    for (what, known) in [("the first", None), ("another", Some(&known))] {
        let restarted = by(known, Advance::Restarted).or(known.cloned());
        let clean = by(restarted.as_ref(), begun(put_back.clone())).unwrap();
        assert!(
            clean.is_begun(),
            "{what} rebuild, and nothing of the old log was heard meanwhile: {clean:?}"
        );
        let heard = by(restarted.as_ref(), applied("first", 5)).unwrap();
        assert_eq!(
            heard.is_begun(),
            known.is_some(),
            "who has applied no beginning does not know what it lacks"
        );
        let tainted = by(Some(&heard), begun(put_back.clone())).unwrap();
        assert!(!tainted.is_begun(), "{what} rebuild: the view shows entry 5, which is gone: {tainted:?}");
        let restarted = by(Some(&tainted), Advance::Restarted).unwrap();
        assert!(by(Some(&restarted), begun(put_back.clone())).unwrap().is_begun(), "the next one does");
    }
}

#[test]
fn only_a_rebuild_makes_a_checkpoint_and_what_is_of_another_store_leaves_it_alone() {
    let seqs = |text: &str| text.parse::<Seqs>().unwrap();
    let of = |store: &str| LogId { store: store.to_owned(), incarnation: "first".to_owned() };
    let told = head("a", "first", 1, 9);
    let known = checkpoint("1-3", Some(told.clone()));
    let begun = |store: &str, text| {
        let seqs = seqs(text);
        Advance::Begun { head: head(store, "first", 1, seqs.last().unwrap_or(0)), seqs }
    };
    let applied = |store: &str, text| Advance::Applied { of: of(store), seqs: seqs(text) };
    let table = [
        (None, Advance::Restarted, None),
        (None, Advance::Told(told.clone()), None),
        (None, begun("a", "1-3"), Some(checkpoint("1-3", None))),
        (Some(&known), begun("a", "1-2"), Some(checkpoint("1-2", None))),
        (Some(&known), applied("a", "5"), Some(checkpoint("1-3,5", Some(told.clone())))),
        (Some(&known), applied("a", "2"), None),
        (Some(&known), applied("b", "5"), None),
        (Some(&known), Advance::Told(told.clone()), None),
        (Some(&known), Advance::Told(head("b", "first", 1, 9)), None),
        (
            Some(&known),
            Advance::Told(head("a", "first", 1, 10)),
            Some(checkpoint("1-3", Some(head("a", "first", 1, 10)))),
        ),
    ];
    for (known, by, expected) in table {
        assert_eq!(Checkpoint::advanced(known, &by), expected, "{known:?} by {by:?}");
    }
}

#[test]
fn what_came_in_the_name_of_an_incarnation_that_told_nothing_is_taken_back_by_the_next_as_well() {
    let of = |incarnation: &str| LogId { store: "a".to_owned(), incarnation: incarnation.to_owned() };
    let known = checkpoint("1-20", Some(head("a", "first", 1, 20)));
    let by = |known: &Checkpoint, advance| Checkpoint::advanced(Some(known), &advance).unwrap();
    let applied = |incarnation, seq| Advance::Applied { of: of(incarnation), seqs: Seqs::range(seq, seq) };
    let short = by(&known, applied("second", 21));
    assert_eq!(short.lineage(&head("a", "second", 21, 21)), Lineage::Same, "its events came before its word");
    assert_eq!(short.lineage(&head("a", "third", 22, 21)), Lineage::Same, "the third goes on after it");
    assert_eq!(short.lineage(&head("a", "third", 21, 20)), Lineage::RolledBack, "the third takes it back");
    let both = by(&short, applied("third", 21 + 9));
    assert_eq!(both.lineage(&head("a", "third", 21, 30)), Lineage::RolledBack, "whatever came of it before");
    let after = by(&short, Advance::Told(head("a", "second", 21, 21)));
    assert_eq!(after.lineage(&head("a", "first", 1, 20)), Lineage::Same, "a late word of the one before");
}

#[test]
fn a_checkpoint_survives_its_json() {
    let known = checkpoint("1-3,5", Some(head("a", "first", 1, 9)));
    let json = serde_json::to_string(&known).unwrap();
    assert_eq!(serde_json::from_str::<Checkpoint>(&json).unwrap(), known, "{json}");
    for bad in ["x", "0", "3-1", "1--2", "-1", "1-2-3", "9999999999999999999999"] {
        assert!(bad.parse::<Seqs>().is_err(), "{bad}");
    }
}

#[test]
fn of_too_many_ranges_the_highest_are_forgotten() {
    let all: Seqs = (1..=2 * MAX_RANGES as i64 + 9).map(|number| 2 * number).collect();
    assert_eq!(all.last(), Some(2 * MAX_RANGES as i64));
    assert_eq!(all.first_missing(i64::MAX), Some((1, 1)));
}

proptest! {
    /// However they come, the ranges are the numbers, and the gaps are the others.
    #[test]
    fn ranges_are_the_numbers_they_were_made_of(
        parts in prop::collection::vec((-3_i64..60, 0_i64..9), 0..30),
        last in 0_i64..70,
    ) {
        let mut numbers = BTreeSet::new();
        let mut seqs = Seqs::default();
        for (first, more) in parts {
            seqs.insert(first, first + more);
            numbers.extend((first..=first + more).filter(|seq| *seq >= 1));
        }
        prop_assert_eq!(&seqs.to_string().parse::<Seqs>().unwrap(), &seqs);
        prop_assert_eq!(&numbers.iter().rev().copied().collect::<Seqs>(), &seqs);
        prop_assert_eq!(seqs.last(), numbers.last().copied());
        prop_assert_eq!(seqs.count(), numbers.len() as u64);
        let missing: Vec<i64> = (1..=last).filter(|seq| !numbers.contains(seq)).collect();
        prop_assert_eq!(seqs.missing(last), missing.len() as u64);
        let first = missing.first().map(|first| {
            let run = missing.iter().zip(*first..).take_while(|(seq, at)| *seq == at).last();
            (*first, *run.unwrap().0)
        });
        prop_assert_eq!(seqs.first_missing(last), first);
    }
}
