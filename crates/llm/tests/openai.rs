//! The OpenAI client against a scripted server: what it sends, what it makes of good answers, and how
//! it behaves when the server does not.

#![cfg(test)]

/// The scripted server.
#[path = "../../testkit/src/model_server.rs"]
pub mod model_server;

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use llm::{
    Abilities, Chat, ChatEvent, ChatRequest, ConversationPlan, EndReason, Extract, ExtractRequest, Heard,
    Model, ModelError, NumberedUtterance, OpenAiConfig, Speaker, Tokens, Utterance,
};
use model_server::{ModelServer, Script};
use serde_json::{Value, json};

fn model_at(url: &str, key: &str) -> Model {
    let mut config = OpenAiConfig::new(url, key, "scripted-1");
    config.idle = Duration::from_millis(200);
    Model::openai(config).unwrap()
}

async fn scripted(scripts: impl IntoIterator<Item = Script>) -> (ModelServer, Model) {
    let server = ModelServer::start().await.unwrap();
    scripts.into_iter().for_each(|script| server.push(script));
    let model = model_at(server.url(), "sk-test");
    (server, model)
}

fn turn() -> ChatRequest {
    ChatRequest {
        system: "You confirm appointments.".into(),
        history: vec![Utterance { speaker: Speaker::Agent, text: "Does it work?".into() }],
        heard: Heard::Speech { text: "Yes".into(), confidence: Some(0.9) },
        language: "en-US".into(),
        schema: None,
        opening: None,
        plan: ConversationPlan::Agent,
        abilities: Abilities::default(),
        deadline: Duration::from_secs(10),
    }
}

fn call() -> ExtractRequest {
    ExtractRequest {
        transcript: vec![NumberedUtterance { turn: 2, speaker: Speaker::Customer, text: "Yes".into() }],
        schema: json!({"type": "object", "properties": {"ok": {"type": "boolean"}, "why": {"type": "string"}}}),
        instructions: String::new(),
        previous_errors: vec![],
        deadline: Duration::from_secs(10),
    }
}

async fn events(
    model: &Model,
    request: ChatRequest,
) -> Result<Vec<Result<ChatEvent, ModelError>>, ModelError> {
    Ok(model.stream(request).await?.collect().await)
}

fn text(words: &str) -> Result<ChatEvent, ModelError> {
    Ok(ChatEvent::Text(words.into()))
}

fn pieces(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn status(code: u16, body: &str, retry_after: Option<u64>) -> Script {
    Script::Status { code, body: body.into(), retry_after }
}

#[tokio::test]
async fn a_reply_is_streamed_piece_by_piece() {
    let (server, model) = scripted([Script::Say(pieces(&["Thank you, ", "goodbye."]))]).await;
    assert_eq!(events(&model, turn()).await.unwrap(), [text("Thank you, "), text("goodbye.")]);
    let seen = &server.requests()[0];
    assert_eq!(seen.authorization.as_deref(), Some("Bearer sk-test"));
    assert_eq!(seen.body["model"], "scripted-1");
    assert_eq!(seen.body["stream"], true);
    assert_eq!(seen.body["tools"][0]["function"]["name"], "end_call");
    assert!(seen.body["tools"][1].is_null(), "nobody can be reached");
    assert_eq!(model.name(), "scripted-1");
}

fn counted(answer: Script, tokens: (u64, u64)) -> Script {
    Script::Counted { answer: Box::new(answer), tokens }
}

fn used(read: u64, written: u64) -> Result<ChatEvent, ModelError> {
    Ok(ChatEvent::Used(Tokens { read, written }))
}

#[tokio::test]
async fn a_reply_says_last_what_it_has_cost() {
    let end = Script::Call { text: pieces(&["Bye."]), name: "end_call".into(), arguments: "{}".into() };
    let (server, model) =
        scripted([counted(Script::Say(pieces(&["Fine", "."])), (120, 7)), counted(end, (90, 12))]).await;
    assert_eq!(events(&model, turn()).await.unwrap(), [text("Fine"), text("."), used(120, 7)]);
    let hung_up = Ok(ChatEvent::EndCall { reason: EndReason::Goodbye });
    assert_eq!(events(&model, turn()).await.unwrap(), [text("Bye."), hung_up, used(90, 12)]);
    assert_eq!(server.requests()[0].body["stream_options"]["include_usage"], true);
}

#[tokio::test]
async fn a_reply_that_is_cut_is_read_on_for_what_it_has_cost() {
    let long = Script::Say(vec!["x".repeat(900); 9]);
    let (_server, model) = scripted([counted(long, (5, 8_100))]).await;
    assert_eq!(events(&model, turn()).await.unwrap().last(), Some(&used(5, 8_100)));
}

#[tokio::test]
async fn a_server_that_will_not_count_is_asked_again_without_and_then_never() {
    let (server, model) = scripted([status(400, "unknown field stream_options", None)]).await;
    assert_eq!(events(&model, turn()).await.unwrap(), [text("Thank you.")]);
    assert_eq!(events(&model, turn()).await.unwrap(), [text("Thank you.")]);
    let asked: Vec<bool> = server.requests().iter().map(|r| r.body.get("stream_options").is_some()).collect();
    assert_eq!(asked, [true, false, false]);
}

#[tokio::test]
async fn a_server_that_wants_no_key_gets_no_authorization_header() {
    let server = ModelServer::start().await.unwrap();
    let said = events(&model_at(server.url(), ""), turn()).await.unwrap();
    assert_eq!(said, [text("Thank you.")]);
    assert_eq!(server.requests()[0].authorization, None);
}

#[tokio::test]
async fn a_key_that_is_no_header_value_does_not_break_the_process() {
    let server = ModelServer::start().await.unwrap();
    assert!(events(&model_at(server.url(), "sk-\ntest"), turn()).await.is_ok());
}

#[tokio::test]
async fn tool_calls_become_events_after_the_text() {
    let call = |name: &str, arguments: &str| Script::Call {
        text: pieces(&["Goodbye."]),
        name: name.into(),
        arguments: arguments.into(),
    };
    let (_server, model) = scripted([
        call("end_call", "{\"reason\": \"opt_out\"}"),
        call("end_call", "{broken"),
        call("transfer_to_person", "{}"),
        call("order_pizza", "{\"size\": 3}"),
    ])
    .await;
    let end = |reason| vec![text("Goodbye."), Ok(ChatEvent::EndCall { reason })];
    assert_eq!(events(&model, turn()).await.unwrap(), end(EndReason::OptOut));
    assert_eq!(events(&model, turn()).await.unwrap(), end(EndReason::Goodbye));
    assert_eq!(events(&model, turn()).await.unwrap(), [text("Goodbye."), Ok(ChatEvent::Transfer)]);
    let ordered = events(&model, turn()).await.unwrap();
    let [said, Ok(ChatEvent::CallTool(call))] = ordered.as_slice() else { panic!("{ordered:?}") };
    assert_eq!(
        (said, call.name.as_str(), &call.arguments["size"]),
        (&text("Goodbye."), "order_pizza", &json!(3))
    );
    assert!(!call.id.is_empty());
}

#[tokio::test]
async fn a_fixed_opening_is_said_without_asking_the_server() {
    let (server, model) = scripted([]).await;
    let request = ChatRequest {
        heard: Heard::CallAnswered,
        history: vec![],
        opening: Some("Hello, this is a test.".into()),
        ..turn()
    };
    assert_eq!(events(&model, request).await.unwrap(), [text("Hello, this is a test.")]);
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn a_busy_server_is_asked_again_before_the_first_token() {
    let (server, model) =
        scripted([status(429, "{}", Some(0)), status(500, "oops", Some(0)), Script::Say(pieces(&["Here."]))])
            .await;
    assert_eq!(events(&model, turn()).await.unwrap(), [text("Here.")]);
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_server_that_stays_busy_is_given_up_after_three_attempts() {
    let busy = || status(503, "no room", Some(0));
    let (server, model) = scripted([busy(), busy(), busy(), busy()]).await;
    let error = events(&model, turn()).await.unwrap_err();
    assert_eq!(error, ModelError::Unavailable("status 503: no room".into()));
    assert_eq!(server.requests().len(), 3);
}

#[tokio::test]
async fn a_spent_quota_and_a_wrong_key_are_final() {
    let quota = r#"{"error": {"message": "pay first", "code": "insufficient_quota"}}"#;
    let (server, model) = scripted([status(429, quota, None), status(401, "<html>who?</html>", None)]).await;
    let refused = |status, message: &str| ModelError::Refused { status, message: message.into() };
    assert_eq!(events(&model, turn()).await.unwrap_err(), refused(429, "pay first"));
    assert_eq!(events(&model, turn()).await.unwrap_err(), refused(401, "<html>who?</html>"));
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn a_server_that_hangs_costs_no_more_than_the_deadline() {
    let (_server, model) = scripted([Script::Hang, Script::Hang]).await;
    let deadline = Duration::from_millis(150);
    let begun = Instant::now();
    let spoken = events(&model, ChatRequest { deadline, ..turn() }).await;
    assert_eq!(spoken.unwrap_err(), ModelError::Timeout);
    let read = model.extract(ExtractRequest { deadline, ..call() }).await;
    assert_eq!(read.unwrap_err(), ModelError::Timeout);
    assert!(begun.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn a_stream_that_falls_silent_ends_with_a_timeout_after_what_was_said() {
    let (_server, model) = scripted([Script::Stall(pieces(&["One moment"]))]).await;
    assert_eq!(events(&model, turn()).await.unwrap(), [text("One moment"), Err(ModelError::Timeout)]);
}

#[tokio::test]
async fn the_deadline_covers_the_whole_stream_and_not_only_its_start() {
    let slow = Script::Slow { text: vec!["word ".into(); 200], gap_ms: 20 };
    let (_server, model) = scripted([slow]).await;
    let said = events(&model, ChatRequest { deadline: Duration::from_millis(400), ..turn() }).await.unwrap();
    assert_eq!(said.last(), Some(&Err(ModelError::Timeout)));
    assert!(said.len() > 1 && said.len() < 100, "{} events", said.len());
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_error_and_is_not_asked_for_again() {
    let (server, model) =
        scripted([Script::Die(pieces(&["Half a"])), Script::EndEarly(pieces(&["Half a"]))]).await;
    for _ in 0..2 {
        let said = events(&model, turn()).await.unwrap();
        assert_eq!(said[0], text("Half a"));
        assert!(matches!(said[1], Err(ModelError::Unavailable(_))), "{said:?}");
        assert_eq!(said.len(), 2);
    }
    assert_eq!(server.requests().len(), 2);
}

#[tokio::test]
async fn what_is_no_chat_completion_is_garbled() {
    let (_server, model) = scripted([Script::GarbageSse, Script::Say(vec![]), Script::WrongJson]).await;
    assert!(matches!(events(&model, turn()).await, Err(ModelError::Garbled(_))));
    let empty = events(&model, turn()).await.unwrap();
    assert!(matches!(empty[..], [Err(ModelError::Garbled(_))]), "{empty:?}");
    assert!(matches!(model.extract(call()).await, Err(ModelError::Garbled(_))));
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    let url = ModelServer::start().await.unwrap().url().replace("127.0.0.1", "127.0.0.2");
    let error = events(&model_at(&url, ""), turn()).await.unwrap_err();
    assert!(matches!(error, ModelError::Unavailable(_)), "{error:?}");
}

#[tokio::test]
async fn an_endless_reply_is_cut_after_four_thousand_characters() {
    let (_server, model) = scripted([Script::Stall(vec!["x".repeat(900); 9])]).await;
    let said = events(&model, turn()).await.unwrap();
    let length: usize = said
        .iter()
        .map(|event| match event {
            Ok(ChatEvent::Text(words)) => words.len(),
            other => panic!("{other:?}"),
        })
        .sum();
    assert_eq!(length, 4_000);
}

#[tokio::test]
async fn values_are_extracted_with_their_evidence() {
    let found =
        json!({"value": {"ok": true}, "evidence": {"ok": {"turn": 2, "quote": "Yes"}}, "summary": "Agreed."});
    let (server, model) = scripted([counted(Script::Json(found), (300, 40))]).await;
    let read = model.extract(call()).await.unwrap();
    assert_eq!(read.used, Some(Tokens { read: 300, written: 40 }));
    assert_eq!(read.value, json!({"ok": true, "why": null}));
    assert_eq!((read.evidence["ok"].turn, read.evidence["ok"].quote.as_deref()), (Some(2), Some("Yes")));
    assert_eq!(server.requests()[0].body["response_format"]["type"], "json_schema");
}

#[tokio::test]
async fn a_server_without_schema_bound_answers_is_asked_for_plain_text() {
    let content = "Here it is: {\"value\": {\"ok\": false, \"why\": \"busy\"}, \"summary\": \"No.\"}";
    let (server, model) =
        scripted([status(400, "response_format is not supported", None), Script::Content(content.into())])
            .await;
    let read = model.extract(call()).await.unwrap();
    assert_eq!(read.value, json!({"ok": false, "why": "busy"}));
    let formats: Vec<_> = server
        .requests()
        .iter()
        .map(|r| r.body.get("response_format").map_or(Value::Null, |f| f["type"].clone()))
        .collect();
    assert_eq!(formats, [json!("json_schema"), Value::Null]);
}
