//! What was learned in a call, and how it is checked.

use contracts::calls::{CallSummarised, PlaceNotificationRequest};
use contracts::ids::ProjectId;
use contracts::rpc::RpcError;
use serde_json::{Value, json};
use testkit::database::Engine;
use testkit::model_server::{ModelServer, Script};
use testkit::on_both_engines;

use crate::world::{World, by_agent, by_message, heard};

on_both_engines![
    what_was_learned_is_kept_with_its_evidence,
    a_value_against_the_schema_is_asked_for_once_more_with_the_errors,
    a_property_that_stays_wrong_is_not_learned_and_the_others_are,
    an_answer_that_is_no_json_is_asked_for_once_more_with_the_error,
    a_model_that_never_gives_json_teaches_nothing_and_the_summary_says_so,
    a_quote_that_nobody_said_is_flagged,
    nothing_is_read_out_of_a_call_in_which_the_customer_said_nothing,
    nothing_is_read_out_of_a_call_that_asks_for_nothing,
    a_pattern_that_would_backtrack_for_ever_holds_nobody_up,
    a_schema_that_cannot_be_used_any_more_teaches_nothing_and_the_summary_says_so,
    a_schema_that_could_run_away_is_refused_with_its_place,
];

/// A call in which the customer agrees, read with these scripts.
async fn agreed(engine: Engine, scripts: Vec<Script>) -> (World, ModelServer, CallSummarised) {
    let (world, model) = World::scripted(engine).await;
    let (placed, dial) = world.talk(by_agent(world.project)).await;
    model.push(Script::Say(vec!["Good.".to_owned()]));
    world.whole_turn(&dial, 1, heard("Yes, that works for me.")).await;
    for script in scripts {
        model.push(script);
    }
    world.complete(&dial, 9).await;
    let summary = world.summary(&placed.id).await;
    let seen = world.get(&placed.id).await;
    assert_eq!(seen.call_result_json, summary.analysis_json);
    (world, model, summary)
}

fn read(value: &Value, quote: &str) -> Script {
    let evidence = json!({"confirmed": {"turn": 1, "quote": quote}});
    Script::Json(json!({"value": value, "evidence": evidence, "summary": "They agreed."}))
}

fn json_of(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|e| panic!("{text}: {e}"))
}

async fn what_was_learned_is_kept_with_its_evidence(engine: Engine) {
    let scripts = vec![read(&json!({"confirmed": true, "mood": "good"}), "yes that works")];
    let (_, model, summary) = agreed(engine, scripts).await;
    assert_eq!(json_of(&summary.analysis_json), json!({"confirmed": true, "day": null}));
    let evidence = json_of(&summary.evidence_json);
    assert_eq!(evidence["confirmed"]["status"], "grounded");
    assert_eq!(evidence["day"]["status"], "not_said");
    assert_eq!(summary.summary, "They agreed.");
    assert_eq!(model.requests().len(), 2, "one turn, one reading");
}

async fn a_value_against_the_schema_is_asked_for_once_more_with_the_errors(engine: Engine) {
    let scripts = vec![
        read(&json!({"confirmed": "perhaps", "day": "next Friday"}), "yes"),
        read(&json!({"confirmed": true, "day": "2026-03-20"}), "yes"),
    ];
    let (_, model, summary) = agreed(engine, scripts).await;
    assert_eq!(json_of(&summary.analysis_json), json!({"confirmed": true, "day": "2026-03-20"}));
    let asked = model.requests();
    let system = asked[2].body["messages"][0]["content"].as_str().unwrap();
    for place in ["/confirmed", "/day"] {
        assert!(system.contains(place), "{system}");
    }
}

async fn a_property_that_stays_wrong_is_not_learned_and_the_others_are(engine: Engine) {
    let wrong = json!({"confirmed": true, "day": "next Friday"});
    let (_, model, summary) = agreed(engine, vec![read(&wrong, "yes"), read(&wrong, "yes")]).await;
    assert_eq!(json_of(&summary.analysis_json), json!({"confirmed": true, "day": null}));
    assert_eq!(json_of(&summary.evidence_json)["day"]["status"], "not_said");
    assert_eq!(model.requests().len(), 3, "no third reading");
}

async fn an_answer_that_is_no_json_is_asked_for_once_more_with_the_error(engine: Engine) {
    let scripts =
        vec![Script::Content("I cannot say.".to_owned()), read(&json!({"confirmed": false}), "yes")];
    let (_, model, summary) = agreed(engine, scripts).await;
    assert_eq!(json_of(&summary.analysis_json), json!({"confirmed": false, "day": null}));
    let system = model.requests()[2].body["messages"][0]["content"].to_string();
    assert!(system.contains("no JSON object"), "{system}");
}

async fn a_model_that_never_gives_json_teaches_nothing_and_the_summary_says_so(engine: Engine) {
    let (_, model, summary) = agreed(engine, vec![Script::WrongJson; 4]).await;
    assert_eq!(json_of(&summary.analysis_json), json!({"confirmed": null, "day": null}));
    assert_eq!(json_of(&summary.evidence_json)["confirmed"]["status"], "not_said");
    assert!(summary.summary.contains("could not be read"), "{}", summary.summary);
    assert_eq!(summary.status, "completed");
    assert_eq!(model.requests().len(), 3);
}

async fn a_quote_that_nobody_said_is_flagged(engine: Engine) {
    let (_, _, summary) = agreed(engine, vec![read(&json!({"confirmed": true}), "of course")]).await;
    assert_eq!(json_of(&summary.evidence_json)["confirmed"]["status"], "invalid");
}

async fn nothing_is_read_out_of_a_call_in_which_the_customer_said_nothing(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    let (placed, dial) = world.talk(by_agent(world.project)).await;
    world.complete(&dial, 9).await;
    let summary = world.summary(&placed.id).await;
    assert!(summary.transcript.starts_with("AI: "), "{}", summary.transcript);
    assert_eq!(summary.analysis_json, "");
    assert!(model.requests().is_empty());
}

async fn nothing_is_read_out_of_a_call_that_asks_for_nothing(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    let (placed, dial) = world.talk(by_message(world.project)).await;
    world.whole_turn(&dial, 1, heard("Thank you.")).await;
    world.complete(&dial, 9).await;
    assert_eq!(world.summary(&placed.id).await.analysis_json, "");
    assert_eq!(model.requests().len(), 2, "two turns");
}

/// A notification by an agent whose result has one property.
fn by_agent_with(project: ProjectId, property: &Value) -> PlaceNotificationRequest {
    let mut request = by_agent(project);
    if let Some(agent) = &mut request.agent {
        agent.output_schema_json = json!({"type": "object", "properties": {"code": property}}).to_string();
    }
    request
}

async fn a_pattern_that_would_backtrack_for_ever_holds_nobody_up(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    let request = by_agent_with(world.project, &json!({"type": "string", "pattern": "^(a+)+$"}));
    let (placed, dial) = world.talk(request).await;
    model.push(Script::Say(vec!["Good.".to_owned()]));
    world.whole_turn(&dial, 1, heard("A lot of them.")).await;
    let endless = format!("{}!", "a".repeat(2_000));
    for _ in 0..2 {
        model.push(read(&json!({"code": endless}), "a lot of them"));
    }
    world.complete(&dial, 9).await;
    let summary = world.summary(&placed.id).await;
    assert_eq!(json_of(&summary.analysis_json), json!({"code": null}));
    assert_eq!(model.requests().len(), 3, "it was asked for once more, with what was wrong");
}

async fn a_schema_that_cannot_be_used_any_more_teaches_nothing_and_the_summary_says_so(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    let (placed, dial) = world.talk(by_agent_with(world.project, &json!({"pattern": "WAS_FINE"}))).await;
    model.push(Script::Say(vec!["Good.".to_owned()]));
    world.whole_turn(&dial, 1, heard("Yes.")).await;
    // As if it had been accepted before such patterns were refused.
    let column = if engine == Engine::Postgres { "CAST(spec AS TEXT)" } else { "spec" };
    let new = format!("REPLACE({column}, 'WAS_FINE', '(?=a)b')");
    let new = if engine == Engine::Postgres { format!("CAST({new} AS JSONB)") } else { new };
    world.meddle(format!("UPDATE notifications SET spec = {new}")).await;
    world.complete(&dial, 9).await;
    let summary = world.summary(&placed.id).await;
    assert_eq!(
        (summary.status.as_str(), json_of(&summary.analysis_json)),
        ("completed", json!({"code": null}))
    );
    assert!(summary.summary.contains("output_schema/properties/code/pattern"), "{}", summary.summary);
}

async fn a_schema_that_could_run_away_is_refused_with_its_place(engine: Engine) {
    let world = World::new(engine).await;
    for (property, place) in [
        (json!({"pattern": "(?=a)b"}), "output_schema/properties/code/pattern"),
        (json!({"pattern": "x".repeat(257)}), "output_schema/properties/code/pattern"),
        (json!({"anyOf": [{"$ref": "#"}, {"$ref": "#"}]}), "output_schema/properties/code/anyOf/0/$ref"),
        (json!({"description": "x".repeat(33_000)}), "output_schema"),
    ] {
        let answer = world.try_place(by_agent_with(world.project, &property)).await;
        assert!(matches!(&answer, Err(RpcError::Invalid { field, .. }) if field == place), "{answer:?}");
    }
    assert_eq!(world.count("notifications").await, 0);
}
