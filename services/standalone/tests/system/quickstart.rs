//! The five steps of the quickstart: the customer confirms, and the structured result comes back signed.

use serde_json::json;

use crate::echo::{Echo, Pair};
use crate::on_both_pairs;

on_both_pairs! {
    a_customer_who_confirms_comes_back_as_a_signed_summary;
    a_customer_who_reschedules_is_asked_for_a_time;
    a_plain_message_is_delivered_and_feedback_collected;
    a_plain_message_without_feedback_has_no_result;
}

async fn a_customer_who_confirms_comes_back_as_a_signed_summary(pair: Pair) {
    let echo = Echo::start(pair).await;
    let notification = echo.ring("+14155552671").await;
    let (summary, stored) = echo.summary_of(&notification).await;
    let data = &summary["data"];
    assert_eq!(data["analysis"], json!({"confirmed": true, "reschedule_request": null}));
    assert_eq!(data["ended_reason"], "agent-ended-call");
    assert_eq!(data["evidence"]["confirmed"]["status"], "grounded", "{data}");
    let transcript = data["transcript"].as_str().expect("a transcript");
    assert!(transcript.starts_with("AI: Hi, is this John?"), "{transcript}");
    assert!(transcript.contains("\nCustomer: "), "{transcript}");
    assert!(data["duration_seconds"].as_f64().expect("a duration") > 0.0);
    assert_eq!(stored["status"], "completed");
    assert_eq!(stored["call_result"], data["analysis"]);
    assert_eq!(stored["ended_reason"], "agent-ended-call");
    assert_eq!(echo.dialled("+14155552671").await, 1);
    assert_eq!(echo.receiver.of(&notification, "call.started").len(), 1);
    assert_eq!(echo.receiver.of(&notification, "call.ended")[0]["data"]["status"], "completed");
    assert_eq!(echo.carrier("faults").await, json!([]), "the carrier found fault with a document");
    echo.stop().await;
}

async fn a_customer_who_reschedules_is_asked_for_a_time(pair: Pair) {
    let echo = Echo::start(pair).await;
    let notification = echo.ring("+14155550101").await;
    let (summary, _) = echo.summary_of(&notification).await;
    let analysis = &summary["data"]["analysis"];
    assert_eq!(analysis["confirmed"], false, "{summary}");
    let wish = analysis["reschedule_request"].as_str().unwrap_or_default().to_lowercase();
    assert!(wish.contains("friday"), "{summary}");
    echo.stop().await;
}

async fn a_plain_message_is_delivered_and_feedback_collected(pair: Pair) {
    let echo = Echo::start(pair).await;
    let customer = echo.customer("+14155552671").await;
    let body = json!({
        "customer_id": customer, "message": "Your appointment tomorrow at 10 AM is booked.", "collect_feedback": true,
    });
    let placed = echo.post("/api/v1/notifications", &body).await;
    assert_eq!(placed["call"]["status"], "queued", "{placed}");
    let (summary, stored) = echo.summary_of(placed["notification"]["id"].as_str().expect("an id")).await;
    assert_eq!(summary["data"]["analysis"]["outcome"], "confirmed", "{summary}");
    assert!(
        summary["data"]["transcript"].as_str().unwrap_or_default().contains("tomorrow at 10 AM"),
        "{summary}"
    );
    assert_eq!(stored["agent_id"], json!(null));
    echo.stop().await;
}

async fn a_plain_message_without_feedback_has_no_result(pair: Pair) {
    let echo = Echo::start(pair).await;
    let customer = echo.customer("+14155552671").await;
    let body = json!({"customer_id": customer, "message": "Your order has shipped."});
    let placed = echo.post("/api/v1/notifications", &body).await;
    let (summary, _) = echo.summary_of(placed["notification"]["id"].as_str().expect("an id")).await;
    assert_eq!(summary["data"]["analysis"], json!(null));
    assert_eq!(summary["data"]["ended_reason"], "agent-ended-call", "{summary}");
    echo.stop().await;
}
