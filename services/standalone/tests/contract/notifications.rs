//! Notifications: asking for a call, and what comes of it.

use std::sync::Arc;

use serde_json::{Value, json};
use testkit::wait::eventually;

use crate::client::{Account, appointment, new_phone};
use crate::echo::{Echo, PATIENCE};
use crate::promises;
use crate::shape::{elements, fields, has, ids, text, times};

promises! {
    asking_for_a_call_starts_it_at_once;
    a_request_is_rendered_rung_talked_kept_and_told;
    a_notification_needs_a_customer_of_the_project;
    without_an_agent_a_notification_needs_a_message;
    an_agent_may_be_null_or_absent_or_one_of_the_business;
    on_the_agent_path_the_message_is_empty_unless_it_is_given;
    context_is_a_string_or_null_and_null_without_one;
    variables_are_an_optional_object;
    collect_feedback_is_a_boolean_and_false_without_one;
    the_longest_duration_is_180_seconds_unless_30_to_600_are_asked_for;
    the_primary_phone_is_dialled;
    the_answer_is_the_notification_and_its_queued_call;
    a_notification_has_the_documented_fields;
    a_notification_outlives_its_customer;
    listing_notifications_answers_an_array;
    one_notification_is_read_by_its_id;
    the_answer_says_in_progress_while_the_call_is_queued;
    a_talk_that_came_to_its_end_is_completed;
    a_call_that_nobody_took_is_failed;
    a_notification_that_waits_is_queued_and_can_be_canceled;
    the_result_is_null_until_the_call_has_ended;
    the_result_is_what_the_schema_asks_for_and_what_was_not_learned_is_null;
    without_a_schema_there_is_no_result;
    with_collect_feedback_the_answer_of_the_callee_is_told;
    without_collect_feedback_a_message_has_no_result;
}

const NOTIFICATIONS: &str = "/api/v1/notifications";

fn path(notification: &Value) -> String {
    format!("{NOTIFICATIONS}/{}", text(notification, "id"))
}

fn message_for(customer: &Value) -> Value {
    json!({"customer_id": customer["id"], "message": "Your appointment tomorrow at 10 AM is booked."})
}

async fn asking_for_a_call_starts_it_at_once(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let phone = new_phone();
    own.ring_at(&phone).await;
    echo.dials(&phone).await;
}

async fn a_request_is_rendered_rung_talked_kept_and_told(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let (inbox, _) = own.listen(&["call.summary"]).await;
    let phone = new_phone();
    let placed = own.ring_at(&phone).await;
    let said = echo.opening(&phone).await;
    assert!(said.starts_with("Hi, is this John? Great — I'm calling from Acme Inc"), "{said}");
    assert!(said.contains("Thursday March 20th at 2:00 PM with Dr. Patel"), "{said}");
    let told = inbox.event("call.summary").await;
    let kept = own.ended(&placed).await;
    assert_eq!(kept["call_result"], json!({"confirmed": true, "reschedule_request": null}));
    assert_eq!(told["notification_id"], kept["id"]);
    assert_eq!(told["data"]["analysis"], kept["call_result"]);
    assert_eq!(echo.faults().await, json!([]), "the carrier found fault with a document");
}

async fn a_notification_needs_a_customer_of_the_project(echo: Arc<Echo>) {
    let (own, other) = (Account::new(&echo).await, Account::new(&echo).await);
    own.api.post(NOTIFICATIONS, &json!({"message": "Hello"})).await.refuses(400, "customer");
    let (theirs, agent) = (other.customer().await, own.agent().await);
    let refused = own.api.post(NOTIFICATIONS, &appointment(&theirs, &agent)).await.is(404);
    assert_eq!(refused["message"], "Customer not found");
}

async fn without_an_agent_a_notification_needs_a_message(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let customer = own.customer().await;
    own.api.post(NOTIFICATIONS, &json!({"customer_id": customer["id"]})).await.refuses(400, "message");
    let placed = own.place(&message_for(&customer)).await;
    assert_eq!(placed["notification"]["message"], message_for(&customer)["message"]);
    let said = echo.opening(text(&customer["phones"][0], "value")).await;
    assert!(said.contains("tomorrow at 10 AM"), "{said}");
}

async fn an_agent_may_be_null_or_absent_or_one_of_the_business(echo: Arc<Echo>) {
    let (own, other) = (Account::new(&echo).await, Account::new(&echo).await);
    let customer = own.customer().await;
    let mut body = message_for(&customer);
    assert_eq!(own.place(&body).await["notification"]["agent_id"], json!(null));
    body["agent_id"] = json!(null);
    assert_eq!(own.place(&body).await["notification"]["agent_id"], json!(null));
    let agent = own.agent().await;
    body["agent_id"] = agent["id"].clone();
    assert_eq!(own.place(&body).await["notification"]["agent_id"], agent["id"]);
    body["agent_id"] = other.agent().await["id"].clone();
    let refused = own.api.post(NOTIFICATIONS, &body).await.is(404);
    assert_eq!(refused["message"], "Agent not found");
    body["agent_id"] = json!("appointments");
    own.api.post(NOTIFICATIONS, &body).await.refuses(400, "agent_id");
}

async fn on_the_agent_path_the_message_is_empty_unless_it_is_given(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let mut body = appointment(&own.customer().await, &own.agent().await);
    assert_eq!(own.place(&body).await["notification"]["message"], "");
    body["message"] = json!("Bring your card.");
    assert_eq!(own.place(&body).await["notification"]["message"], "Bring your card.");
}

async fn context_is_a_string_or_null_and_null_without_one(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let mut body = message_for(&own.customer().await);
    assert_eq!(own.place(&body).await["notification"]["context"], json!(null));
    for context in [json!(null), json!("Patient has been a client for 3 years.")] {
        body["context"] = context.clone();
        assert_eq!(own.place(&body).await["notification"]["context"], context);
    }
    body["context"] = json!({"years": 3});
    own.api.post(NOTIFICATIONS, &body).await.refuses(400, "context");
}

async fn variables_are_an_optional_object(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let mut body = appointment(&own.customer().await, &own.agent().await);
    own.place(&body).await;
    body.as_object_mut().expect("an object").remove("variables");
    own.place(&body).await;
    for wrong in [json!("doctor_name"), json!(["doctor_name"])] {
        body["variables"] = wrong;
        own.api.post(NOTIFICATIONS, &body).await.refuses(400, "variables");
    }
}

async fn collect_feedback_is_a_boolean_and_false_without_one(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let mut body = message_for(&own.customer().await);
    assert_eq!(own.place(&body).await["notification"]["collect_feedback"], false);
    for wanted in [true, false] {
        body["collect_feedback"] = json!(wanted);
        assert_eq!(own.place(&body).await["notification"]["collect_feedback"], wanted);
    }
    body["collect_feedback"] = json!("yes");
    own.api.post(NOTIFICATIONS, &body).await.refuses(400, "collect_feedback");
}

async fn the_longest_duration_is_180_seconds_unless_30_to_600_are_asked_for(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let customer = own.customer().await;
    let (message, agent) = (message_for(&customer), appointment(&customer, &own.agent().await));
    for mut body in [message, agent] {
        assert_eq!(own.place(&body).await["notification"]["max_duration_seconds"], 180);
        for wanted in [30, 600] {
            body["max_duration_seconds"] = json!(wanted);
            assert_eq!(own.place(&body).await["notification"]["max_duration_seconds"], wanted);
        }
        for wrong in [json!(29), json!(601), json!(60.5), json!("60")] {
            body["max_duration_seconds"] = wrong;
            own.api.post(NOTIFICATIONS, &body).await.refuses(400, "max_duration_seconds");
        }
    }
}

async fn the_primary_phone_is_dialled(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let (customer, primary) = (own.customer().await, new_phone());
    let phones = format!("/api/v1/customers/{}/phones", text(&customer, "id"));
    own.api.post(&phones, &json!({"value": primary, "is_primary": true})).await.is(201);
    let placed = own.place(&message_for(&customer)).await;
    assert_eq!(placed["notification"]["target_phone_e164"], primary.as_str());
    own.ended(&placed).await;
    assert_eq!(echo.carrier().rings(&primary).await.0, 1);
    assert_eq!(echo.carrier().rings(text(&customer["phones"][0], "value")).await.0, 0);
}

async fn the_answer_is_the_notification_and_its_queued_call(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let placed = own.ring().await;
    has(&placed, &["notification", "call"]);
    has(&placed["call"], &["callId", "status"]);
    assert!(!text(&placed["call"], "callId").is_empty());
    assert_eq!(placed["call"]["status"], "queued");
}

async fn a_notification_has_the_documented_fields(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let placed = own.ring().await;
    let read = own.api.get(&path(&placed["notification"])).await.is(200);
    let documented = [
        "id",
        "project_id",
        "agent_id",
        "customer_id",
        "target_phone_e164",
        "message",
        "context",
        "collect_feedback",
        "max_duration_seconds",
        "status",
        "call_result",
        "created_at",
        "updated_at",
    ];
    for notification in [&placed["notification"], &read] {
        has(notification, &documented);
        ids(notification, &["id", "project_id", "agent_id", "customer_id"]);
        times(notification, &["created_at", "updated_at"]);
        assert_eq!(notification["project_id"], own.project.as_str());
    }
}

async fn a_notification_outlives_its_customer(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let customer = own.customer().await;
    let placed = own.place(&message_for(&customer)).await;
    assert_eq!(placed["notification"]["customer_id"], customer["id"]);
    own.ended(&placed).await;
    own.api.delete(&format!("/api/v1/customers/{}", text(&customer, "id"))).await.is(204);
    let look = || async {
        let found = own.api.get(&path(&placed["notification"])).await.is(200);
        if found["customer_id"].is_null() { Ok(()) } else { Err(found) }
    };
    eventually("the notification without its customer", PATIENCE, look).await;
    let listed = own.api.get(NOTIFICATIONS).await.is(200);
    assert_eq!(listed[0]["customer_id"], json!(null));
}

async fn listing_notifications_answers_an_array(echo: Arc<Echo>) {
    let (own, other) = (Account::new(&echo).await, Account::new(&echo).await);
    assert_eq!(own.api.get(NOTIFICATIONS).await.is(200), json!([]));
    let (first, second) = (own.ring().await, own.ring().await);
    let listed = own.api.get(NOTIFICATIONS).await.is(200);
    let ids: Vec<_> = elements(&listed).iter().map(|n| &n["id"]).collect();
    assert_eq!(ids, [&second["notification"]["id"], &first["notification"]["id"]]);
    assert_eq!(other.api.get(NOTIFICATIONS).await.is(200), json!([]));
}

async fn one_notification_is_read_by_its_id(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let (placed, _) = (own.ring().await, own.ring().await);
    let ended = own.ended(&placed).await;
    assert_eq!(ended["id"], placed["notification"]["id"]);
    let read = own.api.get(&path(&ended)).await.is(200);
    assert_eq!((&read["id"], &read["status"]), (&ended["id"], &ended["status"]));
}

async fn the_answer_says_in_progress_while_the_call_is_queued(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let placed = own.ring().await;
    assert_eq!(placed["notification"]["status"], "in_progress");
    assert_eq!(placed["call"]["status"], "queued");
}

async fn a_talk_that_came_to_its_end_is_completed(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    assert_eq!(own.ended(&own.ring().await).await["status"], "completed");
}

async fn a_call_that_nobody_took_is_failed(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    for phone in ["+14155550104", "+14155550105", "+14155550112"] {
        assert_eq!(own.ended(&own.ring_at(phone).await).await["status"], "failed", "{phone}");
    }
}

async fn a_notification_that_waits_is_queued_and_can_be_canceled(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let mut body = message_for(&own.customer().await);
    let later = common::clock::Clock::system().now() + chrono::TimeDelta::hours(1);
    body["scheduled_at"] = json!(later.to_rfc3339());
    let placed = own.place(&body).await;
    assert_eq!(placed["notification"]["status"], "queued");
    let path = path(&placed["notification"]);
    assert_eq!(own.api.get(&path).await.is(200)["status"], "queued");
    own.api.act(&format!("{path}/cancel")).await.is(200);
    assert_eq!(own.ended(&placed).await["status"], "canceled");
}

async fn the_result_is_null_until_the_call_has_ended(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let (inbox, _) = own.listen(&["call.summary"]).await;
    let placed = own.ring().await;
    assert_eq!(placed["notification"]["call_result"], json!(null));
    let look = || async {
        let found = own.api.get(&path(&placed["notification"])).await.is(200);
        if found["status"] != "in_progress" {
            return Ok(());
        }
        assert_eq!(found["call_result"], json!(null), "{found}");
        Err(found)
    };
    eventually("the end of the call", PATIENCE, look).await;
    inbox.event("call.summary").await;
    let ended = own.ended(&placed).await;
    assert!(ended["call_result"].is_object(), "{ended}");
}

async fn the_result_is_what_the_schema_asks_for_and_what_was_not_learned_is_null(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let (inbox, _) = own.listen(&["call.summary"]).await;
    let placed = own.ring().await;
    inbox.event("call.summary").await;
    let result = own.ended(&placed).await["call_result"].clone();
    assert_eq!(fields(&result), ["confirmed", "reschedule_request"]);
    assert_eq!(result, json!({"confirmed": true, "reschedule_request": null}));
}

async fn without_a_schema_there_is_no_result(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let (inbox, _) = own.listen(&["call.summary"]).await;
    let agent = own.agent_who_says("Hello, does Friday suit you?").await;
    let placed = own.place(&appointment(&own.customer().await, &agent)).await;
    inbox.event("call.summary").await;
    let ended = own.ended(&placed).await;
    assert_eq!(ended["status"], "completed");
    assert_eq!(ended["call_result"], json!(null));
}

async fn with_collect_feedback_the_answer_of_the_callee_is_told(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let (inbox, _) = own.listen(&["call.summary"]).await;
    let mut body = message_for(&own.customer().await);
    body["collect_feedback"] = json!(true);
    let placed = own.place(&body).await;
    let analysis = inbox.event("call.summary").await["data"]["analysis"].clone();
    assert_eq!(fields(&analysis), ["feedback", "outcome", "reschedule_request"]);
    assert_eq!(analysis["outcome"], "confirmed");
    assert_eq!(own.ended(&placed).await["call_result"], analysis);
}

async fn without_collect_feedback_a_message_has_no_result(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let (inbox, _) = own.listen(&["call.summary"]).await;
    let placed = own.place(&message_for(&own.customer().await)).await;
    assert_eq!(inbox.event("call.summary").await["data"]["analysis"], json!(null));
    assert_eq!(own.ended(&placed).await["call_result"], json!(null));
}
