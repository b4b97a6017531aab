//! The carrier at its worst, on demand.

use serde_json::json;

use crate::harness::{NUMBER, Sandbox, bye};
use crate::receiver::{Got, Receiver};

const SOMEBODY: &str = "+14155552671";

async fn reports(switches: serde_json::Value, expected: usize) -> Vec<Got> {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::with(&[("/voice", &bye("Hello."))]);
    assert_eq!(sandbox.control("nasty", switches).await.0, 200);
    sandbox.call(SOMEBODY, &receiver.url, &[]).await;
    let mut reports = Vec::new();
    while reports.len() < expected {
        reports.push(receiver.next_at("/status").await);
    }
    reports
}

fn statuses(reports: &[Got]) -> Vec<&str> {
    reports.iter().map(|got| got.get("CallStatus")).collect()
}

#[tokio::test]
async fn callbacks_come_twice_with_one_token() {
    let twice = reports(json!({"callbacks_twice": true}), 8).await;
    for pair in twice.chunks(2) {
        assert_eq!((&pair[0].token, &pair[0].form), (&pair[1].token, &pair[1].form));
    }
    assert_eq!(statuses(&twice)[7], "completed");
}

#[tokio::test]
async fn callbacks_come_in_the_wrong_order() {
    let swapped = reports(json!({"callbacks_reordered": true}), 4).await;
    assert_eq!(statuses(&swapped), ["ringing", "initiated", "completed", "in-progress"]);
    let sequence: Vec<_> = swapped.iter().map(|got| got.get("SequenceNumber")).collect();
    assert_eq!(sequence, ["1", "0", "3", "2"], "the sequence tells the truth");
}

#[tokio::test]
async fn callbacks_are_lost() {
    let rest = reports(json!({"callbacks_lose_next": 3}), 1).await;
    assert_eq!(statuses(&rest), ["completed"]);
    assert_eq!(rest[0].get("SequenceNumber"), "3");
}

#[tokio::test]
async fn nobody_is_told_that_it_rings() {
    let rest = reports(json!({"ringing_untold": true}), 3).await;
    assert_eq!(statuses(&rest), ["initiated", "in-progress", "completed"]);
    let sequence: Vec<_> = rest.iter().map(|got| got.get("SequenceNumber")).collect();
    assert_eq!(sequence, ["0", "1", "2"], "what is not fired has no number");
}

/// What comes of a question, when speech is understood in the asked way.
async fn heard(switches: serde_json::Value) -> Vec<Got> {
    let sandbox = Sandbox::start();
    let question = "<Response><Gather input=\"speech\" action=\"/heard\" partialResultCallback=\"/partial\">\
                    <Say>Does it suit?</Say></Gather></Response>";
    let mut receiver = Receiver::with(&[("/voice", question), ("/heard", &bye("Thanks."))]);
    assert_eq!(sandbox.control("nasty", switches).await.0, 200);
    sandbox.call(SOMEBODY, &receiver.url, &[]).await;
    let mut all = receiver.until_the_end().await;
    if !all.iter().any(|got| got.path == "/partial") {
        all.push(receiver.next_at("/partial").await);
    }
    all.into_iter().filter(|got| got.path != "/status" && got.path != "/voice").collect()
}

#[tokio::test]
async fn results_of_speech_come_without_words_or_confidence() {
    for (switches, words, confidence) in [
        (json!({"speech_empty_next": 1}), Some(""), true),
        (json!({"speech_missing_next": 1}), None, true),
        (json!({"confidence_missing": true}), Some("Yes, that works for me."), false),
    ] {
        let all = heard(switches.clone()).await;
        let result = all.iter().find(|got| got.path == "/heard").unwrap();
        let found = result.has("SpeechResult").then(|| result.get("SpeechResult"));
        assert_eq!((found, result.has("Confidence")), (words, confidence), "{switches}");
    }
}

#[tokio::test]
async fn an_interim_result_comes_behind_the_result() {
    let all = heard(json!({"partials_late_ms": 500})).await;
    assert_eq!(all.iter().map(|got| got.path.as_str()).collect::<Vec<_>>(), ["/heard", "/partial"]);
}

#[tokio::test]
async fn requests_are_signed_with_another_token() {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::with(&[]);
    sandbox.control("nasty", json!({"wrong_signature_next": 1})).await;
    sandbox.call("+14155550104", &receiver.url, &[]).await;
    let (first, second) = (receiver.next().await, receiver.next().await);
    // So the receiver calls what it does not believe.
    assert_eq!((first.path.as_str(), second.path.as_str()), ("unsigned: /status", "/status"));
}

#[tokio::test]
async fn requests_have_parameters_that_nobody_has_heard_of() {
    let got = reports(json!({"parameters_unknown": true}), 4).await;
    assert!(got.iter().all(|got| got.has("CallMood")), "and are signed with them: {got:?}");
}

#[tokio::test]
async fn a_call_that_is_looked_at_is_an_old_one() {
    let mut sandbox = Sandbox::start();
    let receiver = Receiver::with(&[("/voice", &bye("Hello."))]);
    sandbox.control("nasty", json!({"fetch_behind_ms": 3_600_000})).await;
    let sid = sandbox.call(SOMEBODY, &receiver.url, &[]).await;
    let path = format!("/Calls/{sid}.json");
    assert_eq!(sandbox.get(&path).await.0, 404);
    sandbox.until_over().await;
    assert_eq!(sandbox.get(&path).await.0, 404);
    sandbox.control("nasty", json!({})).await;
    assert_eq!(sandbox.get(&path).await.1["status"], "completed");
}

#[tokio::test]
async fn a_creation_is_answered_late_and_rings_at_once() {
    let mut sandbox = Sandbox::start();
    sandbox.control("nasty", json!({"answer_late_ms": 3_600_000})).await;
    let form = [("To", SOMEBODY), ("From", NUMBER), ("Url", "http://127.0.0.1:9/voice")];
    let request = sandbox
        .http
        .post(sandbox.at("/Calls.json"))
        .basic_auth(crate::harness::ACCOUNT, Some(crate::harness::TOKEN))
        .form(&form);
    tokio::select! {
        answer = request.send() => panic!("{answer:?}"),
        _ = sandbox.until_over() => {}
    }
}

#[tokio::test]
async fn too_many_requests_are_turned_away_and_later_ones_are_not() {
    let sandbox = Sandbox::start();
    sandbox.control("nasty", json!({"too_many_requests_next": 1})).await;
    let (status, error) = sandbox.get("/Calls.json").await;
    assert_eq!((status, &error["code"]), (429, &20429.into()));
    assert_eq!(sandbox.get("/Calls.json").await.0, 200);
}

/// Creates a call that fails in the asked way; the status of the answer, if one came, and the rings.
async fn created(switch: &str) -> (Option<u16>, serde_json::Value) {
    let mut sandbox = Sandbox::start();
    sandbox.control("nasty", json!({switch: 1})).await;
    let form = [("To", SOMEBODY), ("From", NUMBER), ("Url", "http://127.0.0.1:9/voice?attempt=a%2D7&turn=0")];
    let request = sandbox
        .http
        .post(sandbox.at("/Calls.json"))
        .basic_auth(crate::harness::ACCOUNT, Some(crate::harness::TOKEN))
        .form(&form);
    let status = request.send().await.ok().map(|response| response.status().as_u16());
    if switch != "error_before_dialling_next" {
        sandbox.until_over().await;
    }
    (status, sandbox.look("rings?to=%2B14155552671").await)
}

#[tokio::test]
async fn an_error_before_dialling_rings_nobody() {
    let (status, rings) = created("error_before_dialling_next").await;
    assert_eq!((status, &rings["dialled"]), (Some(500), &0.into()));
}

#[tokio::test]
async fn an_error_after_dialling_rings_all_the_same() {
    let (status, rings) = created("error_after_dialling_next").await;
    assert_eq!((status, &rings["rang"], &rings["attempts"]), (Some(500), &1.into(), &json!({"a-7": 1})));
}

#[tokio::test]
async fn a_lost_answer_rings_and_breaks_the_connection() {
    let (status, rings) = created("answer_lost_next").await;
    assert_eq!((status, &rings["rang"], &rings["attempts"]), (None, &1.into(), &json!({"a-7": 1})));
}
