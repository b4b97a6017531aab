//! A carrier that repeats, re-orders and loses its reports, that is overloaded, and that dials and then loses its answer:
//! no phone rings twice, and every notification has its one summary.

use serde_json::json;

use crate::echo::{Echo, Pair};
use crate::on_both_pairs;

on_both_pairs! {
    reports_that_come_twice_and_in_the_wrong_order_change_nothing;
    a_lost_final_report_is_found_out_by_asking;
    a_carrier_that_dials_and_loses_its_answer_is_not_asked_a_second_time;
    a_carrier_that_dials_and_answers_with_an_error_is_not_asked_a_second_time;
    a_carrier_that_is_overloaded_is_asked_again;
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
