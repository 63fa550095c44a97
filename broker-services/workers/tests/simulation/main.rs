//! The whole desk in a seeded simulation: the real rules, loops, outbox, breaker, bus and stores on one thread
//! with a paused clock, while messages come late, twice, out of order or not at all, workers crash at every
//! named point, the whole process is killed, Deposit is slow or dead and Item absent. In half of the seeds there are
//! two workers of each service side by side on its store.
//!
//! The promises of the design are checked after every commit and at the end. The same seed gives the same
//! trace; a seed that breaks a promise prints what it broke, how to repeat it with `cargo xtask simulate`, and the
//! trace of the order concerned.
//!
//! `SIMULATION_SEEDS` sets how many seeds are run.

#![expect(clippy::print_stdout, reason = "seeds, traces and figures go there")]
#![expect(clippy::disallowed_methods, reason = "the real clock measures how fast the virtual one runs")]

mod books;
mod chance;
mod one;
mod report;
mod trace;
mod view;
mod workload;
mod world;

use std::collections::BTreeSet;

use report::Report;
use skstore_workers::probe::Bug;
use world::simulate;

/// Seeds of an ordinary test run: a few seconds on one core.
const SEEDS: u64 = 1_000;
/// Seeds within which a deliberate bug must be noticed.
const SEEDS_FOR_A_BUG: u64 = 1_000;

fn seeds() -> u64 {
    std::env::var("SIMULATION_SEEDS").ok().and_then(|seeds| seeds.parse().ok()).unwrap_or(SEEDS)
}

fn honest(seed: u64) -> Report {
    simulate(seed, &BTreeSet::new())
}

#[test]
fn every_promise_holds_whatever_happens() {
    let started = std::time::Instant::now();
    let seeds = seeds();
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    let totals: Vec<world::Totals> = std::thread::scope(|scope| {
        let runs: Vec<_> = (0..workers)
            .map(|first| {
                scope.spawn(move || {
                    let mut totals = world::Totals::default();
                    for seed in (first as u64..seeds).step_by(workers) {
                        let report = honest(seed);
                        assert!(report.broken.is_empty(), "{}", report.story());
                        totals.add(&report.totals);
                    }
                    totals
                })
            })
            .collect();
        runs.into_iter().map(|run| run.join().expect("a seed broke a promise: see above")).collect()
    });
    let mut all = world::Totals::default();
    totals.iter().for_each(|totals| all.add(totals));
    let seconds = started.elapsed().as_secs_f64();
    println!("{seeds} seeds in {seconds:.1} s ({:.0} seeds/s): {all}", seeds as f64 / seconds);
    all.assert_worth_it();
}

#[test]
fn the_same_seed_gives_the_same_trace() {
    for seed in [1, 17, 4711] {
        let (first, second) = (honest(seed), honest(seed));
        let difference =
            first.trace.lines().iter().zip(second.trace.lines()).find(|(one, other)| one != other);
        assert_eq!(
            first.trace.hash(),
            second.trace.hash(),
            "seed {seed} went two ways; first difference: {difference:#?}"
        );
    }
}

#[test]
#[ignore = "`cargo xtask simulate SEED` runs it"]
fn one_seed() {
    if let Some(status) = one::run() {
        // The harness knows only 0 and 101, and would add words of its own.
        std::process::exit(status);
    }
}

/// What heals a bug's effects, so that the bug is noticed only where that is missing as well.
fn healers(bug: Bug) -> BTreeSet<Bug> {
    match bug {
        // An event that is lost before its confirm is told again like one that is lost after it.
        Bug::SentBeforeConfirm => BTreeSet::from([Bug::TellsOnce]),
        _ => BTreeSet::new(),
    }
}

/// What a deliberate bug must be noticed by: a seed in which nothing breaks without it.
fn notice(bug: Bug) {
    let without = healers(bug);
    let bugs: BTreeSet<Bug> = without.iter().copied().chain([bug]).collect();
    let noticed = (0..SEEDS_FOR_A_BUG)
        .map(|seed| simulate(seed, &bugs))
        .filter(|report| !report.broken.is_empty())
        .find(|report| without.is_empty() || simulate(report.seed, &without).broken.is_empty());
    match noticed {
        Some(report) => println!("{bug:?} is noticed: {}", report.verdict()),
        None => panic!("{bug:?} is not noticed within {SEEDS_FOR_A_BUG} seeds"),
    }
}

macro_rules! each_bug_is_noticed {
    ($($name:ident: $bug:ident,)+) => {
        $(
            #[test]
            fn $name() {
                notice(Bug::$bug);
            }
        )+

        #[test]
        fn no_bug_is_left_out() {
            assert_eq!(BTreeSet::from([$(Bug::$bug),+]), Bug::ALL.iter().copied().collect());
        }
    };
}

each_bug_is_noticed! {
    an_ack_before_the_commit_is_noticed: AckBeforeCommit,
    a_release_without_a_tombstone_is_noticed: ReleaseWithoutTombstone,
    a_refund_without_a_key_is_noticed: RefundWithoutKey,
    a_charge_without_a_key_is_noticed: ChargeWithoutKey,
    an_event_marked_as_sent_before_its_confirm_is_noticed: SentBeforeConfirm,
    a_view_without_revisions_is_noticed: ViewWithoutRevisions,
    a_missing_sweeper_is_noticed: NoSweeper,
    a_timeout_taken_for_a_payment_is_noticed: TimeoutIsPaid,
    a_cancel_without_a_tombstone_is_noticed: CancelWithoutTombstone,
    a_delivery_without_a_key_is_noticed: DeliverWithoutKey,
    a_cancel_that_keeps_the_stock_is_noticed: CancelKeepsStock,
    a_silent_rejection_is_noticed: RejectSilently,
    a_relay_that_forgets_at_a_restart_is_noticed: NoRelayAfterRestart,
    a_relay_that_sends_only_its_own_is_noticed: RelayOnlyItsOwn,
    an_order_that_is_told_once_is_noticed: TellsOnce,
    a_retelling_by_a_new_event_is_noticed: TellsAgainAsNew,
    a_record_that_is_not_said_again_is_noticed: KeepsItsRecordToItself,
    a_gap_taken_for_complete_is_noticed: TakesGapsForComplete,
    a_log_that_took_something_back_and_is_believed_is_noticed: IgnoresIncarnations,
    an_order_that_is_disowned_in_silence_is_noticed: DisownsInSilence,
    a_deadline_by_a_foreign_clock_is_noticed: ForeignDeadline,
}
