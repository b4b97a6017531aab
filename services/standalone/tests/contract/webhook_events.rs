//! What an endpoint is told: the envelope, and the three events.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::client::Account;
use crate::echo::Echo;
use crate::inbox::Inbox;
use crate::promises;
use crate::shape::{fields, has, ids, text, time, times};

promises! {
    an_event_is_posted_as_an_envelope_of_five_fields;
    an_event_id_is_one_per_occurrence;
    call_started_is_sent_when_the_call_begins;
    call_ended_is_sent_with_status_and_reason;
    call_ended_is_sent_whatever_ended_the_call;
    call_summary_is_sent_with_the_whole_talk_and_its_analysis;
    a_transcript_is_one_string_of_lines_by_ai_and_customer;
    the_analysis_follows_the_schema_and_is_null_without_one;
    a_duration_is_a_decimal_number_of_seconds_of_talk;
    a_customer_who_hangs_up_ended_the_call;
    every_event_is_as_the_document_says_and_holds_nothing_else;
}

const EVENTS: [&str; 3] = ["call.started", "call.ended", "call.summary"];

async fn listener(echo: &Echo) -> (Account, Inbox) {
    let own = Account::new(echo).await;
    let (inbox, _) = own.listen(&EVENTS).await;
    (own, inbox)
}

async fn an_event_is_posted_as_an_envelope_of_five_fields(echo: Arc<Echo>) {
    let (own, inbox) = listener(&echo).await;
    let placed = own.ring().await;
    for name in EVENTS {
        let event = inbox.event(name).await;
        assert_eq!(fields(&event), ["customer_id", "data", "event_id", "event_name", "notification_id"]);
        ids(&event, &["event_id", "customer_id", "notification_id"]);
        assert_eq!(event["customer_id"], placed["notification"]["customer_id"]);
        assert_eq!(event["notification_id"], placed["notification"]["id"]);
        assert!(event["data"].is_object(), "{event}");
    }
}

async fn an_event_id_is_one_per_occurrence(echo: Arc<Echo>) {
    let (own, inbox) = listener(&echo).await;
    let (other, _) = own.listen(&["call.summary"]).await;
    own.ring().await;
    let mut seen = Vec::new();
    for name in EVENTS {
        let event = inbox.event(name).await;
        assert!(!seen.contains(&event["event_id"]), "{event}");
        seen.push(event["event_id"].clone());
    }
    assert_eq!(
        other.event("call.summary").await["event_id"],
        seen[2],
        "another endpoint, the same occurrence"
    );
}

async fn call_started_is_sent_when_the_call_begins(echo: Arc<Echo>) {
    let (own, inbox) = listener(&echo).await;
    own.ring().await;
    assert_eq!(inbox.event("call.started").await["data"]["status"], "in_progress");
}

async fn call_ended_is_sent_with_status_and_reason(echo: Arc<Echo>) {
    let (own, inbox) = listener(&echo).await;
    let ended = own.ended(&own.ring().await).await;
    let data = inbox.event("call.ended").await["data"].clone();
    has(&data, &["status", "ended_reason"]);
    assert_eq!(data["status"], "completed");
    assert_eq!(data["ended_reason"], ended["ended_reason"]);
}

async fn call_ended_is_sent_whatever_ended_the_call(echo: Arc<Echo>) {
    for (phone, status, reason) in [
        ("+14155550104", "busy", "busy"),
        ("+14155550105", "no_answer", "no-answer"),
        ("+14155550114", "failed", "invalid-number"),
    ] {
        let (own, inbox) = listener(&echo).await;
        own.ring_at(phone).await;
        let data = inbox.event("call.ended").await["data"].clone();
        assert_eq!([&data["status"], &data["ended_reason"]], [status, reason], "{phone}");
    }
}

async fn call_summary_is_sent_with_the_whole_talk_and_its_analysis(echo: Arc<Echo>) {
    let (own, inbox) = listener(&echo).await;
    let ended = own.ended(&own.ring().await).await;
    let data = inbox.event("call.summary").await["data"].clone();
    has(&data, &["transcript", "analysis", "started_at", "ended_at", "duration_seconds", "ended_reason"]);
    times(&data, &["started_at", "ended_at"]);
    assert!(time(&data, "started_at") < time(&data, "ended_at"), "{data}");
    assert_eq!(data["ended_reason"], ended["ended_reason"]);
}

async fn a_transcript_is_one_string_of_lines_by_ai_and_customer(echo: Arc<Echo>) {
    let (own, inbox) = listener(&echo).await;
    own.ring().await;
    let event = inbox.event("call.summary").await;
    let lines: Vec<&str> = text(&event["data"], "transcript").split('\n').collect();
    let by = |who: &str| lines.iter().filter(|line| line.starts_with(who)).count();
    assert!(by("AI: ") > 0 && by("Customer: ") > 0, "{event}");
    assert_eq!(by("AI: ") + by("Customer: "), lines.len(), "{event}");
}

async fn the_analysis_follows_the_schema_and_is_null_without_one(echo: Arc<Echo>) {
    let (own, inbox) = listener(&echo).await;
    own.ring().await;
    let analysis = inbox.event("call.summary").await["data"]["analysis"].clone();
    assert_eq!(analysis, json!({"confirmed": true, "reschedule_request": null}));

    let (own, inbox) = listener(&echo).await;
    let agent = own.agent_who_says("Hello, does Friday suit you?").await;
    own.place(&json!({"customer_id": own.customer().await["id"], "agent_id": agent["id"]})).await;
    assert_eq!(inbox.event("call.summary").await["data"]["analysis"], Value::Null);
}

async fn a_duration_is_a_decimal_number_of_seconds_of_talk(echo: Arc<Echo>) {
    let (own, inbox) = listener(&echo).await;
    own.ring().await;
    let data = inbox.event("call.summary").await["data"].clone();
    assert!(data["duration_seconds"].is_f64(), "{data}");
    assert!(data["duration_seconds"].as_f64() > Some(0.0), "{data}");

    let (own, inbox) = listener(&echo).await;
    own.ring_at("+14155550104").await;
    let data = inbox.event("call.summary").await["data"].clone();
    assert_eq!(data["duration_seconds"].as_f64(), Some(0.0), "{data}");
}

async fn a_customer_who_hangs_up_ended_the_call(echo: Arc<Echo>) {
    let (own, inbox) = listener(&echo).await;
    own.ring_at("+14155550111").await;
    for name in ["call.ended", "call.summary"] {
        assert_eq!(inbox.event(name).await["data"]["ended_reason"], "customer-ended-call", "{name}");
    }
}

/// What the document says that an event of this name is, with all that it refers to.
fn promised(document: &Value, name: &str) -> Value {
    let place = format!("/webhooks/{}/post/requestBody/content/application~1json/schema", name);
    let schema = document.pointer(&place).unwrap_or_else(|| panic!("no {name} in the document"));
    let mut whole = json!({"components": document["components"]});
    whole["$ref"] = schema["$ref"].clone();
    whole
}

/// The names of the fields of the object that a schema refers to.
fn promised_fields<'a>(document: &'a Value, reference: &Value) -> Vec<&'a str> {
    let place = reference.as_str().and_then(|text| text.strip_prefix('#')).expect("a reference");
    fields(&document.pointer(place).expect("a schema")["properties"])
}

async fn every_event_is_as_the_document_says_and_holds_nothing_else(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let document = own.api.get("/openapi.json").await.is(200);
    let (inbox, endpoint) = own.listen(&EVENTS).await;
    own.ring().await;
    own.api.act(&format!("{}/{}/test", own.webhooks(), text(&endpoint, "id"))).await.is(202);
    for name in EVENTS.into_iter().chain(["webhook.test"]) {
        let event = inbox.event(name).await;
        let schema = promised(&document, name);
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let wrong: Vec<String> =
            validator.iter_errors(&event).map(|e| format!("{} {e}", e.instance_path())).collect();
        assert!(wrong.is_empty(), "{wrong:?} in {event}");
        let place = schema["$ref"].as_str().and_then(|text| text.strip_prefix('#')).expect("a reference");
        let data = &document.pointer(place).expect("a schema")["properties"]["data"];
        if event["data"].as_object().is_some_and(|data| !data.is_empty()) {
            let promised = promised_fields(&document, &data["$ref"]);
            let more: Vec<&str> =
                fields(&event["data"]).into_iter().filter(|field| !promised.contains(field)).collect();
            assert!(more.is_empty(), "{more:?} of {name} are not in the document");
        }
    }
}
