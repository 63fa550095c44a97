//! The ledger accepts what adds up, and says of everything else what does not.

use std::ops::RangeInclusive;
use std::time::Duration;

use proptest::prelude::{Just, Strategy, any, prop_assert, prop_assert_eq, prop_oneof, proptest};
use proptest::sample::Index;
use skstore_domain::events::{DepositKind, ItemKind};
use skstore_domain::ledger::Effect::{Adds, Carries, Keeps, PutsBack, Takes};
use skstore_domain::ledger::{
    Book, Effect, Ledger, Posting, Totals, Violation, follows, is_covered, is_stuck,
};
use skstore_domain::time::Timestamp;

const IDS: [&str; 3] = ["kim", "lee", "park"];

const fn posting(effect: Effect, by: RangeInclusive<i64>, now: i64, revision: i64) -> Posting {
    Posting { effect, by, now, revision }
}

/// Something that may happen to an account or an item: to which, what, and by how much.
fn happening() -> impl Strategy<Value = (usize, Effect, i64)> {
    let effect = prop_oneof![Just(Adds), Just(Takes), Just(PutsBack), Just(Keeps), Just(Carries)];
    (0..IDS.len(), effect, 0..1_000_i64)
}

/// Postings of all of it that add up: what is not there is not taken, nor is more put back than was taken.
fn postings(happenings: &[(usize, Effect, i64)]) -> Vec<(&'static str, Posting)> {
    let mut all = [(0, 0, 0); IDS.len()];
    let follow = |(id, effect, amount): &(usize, Effect, i64)| {
        let (now, out, revision) = &mut all[*id];
        let amount = match effect {
            Adds => *amount,
            Takes => *amount.min(now),
            PutsBack => *amount.min(out),
            Keeps | Carries => 0,
        };
        let (into, from) = match effect {
            Adds => (amount, 0),
            Takes => (-amount, amount),
            PutsBack => (amount, -amount),
            Keeps | Carries => (0, 0),
        };
        (*now, *out) = (*now + into, *out + from);
        *revision += i64::from(*effect != Carries);
        (IDS[*id], posting(*effect, amount..=amount, *now, *revision))
    };
    happenings.iter().map(follow).collect()
}

proptest! {
    #[test]
    fn what_adds_up_is_accepted_and_balances(happenings in proptest::collection::vec(happening(), 0..60)) {
        let mut ledger = Ledger::default();
        for (id, posting) in postings(&happenings) {
            prop_assert_eq!(ledger.post(id, &posting), [], "{}: {:?}", id, posting);
            prop_assert!(ledger.totals.are_balanced(), "after {:?}: {:?}", posting, ledger.totals);
        }
        let sum = |of: fn(&Book) -> i128| ledger.books.values().map(of).sum::<i128>();
        prop_assert_eq!(sum(|book| book.now.into()), ledger.totals.there);
        prop_assert_eq!(sum(|book| book.added), ledger.totals.added);
    }

    #[test]
    fn what_is_altered_anywhere_is_said(
        happenings in proptest::collection::vec(happening(), 1..60),
        at in any::<Index>(),
        by in prop_oneof![-5..0_i64, 1..6_i64],
        is_revision: bool,
    ) {
        let mut postings = postings(&happenings);
        let at = at.index(postings.len());
        let altered = &mut postings[at].1;
        *(if is_revision { &mut altered.revision } else { &mut altered.now }) += by;
        let (now, found) = (altered.now, altered.revision);
        let mut ledger = Ledger::default();
        let said = postings.iter().map(|(id, posting)| ledger.post(id, posting)).collect::<Vec<_>>();
        prop_assert!(said[..at].iter().all(Vec::is_empty));
        match said[at].as_slice() {
            [Violation::Revision { found: told, .. }] if is_revision => prop_assert_eq!(*told, found),
            [Violation::Amount { now: told, .. }] if now >= 0 => prop_assert_eq!(*told, now),
            [Violation::Amount { now: told, .. }, Violation::Negative { now: again }] => {
                prop_assert_eq!((*told, *again), (now, now));
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_entry_does_what_its_kind_says_by_what_it_says() {
    let revision = |due, found| vec![Violation::Revision { last: 3, due, found }];
    let amount = |now| vec![Violation::Amount { before: 10, now }];
    let below = |now| vec![Violation::Amount { before: 10, now }, Violation::Negative { now }];
    // On 10 at revision 3.
    let table = [
        (posting(Adds, 5..=5, 15, 4), vec![]),
        (posting(Adds, 1..=i64::MAX, 11, 4), vec![]),
        (posting(Adds, 1..=i64::MAX, 10, 4), amount(10)),
        (posting(Adds, 0..=i64::MAX, 10, 4), vec![]),
        (posting(Adds, 0..=i64::MAX, 9, 4), amount(9)),
        (posting(Takes, 5..=5, 5, 4), vec![]),
        (posting(Takes, 5..=5, 15, 4), amount(15)),
        (posting(Takes, 11..=11, -1, 4), vec![Violation::Negative { now: -1 }]),
        (posting(Takes, 5..=5, -1, 4), below(-1)),
        (posting(Takes, 1..=9, 0, 4), amount(0)),
        (posting(PutsBack, 5..=5, 15, 4), vec![]),
        (posting(PutsBack, 5..=5, 16, 4), amount(16)),
        (posting(PutsBack, 5..=5, 15, 5), revision(4, 5)),
        (posting(PutsBack, 5..=5, 15, 3), revision(4, 3)),
        (posting(Keeps, 1..=9, 10, 4), vec![]),
        (posting(Keeps, 1..=9, 11, 4), amount(11)),
        (posting(Keeps, 1..=9, 10, 3), revision(4, 3)),
        (posting(Carries, 1..=9, 10, 3), vec![]),
        (posting(Carries, 1..=9, 11, 3), amount(11)),
        (posting(Carries, 1..=9, 10, 4), revision(3, 4)),
        (posting(Takes, i64::MIN..=i64::MIN, i64::MAX, i64::MAX), revision(4, i64::MAX)),
    ];
    for (posting, expected) in table {
        let mut ledger = Ledger::default();
        ledger.books.insert("kim".to_owned(), Book { now: 10, revision: 3, added: 10 });
        assert_eq!(ledger.post("kim", &posting), expected, "{posting:?}");
        let book = ledger.books["kim"];
        assert_eq!(
            (book.now, book.revision),
            (posting.now, posting.revision),
            "it goes on from what is there"
        );
    }
}

#[test]
fn every_kind_of_entry_has_its_effect() {
    use DepositKind::{Declined, Paid, Refunded, ToppedUp, Voided};
    use ItemKind::{DeliveryCancelled, DeliveryStarted, Listed, Restocked, SoldOut};
    let accounts =
        [(ToppedUp, Adds), (Paid, Takes), (Refunded, PutsBack), (Declined, Carries), (Voided, Carries)];
    for (kind, effect) in accounts {
        assert_eq!(Effect::on_account(kind), effect, "{kind}");
    }
    let items = [
        (Listed, 3, Keeps),
        (Restocked, 3, Adds),
        (DeliveryStarted, 1, Takes),
        (DeliveryCancelled, 2, PutsBack),
        (DeliveryCancelled, 1, Carries),
        (SoldOut, 1, Carries),
    ];
    for (kind, revision, effect) in items {
        assert_eq!(Effect::on_item(kind, revision), effect, "{kind} at revision {revision}");
    }
}

#[test]
fn the_sums_show_what_no_entry_accounts_for() {
    let mut ledger = Ledger::default();
    ledger.post("kim", &posting(Adds, 0..=i64::MAX, 100, 1));
    ledger.post("kim", &posting(Takes, 30..=30, 70, 2));
    assert_eq!((ledger.totals, ledger.totals.due()), (Totals { added: 100, there: 70, out: 30 }, 70));
    assert!(ledger.totals.are_balanced());
    ledger.post("lee", &posting(Takes, 1..=1, 5, 1));
    assert_eq!((ledger.totals.there, ledger.totals.due()), (75, 69));
    assert!(!ledger.totals.are_balanced());
}

#[test]
fn single_values_are_held_against_the_same_statements() {
    assert_eq!(follows(0, 1), Ok(()));
    assert_eq!(follows(1, 3), Err(Violation::Revision { last: 1, due: 2, found: 3 }));
    assert_eq!((is_covered(0), is_covered(-1)), (Ok(()), Err(Violation::Negative { now: -1 })));
    let (since, within) = (Timestamp(1_000), Duration::from_millis(500));
    assert!(!is_stuck(since, within, Timestamp(1_500)) && is_stuck(since, within, Timestamp(1_501)));
}
