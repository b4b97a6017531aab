//! Somebody rings a bot.

use std::time::Duration;

use contracts::calls::{
    BeginBotCallRequest, Bot, BotCall, BotCallsClient, BotCompleted, BotsClient, CreateBotRequest,
    DeleteBotRequest, DialRequested, FindBotRequest, GetBotCallRequest, InboundClient, ListBotCallsRequest,
    Then, UpdateBotRequest,
};
use contracts::ids::{AttemptId, BotId, BusinessId, CallId, ProjectId};
use contracts::rpc::RpcError;
use contracts::webhooks::{CallNowOutcome, CallNowResponse};
use serde_json::{Value, json};
use testkit::database::Engine;
use testkit::model_server::{ModelServer, Script};
use testkit::on_both_engines;
use testkit::wait::eventually;

use crate::tools::answer;
use crate::world::{PATIENCE, World, answered, by_agent, context, digits, heard, silence};

on_both_engines![
    a_call_is_greeted_acted_on_and_told_once,
    a_bot_is_found_while_it_answers_and_belongs_to_whoever_first_had_it,
    only_the_bot_of_that_project_answers,
    a_call_is_begun_once_however_often_it_is_asked_for,
    an_endpoint_that_is_late_lies_or_is_down_never_breaks_the_call,
    what_the_endpoint_wants_said_is_said_and_it_ends_or_hands_over_the_call,
    what_a_bot_has_had_done_is_sent_once,
    what_was_answered_to_a_replica_that_died_is_said_by_the_next_one,
    a_bot_that_is_changed_or_deleted_during_a_call_does_not_change_it,
    a_caller_and_a_bot_have_as_many_calls_as_they_may,
    callers_who_hide_their_number_count_together,
    a_project_sees_no_notification_of_a_bot,
    a_business_reads_its_calls_and_nobody_elses,
    who_hangs_up_or_stays_silent_has_abandoned_the_call,
    a_model_that_cannot_read_the_call_leaves_it_incomplete,
    what_was_said_is_forgotten_with_the_project_and_told_once_all_the_same,
    what_was_said_is_kept_no_longer_than_the_project_wants,
    a_call_of_which_no_more_is_heard_is_stopped_closed_and_told,
    keys_are_heard_as_keys,
    bots_take_no_line_from_the_calls_of_their_project,
];

const URL: &str = "https://api.eatery.example/book";
pub(crate) const GREETING: &str = "Hi, welcome to your AI assistant. How can I help you today?";
pub(crate) const CALLER: &str = "+14155550123";
const RUNG: &str = "+14155551234";

/// A bot, its business, and a world in which it is rung.
pub(crate) struct Line {
    pub(crate) world: World,
    pub(crate) business: BusinessId,
    pub(crate) bot: Bot,
}

/// A call to a bot, as the reports about it name it.
pub(crate) type Rings = DialRequested;

impl Line {
    pub(crate) async fn new(engine: Engine) -> Self {
        Self::of(World::new(engine).await, |_| {}).await
    }

    pub(crate) async fn scripted(engine: Engine) -> (Self, ModelServer) {
        let (world, model) = World::scripted(engine).await;
        (Self::of(world, |_| {}).await, model)
    }

    pub(crate) async fn of(world: World, change: impl FnOnce(&mut CreateBotRequest)) -> Self {
        let business = BusinessId::new();
        let mut request = table(business, world.project);
        change(&mut request);
        let bot = bots(&world).create_bot(context(), request).await.unwrap();
        Self { world, business, bot }
    }

    pub(crate) fn request(&self, from: &str) -> BeginBotCallRequest {
        BeginBotCallRequest {
            project_id: self.world.project.to_string(),
            call_id: CallId::new().to_string(),
            attempt_id: AttemptId::new().to_string(),
            bot_id: self.bot.id.clone(),
            carrier_call_sid: format!("CA{}", CallId::new().0.simple()),
            from_e164: from.to_owned(),
            to_e164: RUNG.to_owned(),
            at_ms: self.world.clock.now().timestamp_millis(),
        }
    }

    /// Answers whether the call is recorded.
    pub(crate) async fn begin(&self, request: &BeginBotCallRequest) -> Result<bool, RpcError> {
        let client = InboundClient::new(self.world.caller());
        Ok(client.begin_bot_call(context(), request.clone()).await?.records)
    }

    async fn find(&self, bot: &str) -> Result<String, RpcError> {
        let request = FindBotRequest { bot_id: bot.to_owned() };
        let found = InboundClient::new(self.world.caller()).find_bot(context(), request).await?;
        Ok(found.project_id)
    }

    /// The call comes in.
    pub(crate) async fn rings_from(&self, from: &str) -> (Rings, BeginBotCallRequest) {
        let request = self.request(from);
        self.begin(&request).await.unwrap();
        (named(&request), request)
    }

    /// The same, and the greeting is heard.
    pub(crate) async fn talk(&self) -> Rings {
        let (call, _) = self.rings_from(CALLER).await;
        let (said, then) = self.world.whole_turn(&call, 0, answered()).await;
        assert_eq!((said.as_str(), then), (GREETING, i32::from(Then::Listen)));
        call
    }

    pub(crate) async fn say(&self, call: &Rings, turn: u32, text: &str) -> (String, Then) {
        let (said, then) = self.world.whole_turn(call, turn, heard(text)).await;
        (said, Then::try_from(then).unwrap())
    }

    /// What the call brought, once it is told; then there must be one.
    async fn completed(&self, call: &Rings) -> BotCompleted {
        let of = || -> Vec<BotCompleted> {
            let told = self.world.heard.bot_calls.lock().unwrap();
            told.iter().filter(|told| told.call_id == call.call_id).cloned().collect()
        };
        let look = || async { if of().is_empty() { Err(()) } else { Ok(()) } };
        eventually("what the call brought", PATIENCE, look).await;
        self.world.quiet().await;
        let mut told = of();
        assert_eq!(told.len(), 1, "{told:?}");
        told.remove(0)
    }

    pub(crate) async fn get(&self, business: BusinessId, id: &str) -> Result<BotCall, RpcError> {
        let request = GetBotCallRequest { business_id: business.to_string(), call_id: id.to_owned() };
        BotCallsClient::new(self.world.caller()).get_bot_call(context(), request).await
    }

    /// All calls that a filter lets through, read in pages of this size.
    pub(crate) async fn list(&self, filter: ListBotCallsRequest, limit: u32) -> Vec<BotCall> {
        let (mut all, mut after_id) = (Vec::new(), String::new());
        loop {
            let business_id = if filter.business_id.is_empty() {
                self.business.to_string()
            } else {
                filter.business_id.clone()
            };
            let request = ListBotCallsRequest { business_id, limit, after_id, ..filter.clone() };
            let client = BotCallsClient::new(self.world.caller());
            let page = client.list_bot_calls(context(), request).await.unwrap();
            assert!(page.calls.len() <= limit as usize);
            all.extend(page.calls);
            after_id = page.next_after_id;
            if after_id.is_empty() {
                return all;
            }
        }
    }
}

fn bots(world: &World) -> BotsClient {
    BotsClient::new(world.caller())
}

fn table(business: BusinessId, project: ProjectId) -> CreateBotRequest {
    CreateBotRequest {
        bot_id: BotId::new().to_string(),
        business_id: business.to_string(),
        goal: "Book table".to_owned(),
        webhook: URL.to_owned(),
        context: "Open 5-10PM. Tables: 2,4,6".to_owned(),
        language: "en-US".to_owned(),
        voice: "man".to_owned(),
        greeting: GREETING.to_owned(),
        project_id: project.to_string(),
        ..CreateBotRequest::default()
    }
}

fn named(request: &BeginBotCallRequest) -> Rings {
    DialRequested {
        attempt_id: request.attempt_id.clone(),
        call_id: request.call_id.clone(),
        project_id: request.project_id.clone(),
        to_e164: request.from_e164.clone(),
        ..DialRequested::default()
    }
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

fn act(arguments: &Value) -> Script {
    let arguments = json!({"action": "book_table", "arguments": arguments}).to_string();
    Script::Call { text: vec![], name: "act_now".to_owned(), arguments }
}

fn say(text: &str) -> Script {
    Script::Say(vec![text.to_owned()])
}

/// What the business's own system was sent, as it is promised.
fn assert_asked(line: &Line, request: &BeginBotCallRequest, wanted: &Value) {
    let world = &line.world;
    let asked = world.heard.tool_calls.lock().unwrap()[0].clone();
    assert_eq!((asked.url.as_str(), asked.deadline_ms, &asked.owner_id), (URL, 3_000, &line.bot.id));
    assert_eq!((&asked.business_id, &asked.project_id), (&line.business.to_string(), &request.project_id));
    let body = world.sent().remove(0);
    let history = json!([
        {"role": "bot", "content": GREETING},
        {"role": "user", "content": "I want to book a table for four on Friday at seven."},
        {"role": "bot", "content": "Thank you. What is your name, please?"},
        {"role": "user", "content": "Ada Lovelace."},
    ]);
    let data = json!({"from": CALLER, "action": "book_table", "arguments": wanted, "history": history});
    assert_eq!(
        (&body["event_name"], &body["event_id"], &body["bot_id"], &body["call_sid"], &body["data"]),
        (
            &json!("bot.action"),
            &json!(asked.event_id),
            &json!(line.bot.id),
            &json!(request.carrier_call_sid),
            &data
        )
    );
    assert!(body["timestamp"].as_str().unwrap().ends_with('Z'));
    assert_eq!(body.as_object().unwrap().len(), 6, "{body}");
}

async fn a_call_is_greeted_acted_on_and_told_once(engine: Engine) {
    let line = Line::new(engine).await;
    let world = &line.world;
    world.tools_answer([answer(r#"{"say": "Your table is booked.", "data": {"reservation": 7}}"#)]);
    let (call, request) = line.rings_from(CALLER).await;
    let first = world.turn(&call, 0, answered()).await;
    assert_eq!((first.language.as_str(), first.voice.as_str()), ("en-US", "man"));
    // What is ready at once is one piece, and one document.
    assert_eq!((first.text.as_str(), first.then()), (GREETING, Then::Listen));
    assert_eq!(world.whole_turn(&call, 0, answered()).await.0, GREETING);
    let (said, _) = line.say(&call, 1, "I want to book a table for four on Friday at seven.").await;
    assert_eq!(said, "Thank you. What is your name, please?");
    let (said, then) = line.say(&call, 2, "Ada Lovelace.").await;
    assert_eq!(
        (said.as_str(), then),
        ("Your table is booked. Is there anything else I can do for you?", Then::Listen)
    );
    let last = world.part(&call, 2, 1, 20_000).await;
    assert_eq!((last.voice.as_str(), last.language.as_str()), ("man", "en-US"), "in every turn");
    assert_eq!(
        line.say(&call, 3, "No, thank you.").await,
        ("Thank you for calling. Goodbye.".to_owned(), Then::HangUp)
    );
    world.complete(&call, 30).await;

    let wanted =
        json!({"what": "book a table", "how_many": 4, "when": "Friday at seven", "name": "Ada Lovelace"});
    assert_asked(&line, &request, &wanted);

    let told = line.completed(&call).await;
    assert_eq!((told.outcome.as_str(), told.ended_reason.as_str()), ("completed", "agent-ended-call"));
    assert_eq!(json_of(&told.collected_json), wanted);
    let evidence = json_of(&told.evidence_json);
    assert_eq!(evidence["name"], json!({"status": "grounded", "turn": 2, "quote": "Ada Lovelace."}));
    assert!(evidence.as_object().unwrap().values().all(|e| e["status"] == "grounded"), "{evidence}");
    assert_eq!((told.goal.as_str(), told.webhook.as_str(), &told.bot_id), ("Book table", URL, &line.bot.id));
    assert_eq!((&told.business_id, &told.project_id), (&line.business.to_string(), &request.project_id));
    assert_eq!(told.carrier_call_sid, request.carrier_call_sid);
    assert!(
        told.transcript.contains("Customer: Ada Lovelace.\nAI: Your table is booked."),
        "{}",
        told.transcript
    );
    assert!(told.duration_ms >= 0 && told.started_at_ms > 0 && told.ended_at_ms >= told.started_at_ms);
    assert_eq!(world.started_and_ended(&call.call_id), (0, 0), "these are told of notifications");
    assert!(world.heard.dials.lock().unwrap().is_empty());
    assert_eq!(world.usage().await[0].calls, 1);
}

async fn a_bot_is_found_while_it_answers_and_belongs_to_whoever_first_had_it(engine: Engine) {
    let line = Line::new(engine).await;
    let (world, business_id) = (&line.world, line.business.to_string());
    assert_eq!(line.bot.project_id, world.project.to_string());
    assert_eq!(line.find(&line.bot.id).await, Ok(world.project.to_string()));
    let change = |bot: &str, project: &str| UpdateBotRequest {
        business_id: business_id.clone(),
        bot_id: bot.to_owned(),
        project_id: project.to_owned(),
        ..UpdateBotRequest::default()
    };
    let other = ProjectId::new().to_string();
    let same = bots(world).update_bot(context(), change(&line.bot.id, &other)).await.unwrap();
    assert_eq!(same.project_id, world.project.to_string(), "it has one");

    let old = CreateBotRequest { project_id: String::new(), ..table(line.business, world.project) };
    let old = bots(world).create_bot(context(), old).await.unwrap();
    assert!(matches!(line.find(&old.id).await, Err(RpcError::NotFound(_))));
    let disabled = UpdateBotRequest { status: Some("disabled".to_owned()), ..change(&old.id, &other) };
    assert_eq!(bots(world).update_bot(context(), disabled).await.unwrap().project_id, other);
    assert!(matches!(line.find(&old.id).await, Err(RpcError::NotFound(_))), "it is disabled");
    let active = UpdateBotRequest { status: Some("active".to_owned()), ..change(&old.id, "") };
    bots(world).update_bot(context(), active).await.unwrap();
    assert_eq!(line.find(&old.id).await, Ok(other));
    assert!(matches!(line.find(&BotId::new().to_string()).await, Err(RpcError::NotFound(_))));
    assert!(matches!(line.find("bot_abc123").await, Err(RpcError::Invalid { .. })));
    world.delete_project().await;
    assert!(matches!(line.find(&line.bot.id).await, Err(RpcError::NotFound(_))), "its project is gone");
}

async fn only_the_bot_of_that_project_answers(engine: Engine) {
    let line = Line::new(engine).await;
    let right = line.request(CALLER);
    let foreign = BeginBotCallRequest { project_id: ProjectId::new().to_string(), ..right.clone() };
    let unknown = BeginBotCallRequest { bot_id: BotId::new().to_string(), ..right.clone() };
    for wrong in [&foreign, &unknown] {
        assert!(matches!(line.begin(wrong).await, Err(RpcError::NotFound(_))));
    }
    let disable = UpdateBotRequest {
        business_id: line.business.to_string(),
        bot_id: line.bot.id.clone(),
        status: Some("disabled".to_owned()),
        ..UpdateBotRequest::default()
    };
    bots(&line.world).update_bot(context(), disable).await.unwrap();
    assert!(matches!(line.begin(&right).await, Err(RpcError::NotFound(_))));
    assert_eq!(line.world.count("calls").await + line.world.count("notifications").await, 0);
}

async fn a_call_is_begun_once_however_often_it_is_asked_for(engine: Engine) {
    let line = Line::new(engine).await;
    let request = line.request(CALLER);
    let (one, two) = tokio::join!(line.begin(&request), line.begin(&request));
    one.and(two).unwrap();
    line.begin(&request).await.unwrap();
    assert_eq!((line.world.count("calls").await, line.world.count("notifications").await), (1, 1));
    let call = named(&request);
    line.world.whole_turn(&call, 0, answered()).await;
    line.world.complete(&call, 5).await;
    line.completed(&call).await;
    line.begin(&request).await.unwrap();
    assert_eq!(line.world.count("calls").await, 1, "also when it is over");
}

async fn an_endpoint_that_is_late_lies_or_is_down_never_breaks_the_call(engine: Engine) {
    let (line, model) = Line::scripted(engine).await;
    let failed = |outcome: CallNowOutcome, status| CallNowResponse {
        outcome: outcome.into(),
        status,
        ..CallNowResponse::default()
    };
    let unknown = "not known whether it was done";
    let ends = [
        (failed(CallNowOutcome::TimedOut, 0), unknown),
        (failed(CallNowOutcome::Unreadable, 200), unknown),
        (failed(CallNowOutcome::Unreachable, 0), "could not be reached"),
        (failed(CallNowOutcome::Refused, 409), "status 409"),
        (failed(CallNowOutcome::Refused, 503), unknown),
        (answer("<html>Booked!</html>"), unknown),
        (answer(r#"{"say": "Booked.", "action": "dance"}"#), unknown),
        (answer(r#"{"say": ["Booked."]}"#), unknown),
    ];
    let call = line.talk().await;
    for (turn, (end, expected)) in (1_u32..).zip(ends) {
        line.world.tools_answer([end]);
        model.push(act(&json!({ "table": turn })));
        model.push(say("Somebody will follow up on it."));
        let said = line.say(&call, turn, "A table, please.").await;
        assert_eq!(said, ("Somebody will follow up on it.".to_owned(), Then::Listen));
        let told = model.requests().last().unwrap().body["messages"].to_string();
        assert!(told.contains(expected), "{expected} is missing in {told}");
        assert!(!told.contains("Booked"), "{told}");
    }
    line.world.complete(&call, 30).await;
    model.push(Script::Json(
        json!({"value": {"goal_reached": true, "collected": []}, "evidence": {}, "summary": "x"}),
    ));
    assert_eq!(line.completed(&call).await.outcome, "incomplete", "whatever the model believes");
}

async fn what_the_endpoint_wants_said_is_said_and_it_ends_or_hands_over_the_call(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    let with_person = |bot: &mut CreateBotRequest| bot.transfer_number = "+14155552671".to_owned();
    let line = Line::of(world, with_person).await;
    let table = [
        (json!({"say": "It is booked.\u{7} Bye!", "action": "hangup"}), "It is booked. Bye!", Then::HangUp),
        (json!({"action": "hangup"}), "Goodbye.", Then::HangUp),
        (json!({"say": "I get somebody.", "action": "transfer"}), "I get somebody.", Then::Transfer),
    ];
    for (body, expected, then) in table {
        let call = line.talk().await;
        line.world.tools_answer([answer(&body.to_string())]);
        model.push(act(&json!({"how_many": 4})));
        let asked = model.requests().len();
        assert_eq!(line.say(&call, 1, "A table for four.").await, (expected.to_owned(), then));
        assert_eq!(model.requests().len(), asked + 1, "the model has nothing more to say");
        if then == Then::Transfer {
            let part = line.world.turn(&call, 1, heard("A table for four.")).await;
            assert_eq!(part.transfer_to_e164, "+14155552671");
        }
        model.push(Script::Json(
            json!({"value": {"goal_reached": true, "collected": []}, "evidence": {}, "summary": "x"}),
        ));
        line.world.complete(&call, 9).await;
        let told = line.completed(&call).await;
        let expected = if then == Then::Transfer { "transferred" } else { "completed" };
        assert_eq!(told.outcome, expected);
    }
}

async fn what_a_bot_has_had_done_is_sent_once(engine: Engine) {
    let (line, model) = Line::scripted(engine).await;
    let call = line.talk().await;
    line.world.tools_answer([answer(r#"{"data": {"free": true}}"#), answer("{}")]);
    for turn in 1..=2 {
        model.push(act(&json!({"how_many": 4})));
        model.push(say("Done."));
        assert_eq!(line.say(&call, turn, "A table for four.").await.0, "Done.");
    }
    assert_eq!(line.world.sent().len(), 1, "the same is not done twice");
    model.push(act(&json!({"how_many": 5})));
    model.push(say("Done."));
    line.say(&call, 3, "Make it five.").await;
    assert_eq!(line.world.sent().len(), 2);
    // The model is told what stands in its answer, and what nobody needs to be told is not there.
    let told = model.requests().last().unwrap().body["messages"].to_string();
    assert!(told.contains("free"), "{told}");
    let tools = model.requests()[0].body["tools"].to_string();
    assert!(tools.contains("act_now") && !tools.contains("transfer_to_person"), "{tools}");
    let system = model.requests()[0].body["messages"][0]["content"].as_str().unwrap().to_owned();
    assert!(system.contains("Book table") && system.contains("Open 5-10PM"), "{system}");
    assert!(!system.contains("JSON Schema") && !system.contains("A table for four"), "{system}");
}

async fn what_was_answered_to_a_replica_that_died_is_said_by_the_next_one(engine: Engine) {
    let (line, model) = Line::scripted(engine).await;
    let call = line.talk().await;
    let (call_id, project) = (&call.call_id, line.world.project);
    let long_ago = "2020-01-01T00:00:00.000000Z";
    line.world
        .meddle(format!(
            "INSERT INTO turns (call_id, number, project_id, heard_kind, heard, state, generation, lease_until, opened_at, \
             asked_at) VALUES ('{call_id}', 1, '{project}', 'speech', 'A table.', 'running', 1, '{long_ago}', '{long_ago}', \
             '{long_ago}')"
        ))
        .await;
    let kept = json!({"said": "Your table is booked.", "then": "continue", "data": null}).to_string();
    line.world
        .meddle(format!(
            "INSERT INTO tool_calls (id, project_id, call_id, turn, model_id, name, arguments, outcome, result, asked_at) \
             VALUES ('{}', '{project}', '{call_id}', 1, 'c1', 'act_now', '{{\"action\": \"book\"}}', 'answered', '{kept}', \
             '{long_ago}')",
            CallId::new()
        ))
        .await;
    model.push(say("Anything else?"));
    assert_eq!(line.say(&call, 1, "A table.").await.0, "Your table is booked. Anything else?");
    assert!(line.world.sent().is_empty());
}

async fn a_bot_that_is_changed_or_deleted_during_a_call_does_not_change_it(engine: Engine) {
    let line = Line::new(engine).await;
    let (business_id, bot_id) = (line.business.to_string(), line.bot.id.clone());
    let (call, _) = line.rings_from(CALLER).await;
    let change = UpdateBotRequest {
        business_id: business_id.clone(),
        bot_id: bot_id.clone(),
        greeting: Some("Changed.".to_owned()),
        voice: Some("woman".to_owned()),
        goal: Some("Sell shoes".to_owned()),
        webhook: Some("https://elsewhere.example".to_owned()),
        status: Some("disabled".to_owned()),
        ..UpdateBotRequest::default()
    };
    bots(&line.world).update_bot(context(), change).await.unwrap();
    let first = line.world.turn(&call, 0, answered()).await;
    assert_eq!((first.voice.as_str(), GREETING.starts_with(&first.text)), ("man", true));
    line.world.whole_turn(&call, 0, answered()).await;
    bots(&line.world).delete_bot(context(), DeleteBotRequest { business_id, bot_id }).await.unwrap();
    line.world.tools_answer([answer("{}")]);
    line.say(&call, 1, "A table for two tomorrow. My name is Ada.").await;
    assert_eq!(line.world.heard.tool_calls.lock().unwrap()[0].url, URL);
    line.world.complete(&call, 9).await;
    let told = line.completed(&call).await;
    assert_eq!((told.webhook.as_str(), told.goal.as_str()), (URL, "Book table"));
    let seen = line.get(line.business, &call.call_id).await.unwrap();
    assert_eq!((seen.bot_id.as_str(), seen.outcome.as_str()), (line.bot.id.as_str(), "completed"));
}

fn conflict(answer: Result<bool, RpcError>) -> String {
    match answer {
        Err(RpcError::Conflict { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

async fn a_caller_and_a_bot_have_as_many_calls_as_they_may(engine: Engine) {
    let world =
        World::with(engine, &[("ECHO_BOT_LIVE_CALLS", "5"), ("ECHO_BOT_CALLER_HOURLY_CALLS", "4")]).await;
    let line = Line::of(world, |_| {}).await;
    let mut calls = Vec::new();
    for _ in 0..3 {
        calls.push(line.rings_from(CALLER).await);
    }
    assert_eq!(conflict(line.begin(&line.request(CALLER)).await), "caller_limit", "three at the same time");
    line.begin(&calls[0].1).await.unwrap();
    let others: Vec<_> = (0..2).map(|n| format!("+1415555020{n}")).collect();
    for other in &others {
        line.rings_from(other).await;
    }
    let sixth = line.request("+14155550300");
    assert_eq!(conflict(line.begin(&sixth).await), "bot_limit");
    let (call, _) = &calls[0];
    line.world.whole_turn(call, 0, answered()).await;
    line.world.complete(call, 3).await;
    line.completed(call).await;
    line.begin(&line.request(CALLER)).await.unwrap();
    let (second, _) = &calls[1];
    line.world.whole_turn(second, 0, answered()).await;
    line.world.complete(second, 3).await;
    line.completed(second).await;
    assert_eq!(conflict(line.begin(&line.request(CALLER)).await), "caller_limit", "four in an hour");
    line.begin(&sixth).await.unwrap();
}

async fn callers_who_hide_their_number_count_together(engine: Engine) {
    let line = Line::new(engine).await;
    let other =
        bots(&line.world).create_bot(context(), table(line.business, line.world.project)).await.unwrap();
    let (hidden, _) = line.rings_from("").await;
    for _ in 0..2 {
        line.rings_from("").await;
    }
    assert_eq!(conflict(line.begin(&line.request("")).await), "caller_limit");
    let at_the_other = BeginBotCallRequest { bot_id: other.id, ..line.request("") };
    line.begin(&at_the_other).await.unwrap();
    let seen = line.get(line.business, &hidden.call_id).await.unwrap();
    assert_eq!((seen.from_e164.as_str(), seen.to_e164.as_str()), ("", RUNG));
    // "Do not call me" is heard, and there is no number to put on a list.
    line.world.whole_turn(&hidden, 0, answered()).await;
    assert_eq!(line.say(&hidden, 1, "Stop calling me.").await.1, Then::HangUp);
    line.world.complete(&hidden, 5).await;
    assert_eq!(line.completed(&hidden).await.ended_reason, "opt-out");
    assert_eq!(line.world.count("suppressions").await, 0);
}

async fn a_project_sees_no_notification_of_a_bot(engine: Engine) {
    let line = Line::new(engine).await;
    let (world, project) = (&line.world, line.world.project.to_string());
    let placed = world.place(by_agent(world.project)).await;
    let call = line.talk().await;
    line.say(&call, 1, "A table for two tomorrow. My name is Ada.").await;
    let nothing_seen = || async {
        let listed: Vec<String> = world.list(100, "").await.notifications.into_iter().map(|n| n.id).collect();
        assert_eq!(listed, [placed.id.as_str()]);
        assert!(matches!(world.try_get(&project, &call.call_id).await, Err(RpcError::NotFound(_))));
        assert!(matches!(world.try_call(&project, &call.call_id).await, Err(RpcError::NotFound(_))));
        assert!(matches!(world.stop_it(&project, &call.call_id).await, Err(RpcError::NotFound(_))));
    };
    nothing_seen().await;
    world.complete(&call, 9).await;
    line.completed(&call).await;
    nothing_seen().await;
    assert!(world.heard.summaries.lock().unwrap().is_empty());
    assert!(world.heard.stops.lock().unwrap().is_empty());
}

async fn a_business_reads_its_calls_and_nobody_elses(engine: Engine) {
    let line = Line::new(engine).await;
    let other =
        bots(&line.world).create_bot(context(), table(line.business, line.world.project)).await.unwrap();
    let stranger = BusinessId::new();
    let call = line.talk().await;
    line.say(&call, 1, "A table for two tomorrow.").await;
    line.world.complete(&call, 9).await;
    line.completed(&call).await;
    let (second, _) = line.rings_from("+14155550111").await;
    let third = BeginBotCallRequest { bot_id: other.id.clone(), ..line.request("+14155550112") };
    line.begin(&third).await.unwrap();

    let ids = |calls: &[BotCall]| -> Vec<String> {
        calls.iter().map(|c| c.call.as_ref().unwrap().id.clone()).collect()
    };
    let all = [third.call_id.clone(), second.call_id.clone(), call.call_id.clone()];
    for limit in [1, 2, 100] {
        assert_eq!(ids(&line.list(ListBotCallsRequest::default(), limit).await), all);
    }
    let of_bot = ListBotCallsRequest { bot_id: other.id, ..Default::default() };
    assert_eq!(ids(&line.list(of_bot, 100).await), all[..1]);
    let over = ListBotCallsRequest { status: "completed".to_owned(), ..Default::default() };
    let over = line.list(over, 1).await;
    assert_eq!(ids(&over), all[2..]);
    let listed = over[0].call.as_ref().unwrap();
    assert!(listed.turns.is_empty() && listed.inbound && listed.notification_id.is_empty());
    let foreign = ListBotCallsRequest { business_id: stranger.to_string(), ..Default::default() };
    assert!(line.list(foreign, 100).await.is_empty());

    let seen = line.get(line.business, &call.call_id).await.unwrap();
    assert_eq!((seen.from_e164.as_str(), seen.to_e164.as_str()), (CALLER, RUNG));
    assert_eq!(
        (seen.outcome.as_str(), json_of(&seen.collected_json)["how_many"].clone()),
        ("incomplete", json!(2))
    );
    let inner = seen.call.clone().unwrap();
    assert_eq!((inner.status.as_str(), inner.turns.len()), ("completed", 3));
    let by_sid = line.get(line.business, &inner.carrier_call_sid).await;
    assert_eq!(by_sid, Ok(seen));
    let waits = line.get(line.business, &second.call_id).await.unwrap();
    assert_eq!((waits.outcome.as_str(), waits.collected_json.as_str()), ("", ""));
    for id in [call.call_id.as_str(), inner.carrier_call_sid.as_str()] {
        assert!(matches!(line.get(stranger, id).await, Err(RpcError::NotFound(_))), "{id}");
    }
    let wrong = ListBotCallsRequest {
        business_id: line.business.to_string(),
        status: "asleep".to_owned(),
        limit: 1,
        ..Default::default()
    };
    let refused = BotCallsClient::new(line.world.caller()).list_bot_calls(context(), wrong).await;
    assert!(matches!(refused, Err(RpcError::Invalid { field, .. }) if field == "status"));
}

async fn who_hangs_up_or_stays_silent_has_abandoned_the_call(engine: Engine) {
    let line = Line::new(engine).await;
    let call = line.talk().await;
    line.world.complete(&call, 3).await;
    let told = line.completed(&call).await;
    assert_eq!((told.outcome.as_str(), told.ended_reason.as_str()), ("abandoned", "customer-ended-call"));
    assert_eq!((told.collected_json.as_str(), told.evidence_json.as_str()), ("{}", "{}"));
    assert!(told.transcript.starts_with("AI: Hi, welcome"), "{}", told.transcript);

    let call = line.talk().await;
    for turn in 1..=2 {
        let (said, then) = line.world.whole_turn(&call, turn, silence()).await;
        assert_eq!(then, i32::from(Then::Listen), "{said}");
    }
    assert_eq!(line.world.whole_turn(&call, 3, silence()).await.1, i32::from(Then::HangUp));
    line.world.complete(&call, 30).await;
    let told = line.completed(&call).await;
    assert_eq!((told.outcome.as_str(), told.ended_reason.as_str()), ("abandoned", "silence"));
}

async fn a_model_that_cannot_read_the_call_leaves_it_incomplete(engine: Engine) {
    let (line, model) = Line::scripted(engine).await;
    let call = line.talk().await;
    model.push(say("For how many?"));
    line.say(&call, 1, "A table, please.").await;
    for _ in 0..2 {
        model.push(Script::WrongJson);
    }
    line.world.complete(&call, 9).await;
    let told = line.completed(&call).await;
    assert_eq!((told.outcome.as_str(), told.collected_json.as_str()), ("incomplete", "{}"));
}

async fn what_was_said_is_forgotten_with_the_project_and_told_once_all_the_same(engine: Engine) {
    let line = Line::new(engine).await;
    let over = line.talk().await;
    line.say(&over, 1, "A table for two tomorrow. My name is Ada.").await;
    line.world.complete(&over, 9).await;
    let before = line.completed(&over).await;
    let live = line.talk().await;
    line.say(&live, 1, "A table for nine.").await;
    line.world.delete_project().await;
    let stopped = || async {
        let stops = line.world.heard.stops.lock().unwrap();
        if stops.iter().any(|stop| stop.attempt_id == live.attempt_id) { Ok(()) } else { Err(()) }
    };
    eventually("the call to be stopped", PATIENCE, stopped).await;
    line.world.complete(&live, 9).await;
    let told = line.completed(&live).await;
    assert_eq!((told.outcome.as_str(), told.webhook.as_str()), ("failed", URL));
    let forgotten = || async {
        line.world.clock.advance(std::time::Duration::from_secs(6));
        match line.world.count("erasures").await {
            0 => Ok(()),
            n => Err(n),
        }
    };
    eventually("everybody forgotten", PATIENCE, forgotten).await;
    for personal in [
        "notifications WHERE phone <> '' OR CAST(outcome AS TEXT) LIKE '%Ada%'",
        "turns WHERE heard IS NOT NULL",
        "sentences WHERE text <> ''",
        "tool_calls WHERE result IS NOT NULL OR CAST(arguments AS TEXT) LIKE '%Ada%'",
    ] {
        assert_eq!(line.world.count(personal).await, 0, "{personal}");
    }
    let seen = line.get(line.business, &over.call_id).await.unwrap();
    assert_eq!((seen.from_e164.as_str(), seen.to_e164.as_str()), ("", RUNG));
    assert_eq!((seen.outcome, seen.collected_json.as_str()), (before.outcome, ""));
}

async fn keys_are_heard_as_keys(engine: Engine) {
    let (line, model) = Line::scripted(engine).await;
    let call = line.talk().await;
    model.push(say("Thank you."));
    line.world.whole_turn(&call, 1, digits("42#")).await;
    let told = model.requests().last().unwrap().body["messages"].to_string();
    assert!(told.contains("pressed the keys 42#"), "{told}");
}

async fn bots_take_no_line_from_the_calls_of_their_project(engine: Engine) {
    let line = Line::new(engine).await;
    for n in 0..10 {
        line.rings_from(&format!("+1415555040{n}")).await;
    }
    let placed = line.world.place(by_agent(line.world.project)).await;
    assert_eq!((placed.status.as_str(), placed.blocked_by.as_str()), ("in_progress", ""));
}

async fn what_was_said_is_kept_no_longer_than_the_project_wants(engine: Engine) {
    let line = Line::new(engine).await;
    let call = line.talk().await;
    line.say(&call, 1, "A table for two tomorrow. My name is Ada.").await;
    line.world.complete(&call, 9).await;
    line.completed(&call).await;
    let personal = "notifications WHERE phone <> '' OR CAST(outcome AS TEXT) LIKE '%Ada%'";
    assert_eq!(line.world.count(personal).await, 1);
    // Nothing was ever heard of the project: ninety days are the default.
    line.world.pass(Duration::from_secs(91 * 24 * 3600)).await;
    let blanked = || async {
        match line.world.count(personal).await {
            0 => Ok(()),
            n => Err(n),
        }
    };
    eventually("old calls to be blanked", PATIENCE, blanked).await;
    let seen = line.get(line.business, &call.call_id).await.unwrap();
    assert_eq!((seen.from_e164.as_str(), seen.outcome.as_str()), ("", "incomplete"));
    assert!(seen.call.unwrap().turns.iter().all(|said| said.text.trim().is_empty()));
}

async fn a_call_of_which_no_more_is_heard_is_stopped_closed_and_told(engine: Engine) {
    let line = Line::new(engine).await;
    let call = line.talk().await;
    line.world.pass(Duration::from_secs(1_800 + 310)).await;
    let stopped = || async {
        let stops = line.world.heard.stops.lock().unwrap().len();
        if stops == 1 { Ok(()) } else { Err(stops) }
    };
    eventually("one stop", PATIENCE, stopped).await;
    line.world.pass(Duration::from_secs(301)).await;
    let told = line.completed(&call).await;
    assert_eq!((told.outcome.as_str(), told.ended_reason.as_str()), ("failed", "carrier-error"));
    line.world.complete(&call, 30).await;
    line.world.quiet().await;
    assert_eq!(line.completed(&call).await, told, "and once");
}
