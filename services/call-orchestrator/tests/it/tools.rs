//! Systems of the user's that are called in a conversation.

use contracts::accounts::ProjectPolicy;
use contracts::calls::{DialRequested, PlaceNotificationRequest, Then};
use contracts::ids::{BusinessId, ProjectId};
use contracts::rpc::RpcError;
use contracts::webhooks::{CallNowOutcome, CallNowResponse};
use serde_json::{Value, json};
use testkit::database::Engine;
use testkit::model_server::{ModelServer, Script};
use testkit::on_both_engines;
use testkit::wait::eventually;

use crate::world::{PATIENCE, World, answered, by_agent, heard};

on_both_engines![
    a_tool_is_called_signed_for_and_its_answer_goes_to_the_model_as_data,
    what_is_said_before_a_call_is_spoken_while_it_runs,
    a_tool_that_is_late_or_broken_is_told_to_the_model_and_the_call_goes_on,
    the_model_remembers_in_later_turns_what_was_answered,
    a_call_of_unknown_end_is_not_made_again_by_whoever_takes_the_turn_over,
    arguments_against_the_tools_schema_are_told_to_the_model_and_sent_to_nobody,
    a_turn_makes_five_calls_at_most,
    nothing_is_called_before_somebody_has_picked_up,
    a_tool_that_does_not_exist_is_told_to_the_model,
    tools_that_cannot_be_used_are_refused_with_their_place,
    a_person_in_a_country_that_may_not_be_rung_is_not_put_on_the_line,
    the_offline_model_calls_a_tool_when_all_that_it_requires_is_known,
];

const URL: &str = "https://shop.example.com/orders";

fn with_tools(project: ProjectId) -> PlaceNotificationRequest {
    let mut request = by_agent(project);
    let parameters =
        json!({"type": "object", "required": ["order"], "properties": {"order": {"type": "integer"}}});
    let tools =
        json!([{"name": "look_up", "description": "Finds an order.", "parameters": parameters, "url": URL}]);
    request.agent.as_mut().unwrap().tools_json = tools.to_string();
    PlaceNotificationRequest { business_id: BusinessId::new().to_string(), ..request }
}

fn call(text: &[&str], arguments: &Value) -> Script {
    Script::Call {
        text: text.iter().map(|t| (*t).to_owned()).collect(),
        name: "look_up".to_owned(),
        arguments: arguments.to_string(),
    }
}

fn say(text: &str) -> Script {
    Script::Say(vec![text.to_owned()])
}

pub(crate) fn answer(body: &str) -> CallNowResponse {
    CallNowResponse {
        outcome: CallNowOutcome::Answered.into(),
        status: 200,
        body: body.to_owned(),
        duration_ms: 3,
        ..CallNowResponse::default()
    }
}

fn failed(outcome: CallNowOutcome, status: u32) -> CallNowResponse {
    CallNowResponse { outcome: outcome.into(), status, ..CallNowResponse::default() }
}

impl World {
    pub(crate) fn tools_answer(&self, answers: impl IntoIterator<Item = CallNowResponse>) {
        self.heard.tool_answers.lock().unwrap().extend(answers);
    }

    pub(crate) fn sent(&self) -> Vec<Value> {
        let calls = self.heard.tool_calls.lock().unwrap();
        calls.iter().map(|call| serde_json::from_str(&call.body_json).unwrap()).collect()
    }
}

async fn talking(engine: Engine) -> (World, ModelServer, DialRequested) {
    let (world, model) = World::scripted(engine).await;
    let (_, dial) = world.talk(with_tools(world.project)).await;
    (world, model, dial)
}

/// What the model was told in its latest request, as text.
fn told(model: &ModelServer) -> String {
    model.requests().last().unwrap().body["messages"].to_string()
}

async fn arguments_against_the_tools_schema_are_told_to_the_model_and_sent_to_nobody(engine: Engine) {
    let (world, model, dial) = talking(engine).await;
    world.tools_answer([answer("shipped")]);
    model.push(call(&[], &json!({"order": "seven"})));
    model.push(call(&[], &json!({})));
    model.push(call(&[], &json!({"order": 7})));
    model.push(say("It was sent."));
    assert_eq!(world.whole_turn(&dial, 1, heard("Where is order seven?")).await.0, "It was sent.");
    let sent: Vec<Value> = world.sent().iter().map(|body| body["arguments"].clone()).collect();
    assert_eq!(sent, [json!({"order": 7})]);
    assert_eq!(world.count("tool_calls").await, 1, "what was not called is not written down");
    let told = told(&model);
    assert!(told.contains("/order: ") && told.contains("is a required property"), "{told}");
}

async fn a_tool_is_called_signed_for_and_its_answer_goes_to_the_model_as_data(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    let request = with_tools(world.project);
    let business = request.business_id.clone();
    let (placed, dial) = world.talk(request).await;
    let long = "x".repeat(5_000);
    world.tools_answer([answer(&long)]);
    model.push(call(&[], &json!({"order": 7})));
    model.push(say("It was sent."));
    assert_eq!(world.whole_turn(&dial, 1, heard("Where is order seven?")).await.0, "It was sent.");
    let asked = world.heard.tool_calls.lock().unwrap()[0].clone();
    assert_eq!((asked.url.as_str(), asked.deadline_ms), (URL, 3_000));
    assert_eq!((&asked.business_id, &asked.owner_id), (&business, &placed.agent_id));
    let body = world.sent().remove(0);
    assert_eq!(body["event_id"], asked.event_id.as_str());
    let expected = [
        ("event_name", json!("agent.tool")),
        ("tool", json!("look_up")),
        ("arguments", json!({"order": 7})),
        ("notification_id", json!(placed.id)),
        ("call_id", json!(dial.call_id)),
        ("customer_id", json!(placed.customer_id)),
        ("external_id", json!("user_1")),
        ("agent_id", json!(placed.agent_id)),
    ];
    for (name, value) in expected {
        assert_eq!(body[name], value, "{name}");
    }
    assert!(body["timestamp"].as_str().unwrap().ends_with('Z'));
    let messages = model.requests()[1].body["messages"].clone();
    let last = messages.as_array().unwrap().last().unwrap().clone();
    assert_eq!(last["role"], "tool");
    let handed = format!(r#"{{"answer":"{}"}}"#, "x".repeat(4_000));
    assert_eq!(last["content"], handed, "no more than four thousand characters");
    assert_eq!(world.count("tool_calls WHERE outcome = 'answered' AND turn = 1").await, 1);
}

async fn what_is_said_before_a_call_is_spoken_while_it_runs(engine: Engine) {
    let (world, model, dial) = talking(engine).await;
    let gate = world.heard.tool_gate.lock().await;
    world.tools_answer([answer("sent")]);
    model.push(call(&["Let me see."], &json!({"order": 7})));
    model.push(say("It was sent."));
    let first = world.turn(&dial, 1, heard("Where is it?")).await;
    assert_eq!(first.text, "Let me see.");
    drop(gate);
    assert_eq!(world.part(&dial, 1, 1, 20_000).await.text, "It was sent.");
    assert!(told(&model).contains("Let me see."), "the model knows what it has said");
}

async fn a_tool_that_is_late_or_broken_is_told_to_the_model_and_the_call_goes_on(engine: Engine) {
    let (world, model, dial) = talking(engine).await;
    let ends = [
        (failed(CallNowOutcome::TimedOut, 0), "not known whether it was done"),
        (failed(CallNowOutcome::Refused, 422), "status 422"),
        (failed(CallNowOutcome::Refused, 500), "not known whether it was done"),
        (failed(CallNowOutcome::Unreachable, 0), "could not be reached"),
    ];
    for (turn, (end, expected)) in (1_u32..).zip(ends) {
        world.tools_answer([end]);
        model.push(call(&[], &json!({ "order": turn })));
        model.push(say("Somebody will follow up."));
        let said = world.whole_turn(&dial, turn, heard("Where is it?")).await;
        assert_eq!(said, ("Somebody will follow up.".to_owned(), i32::from(contracts::calls::Then::Listen)));
        assert!(told(&model).contains(expected), "{expected} is missing");
    }
}

async fn the_model_remembers_in_later_turns_what_was_answered(engine: Engine) {
    let (world, model, dial) = talking(engine).await;
    world.tools_answer([answer("sent on Monday")]);
    model.push(call(&[], &json!({"order": 7})));
    model.push(say("On Monday."));
    model.push(say("As I said."));
    world.whole_turn(&dial, 1, heard("When was it sent?")).await;
    world.whole_turn(&dial, 2, heard("When?")).await;
    let messages = model.requests().last().unwrap().body["messages"].clone();
    let roles: Vec<_> = messages.as_array().unwrap().iter().map(|m| m["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["system", "user", "assistant", "user", "assistant", "tool", "assistant", "user"]);
    assert!(messages[5].to_string().contains("sent on Monday"));
}

async fn a_call_of_unknown_end_is_not_made_again_by_whoever_takes_the_turn_over(engine: Engine) {
    let (world, model, dial) = talking(engine).await;
    let call_id = &dial.call_id;
    let (project, id) = (world.project, contracts::ids::EventId::new());
    // As if another replica had sent it, and died before an answer came.
    world
        .meddle(format!(
            "INSERT INTO turns (call_id, number, project_id, heard_kind, heard, state, generation, lease_until, \
             opened_at, asked_at) VALUES ('{call_id}', 1, '{project}', 'speech', 'Order seven.', 'running', 1, \
             '2020-01-01T00:00:00.000000Z', '2020-01-01T00:00:00.000000Z', '2020-01-01T00:00:00.000000Z')"
        ))
        .await;
    world
        .meddle(format!(
            "INSERT INTO tool_calls (id, project_id, call_id, turn, model_id, name, arguments, asked_at) VALUES \
             ('{id}', '{project}', '{call_id}', 1, 'c1', 'look_up', '{{\"order\": 7}}', \
             '2020-01-01T00:00:00.000000Z')"
        ))
        .await;
    model.push(call(&[], &json!({"order": 7})));
    model.push(say("Somebody will follow up."));
    let said = world.whole_turn(&dial, 1, heard("Order seven.")).await.0;
    assert_eq!(said, "Somebody will follow up.");
    assert!(world.sent().is_empty(), "it may have been done already");
    let asked = model.requests();
    for request in &asked {
        assert!(request.body["messages"].to_string().contains("not known whether it was done"));
    }
    assert_eq!(asked.len(), 2);
}

async fn a_turn_makes_five_calls_at_most(engine: Engine) {
    let (world, model, dial) = talking(engine).await;
    world.tools_answer((0..9).map(|_| answer("sent")));
    for order in 0..5 {
        model.push(call(&[], &json!({ "order": order })));
    }
    model.push(say("That is all."));
    assert_eq!(world.whole_turn(&dial, 1, heard("All of them!")).await.0, "That is all.");
    let tools = model.requests().last().unwrap().body["tools"].to_string();
    assert!(!tools.contains("look_up"), "nothing more is offered: {tools}");
    for order in 5..14 {
        model.push(call(&[], &json!({ "order": order })));
    }
    let (said, _) = world.whole_turn(&dial, 2, heard("And the others!")).await;
    assert!(said.contains("technical problem"), "a model that only calls is given up: {said}");
    assert_eq!(world.sent().len(), 10);
}

async fn nothing_is_called_before_somebody_has_picked_up(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    let mut request = with_tools(world.project);
    request.agent.as_mut().unwrap().first_message.clear();
    model.push(call(&["Hello."], &json!({"order": 7})));
    model.push(say("It is Acme."));
    let (_, dial) = world.ring(request).await;
    assert_eq!(world.whole_turn(&dial, 0, answered()).await.0, "Hello. It is Acme.");
    assert!(!model.requests()[0].body["tools"].to_string().contains("look_up"));
    assert!(world.sent().is_empty());
}

async fn a_tool_that_does_not_exist_is_told_to_the_model(engine: Engine) {
    let (world, model, dial) = talking(engine).await;
    model.push(Script::Call { text: vec![], name: "dance".to_owned(), arguments: "{}".to_owned() });
    model.push(say("I cannot."));
    assert_eq!(world.whole_turn(&dial, 1, heard("Dance!")).await.0, "I cannot.");
    assert!(told(&model).contains("there is no such tool"));
}

async fn tools_that_cannot_be_used_are_refused_with_their_place(engine: Engine) {
    let world = World::new(engine).await;
    let mut request = with_tools(world.project);
    request.agent.as_mut().unwrap().tools_json = json!([{"name": "end_call", "url": URL}]).to_string();
    let refused = world.try_place(request).await.unwrap_err();
    assert!(matches!(&refused, RpcError::Invalid { field, .. } if field == "tools"), "{refused}");
}

async fn the_offline_model_calls_a_tool_when_all_that_it_requires_is_known(engine: Engine) {
    let world = World::new(engine).await;
    let mut request = with_tools(world.project);
    let agent = request.agent.as_mut().unwrap();
    agent.first_message = "Hello. What is your order number?".to_owned();
    agent.output_schema_json = json!({"type": "object", "required": ["order"], "properties": {
        "order": {"type": "integer", "description": "What is your order number?"},
    }})
    .to_string();
    world.tools_answer([answer(r#"{"message": "It was sent on Monday."}"#)]);
    let (placed, dial) = world.talk(request).await;
    let (said, _) = world.whole_turn(&dial, 1, heard("It is forty two.")).await;
    assert!(said.starts_with("I have looked it up: It was sent on Monday."), "{said}");
    assert_eq!(world.sent()[0]["arguments"], json!({"order": 42}));
    world.complete(&dial, 9).await;
    let summary = world.summary(&placed.id).await;
    assert_eq!(serde_json::from_str::<Value>(&summary.analysis_json).unwrap(), json!({"order": 42}));
    let look = || async { if world.sent().len() == 1 { Ok(()) } else { Err(world.sent()) } };
    eventually("one call", PATIENCE, look).await;
}

async fn a_person_in_a_country_that_may_not_be_rung_is_not_put_on_the_line(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    let transfer = || Script::Call {
        text: Vec::new(),
        name: "transfer_to_person".to_owned(),
        arguments: "{}".to_owned(),
    };
    let policy = ProjectPolicy { allowed_countries: vec!["US".to_owned()], ..world.policy(1) };
    for (number, then) in [("+442079460018", Then::HangUp), ("+14155552671", Then::Transfer)] {
        let mut request =
            PlaceNotificationRequest { policy: Some(policy.clone()), ..by_agent(world.project) };
        request.agent.as_mut().unwrap().transfer_number = number.to_owned();
        let (_, dial) = world.talk(request).await;
        model.push(transfer());
        let (_, last) = world.whole_turn(&dial, 1, heard("May I speak to a person?")).await;
        assert_eq!(last, i32::from(then), "{number}");
        let tools = model.requests().last().unwrap().body["tools"].to_string();
        assert_eq!(tools.contains("transfer_to_person"), then == Then::Transfer, "{number}: {tools}");
    }
}
