//! Holds every store adapter to the contract in `skstore_workers::store`.
//!
//! A new adapter implements [`Engine`](engines::Engine), and [`Shared`](engines::Shared) if several processes
//! can use one store, and is named in the lists at the end of this file. Each promise is a function; the
//! macros make it a test for every engine.
#![expect(
    clippy::unwrap_used,
    reason = "all of this is test code, also what stands outside of test functions"
)]

mod builders;
mod committing;
mod copying;
mod engines;
mod events;
mod identity;
mod leases;
mod looking;
#[cfg(feature = "servers")]
mod postgres_trouble;
mod sharing;
mod sqlite_disk;

/// Makes each promise a test, on a new and empty store of its own.
macro_rules! tests {
    ($start:expr; $($module:ident: $($promise:ident)+;)+) => {
        $($(
            #[test]
            fn $promise() {
                crate::engines::block_on(crate::$module::$promise(&$start));
            }
        )+)+
    };
}

/// What every engine promises.
macro_rules! contract {
    ($engine:ident, $start:expr) => {
        mod $engine {
            tests! { $start;
                committing:
                    a_decision_is_committed_whole
                    a_decision_is_given_what_it_asked_for_and_no_more
                    a_decision_that_panics_leaves_nothing
                    a_contradiction_leaves_nothing
                    an_empty_decision_writes_nothing_and_still_answers
                    a_batch_of_a_thousand_is_one_commit
                    any_text_is_kept_as_it_is
                    clones_see_each_others_commits;
                events:
                    events_are_numbered_in_the_order_of_their_decision
                    an_event_is_unsent_until_it_is_marked
                    a_recorded_event_can_be_published_again
                    whoever_publishes_an_event_that_is_told_again_knows_for_how_many_times
                    unsent_events_can_be_paged_through
                    the_log_is_paged_by_count
                    the_log_is_paged_by_bytes_but_never_stuck
                    a_part_of_the_log_ends_where_it_was_asked_to_end;
                identity:
                    the_head_tells_how_far_the_log_goes_and_was_sent;
                looking:
                    what_is_due_comes_earliest_first_and_bounded
                    a_later_write_moves_or_clears_what_is_due
                    what_is_to_be_looked_after_later_is_due_then_and_not_before
                    what_another_clock_made_due_far_ahead_is_due_now
                    any_aggregate_of_a_kind_is_found;
                leases:
                    a_lease_has_one_holder_until_it_ends
                    a_lease_is_given_up_by_its_holder_alone
                    a_clock_that_is_set_back_keeps_nobody_out
                    the_own_commits_are_no_news;
            }
        }
    };
}

/// What an engine promises beside, if a store of it can be opened more than once.
macro_rules! contract_when_shared {
    ($engine:ident, $start:expr) => {
        mod $engine {
            tests! { $start;
                sharing:
                    everything_is_there_after_a_reopen
                    two_connections_see_each_others_commits
                    many_connections_lose_no_update
                    another_schema_version_is_refused_with_a_remedy;
                identity:
                    a_store_that_is_opened_again_is_the_same_and_begins_an_incarnation
                    who_sends_events_sends_them_in_the_name_of_no_incarnation_before_theirs;
                leases:
                    what_another_connection_commits_is_news_once
                    of_many_connections_one_gets_the_lease;
            }

            /// Starts this test again, as the process to be killed.
            #[test]
            fn acknowledged_commits_survive_a_kill() {
                let this = concat!(stringify!($engine), "::acknowledged_commits_survive_a_kill");
                crate::sharing::acknowledged_commits_survive_a_kill(this, &$start);
            }
        }
    };
}

/// What is promised of a copy, from each engine to each.
macro_rules! contract_of_copies {
    ($name:ident, $from:expr, $to:expr; $($promise:ident)+) => {
        mod $name {
            $(
                #[test]
                fn $promise() {
                    crate::engines::block_on(crate::copying::$promise(&$from, &$to));
                }
            )+
        }
    };
    ($name:ident, $from:expr, $to:expr) => {
        contract_of_copies! { $name, $from, $to;
            a_copy_is_the_same_store_with_every_row_of_it
            work_goes_on_with_the_copy_as_with_any_store
            where_something_is_nothing_is_copied_to
            a_store_that_somebody_works_on_is_not_copied
            what_is_given_up_in_the_midst_leaves_nothing
            a_copy_of_a_backup_still_says_what_it_is
        }
    };
}

contract!(sqlite_memory, crate::engines::SqliteMemory::start());
contract!(sqlite_file, crate::engines::SqliteFile::start());
contract_when_shared!(sqlite_file_shared, crate::engines::SqliteFile::start());
#[cfg(feature = "servers")]
contract!(postgres, crate::engines::Postgres::start());
#[cfg(feature = "servers")]
contract_when_shared!(postgres_shared, crate::engines::Postgres::start());

contract_of_copies!(
    copied_from_sqlite_to_sqlite,
    crate::engines::SqliteFile::start(),
    crate::engines::SqliteFile::start()
);
contract_of_copies!(failed_from_sqlite_to_sqlite, crate::engines::SqliteFile::start(), crate::engines::SqliteFile::start();
    what_fails_in_the_midst_leaves_nothing);
#[cfg(feature = "servers")]
contract_of_copies!(
    copied_from_sqlite_to_postgres,
    crate::engines::SqliteFile::start(),
    crate::engines::Postgres::start()
);
#[cfg(feature = "servers")]
contract_of_copies!(
    copied_from_postgres_to_sqlite,
    crate::engines::Postgres::start(),
    crate::engines::SqliteFile::start()
);
#[cfg(feature = "servers")]
contract_of_copies!(
    copied_from_postgres_to_postgres,
    crate::engines::Postgres::start(),
    crate::engines::Postgres::start()
);
#[cfg(feature = "servers")]
contract_of_copies!(failed_from_sqlite_to_postgres, crate::engines::SqliteFile::start(), crate::engines::Postgres::start();
    what_fails_in_the_midst_leaves_nothing);
