//! A model that hangs, streams garbage, dies in the middle or returns wrong JSON: the caller hears an apology, the call ends
//! properly, and the webhook still comes.

use testkit::model_server::{ModelServer, Script};

use crate::echo::{Echo, Pair};
use crate::on_both_pairs;

on_both_pairs! {
    a_model_that_streams_garbage_leads_to_an_apology_and_a_proper_end;
    a_model_that_dies_in_the_middle_leads_to_an_apology;
    a_model_that_hangs_does_not_leave_the_caller_in_silence;
    a_result_that_is_no_json_leaves_every_property_null_and_the_summary_says_so;
}

const PHONE: &str = "+14155552671";

async fn with_model(pair: Pair) -> (Echo, ModelServer) {
    let model = ModelServer::start().await.expect("a model server");
    let echo = Echo::start_with(pair, &[("OPENAI_BASE_URL", model.url())]).await;
    (echo, model)
}

async fn a_model_that_streams_garbage_leads_to_an_apology_and_a_proper_end(pair: Pair) {
    let (echo, model) = with_model(pair).await;
    for _ in 0..20 {
        model.push(Script::GarbageSse);
    }
    let notification = echo.ring(PHONE).await;
    let (summary, stored) = echo.summary_of(&notification).await;
    assert_eq!(summary["data"]["ended_reason"], "error", "{summary}");
    assert_eq!(stored["status"], "failed", "{stored}");
    let said = echo.spoken(PHONE).await.join(" ");
    assert!(said.contains("I am sorry"), "{said}");
    echo.stop().await;
}

async fn a_model_that_dies_in_the_middle_leads_to_an_apology(pair: Pair) {
    let (echo, model) = with_model(pair).await;
    for _ in 0..20 {
        model.push(Script::Die(vec!["I am".to_owned()]));
    }
    let notification = echo.ring(PHONE).await;
    let (summary, _) = echo.summary_of(&notification).await;
    assert_eq!(summary["data"]["ended_reason"], "error", "{summary}");
    let said = echo.spoken(PHONE).await.join(" ");
    assert!(said.contains("I am sorry"), "{said}");
    echo.stop().await;
}

async fn a_model_that_hangs_does_not_leave_the_caller_in_silence(pair: Pair) {
    let (echo, model) = with_model(pair).await;
    for _ in 0..20 {
        model.push(Script::Hang);
    }
    let notification = echo.ring(PHONE).await;
    let (summary, stored) = echo.summary_of(&notification).await;
    let said = echo.spoken(PHONE).await.join(" ");
    assert!(said.contains("One moment"), "{said}");
    assert!(said.contains("I am sorry"), "{said}");
    assert_eq!(summary["data"]["ended_reason"], "error", "{summary}");
    let ended = echo.receiver.of(&notification, "call.ended");
    assert_eq!(ended.len(), 1, "{ended:?}");
    assert_eq!(ended[0]["data"]["ended_reason"], "error", "{ended:?}");
    assert_eq!(stored["ended_reason"], "error", "{stored}");
    assert_eq!(stored["status"], "failed", "{stored}");
    echo.stop().await;
}

async fn a_result_that_is_no_json_leaves_every_property_null_and_the_summary_says_so(pair: Pair) {
    let (echo, model) = with_model(pair).await;
    model.push(Script::Say(vec!["Does that time still work for you?".to_owned()]));
    model.push(Script::Call {
        text: vec!["Thank you, goodbye.".to_owned()],
        name: "end_call".to_owned(),
        arguments: "{}".to_owned(),
    });
    for _ in 0..10 {
        model.push(Script::WrongJson);
    }
    let notification = echo.ring(PHONE).await;
    let (summary, stored) = echo.summary_of(&notification).await;
    let nothing = serde_json::json!({"confirmed": null, "reschedule_request": null});
    assert_eq!(summary["data"]["analysis"], nothing, "{summary}");
    assert_eq!(stored["call_result"], nothing, "{stored}");
    assert!(
        summary["data"]["summary"].as_str().unwrap_or_default().contains("could not be read"),
        "{summary}"
    );
    assert_eq!(stored["status"], "completed", "{stored}");
    echo.stop().await;
}
