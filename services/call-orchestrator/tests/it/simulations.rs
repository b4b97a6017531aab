//! An agent that is tried without a call.

use contracts::accounts::ProjectPolicy;
use contracts::calls::PlaceNotificationRequest;
use contracts::calls::{
    PreviewPromptRequest, SimulateRequest, SimulateResponse, SimulatedUtterance, SimulationsClient,
};
use contracts::rpc::RpcError;
use serde_json::{Value, json};
use testkit::database::Engine;
use testkit::model_server::Script;
use testkit::on_both_engines;

use crate::world::{OPENING, World, by_agent, by_message, context};

on_both_engines![
    a_preview_shows_the_prompt_and_what_nothing_fills,
    a_conversation_is_held_in_writing_and_nothing_is_kept,
    what_would_be_called_is_told_and_not_called,
    the_rules_of_a_call_hold_in_writing_too,
    nobody_is_put_through_where_a_call_would_not_put_them_through,
    a_model_that_gives_no_answer_is_said_to_be_away,
    a_conversation_without_end_is_refused,
];

impl World {
    pub(crate) async fn simulate(
        &self,
        parts: &PlaceNotificationRequest,
        lines: &[(bool, &str)],
    ) -> SimulateResponse {
        self.try_simulate(parts, lines).await.unwrap()
    }

    async fn try_simulate(
        &self,
        parts: &PlaceNotificationRequest,
        lines: &[(bool, &str)],
    ) -> Result<SimulateResponse, RpcError> {
        let said = |(by_agent, text): &(bool, &str)| SimulatedUtterance {
            by_agent: *by_agent,
            text: (*text).to_owned(),
        };
        let request = SimulateRequest {
            parts: Some(parts.clone()),
            history: lines.iter().map(said).collect(),
            extract: true,
        };
        SimulationsClient::new(self.caller()).simulate(context(), request).await
    }
}

async fn a_preview_shows_the_prompt_and_what_nothing_fills(engine: Engine) {
    let world = World::new(engine).await;
    let mut parts = by_agent(world.project);
    let agent = parts.agent.as_mut().unwrap();
    agent.system_prompt = "Call {{recipient_name}} about {{what}}.".to_owned();
    agent.first_message = "Hi {{recipient_first_name}}, {{when}}?".to_owned();
    let client = SimulationsClient::new(world.caller());
    let preview =
        client.preview_prompt(context(), PreviewPromptRequest { parts: Some(parts) }).await.unwrap();
    assert_eq!(preview.prompt, "Call John Smith about {{what}}.");
    assert_eq!(preview.unresolved_variables, ["what", "when"]);
    assert_eq!(preview.first_message, "Hi John, {{when}}?");
    assert_eq!(world.count("notifications").await, 0);
}

async fn a_conversation_is_held_in_writing_and_nothing_is_kept(engine: Engine) {
    let world = World::new(engine).await;
    let parts = by_agent(world.project);
    let first = world.simulate(&parts, &[]).await;
    assert_eq!((first.text.as_str(), first.ended, first.model.as_str()), (OPENING, false, "offline"));
    assert_eq!(first.result_json, "", "nobody has said anything");
    let second = world.simulate(&parts, &[(true, OPENING), (false, "Yes, that works.")]).await;
    let value: Value = serde_json::from_str(&second.result_json).unwrap();
    assert_eq!(value["confirmed"], true);
    let evidence: Value = serde_json::from_str(&second.evidence_json).unwrap();
    assert_eq!(evidence["confirmed"], json!({"status": "grounded", "turn": 1, "quote": "Yes, that works."}));
    assert_eq!((world.count("turns").await, world.count("calls").await), (0, 0));
}

async fn what_would_be_called_is_told_and_not_called(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    let mut parts = by_agent(world.project);
    let tool = json!([{"name": "look_up", "parameters": {"type": "object"}, "url": "https://example.com/x"}]);
    parts.agent.as_mut().unwrap().tools_json = tool.to_string();
    model.push(Script::Call {
        text: vec!["Let me see.".to_owned()],
        name: "look_up".to_owned(),
        arguments: r#"{"order":7}"#.to_owned(),
    });
    model.push(Script::Say(vec!["Done.".to_owned()]));
    model.push(Script::Json(json!({"value": {}, "summary": "x"})));
    let answer = world.simulate(&parts, &[(true, OPENING), (false, "Order seven?")]).await;
    assert_eq!(answer.text, "Let me see. Done.");
    let calls: Vec<_> =
        answer.tool_calls.iter().map(|c| (c.name.as_str(), c.arguments_json.as_str())).collect();
    assert_eq!(calls, [("look_up", r#"{"order":7}"#)]);
    assert!(world.sent().is_empty());
}

async fn the_rules_of_a_call_hold_in_writing_too(engine: Engine) {
    let world = World::new(engine).await;
    let parts = PlaceNotificationRequest {
        disclosure_line: "A machine calls.".to_owned(),
        ..by_agent(world.project)
    };
    assert_eq!(world.simulate(&parts, &[]).await.text, format!("A machine calls. {OPENING}"));
    let opt_out = world.simulate(&parts, &[(true, OPENING), (false, "Stop calling me.")]).await;
    assert_eq!((opt_out.ended, opt_out.ended_reason.as_str()), (true, "opt-out"));
    assert_eq!(world.count("suppressions").await, 0, "it was only tried");
    let silent = [(true, OPENING), (true, "Are you there?"), (true, "I cannot hear you.")];
    let silence = world.simulate(&parts, &silent).await;
    assert_eq!((silence.ended, silence.ended_reason.as_str()), (true, "silence"));
    let goodbye =
        world.simulate(&by_message(world.project), &[(true, "Anything to ask?"), (false, "No, bye.")]).await;
    assert_eq!(
        (goodbye.ended, goodbye.ended_reason.as_str()),
        (true, "agent-ended-call"),
        "{}",
        goodbye.text
    );
}

async fn a_model_that_gives_no_answer_is_said_to_be_away(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    model.push(Script::Status { code: 400, body: String::new(), retry_after: None });
    let answer = world.try_simulate(&by_agent(world.project), &[(true, OPENING), (false, "Yes.")]).await;
    assert!(matches!(answer, Err(RpcError::Unavailable(_))), "{answer:?}");
}

async fn a_conversation_without_end_is_refused(engine: Engine) {
    let world = World::new(engine).await;
    let answer = world.try_simulate(&by_agent(world.project), &[(true, "Hello?"); 101]).await;
    assert!(matches!(&answer, Err(RpcError::Invalid { field, .. }) if field == "messages"), "{answer:?}");
}

async fn nobody_is_put_through_where_a_call_would_not_put_them_through(engine: Engine) {
    let world = World::new(engine).await;
    let policy = ProjectPolicy { allowed_countries: vec!["US".to_owned()], ..world.policy(1) };
    for (number, reason) in [("+442079460018", ""), ("+14155552671", "transferred")] {
        let mut parts = PlaceNotificationRequest { policy: Some(policy.clone()), ..by_agent(world.project) };
        parts.agent.as_mut().unwrap().transfer_number = number.to_owned();
        let said = world.simulate(&parts, &[(true, OPENING), (false, "Can I speak to a person?")]).await;
        assert_eq!(said.ended_reason, reason, "{number}: {}", said.text);
    }
}
