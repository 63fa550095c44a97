//! The promises of the bus port, kept by every adapter.
//!
//! A new adapter is named at the end of this file, with a function that connects to an empty bus of its own (a
//! fresh vhost, say) on which the topology is declared. What only one adapter promises is tested beside it.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod fixtures;
mod operators;
mod promises;
#[cfg(feature = "servers")]
#[path = "../amqp/vhost.rs"]
mod vhost;

/// Proves every promise for one adapter: a module of tests of its name.
macro_rules! conformance {
    ($adapter:ident: $connect:path) => {
        conformance! { @promises $adapter: $connect:
            promises:
            a_message_arrives_as_it_was_published,
            commands_are_routed_by_key,
            an_event_reaches_every_queue_bound_to_it,
            a_fanout_reaches_every_queue,
            an_unroutable_message_is_returned,
            a_command_of_an_unknown_key_goes_to_the_alternate,
            a_late_binding_counts,
            a_confirmed_message_survives_its_consumer,
            unacked_messages_come_back_in_order,
            a_late_ack_is_harmless,
            no_consumer_holds_more_than_its_prefetch,
            one_stopped_consumer_holds_up_nobody_else,
            a_full_queue_refuses_until_there_is_room,
            a_queue_that_drops_its_oldest_keeps_the_newest,
            an_expired_message_is_not_delivered,
            a_queue_with_a_ttl_forgets,
            what_a_queue_gives_up_on_is_dead_lettered,
            an_exclusive_queue_vanishes_with_its_consumer,
            a_question_is_answered,
            a_batch_takes_at_most_what_was_asked_for,
            a_cancelled_receive_has_taken_nothing,
            a_sleeping_consumer_is_woken_from_another_thread,
            nobody_sleeps_over_work,
            competing_consumers_share_the_work,
            nothing_is_lost_or_doubled_between_threads,
            a_queue_of_other_properties_is_an_error_that_names_it,
            a_claim_is_shared_by_one_owners_own_and_refused_to_others;
            operators:
            depths_tell_what_waits_and_who_consumes,
            parked_messages_stay_where_they_are,
            what_an_operator_ends_is_gone_and_the_rest_stays_in_order,
            more_than_can_be_had_at_once_stay_in_their_order,
            one_operator_at_a_time_has_them_in_hand,
            a_parked_message_is_looked_at_as_it_was_parked,
            what_a_queue_gave_up_on_is_replayed_as_it_was_sent,
            looking_at_parked_messages_leaves_other_consumers_alone;
        }
    };
    (@promises $adapter:ident: $connect:path: $($of:ident: $($promise:ident),+;)+) => {
        mod $adapter {
            $($(
                #[test]
                fn $promise() {
                    crate::fixtures::within_a_minute(async {
                        crate::$of::$promise($connect().await).await;
                    });
                }
            )+)+
        }
    };
}

conformance! { embedded: crate::fixtures::embedded }
#[cfg(feature = "servers")]
conformance! { amqp: crate::fixtures::amqp }
