//! What a bus promises, tried on both: in one process over tables, and between processes over `RabbitMQ`.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says that a promise is broken by failing"
)]

#[path = "bus_contract/alarms.rs"]
mod alarms;
#[path = "bus_contract/dead_letters.rs"]
mod dead_letters;
#[path = "bus_contract/logs.rs"]
mod logs;
#[path = "bus_contract/messages.rs"]
mod messages;
#[path = "bus_contract/outages.rs"]
mod outages;
#[path = "bus_contract/requests.rs"]
mod requests;
#[path = "bus_contract/streams.rs"]
mod streams;
mod support;

/// Makes a test of each promise for each bus.
macro_rules! on_both_buses {
    ($($module:ident: $($promise:ident),* $(,)?;)*) => {
        mod memory {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $promise() {
                    super::$module::$promise(crate::support::World::memory().await).await;
                }
            )*)*
        }
        mod rabbitmq {
            $($(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $promise() {
                    super::$module::$promise(crate::support::World::rabbitmq().await).await;
                }
            )*)*
        }
    };
}

on_both_buses! {
    dead_letters:
        dead_letters_are_listed_with_their_reasons_and_stay_where_they_are,
        a_replayed_letter_has_its_effect_and_a_dropped_one_is_gone;
    logs:
        one_request_has_one_trace_in_the_logs_of_all_who_work_on_it,
        what_must_not_be_seen_is_masked_in_the_log;
    messages:
        a_staged_message_has_its_effect_once_in_every_service_that_hears_it,
        tenant_request_and_trace_travel_with_a_message,
        a_transaction_that_rolls_back_publishes_nothing,
        a_message_that_nobody_hears_stays_in_the_outbox_until_somebody_does,
        a_message_to_be_retried_comes_again_as_often_as_it_is_asked_for,
        a_message_that_is_retried_too_often_is_dead_and_says_so,
        a_dead_letter_keeps_its_reason,
        an_unreadable_message_is_dead_and_the_next_one_is_handled,
        a_handler_that_lacks_something_does_not_use_up_attempts,
        a_message_whose_handler_panics_comes_again,
        one_queue_is_worked_on_by_a_bounded_number_of_handlers,
        what_was_not_handled_before_a_stop_is_handled_after_the_next_start,
        what_is_staged_while_a_process_stops_goes_out_before_its_end;
    requests:
        an_answer_and_its_context_cross_the_bus,
        every_error_comes_back_as_it_was_given,
        an_answer_that_does_not_come_in_time_is_reported,
        a_service_that_does_not_run_is_unavailable,
        a_method_that_panics_fails_that_request_only,
        a_full_service_says_that_it_is_busy,
        what_is_being_answered_at_a_stop_is_answered;
    streams:
        the_parts_of_a_stream_come_in_their_order_and_end,
        an_error_after_some_parts_breaks_a_stream_off,
        an_error_in_place_of_a_stream_comes_back_as_it_was_given,
        a_panic_in_the_middle_is_an_error_and_no_end,
        a_stream_that_nobody_reads_any_more_is_stopped,
        a_deadline_bounds_the_whole_stream,
        a_reader_that_does_not_read_holds_the_stream_back,
        two_hundred_streams_at_once_all_come_in_order;
}
