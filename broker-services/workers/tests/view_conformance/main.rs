//! What every view promises, held against every adapter.
//!
//! A new adapter implements [`adapters::Adapter`] and is named once, in the last lines of this file.

#![expect(clippy::unwrap_used, reason = "in a test a failed call is a failed promise")]

mod adapters;
mod bounds;
mod builders;
mod checkpoints;
mod guards;
mod pages;
mod rebuild;
mod told;

/// Runs one promise to its end on this thread.
fn run(promise: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(promise);
}

/// Makes `adapter!`, which turns each of these into a test of the adapter it names.
macro_rules! promises {
    ($($group:ident::$promise:ident),+ $(,)?) => {
        macro_rules! adapter {
            ($name:ident: $adapter:ty) => {
                mod $name {
                    $(
                        #[test]
                        fn $promise() {
                            crate::run(crate::$group::$promise::<$adapter>());
                        }
                    )+
                }
            };
        }
    };
}

promises! {
    guards::any_order_of_arrival_with_repetitions_gives_the_same_view,
    guards::a_batch_is_seen_whole_or_not_at_all,
    guards::an_object_is_replaced_only_by_a_higher_revision,
    guards::what_comes_before_its_order_is_shown_with_it,
    guards::an_order_is_found_only_where_its_newest_revision_stands,
    guards::steps_of_one_instant_stand_in_the_order_of_cause,
    pages::every_filter_finds_what_looking_at_everything_finds,
    pages::pages_above_are_the_same_orders_from_the_other_end,
    pages::the_page_above_a_place_ends_with_its_neighbour,
    pages::pages_are_complete_and_without_repetition_while_orders_come_and_change,
    pages::a_cursor_goes_on_where_its_order_was_even_if_that_is_gone,
    pages::the_last_page_says_so_even_if_it_is_full,
    pages::a_page_of_one_index_looks_only_at_what_it_shows,
    pages::a_combined_filter_walks_the_smallest_index,
    pages::a_filter_without_an_index_stops_says_how_far_it_looked_and_goes_on,
    pages::a_common_prefix_is_found_newest_first,
    pages::accounts_and_items_are_paged_by_key,
    bounds::only_ended_orders_are_forgotten_and_the_oldest_first,
    bounds::a_forgotten_order_is_not_brought_back_by_a_late_repetition,
    bounds::an_order_older_than_all_that_are_kept_is_forgotten_once_it_ends,
    rebuild::every_write_is_refused_until_a_rebuild_has_begun,
    rebuild::what_nothing_names_is_removed_at_the_end,
    rebuild::live_writes_name_what_they_write,
    rebuild::payments_and_steps_are_removed_on_their_own,
    rebuild::a_second_begin_starts_over,
    rebuild::a_rebuild_ends_only_itself,
    rebuild::a_rebuild_replaces_revisions_that_no_log_has,
    rebuild::a_view_tells_of_its_rebuilds,
    rebuild::a_rebuild_of_everything_changes_nothing,
    rebuild::a_rebuild_puts_right_what_was_altered_at_the_same_revision,
    rebuild::a_rebuild_brings_back_what_was_forgotten,
    rebuild::an_order_that_a_rebuild_pushes_out_comes_back_with_its_log,
    rebuild::what_was_removed_can_be_written_again,
    checkpoints::a_checkpoint_is_what_its_advances_come_to,
    checkpoints::what_two_say_at_once_is_both_kept,
    checkpoints::who_sees_the_view_for_the_first_time_goes_on_with_what_is_there,
    told::the_feed_is_numbered_and_bounded,
    told::an_event_is_in_the_feed_once,
    told::an_event_is_in_the_feed_once_whatever_comes_again,
    told::a_step_is_told_when_it_happens_and_once,
    told::a_step_keeps_how_often_it_was_told_again_and_loses_it_with_the_step,
    told::a_rebuild_keeps_only_what_was_told_again_while_it_ran,
    told::a_beat_older_than_the_last_is_ignored,
    told::all_that_a_beat_tells_is_kept,
    told::breaker_changes_are_kept_newest_first_for_each_instance,
    told::a_change_wakes_a_reader_on_another_thread,
    told::what_changes_nothing_wakes_nobody,
    told::the_mark_of_what_is_written_changes_with_that_and_not_with_heartbeats,
}

adapter!(embedded: crate::adapters::Embedded);

#[cfg(feature = "servers")]
adapter!(redis: crate::adapters::Redis);
