//! Every way in which a call can end, as the integrator hears of it. Exactly one summary each time.

use serde_json::json;

use crate::echo::{Echo, Pair};
use crate::on_both_pairs;

on_both_pairs! {
    a_busy_line_a_phone_nobody_answers_and_a_rejected_call_fail_with_their_reasons;
    a_number_that_cannot_be_rung_fails_at_once;
    a_machine_that_picks_up_is_not_talked_to;
    a_machine_whose_greeting_was_taken_for_an_answer_is_hung_up_on_all_the_same;
    without_a_carrier_a_call_is_refused_and_not_accepted_to_fail;
    a_customer_who_stays_silent_is_asked_again_and_then_left_in_peace;
    a_customer_who_hangs_up_in_the_middle_is_heard_until_then;
    a_customer_who_asks_not_to_be_called_is_not_called_again;
}

async fn a_busy_line_a_phone_nobody_answers_and_a_rejected_call_fail_with_their_reasons(pair: Pair) {
    let echo = Echo::start(pair).await;
    for (phone, status, reason) in [
        ("+14155550104", "busy", "busy"),
        ("+14155550105", "no_answer", "no-answer"),
        ("+14155550106", "no_answer", "no-answer"),
    ] {
        let notification = echo.ring(phone).await;
        let (summary, stored) = echo.summary_of(&notification).await;
        let data = &summary["data"];
        assert_eq!(data["ended_reason"], reason, "{phone}: {summary}");
        assert_eq!(data["transcript"], "", "{phone}");
        assert_eq!(data["analysis"], json!(null), "{phone}");
        assert_eq!(data["started_at"], json!(null), "{phone}");
        assert_eq!(data["duration_seconds"].as_f64(), Some(0.0), "{phone}");
        assert_eq!(stored["status"], "failed", "{phone}");
        assert_eq!(echo.receiver.of(&notification, "call.started").len(), 0, "{phone}");
        assert_eq!(echo.receiver.of(&notification, "call.ended")[0]["data"]["status"], status, "{phone}");
        assert_eq!(echo.dialled(phone).await, 1, "{phone}");
    }
    echo.stop().await;
}

async fn a_number_that_cannot_be_rung_fails_at_once(pair: Pair) {
    let echo = Echo::start(pair).await;
    let notification = echo.ring("+14155550112").await;
    let (summary, _) = echo.summary_of(&notification).await;
    assert_eq!(summary["data"]["ended_reason"], "invalid-number", "{summary}");
    echo.stop().await;
}

async fn a_machine_that_picks_up_is_not_talked_to(pair: Pair) {
    let echo = Echo::start(pair).await;
    let notification = echo.ring("+14155550107").await;
    let (summary, stored) = echo.summary_of(&notification).await;
    assert_eq!(summary["data"]["ended_reason"], "voicemail", "{summary}");
    assert_eq!(stored["status"], "failed");
    echo.stop().await;
}

async fn a_machine_whose_greeting_was_taken_for_an_answer_is_hung_up_on_all_the_same(pair: Pair) {
    // Slow enough for the verdict to arrive before the conversation has run its course.
    let echo = Echo::start_with(pair, &[("ECHO_SANDBOX_SPEED", "10")]).await;
    let notification = echo.ring("+14155550118").await;
    let (summary, stored) = echo.summary_of(&notification).await;
    let data = &summary["data"];
    assert_eq!(data["ended_reason"], "voicemail", "{summary}");
    let transcript = data["transcript"].as_str().unwrap();
    assert!(transcript.contains("Customer: Hello, this is the mailbox of Alex Example."), "{transcript}");
    assert_eq!(data["analysis"], json!(null), "{summary}");
    assert_eq!(stored["status"], "failed");
    echo.stop().await;
}

async fn without_a_carrier_a_call_is_refused_and_not_accepted_to_fail(pair: Pair) {
    // Without the sandbox an endpoint on this machine has to be allowed.
    let own = [("ECHO_CARRIER", "twilio"), ("ECHO_EGRESS_ALLOW", "127.0.0.0/8")];
    let echo = Echo::start_with(pair, &own).await;
    let (customer, agent) = (echo.customer("+14155552671").await, echo.agent().await);
    // The same key twice: a refusal leaves nothing behind.
    for _ in 0..2 {
        let (status, body) = echo.try_ring(&customer, &agent, "a key").await;
        assert_eq!((status, &body["code"]), (409, &json!("no_carrier")), "{body}");
    }
    assert_eq!(echo.get("/api/v1/notifications").await, json!([]));
    echo.stop().await;
}

async fn a_customer_who_stays_silent_is_asked_again_and_then_left_in_peace(pair: Pair) {
    let echo = Echo::start(pair).await;
    let notification = echo.ring("+14155550110").await;
    let (summary, stored) = echo.summary_of(&notification).await;
    assert_eq!(summary["data"]["ended_reason"], "silence", "{summary}");
    assert_eq!(stored["status"], "completed");
    assert!(echo.spoken("+14155550110").await.len() >= 4, "opening, two questions and a goodbye");
    echo.stop().await;
}

async fn a_customer_who_hangs_up_in_the_middle_is_heard_until_then(pair: Pair) {
    let echo = Echo::start(pair).await;
    let notification = echo.ring("+14155550111").await;
    let (summary, stored) = echo.summary_of(&notification).await;
    assert_eq!(summary["data"]["ended_reason"], "customer-ended-call", "{summary}");
    assert_eq!(stored["status"], "completed");
    echo.stop().await;
}

async fn a_customer_who_asks_not_to_be_called_is_not_called_again(pair: Pair) {
    let echo = Echo::start(pair).await;
    let (customer, agent) = (echo.customer("+14155550103").await, echo.agent().await);
    let first = echo.ring_again(&customer, &agent).await;
    let (summary, _) = echo.summary_of(&first).await;
    assert_eq!(summary["data"]["ended_reason"], "opt-out", "{summary}");
    let second = echo.ring_again(&customer, &agent).await;
    let (summary, stored) = echo.summary_of(&second).await;
    assert_eq!(summary["data"]["ended_reason"], "blocked", "{summary}");
    assert_eq!(stored["status"], "failed");
    assert_eq!(echo.receiver.of(&second, "call.ended").len(), 0, "nothing was dialled");
    assert_eq!(echo.dialled("+14155550103").await, 1);
    echo.stop().await;
}
