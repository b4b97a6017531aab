//! Exactly one summary, also when whoever writes it dies.

use std::time::Duration;

use serde_json::json;
use testkit::database::Engine;
use testkit::model_server::Script;
use testkit::on_both_engines;
use testkit::wait::eventually;

use crate::world::{PATIENCE, World, by_agent, by_message, heard};

on_both_engines![
    a_summary_whose_writer_died_is_written_once_by_another,
    a_slow_summary_keeps_nobody_waiting,
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
