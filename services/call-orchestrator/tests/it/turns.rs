//! One turn: asked once or many times, slow, overtaken, lost.

use contracts::calls::{DialRequested, Notification, PartState, Then, TurnPart};
use contracts::ids::{CallId, NotificationId};
use contracts::rpc::RpcError;
use futures_util::future::join_all;
use std::time::Duration;
use testkit::database::Engine;
use testkit::model_server::{ModelServer, Script};
use testkit::on_both_engines;
use testkit::wait::eventually;

use crate::world::{OPENING, PATIENCE, World, answered, by_agent, heard};

on_both_engines![
    the_same_turn_asked_many_times_is_answered_the_same_and_the_model_is_asked_once,
    the_first_sentence_is_spoken_while_the_model_still_writes,
    the_next_sentence_is_waited_for,
    a_lost_turn_of_which_nothing_was_stored_is_run_again,
    a_lost_turn_of_which_something_was_stored_is_closed_there,
    a_new_turn_drops_the_one_that_still_runs,
    a_turn_of_a_closed_call_is_over_and_a_stored_one_is_answered_as_before,
    what_was_prepared_is_not_said_in_a_call_that_is_being_canceled,
    a_call_that_ends_in_the_middle_of_an_answer_says_nothing_more,
    what_was_never_fetched_is_not_in_the_transcript,
    what_is_asked_for_again_after_the_end_changes_no_transcript,
    the_model_is_told_only_what_was_spoken,
    the_first_turn_is_prepared_while_it_rings,
    a_preparation_that_failed_is_made_again_when_the_call_is_answered,
    what_does_not_exist_is_not_found,
];

fn say(text: &[&str]) -> Script {
    Script::Say(text.iter().map(|&t| t.to_owned()).collect())
}

fn stall(text: &str) -> Script {
    Script::Stall(vec![text.to_owned()])
}

fn pending(part: &TurnPart) -> bool {
    part.state == i32::from(PartState::Pending)
}

async fn the_same_turn_asked_many_times_is_answered_the_same_and_the_model_is_asked_once(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    let (_, dial) = world.talk(by_agent(world.project)).await;
    model.push(say(&["That is fine. ", "Anything else?"]));
    let asked = join_all((0..8).map(|_| world.whole_turn(&dial, 1, heard("Yes.")))).await;
    let expected = ("That is fine. Anything else?".to_owned(), i32::from(Then::Listen));
    assert!(asked.iter().all(|answer| *answer == expected), "{asked:?}");
    // Other words under the same number are not another turn.
    assert_eq!(world.whole_turn(&dial, 1, heard("No!")).await, expected);
    assert_eq!(model.requests().len(), 1);
}

async fn the_first_sentence_is_spoken_while_the_model_still_writes(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    let (_, dial) = world.talk(by_agent(world.project)).await;
    model.push(stall("Let me see. I think that"));
    let first = world.turn(&dial, 1, heard("Yes.")).await;
    assert_eq!((first.text.as_str(), first.then), ("Let me see.", i32::from(Then::NextPart)));
    assert_eq!((first.language.as_str(), first.voice.as_str()), ("en-US", "man"));
    assert!(pending(&world.part(&dial, 1, 1, 100).await), "the model has not gone on");
}

async fn the_next_sentence_is_waited_for(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    let (_, dial) = world.talk(by_agent(world.project)).await;
    let text = ["First one. Sec", "ond one. Th", "ird one."].map(str::to_owned).to_vec();
    model.push(Script::Slow { text, gap_ms: 250 });
    let first = world.turn(&dial, 1, heard("Yes.")).await;
    assert_eq!(first.text, "First one.");
    assert!(pending(&world.part(&dial, 1, 2, 0).await), "it is not written yet");
    let (second, third) = tokio::join!(world.part(&dial, 1, 1, 20_000), world.part(&dial, 1, 2, 20_000));
    assert_eq!((second.text.as_str(), second.then), ("Second one.", i32::from(Then::NextPart)));
    assert_eq!((third.text.as_str(), third.then), ("Third one.", i32::from(Then::Listen)));
}

/// As if another replica had begun this turn and died.
async fn lose_turn(world: &World, call: &str, sentences: &[&str]) {
    world
        .meddle(format!(
            "INSERT INTO turns (call_id, number, project_id, heard_kind, heard, state, generation, lease_until, \
             opened_at, asked_at) VALUES ('{call}', 1, '{}', 'speech', 'Yes.', 'running', 1, \
             '2020-01-01T00:00:00.000000Z', '2020-01-01T00:00:00.000000Z', '2020-01-01T00:00:00.000000Z')",
            world.project
        ))
        .await;
    for (n, text) in sentences.iter().enumerate() {
        world
            .meddle(format!(
                "INSERT INTO sentences (call_id, turn, number, text, stored_at) VALUES \
                 ('{call}', 1, {n}, '{text}', '2020-01-01T00:00:00.000000Z')"
            ))
            .await;
    }
}

async fn a_lost_turn_of_which_nothing_was_stored_is_run_again(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    let (_, dial) = world.talk(by_agent(world.project)).await;
    lose_turn(&world, &dial.call_id, &[]).await;
    model.push(say(&["I am back."]));
    let again = join_all((0..4).map(|_| world.part(&dial, 1, 0, 20_000))).await;
    assert!(again.iter().all(|part| part.text == "I am back."), "{again:?}");
    assert_eq!(model.requests().len(), 1);
    assert_eq!(world.count("turns WHERE number = 1 AND generation = 2").await, 1);
}

async fn a_lost_turn_of_which_something_was_stored_is_closed_there(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    let (_, dial) = world.talk(by_agent(world.project)).await;
    lose_turn(&world, &dial.call_id, &["I was saying."]).await;
    let (said, then) = world.whole_turn(&dial, 1, heard("Yes.")).await;
    assert_eq!((said.as_str(), then), ("I was saying.", i32::from(Then::Listen)));
    assert!(model.requests().is_empty());
}

async fn a_new_turn_drops_the_one_that_still_runs(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    let (placed, dial) = world.talk(by_agent(world.project)).await;
    model.push(stall("Let me see. I think that"));
    model.push(say(&["As you wish."]));
    world.turn(&dial, 1, heard("Yes.")).await;
    let (said, _) = world.whole_turn(&dial, 2, heard("Hello?")).await;
    assert_eq!(said, "As you wish.");
    let rest = world.part(&dial, 1, 1, 20_000).await;
    assert_eq!((rest.text.as_str(), rest.then), ("", i32::from(Then::Listen)), "nothing more is said in it");
    world.complete(&dial, 9).await;
    let transcript = world.summary(&placed.id).await.transcript;
    let expected =
        format!("AI: {OPENING}\nCustomer: Yes.\nAI: Let me see.\nCustomer: Hello?\nAI: As you wish.");
    assert_eq!(transcript, expected);
}

async fn a_turn_of_a_closed_call_is_over_and_a_stored_one_is_answered_as_before(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    let (placed, dial) = world.talk(by_agent(world.project)).await;
    model.push(say(&["Good."]));
    let before = world.turn(&dial, 1, heard("Yes.")).await;
    world.complete(&dial, 9).await;
    world.summary(&placed.id).await;
    assert_eq!(world.turn(&dial, 1, heard("Yes.")).await, before);
    assert_eq!(world.whole_turn(&dial, 0, answered()).await.0, OPENING);
    let new = world.turn(&dial, 2, heard("Hello?")).await;
    assert_eq!(new.state, i32::from(PartState::CallOver));
    let asked_of_the_model = model.requests().iter().filter(|r| r.body["stream"] == true).count();
    assert_eq!(asked_of_the_model, 1);
}

async fn what_was_prepared_is_not_said_in_a_call_that_is_being_canceled(engine: Engine) {
    let world = World::new(engine).await;
    let (placed, dial) = world.ring(by_agent(world.project)).await;
    world.until_prepared().await;
    world.cancel(&placed.project_id, &placed.id).await;
    world.quiet().await;
    for _ in 0..2 {
        let part = world.turn(&dial, 0, answered()).await;
        assert_eq!(part.state, i32::from(PartState::CallOver));
    }
    world.complete(&dial, 0).await;
    assert_eq!(world.summary(&placed.id).await.transcript, "");
}

async fn a_call_that_ends_in_the_middle_of_an_answer_says_nothing_more(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    let (placed, dial) = world.talk(by_agent(world.project)).await;
    model.push(stall("Let me see. I think that"));
    model.push(Script::Status { code: 400, body: String::new(), retry_after: None });
    world.turn(&dial, 1, heard("Yes.")).await;
    world.complete(&dial, 9).await;
    world.summary(&placed.id).await;
    assert_eq!(world.count("turns WHERE state = 'running'").await, 0);
    let rest = world.part(&dial, 1, 1, 0).await;
    assert_eq!((rest.state, rest.text.as_str()), (i32::from(PartState::Ready), ""));
}

/// A call in which three sentences of the turn 1 are stored, and the bridge has fetched the first.
async fn interrupted(engine: Engine) -> (World, ModelServer, Notification, DialRequested) {
    let (world, model) = World::scripted(engine).await;
    let (placed, dial) = world.talk(by_agent(world.project)).await;
    model.push(say(&["First one. ", "Second one. ", "Third one."]));
    assert_eq!(world.turn(&dial, 1, heard("Yes.")).await.text, "First one.");
    let stored = || async {
        match world.count("sentences WHERE turn = 1").await {
            3 => Ok(()),
            n => Err(n),
        }
    };
    eventually("all sentences", PATIENCE, stored).await;
    (world, model, placed, dial)
}

async fn what_was_never_fetched_is_not_in_the_transcript(engine: Engine) {
    let (world, _model, placed, dial) = interrupted(engine).await;
    world.complete(&dial, 9).await;
    let transcript = world.summary(&placed.id).await.transcript;
    assert_eq!(transcript, format!("AI: {OPENING}\nCustomer: Yes.\nAI: First one."));
}

async fn what_is_asked_for_again_after_the_end_changes_no_transcript(engine: Engine) {
    let (world, _model, placed, dial) = interrupted(engine).await;
    world.complete(&dial, 9).await;
    let over = || async {
        match world.get(&placed.id).await.call_status.as_str() {
            "completed" => Ok(()),
            other => Err(other.to_owned()),
        }
    };
    eventually("the end of the call", PATIENCE, over).await;
    assert_eq!(world.part(&dial, 1, 1, 0).await.text, "Second one.", "the same as before");
    assert_eq!(world.count("turns WHERE number = 1 AND handed_out = 1").await, 1);
}

async fn the_model_is_told_only_what_was_spoken(engine: Engine) {
    let (world, model, _, dial) = interrupted(engine).await;
    model.push(say(&["As you wish."]));
    world.whole_turn(&dial, 2, heard("Wait!")).await;
    let told = model.requests()[1].body["messages"].to_string();
    assert!(told.contains("First one.") && !told.contains("Second one."), "{told}");
}

async fn the_first_turn_is_prepared_while_it_rings(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    model.push(say(&["Hello John. ", "It is Acme."]));
    let mut request = by_agent(world.project);
    if let Some(agent) = &mut request.agent {
        agent.first_message.clear();
    }
    let (placed, dial) = world.ring(request).await;
    world.until_prepared().await;
    assert_eq!(model.requests().len(), 1);
    let before = world.get(&placed.id).await;
    assert_eq!(before.call_status, "dialing", "preparing is not answering");
    let first = world.try_turn(&dial.call_id, 0, answered(), 0).await.unwrap();
    assert_eq!(first.text, "Hello John.", "it is there without waiting");
    assert_eq!(world.whole_turn(&dial, 0, answered()).await.0, "Hello John. It is Acme.");
    assert_eq!(model.requests().len(), 1);
    assert_eq!(world.get(&placed.id).await.call_status, "in_progress", "somebody must have picked up");
    world.quiet().await;
    assert_eq!(world.started_and_ended(&placed.call_id), (1, 0));
}

async fn a_preparation_that_failed_is_made_again_when_the_call_is_answered(engine: Engine) {
    let (world, model) = World::scripted(engine).await;
    model.push(Script::Status { code: 403, body: String::new(), retry_after: None });
    model.push(say(&["Hello John."]));
    let mut request = by_agent(world.project);
    if let Some(agent) = &mut request.agent {
        agent.first_message.clear();
    }
    let (_, dial) = world.ring(request).await;
    let given_up = || async {
        let lease = world.clock.now().to_rfc3339_opts(chrono_format(), true);
        match world.count(&format!("turns WHERE lease_until <= '{lease}'")).await {
            1 => Ok(()),
            n => Err(n),
        }
    };
    eventually("the preparation to be given up", PATIENCE, given_up).await;
    assert_eq!(world.whole_turn(&dial, 0, answered()).await.0, "Hello John.");
}

fn chrono_format() -> chrono::SecondsFormat {
    chrono::SecondsFormat::Micros
}

async fn what_does_not_exist_is_not_found(engine: Engine) {
    let world = World::new(engine).await;
    let nobody = CallId::new().to_string();
    let answer = world.try_turn(&nobody, 0, answered(), 0).await;
    assert!(matches!(answer, Err(RpcError::NotFound(_))), "{answer:?}");
    let answer = world.try_turn("call-1", 0, answered(), 0).await;
    assert!(matches!(answer, Err(RpcError::Invalid { .. })), "{answer:?}");
    let unknown = NotificationId::new().to_string();
    assert!(world.try_get(&world.project.to_string(), &unknown).await.is_err());
}

impl World {
    /// Waits until the first turn of the only call stands in the table.
    pub(crate) async fn until_prepared(&self) {
        let look = || async {
            match self.count("turns WHERE number = 0 AND state = 'done' AND asked_at IS NULL").await {
                1 => Ok(()),
                n => Err(n),
            }
        };
        eventually("a prepared first turn", Duration::from_secs(30), look).await;
    }
}
