//! What happens when a machine picks up, as the notification wants it.

use contracts::calls::{DialRequested, PlaceNotificationRequest, Then};
use contracts::telephony::AnsweredByDetected;
use testkit::database::Engine;
use testkit::on_both_engines;

use crate::world::{World, answered, by_agent, by_message, heard, progressed, silence};

on_both_engines![
    a_message_is_left_after_the_greeting_and_nothing_else_is_said,
    the_agents_own_words_for_a_machine_come_before_the_message,
    a_machine_that_hung_up_before_the_message_was_told_nothing,
    a_person_is_left_no_message,
    a_machine_is_rung_again_where_that_was_asked_for,
];

fn verdict(dial: &DialRequested, answered_by: &str) -> AnsweredByDetected {
    AnsweredByDetected {
        attempt_id: dial.attempt_id.clone(),
        call_id: dial.call_id.clone(),
        project_id: dial.project_id.clone(),
        answered_by: answered_by.to_owned(),
    }
}

fn leaving(request: PlaceNotificationRequest) -> PlaceNotificationRequest {
    PlaceNotificationRequest { voicemail: "leave_message".to_owned(), ..request }
}

/// The turn that the bridge was asked to open for the message.
fn message_turn(world: &World, dial: &DialRequested) -> u32 {
    let asked = world.heard.messages.lock().unwrap();
    let of_call: Vec<_> = asked.iter().filter(|m| m.attempt_id == dial.attempt_id).collect();
    assert_eq!(of_call.len(), 1, "{asked:?}");
    of_call[0].turn
}

async fn a_message_is_left_after_the_greeting_and_nothing_else_is_said(engine: Engine) {
    let world = World::new(engine).await;
    let (placed, dial) = world.talk(leaving(by_message(world.project))).await;
    assert!(dial.leaves_message);
    world.whole_turn(&dial, 1, heard("Please leave a message after the tone.")).await;
    world.publish(&[verdict(&dial, "machine_end_beep")]).await;
    world.quiet().await;
    let turn = message_turn(&world, &dial);
    assert_eq!(turn, 2, "the one after the greeting");
    let (said, then) = world.whole_turn(&dial, turn, silence()).await;
    assert_eq!((said.as_str(), then), ("Your bicycle is ready.", i32::from(Then::HangUp)));
    world.complete(&dial, 20).await;
    let summary = world.summary(&placed.id).await;
    assert_eq!((summary.status.as_str(), summary.ended_reason.as_str()), ("completed", "voicemail-left"));
    assert!(world.heard.stops.lock().unwrap().is_empty());
    assert_eq!(world.calls(&placed.id).await[0].answered_by, "machine_end_beep");
}

async fn the_agents_own_words_for_a_machine_come_before_the_message(engine: Engine) {
    let world = World::new(engine).await;
    let mut request = leaving(by_agent(world.project));
    if let Some(agent) = &mut request.agent {
        agent.voicemail_message = "Hi {{recipient_first_name}}, please call us back.".to_owned();
    }
    let (_, dial) = world.talk(request).await;
    world.publish(&[verdict(&dial, "machine_end_silence")]).await;
    world.quiet().await;
    let (said, _) = world.whole_turn(&dial, message_turn(&world, &dial), silence()).await;
    assert_eq!(said, "Hi John, please call us back.");
}

async fn a_machine_that_hung_up_before_the_message_was_told_nothing(engine: Engine) {
    let world = World::new(engine).await;
    let (placed, dial) = world.talk(leaving(by_message(world.project))).await;
    world.publish(&[verdict(&dial, "machine_end_other")]).await;
    world.quiet().await;
    world.complete(&dial, 20).await;
    let summary = world.summary(&placed.id).await;
    assert_eq!((summary.status.as_str(), summary.ended_reason.as_str()), ("failed", "voicemail"));
}

async fn a_person_is_left_no_message(engine: Engine) {
    let world = World::new(engine).await;
    let (_, dial) = world.ring(leaving(by_message(world.project))).await;
    world.turn(&dial, 0, answered()).await;
    world.publish(&[verdict(&dial, "human")]).await;
    world.quiet().await;
    assert!(world.heard.messages.lock().unwrap().is_empty());
}

async fn a_machine_is_rung_again_where_that_was_asked_for(engine: Engine) {
    let world = World::new(engine).await;
    let request = PlaceNotificationRequest { voicemail: "retry".to_owned(), ..by_message(world.project) };
    let (placed, dial) = world.ring(request).await;
    assert!(!dial.leaves_message, "the verdict comes as soon as it can");
    let now = world.clock.now().timestamp_millis();
    world.publish(&[progressed(&dial, "in_progress", 2, now)]).await;
    world.publish(&[verdict(&dial, "machine_start")]).await;
    world.quiet().await;
    world.complete(&dial, 5).await;
    world.quiet().await;
    let waits = world.get(&placed.id).await;
    assert_eq!((waits.status.as_str(), waits.max_attempts, waits.attempts), ("in_progress", 2, 1));
    assert_eq!(waits.retry_on, ["voicemail"], "nothing but the machine was asked for");
    assert!(waits.next_attempt_at_ms.is_some_and(|at| at > now));
}
