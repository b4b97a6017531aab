//! How a conversation ends by rule.

use contracts::calls::turn_input::Input;
use contracts::calls::{PartState, Then};
use contracts::telephony::AnsweredByDetected;
use testkit::database::Engine;
use testkit::on_both_engines;

use crate::world::{World, by_agent, digits, heard, silence};

on_both_engines![
    silence_is_asked_about_twice_and_then_the_call_ends,
    empty_words_are_silence,
    a_wish_not_to_be_called_ends_the_call_kindly_and_is_remembered,
    a_machine_is_hung_up_on,
    a_machine_whose_greeting_was_answered_is_hung_up_on_and_its_greeting_is_no_result,
    whoever_has_answered_the_agent_is_a_person,
    whoever_has_pressed_a_key_is_a_person,
];

async fn silent(engine: Engine, nothing: impl Fn() -> Input) {
    let world = World::new(engine).await;
    let (placed, dial) = world.talk(by_agent(world.project)).await;
    for turn in 1..=2 {
        let (said, then) = world.whole_turn(&dial, turn, nothing()).await;
        assert_eq!(then, i32::from(Then::Listen), "{said}");
        assert!(!said.is_empty());
    }
    let (said, then) = world.whole_turn(&dial, 3, nothing()).await;
    assert_eq!(then, i32::from(Then::HangUp), "{said}");
    assert!(said.contains("Goodbye"), "{said}");
    let after = world.turn(&dial, 4, heard("Hello?")).await;
    assert_eq!(after.state, i32::from(PartState::CallOver));
    world.complete(&dial, 30).await;
    let summary = world.summary(&placed.id).await;
    assert_eq!((summary.status.as_str(), summary.ended_reason.as_str()), ("completed", "silence"));
}

async fn silence_is_asked_about_twice_and_then_the_call_ends(engine: Engine) {
    silent(engine, silence).await;
}

async fn empty_words_are_silence(engine: Engine) {
    silent(engine, || heard("  ")).await;
    silent(engine, || digits("")).await;
}

async fn a_wish_not_to_be_called_ends_the_call_kindly_and_is_remembered(engine: Engine) {
    let world = World::new(engine).await;
    let (placed, dial) = world.talk(by_agent(world.project)).await;
    let (said, then) = world.whole_turn(&dial, 1, heard("Take me off your list and stop calling me!")).await;
    assert_eq!(then, i32::from(Then::HangUp));
    assert!(said.contains("will not call you again"), "{said}");
    assert_eq!(world.count("suppressions WHERE phone = '+14155552671'").await, 1);
    world.complete(&dial, 9).await;
    let summary = world.summary(&placed.id).await;
    assert_eq!((summary.status.as_str(), summary.ended_reason.as_str()), ("completed", "opt-out"));
}

fn machine(dial: &contracts::calls::DialRequested) -> AnsweredByDetected {
    AnsweredByDetected {
        attempt_id: dial.attempt_id.clone(),
        call_id: dial.call_id.clone(),
        project_id: dial.project_id.clone(),
        answered_by: "machine_end_beep".to_owned(),
    }
}

async fn a_machine_is_hung_up_on(engine: Engine) {
    let world = World::new(engine).await;
    let (placed, dial) = world.talk(by_agent(world.project)).await;
    world.publish(&[machine(&dial)]).await;
    world.quiet().await;
    assert_eq!(world.heard.stops.lock().unwrap().len(), 1);
    world.complete(&dial, 9).await;
    let summary = world.summary(&placed.id).await;
    assert_eq!((summary.status.as_str(), summary.ended_reason.as_str()), ("failed", "voicemail"));
}

async fn a_machine_whose_greeting_was_answered_is_hung_up_on_and_its_greeting_is_no_result(engine: Engine) {
    let world = World::new(engine).await;
    let (placed, dial) = world.talk(by_agent(world.project)).await;
    world.whole_turn(&dial, 1, heard("Yes, this is the mailbox of John.")).await;
    world.publish(&[machine(&dial)]).await;
    world.quiet().await;
    assert_eq!(world.heard.stops.lock().unwrap().len(), 1);
    let after = world.turn(&dial, 2, silence()).await;
    assert_eq!(after.state, i32::from(PartState::CallOver), "nothing more is said to it");
    world.complete(&dial, 9).await;
    let summary = world.summary(&placed.id).await;
    assert_eq!((summary.status.as_str(), summary.ended_reason.as_str()), ("failed", "voicemail"));
    assert!(summary.transcript.contains("the mailbox of John"), "{}", summary.transcript);
    assert_eq!(summary.analysis_json, "");
}

/// A person whom the carrier takes for a machine goes on talking.
async fn stays_on_the_line(engine: Engine, inputs: Vec<Input>) {
    let world = World::new(engine).await;
    let (placed, dial) = world.talk(by_agent(world.project)).await;
    let mut turn = 0;
    for input in inputs {
        turn += 1;
        world.whole_turn(&dial, turn, input).await;
    }
    world.publish(&[machine(&dial)]).await;
    world.quiet().await;
    assert!(world.heard.stops.lock().unwrap().is_empty());
    world.complete(&dial, 9).await;
    assert_eq!(world.summary(&placed.id).await.status, "completed");
}

async fn whoever_has_answered_the_agent_is_a_person(engine: Engine) {
    stays_on_the_line(engine, vec![heard("Hello?"), heard("Who is this?")]).await;
}

async fn whoever_has_pressed_a_key_is_a_person(engine: Engine) {
    stays_on_the_line(engine, vec![digits("5")]).await;
}
