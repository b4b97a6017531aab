//! The bodies, letter by letter: integrators' code was written against them.

use super::*;

const EVENT: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const PROJECT: &str = "01890a5d-ac96-774b-bcce-b302099a0001";
const NOTIFICATION: &str = "01890a5d-ac96-774b-bcce-b302099a0002";
const CALL: &str = "01890a5d-ac96-774b-bcce-b302099a0003";
const CUSTOMER: &str = "01890a5d-ac96-774b-bcce-b302099a0004";
const AGENT: &str = "01890a5d-ac96-774b-bcce-b302099a0005";

fn summarised() -> CallSummarised {
    CallSummarised {
        event_id: EVENT.into(),
        project_id: PROJECT.into(),
        notification_id: NOTIFICATION.into(),
        call_id: CALL.into(),
        customer_id: CUSTOMER.into(),
        external_id: "user_12345".into(),
        agent_id: AGENT.into(),
        attempt: 1,
        status: "completed".into(),
        ended_reason: "customer-ended-call".into(),
        transcript: "AI: Does that time still work?\nCustomer: Yes.".into(),
        analysis_json: r#"{"confirmed":true,"reschedule_request":null}"#.into(),
        evidence_json: r#"{"confirmed":{"status":"grounded","turn":1,"quote":"Yes."}}"#.into(),
        summary: "The appointment was confirmed.".into(),
        started_at_ms: Some(1_773_855_826_714),
        ended_at_ms: 1_773_855_869_214,
        duration_ms: 42_500,
        metadata_json: r#"{"order":7}"#.into(),
        inbound: false,
        reschedule_outcome_json: String::new(),
    }
}

#[test]
fn call_started_reads_exactly_so() {
    let message = CallStarted {
        event_id: EVENT.into(),
        project_id: PROJECT.into(),
        notification_id: NOTIFICATION.into(),
        call_id: CALL.into(),
        customer_id: CUSTOMER.into(),
        external_id: "user_12345".into(),
        agent_id: AGENT.into(),
        attempt: 2,
        started_at_ms: 1_773_855_826_714,
        metadata_json: r#"{"z":1,"a":{"b":[1.10,"x"]}}"#.into(),
        inbound: false,
    };
    let event = call_started(&message).unwrap();
    assert_eq!((event.id.to_string().as_str(), event.name), (EVENT, EventName::Started));
    assert_eq!(event.project.to_string(), PROJECT);
    assert_eq!(
        event.payload,
        concat!(
            r#"{"event_id":"01890a5d-ac96-774b-bcce-b302099a8057","event_name":"call.started","#,
            r#""customer_id":"01890a5d-ac96-774b-bcce-b302099a0004","#,
            r#""notification_id":"01890a5d-ac96-774b-bcce-b302099a0002","#,
            r#""data":{"status":"in_progress","call_id":"01890a5d-ac96-774b-bcce-b302099a0003","attempt":2,"#,
            r#""agent_id":"01890a5d-ac96-774b-bcce-b302099a0005","external_id":"user_12345","#,
            r#""metadata":{"z":1,"a":{"b":[1.10,"x"]}}}}"#
        )
    );
}

#[test]
fn call_ended_reads_exactly_so_and_what_is_absent_is_null() {
    let message = CallEnded {
        event_id: EVENT.into(),
        project_id: PROJECT.into(),
        notification_id: NOTIFICATION.into(),
        call_id: CALL.into(),
        attempt: 1,
        status: "no_answer".into(),
        ended_reason: "no-answer".into(),
        ..CallEnded::default()
    };
    assert_eq!(
        call_ended(&message).unwrap().payload,
        concat!(
            r#"{"event_id":"01890a5d-ac96-774b-bcce-b302099a8057","event_name":"call.ended","#,
            r#""customer_id":null,"notification_id":"01890a5d-ac96-774b-bcce-b302099a0002","#,
            r#""data":{"status":"no_answer","ended_reason":"no-answer","#,
            r#""call_id":"01890a5d-ac96-774b-bcce-b302099a0003","attempt":1,"#,
            r#""agent_id":null,"external_id":null,"metadata":null}}"#
        )
    );
}

#[test]
fn call_summary_reads_exactly_so() {
    assert_eq!(
        call_summary(&summarised()).unwrap().payload,
        concat!(
            r#"{"event_id":"01890a5d-ac96-774b-bcce-b302099a8057","event_name":"call.summary","#,
            r#""customer_id":"01890a5d-ac96-774b-bcce-b302099a0004","#,
            r#""notification_id":"01890a5d-ac96-774b-bcce-b302099a0002","#,
            r#""data":{"transcript":"AI: Does that time still work?\nCustomer: Yes.","#,
            r#""analysis":{"confirmed":true,"reschedule_request":null},"#,
            r#""started_at":"2026-03-18T17:43:46.714Z","ended_at":"2026-03-18T17:44:29.214Z","#,
            r#""duration_seconds":42.5,"ended_reason":"customer-ended-call","#,
            r#""call_id":"01890a5d-ac96-774b-bcce-b302099a0003","attempt":1,"#,
            r#""agent_id":"01890a5d-ac96-774b-bcce-b302099a0005","external_id":"user_12345","#,
            r#""summary":"The appointment was confirmed.","#,
            r#""evidence":{"confirmed":{"status":"grounded","turn":1,"quote":"Yes."}},"metadata":{"order":7}}}"#
        )
    );
}

#[test]
fn the_summary_of_a_call_that_nobody_answered_has_an_empty_transcript_and_no_start() {
    let message = CallSummarised {
        transcript: String::new(),
        analysis_json: String::new(),
        evidence_json: String::new(),
        summary: String::new(),
        started_at_ms: None,
        duration_ms: 0,
        ended_reason: "no-answer".into(),
        metadata_json: String::new(),
        ..summarised()
    };
    let body: serde_json::Value = serde_json::from_str(&call_summary(&message).unwrap().payload).unwrap();
    let data = &body["data"];
    assert_eq!(data["transcript"], "");
    assert_eq!(data["duration_seconds"], 0.0);
    for absent in ["analysis", "started_at", "summary", "evidence", "metadata"] {
        assert!(data[absent].is_null() && data.get(absent).is_some(), "{absent}");
    }
}

#[test]
fn a_message_that_is_broken_says_where() {
    let odd = CallSummarised { analysis_json: "[1]".into(), ..summarised() };
    assert_eq!(call_summary(&odd), Err(BadMessage::Json("analysis_json")));
    let cut = CallSummarised { metadata_json: r#"{"a":"#.into(), ..summarised() };
    assert_eq!(call_summary(&cut), Err(BadMessage::Json("metadata_json")));
    let nameless = CallSummarised { event_id: "7".into(), ..summarised() };
    assert!(call_summary(&nameless).unwrap_err().to_string().starts_with("`7` is no event id"));
}

#[test]
fn a_test_has_all_keys_and_nobodys_ids() {
    let event = test(PROJECT.parse().unwrap(), EVENT.parse().unwrap()).unwrap();
    let data = r#"{"message":"This is a test: your endpoint works."}"#;
    assert_eq!(
        event.payload,
        format!(
            r#"{{"event_id":"{EVENT}","event_name":"webhook.test","customer_id":null,"notification_id":null,"data":{data}}}"#
        )
    );
    assert_eq!((event.name, event.customer), (EventName::Test, None));
}

#[test]
fn of_a_forgotten_customer_only_that_something_happened_is_left() {
    assert_eq!(
        forgotten(EVENT, "call.ended").unwrap(),
        format!(
            r#"{{"event_id":"{EVENT}","event_name":"call.ended","customer_id":null,"notification_id":null,"data":{{}}}}"#
        )
    );
}

#[test]
fn an_event_knows_whose_data_it_holds() {
    assert_eq!(call_summary(&summarised()).unwrap().customer, Some(CUSTOMER.parse().unwrap()));
    let nobody = CallSummarised { customer_id: String::new(), ..summarised() };
    assert_eq!(call_summary(&nobody).unwrap().customer, None);
    let broken = CallSummarised { customer_id: "x".into(), ..summarised() };
    assert!(matches!(call_summary(&broken), Err(BadMessage::Id(_))));
}

#[test]
fn a_call_by_which_the_customer_rang_back_says_so() {
    let whose = |payload: &str| {
        let payload: serde_json::Value = serde_json::from_str(payload).unwrap();
        (payload["data"]["direction"].clone(), payload["data"]["attempt"].clone())
    };
    let ended = CallEnded {
        event_id: EVENT.into(),
        project_id: PROJECT.into(),
        attempt: 1,
        inbound: true,
        ..CallEnded::default()
    };
    assert_eq!(whose(&call_ended(&ended).unwrap().payload), ("inbound".into(), 1.into()));
    let started = CallStarted {
        event_id: EVENT.into(),
        project_id: PROJECT.into(),
        attempt: 1,
        inbound: true,
        ..CallStarted::default()
    };
    assert_eq!(whose(&call_started(&started).unwrap().payload), ("inbound".into(), 1.into()));
}
