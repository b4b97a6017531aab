//! Exactly one summary, also when whoever writes it dies.

use std::time::Duration;

use contracts::accounts::{CustomerErased, ProjectPolicy};
use contracts::calls::{ListNotificationsRequest, Notification, PlaceNotificationRequest};
use contracts::ids::ProjectId;
use contracts::rpc::RpcError;
use serde_json::json;
use testkit::database::Engine;
use testkit::model_server::{ModelServer, Script};
use testkit::on_both_engines;
use testkit::wait::eventually;

use crate::world::{PATIENCE, World, by_agent, by_message, heard};

on_both_engines![
    a_summary_whose_writer_died_is_written_once_by_another,
    a_notification_is_over_only_with_its_result,
    a_conversation_that_was_canceled_is_over_at_once_and_nothing_is_read_out_of_it,
    whoever_is_erased_while_their_result_is_read_leaves_none,
    a_slow_summary_keeps_nobody_waiting,
    a_project_with_many_slow_summaries_leaves_places_to_the_others,
    a_conversation_of_extreme_length_is_summarised,
];

fn read() -> Script {
    Script::Json(json!({"value": {"confirmed": true}, "evidence": {}, "summary": "They agreed."}))
}

async fn a_summary_whose_writer_died_is_written_once_by_another(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    let (placed, dial) = world.talk(by_agent(world.project)).await;
    world.turn(&dial, 1, heard("Yes.")).await;
    // The first writer waits for the model until long after its lease.
    model.push(Script::Hang);
    model.push(read());
    world.complete(&dial, 9).await;
    let asked = || async {
        let asked = model.requests().len();
        if asked == 2 { Ok(()) } else { Err(asked) }
    };
    eventually("the first writer to have begun", PATIENCE, asked).await;
    world.clock.advance(Duration::from_secs(91));
    let summary = world.summary(&placed.id).await;
    assert_eq!(summary.summary, "They agreed.");
    // The first one gives up after its deadline, and what it says is too late.
    let hung = || async {
        let failures = world.failures().await;
        if failures.contains("extraction") { Ok(()) } else { Err(failures) }
    };
    eventually("the first writer to give up", PATIENCE, hung).await;
    assert_eq!(world.summary(&placed.id).await, summary);
}

/// A conversation that has ended, and whose first reader waits for the model.
async fn being_read(engine: Engine) -> (World, ModelServer, Notification) {
    let (world, model) = World::scripted(engine).await;
    let (placed, dial) = world.talk(by_agent(world.project)).await;
    world.turn(&dial, 1, heard("Yes.")).await;
    model.push(Script::Hang);
    model.push(read());
    world.complete(&dial, 9).await;
    let asked = || async {
        let asked = model.requests().len();
        if asked == 2 { Ok(()) } else { Err(asked) }
    };
    eventually("the reading to have begun", PATIENCE, asked).await;
    (world, model, placed)
}

async fn with_status(world: &World, status: &str) -> usize {
    let filter =
        ListNotificationsRequest { status: status.to_owned(), ..ListNotificationsRequest::default() };
    world.list_where(filter).await.len()
}

async fn a_notification_is_over_only_with_its_result(engine: Engine) {
    let (world, _model, placed) = being_read(engine).await;
    let seen = world.get(&placed.id).await;
    assert_eq!((seen.status.as_str(), seen.call_status.as_str()), ("in_progress", "completed"));
    assert_eq!((seen.ended_reason.as_str(), seen.call_result_json.as_str()), ("", ""));
    assert_eq!(seen.next_attempt_at_ms, None, "nobody is rung again");
    assert_eq!((with_status(&world, "in_progress").await, with_status(&world, "completed").await), (1, 0));
    // What is over cannot be stopped, whatever is still to be read.
    let stopped = world.stop_it(&placed.project_id, &placed.id).await;
    assert!(matches!(stopped, Err(RpcError::Conflict { .. })), "{stopped:?}");
    // Neither does it expire, nor is it dialled again, and whoever dies with it is replaced.
    world.clock.advance(Duration::from_secs(25 * 3600));
    let ended = || async {
        let seen = world.get(&placed.id).await;
        if seen.status == "in_progress" { Err(seen) } else { Ok(seen) }
    };
    let seen = eventually("the end", PATIENCE, ended).await;
    assert_eq!((seen.status.as_str(), seen.ended_reason.as_str()), ("completed", "customer-ended-call"));
    assert!(seen.call_result_json.contains("true"), "{}", seen.call_result_json);
    assert_eq!((with_status(&world, "in_progress").await, with_status(&world, "completed").await), (0, 1));
    assert_eq!(world.summary(&placed.id).await.analysis_json, seen.call_result_json);
    assert_eq!(world.dials_of(&placed.call_id).len(), 1);
}

async fn a_conversation_that_was_canceled_is_over_at_once_and_nothing_is_read_out_of_it(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    let (placed, dial) = world.talk(by_agent(world.project)).await;
    world.turn(&dial, 1, heard("Yes.")).await;
    assert_eq!(world.stop_it(&placed.project_id, &placed.id).await.unwrap().status, "canceled");
    world.complete(&dial, 9).await;
    let summary = world.summary(&placed.id).await;
    assert!(summary.transcript.contains("Customer: Yes."), "{}", summary.transcript);
    assert_eq!((summary.status.as_str(), summary.analysis_json.as_str()), ("canceled", ""));
    assert_eq!(model.requests().len(), 1, "the turn");
}

async fn whoever_is_erased_while_their_result_is_read_leaves_none(engine: Engine) {
    let (world, _model, placed) = being_read(engine).await;
    let message =
        CustomerErased { project_id: placed.project_id.clone(), customer_id: placed.customer_id.clone() };
    world.publish(&[message]).await;
    let blank = || async {
        let seen = world.get(&placed.id).await;
        if seen.target_phone_e164.is_empty() { Ok(()) } else { Err(seen) }
    };
    eventually("the number to be forgotten", PATIENCE, blank).await;
    world.clock.advance(Duration::from_secs(91));
    let summary = world.summary(&placed.id).await;
    assert_eq!((summary.status.as_str(), summary.analysis_json.as_str()), ("completed", ""));
    assert_eq!(world.get(&placed.id).await.call_result_json, "");
}

async fn a_slow_summary_keeps_nobody_waiting(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    let (slow, dial) = world.talk(by_agent(world.project)).await;
    world.turn(&dial, 1, heard("Yes.")).await;
    model.push(Script::Hang);
    world.complete(&dial, 9).await;
    let asked = || async {
        let asked = model.requests().len();
        if asked == 2 { Ok(()) } else { Err(asked) }
    };
    eventually("the slow one to have begun", PATIENCE, asked).await;
    let placed = world.place(by_message(world.project)).await;
    let quick = world.dial(&placed.call_id, 1).await;
    world.complete(&quick, 0).await;
    let first = || async {
        let found = world.summaries_of(&placed.id).len();
        if found == 1 { Ok(()) } else { Err(found) }
    };
    eventually("the other summary", Duration::from_secs(15), first).await;
    assert!(world.summaries_of(&slow.id).is_empty(), "the slow one was not even slow");
}

async fn a_conversation_of_extreme_length_is_summarised(engine: Engine) {
    let world = World::new(engine).await;
    let (placed, dial) = world.talk(by_message(world.project)).await;
    let words = "well ".repeat(1_000);
    let call = &dial.call_id;
    for turn in 1..100 {
        world
            .meddle(format!(
                "INSERT INTO turns (call_id, number, project_id, heard_kind, heard, state, generation, then_do, \
                 opened_at, asked_at) VALUES ('{call}', {turn}, '{}', 'speech', '{words}', 'done', 1, 'listen', \
                 '2020-01-01T00:00:00.000000Z', '2020-01-01T00:00:00.000000Z')",
                world.project
            ))
            .await;
    }
    world.complete(&dial, 9).await;
    let summary = world.summary(&placed.id).await;
    assert!(summary.transcript.len() > 200_000 && summary.transcript.ends_with('…'));
}

async fn a_project_with_many_slow_summaries_leaves_places_to_the_others(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    let ends = async |project: ProjectId, n: usize| {
        let (_, dial) = world
            .talk(PlaceNotificationRequest { project_id: project.to_string(), ..by_agent(project) })
            .await;
        world.turn(&dial, 1, heard(&format!("It is {n}."))).await;
        dial
    };
    let policy = ProjectPolicy { max_concurrent_calls: 30, ..world.policy(1) };
    world.change_policy(policy).await;
    let mut dials = Vec::new();
    for n in 0..16 {
        dials.push(ends(world.project, n).await);
    }
    let other = ends(ProjectId::new(), 77).await;
    let turns = model.requests().len();
    for _ in 0..20 {
        model.push(Script::Hang);
    }
    for dial in &dials {
        world.complete(dial, 9).await;
    }
    let asked = |said: &str| {
        let requests = model.requests();
        requests[turns..].iter().filter(|r| r.body.to_string().contains(said)).count()
    };
    let many = || async { if asked("It is") >= 12 { Ok(()) } else { Err(asked("It is")) } };
    eventually("the first places to be taken", PATIENCE, many).await;
    world.complete(&other, 9).await;
    let theirs = || async { if asked("It is 77.") == 1 { Ok(()) } else { Err(asked("It is")) } };
    eventually("the other project's place", PATIENCE, theirs).await;
    assert_eq!(asked("It is"), 13, "twelve of one project, and one of the other");
}
