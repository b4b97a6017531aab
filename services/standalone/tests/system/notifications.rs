//! When a phone rings: at its time, again, or not any more; and what a machine is told.

use std::time::Duration;

use chrono::TimeDelta;
use common::clock::Clock;
use serde_json::{Value, json};
use testkit::wait::eventually;

use crate::echo::{Echo, PATIENCE, Pair};
use crate::on_both_pairs;

on_both_pairs! {
    a_scheduled_call_rings_when_it_is_due_and_not_before;
    a_cancel_stops_a_phone_that_rings;
    a_busy_line_is_rung_again_and_each_attempt_can_be_read;
    a_message_is_left_on_a_machine_after_its_greeting;
    a_conversation_is_read_back_turn_by_turn;
}

const PHONE: &str = "+14155552671";

async fn place(echo: &Echo, phone: &str, more: Value) -> Value {
    let customer = json!({"external_id": "u1", "first_name": "John", "last_name": "Smith", "phone": phone});
    let mut order = json!({"customer": customer, "message": "Your bicycle is ready."});
    order.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    echo.post("/api/v1/notifications", &order).await["notification"].clone()
}

fn id(notification: &Value) -> String {
    notification["id"].as_str().expect("an id").to_owned()
}

async fn a_scheduled_call_rings_when_it_is_due_and_not_before(pair: Pair) {
    let echo = Echo::start(pair).await;
    let due = Clock::system().now() + TimeDelta::seconds(3);
    let placed = place(&echo, PHONE, json!({"scheduled_at": due.to_rfc3339()})).await;
    assert_eq!(placed["status"], "queued");
    assert_eq!(placed["next_attempt_at"], placed["scheduled_at"]);
    let (summary, stored) = echo.summary_of(&id(&placed)).await;
    assert_eq!(stored["status"], "completed", "{summary}");
    let calls = echo.calls(&id(&placed)).await;
    let dialed: chrono::DateTime<chrono::Utc> =
        calls[0]["dialed_at"].as_str().expect("a time").parse().expect("a time");
    assert!(dialed >= due - TimeDelta::milliseconds(1), "{dialed} is before {due}");
    assert_eq!(echo.dialled(PHONE).await, 1);
    echo.stop().await;
}

async fn a_cancel_stops_a_phone_that_rings(pair: Pair) {
    // Slow enough to be stopped while it rings.
    let echo = Echo::start_with(pair, &[("ECHO_SANDBOX_SPEED", "2")]).await;
    let placed = id(&place(&echo, "+14155550105", json!({})).await);
    eventually("a phone that rings", PATIENCE, || async {
        let calls = echo.calls(&placed).await;
        if calls[0]["status"] == "ringing" { Ok(()) } else { Err(calls) }
    })
    .await;
    let (status, body) = echo.cancel(&placed).await;
    assert_eq!((status, &body["status"]), (200, &json!("canceled")), "{body}");
    let (summary, stored) = echo.summary_of(&placed).await;
    assert_eq!(summary["data"]["ended_reason"], "canceled", "{summary}");
    assert_eq!(stored["status"], "canceled");
    let call = echo.calls(&placed).await.remove(0);
    let sid = call["carrier_call_sid"].as_str().expect("the carrier's id").to_owned();
    let ended = eventually("the end at the carrier", Duration::from_secs(30), || async {
        let seen = echo.carrier(&format!("calls/{sid}")).await;
        let status = seen["status"].as_str().unwrap_or_default().to_owned();
        if matches!(status.as_str(), "canceled" | "completed") { Ok(status) } else { Err(seen) }
    })
    .await;
    assert_eq!(ended, "canceled", "the phone was not left ringing");
    let (status, body) = echo.cancel(&placed).await;
    assert_eq!((status, &body["code"]), (409, &json!("notification_finished")), "{body}");
    echo.stop().await;
}

async fn a_busy_line_is_rung_again_and_each_attempt_can_be_read(pair: Pair) {
    let echo = Echo::start(pair).await;
    let phone = "+14155550104";
    let placed = id(&place(&echo, phone, json!({"retry": {"max_attempts": 3, "delay_seconds": [1]}})).await);
    let (summary, stored) = echo.summary_of(&placed).await;
    assert_eq!((&summary["data"]["ended_reason"], &summary["data"]["attempt"]), (&json!("busy"), &json!(3)));
    assert_eq!((&stored["attempts"], &stored["status"]), (&json!(3), &json!("failed")));
    assert_eq!(echo.dialled(phone).await, 3);
    let calls = echo.calls(&placed).await;
    let attempts: Vec<_> = calls.iter().map(|c| (c["attempt"].clone(), c["status"].clone())).collect();
    assert_eq!(attempts, [3, 2, 1].map(|n| (json!(n), json!("busy"))));
    let one = echo.get(&format!("/v1/calls/{}", calls[1]["id"].as_str().expect("an id"))).await;
    assert_eq!(one, calls[1]);
    echo.stop().await;
}

async fn a_message_is_left_on_a_machine_after_its_greeting(pair: Pair) {
    // Slow enough for the verdict to arrive before the conversation has run its course.
    let echo = Echo::start_with(pair, &[("ECHO_SANDBOX_SPEED", "10")]).await;
    let phone = "+14155550107";
    let placed = id(&place(&echo, phone, json!({"voicemail": "leave_message"})).await);
    let (summary, stored) = echo.summary_of(&placed).await;
    assert_eq!(summary["data"]["ended_reason"], "voicemail-left", "{summary}");
    assert_eq!((&stored["status"], &stored["voicemail"]), (&json!("completed"), &json!("leave_message")));
    assert_eq!(stored["call_result"], json!(null));
    let spoken = echo.spoken(phone).await;
    assert_eq!(spoken.last().map(String::as_str), Some("Your bicycle is ready."), "{spoken:?}");
    let call = echo.calls(&placed).await.remove(0);
    assert!(call["answered_by"].as_str().is_some_and(|by| by.starts_with("machine_end")), "{call}");
    echo.stop().await;
}

async fn a_conversation_is_read_back_turn_by_turn(pair: Pair) {
    let echo = Echo::start(pair).await;
    let notification = echo.ring(PHONE).await;
    let (_, stored) = echo.summary_of(&notification).await;
    assert_eq!(stored["evidence"]["confirmed"]["status"], "grounded", "{stored}");
    let call = echo.calls(&notification).await.remove(0);
    let turns = call["turns"].as_array().expect("turns");
    let speakers: Vec<_> = turns.iter().take(3).map(|t| t["speaker"].as_str().expect("a speaker")).collect();
    assert_eq!(speakers, ["agent", "customer", "agent"], "{call}");
    assert!(turns.iter().filter(|t| t["speaker"] == "agent").all(|t| t["latency_ms"].is_i64()), "{call}");
    assert!(turns[1]["confidence"].is_f64(), "{call}");
    assert_eq!(call["answered_by"], "human", "{call}");
    let times: Vec<_> = ["created_at", "dialed_at", "answered_at", "ended_at"]
        .map(|name| call[name].as_str().expect("a time").to_owned())
        .to_vec();
    assert!(times.is_sorted(), "{times:?}");
    echo.stop().await;
}
