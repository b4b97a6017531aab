//! A carrier that repeats, re-orders and loses its reports, that is overloaded, that dials and then loses its answer, and that says
//! more, less or later than it should: no phone rings twice, and every notification has its one summary.

use serde_json::json;

use crate::echo::{Echo, Pair};
use crate::on_both_pairs;

on_both_pairs! {
    reports_that_come_twice_and_in_the_wrong_order_change_nothing;
    a_lost_final_report_is_found_out_by_asking;
    a_carrier_that_dials_and_loses_its_answer_is_not_asked_a_second_time;
    a_carrier_that_dials_and_answers_with_an_error_is_not_asked_a_second_time;
    a_carrier_that_is_overloaded_is_asked_again;
    a_carrier_that_answers_late_and_shows_old_states_rings_once;
    parameters_that_are_new_or_missing_change_nothing;
    words_that_are_lost_are_asked_for_again;
    a_report_that_the_carrier_has_not_signed_changes_nothing;
}

const PHONE: &str = "+14155552671";

async fn reports_that_come_twice_and_in_the_wrong_order_change_nothing(pair: Pair) {
    let echo = Echo::start(pair).await;
    echo.nasty(&json!({"callbacks_twice": true, "callbacks_reordered": true})).await;
    let notification = echo.ring(PHONE).await;
    let (summary, _) = echo.summary_of(&notification).await;
    assert_eq!(summary["data"]["analysis"]["confirmed"], true, "{summary}");
    assert_eq!(echo.receiver.of(&notification, "call.started").len(), 1);
    assert_eq!(echo.receiver.of(&notification, "call.ended").len(), 1);
    assert_eq!(echo.dialled(PHONE).await, 1);
    echo.stop().await;
}

async fn a_lost_final_report_is_found_out_by_asking(pair: Pair) {
    let echo = Echo::start(pair).await;
    echo.nasty(&json!({"callbacks_lose_next": 100})).await;
    let notification = echo.ring(PHONE).await;
    let (summary, _) = echo.summary_of(&notification).await;
    assert_eq!(summary["data"]["analysis"]["confirmed"], true, "{summary}");
    assert_eq!(summary["data"]["ended_reason"], "agent-ended-call", "{summary}");
    echo.stop().await;
}

async fn a_carrier_that_dials_and_loses_its_answer_is_not_asked_a_second_time(pair: Pair) {
    let echo = Echo::start(pair).await;
    echo.nasty(&json!({"answer_lost_next": 1})).await;
    let notification = echo.ring(PHONE).await;
    let (summary, _) = echo.summary_of(&notification).await;
    assert_eq!(summary["data"]["analysis"]["confirmed"], true, "{summary}");
    assert_eq!(echo.dialled(PHONE).await, 1);
    echo.stop().await;
}

async fn a_carrier_that_dials_and_answers_with_an_error_is_not_asked_a_second_time(pair: Pair) {
    let echo = Echo::start(pair).await;
    echo.nasty(&json!({"error_after_dialling_next": 1})).await;
    let notification = echo.ring(PHONE).await;
    let (summary, _) = echo.summary_of(&notification).await;
    assert_eq!(summary["data"]["analysis"]["confirmed"], true, "{summary}");
    assert_eq!(echo.dialled(PHONE).await, 1);
    echo.stop().await;
}

async fn a_carrier_that_is_overloaded_is_asked_again(pair: Pair) {
    let echo = Echo::start(pair).await;
    echo.nasty(&json!({"too_many_requests_next": 1})).await;
    let notification = echo.ring(PHONE).await;
    let (summary, _) = echo.summary_of(&notification).await;
    assert_eq!(summary["data"]["analysis"]["confirmed"], true, "{summary}");
    assert_eq!(echo.dialled(PHONE).await, 1);
    echo.stop().await;
}

async fn a_carrier_that_answers_late_and_shows_old_states_rings_once(pair: Pair) {
    let echo = Echo::start(pair).await;
    // Somebody talks before it is known that anybody is rung, and the reports are lost.
    echo.nasty(&json!({"answer_late_ms": 3000, "fetch_behind_ms": 3000, "callbacks_lose_next": 100})).await;
    let notification = echo.ring(PHONE).await;
    let (summary, _) = echo.summary_of(&notification).await;
    assert_eq!(summary["data"]["analysis"]["confirmed"], true, "{summary}");
    assert_eq!(echo.dialled(PHONE).await, 1);
    echo.stop().await;
}

async fn parameters_that_are_new_or_missing_change_nothing(pair: Pair) {
    let echo = Echo::start(pair).await;
    echo.nasty(&json!({"parameters_unknown": true, "confidence_missing": true, "ringing_untold": true}))
        .await;
    let notification = echo.ring(PHONE).await;
    let (summary, _) = echo.summary_of(&notification).await;
    assert_eq!(summary["data"]["analysis"]["confirmed"], true, "{summary}");
    assert_eq!(echo.carrier("faults").await, json!([]));
    echo.stop().await;
}

async fn words_that_are_lost_are_asked_for_again(pair: Pair) {
    for switch in ["speech_empty_next", "speech_missing_next"] {
        let echo = Echo::start(pair).await;
        echo.nasty(&json!({switch: 1})).await;
        let notification = echo.ring(PHONE).await;
        let (summary, _) = echo.summary_of(&notification).await;
        assert_eq!(summary["data"]["analysis"]["confirmed"], true, "{switch}: {summary}");
        echo.stop().await;
    }
}

async fn a_report_that_the_carrier_has_not_signed_changes_nothing(pair: Pair) {
    // Slow enough that the first request is the report that it is dialled, however busy this machine is.
    let echo = Echo::start_with(pair, &[("ECHO_SANDBOX_SPEED", "10")]).await;
    echo.nasty(&json!({"wrong_signature_next": 1})).await;
    let notification = echo.ring(PHONE).await;
    let (summary, _) = echo.summary_of(&notification).await;
    assert_eq!(summary["data"]["analysis"]["confirmed"], true, "{summary}");
    let faults = echo.carrier("faults").await;
    assert_eq!(faults.as_array().map(Vec::len), Some(1), "it was turned away: {faults}");
    echo.stop().await;
}
