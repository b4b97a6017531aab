//! Calls that the carrier records, because the project wants it and has announced it.

use std::time::Duration;

use contracts::accounts::ProjectPolicy;
use contracts::calls::{
    BeginInboundRequest, DeleteRecordingRequested, DialRequested, PlaceNotificationRequest, Recording,
};
use contracts::ids::{AttemptId, CallId, ProjectId};
use contracts::telephony::CallRecorded;
use testkit::database::Engine;
use testkit::on_both_engines;
use testkit::wait::eventually;

use crate::bot_calls::{CALLER, GREETING, Line};
use crate::world::{PATIENCE, World, answered, by_agent};

on_both_engines![
    a_bot_says_the_projects_line_before_its_first_word_and_the_call_is_recorded,
    a_call_is_recorded_as_its_project_wants_it_when_it_is_dialled_and_only_announced,
    a_customer_who_rings_back_is_recorded_like_the_call_that_they_answer,
    a_recording_is_kept_once_with_its_call_and_forgotten_with_it,
];

const LINE: &str = "This call is answered by a machine and recorded.";
const SID: &str = "RE0123456789abcdef0123456789abcdef";

/// A project that records what it has announced.
fn recording(world: &World, version: i64) -> ProjectPolicy {
    ProjectPolicy { record_calls: true, disclosure_line: LINE.to_owned(), ..world.policy(version) }
}

fn disclosed(world: &World, line: &str) -> PlaceNotificationRequest {
    PlaceNotificationRequest { disclosure_line: line.to_owned(), ..by_agent(world.project) }
}

fn recorded(dial: &DialRequested, sid: &str) -> CallRecorded {
    CallRecorded {
        attempt_id: dial.attempt_id.clone(),
        call_id: dial.call_id.clone(),
        project_id: dial.project_id.clone(),
        recording_sid: sid.to_owned(),
        duration_seconds: 42,
    }
}

fn known() -> Option<Recording> {
    Some(Recording { sid: SID.to_owned(), duration_seconds: 42 })
}

async fn a_bot_says_the_projects_line_before_its_first_word_and_the_call_is_recorded(engine: Engine) {
    let line = Line::new(engine).await;
    let (world, request) = (&line.world, line.request(CALLER));
    assert!(!line.begin(&request).await.unwrap(), "nothing is set");
    world.change_policy(recording(world, 1)).await;
    assert!(line.begin(&request).await.is_ok_and(|records| !records), "what was not announced");

    let (call, request) = line.rings_from(CALLER).await;
    assert!(line.begin(&request).await.unwrap(), "a repeat is answered the same");
    let (said, _) = world.whole_turn(&call, 0, answered()).await;
    assert_eq!(said, format!("{LINE} {GREETING}"));
    world.publish(&[recorded(&call, SID)]).await;
    world.quiet().await;
    let read = line.get(line.business, &call.call_id).await.unwrap().call.unwrap();
    assert_eq!(read.recording, known());
    let listed = line.list(Default::default(), 10).await;
    let of = |id: &str| listed.iter().find_map(|c| c.call.clone().filter(|c| c.id == id)).unwrap().recording;
    assert_eq!(of(&call.call_id), known());
    assert_eq!(listed.iter().filter(|c| c.call.as_ref().unwrap().recording.is_none()).count(), 1);

    // Without the wish the line is said all the same, and nothing recorded.
    world.change_policy(ProjectPolicy { record_calls: false, ..recording(world, 2) }).await;
    let request = line.request("+14155550124");
    assert!(!line.begin(&request).await.unwrap());
}

async fn a_call_is_recorded_as_its_project_wants_it_when_it_is_dialled_and_only_announced(engine: Engine) {
    let world = World::new(engine).await;
    let (_, dial) = world.ring(disclosed(&world, LINE)).await;
    assert!(!dial.records, "nobody wants it");
    world.complete(&dial, 0).await;
    world.change_policy(recording(&world, 1)).await;
    let (_, dial) = world.ring(disclosed(&world, &format!(" {LINE} "))).await;
    assert!(dial.records);
    world.complete(&dial, 0).await;
    for other in ["", "A machine calls."] {
        let (_, dial) = world.ring(disclosed(&world, other)).await;
        assert!(!dial.records, "{other:?} says nothing of a recording");
        world.complete(&dial, 0).await;
    }
}

async fn a_customer_who_rings_back_is_recorded_like_the_call_that_they_answer(engine: Engine) {
    let world = World::new(engine).await;
    world.change_policy(recording(&world, 1)).await;
    for (line, expected) in [(LINE, true), ("", false)] {
        let (placed, dial) = world.talk(disclosed(&world, line)).await;
        world.complete(&dial, 5).await;
        world.summary(&placed.id).await;
        let request = BeginInboundRequest {
            project_id: world.project.to_string(),
            call_id: CallId::new().to_string(),
            attempt_id: AttemptId::new().to_string(),
            answers_call_id: placed.call_id.clone(),
            carrier_call_sid: "CA2".to_owned(),
            from_e164: placed.target_phone_e164.clone(),
            at_ms: world.clock.now().timestamp_millis(),
        };
        for _ in 0..2 {
            assert_eq!(world.begin(&request).await, Ok(expected));
        }
    }
}

async fn a_recording_is_kept_once_with_its_call_and_forgotten_with_it(engine: Engine) {
    let world = World::new(engine).await;
    let (placed, dial) = world.talk(by_agent(world.project)).await;
    world.complete(&dial, 5).await;
    world.summary(&placed.id).await;
    assert_eq!(world.calls(&placed.id).await[0].recording, None);
    let later = recorded(&dial, "RE1");
    let other = CallRecorded { project_id: ProjectId::new().to_string(), ..recorded(&dial, "RE2") };
    world.publish(&[other]).await;
    world.quiet().await;
    assert_eq!(world.count("call_recordings").await, 0, "another project's call");
    for told in [recorded(&dial, SID), recorded(&dial, SID), later.clone()] {
        world.publish(&[told]).await;
        world.quiet().await;
    }
    assert_eq!(world.calls(&placed.id).await[0].recording, known());

    world.pass(Duration::from_secs(91 * 24 * 3600)).await;
    let look = || async {
        match world.count("call_recordings").await {
            0 => Ok(()),
            left => Err(left),
        }
    };
    eventually("the recording to be forgotten", PATIENCE, look).await;
    world.quiet().await;
    let deletions = || world.heard.deletions.lock().unwrap().clone();
    let expected = DeleteRecordingRequested {
        call_id: dial.call_id.clone(),
        project_id: dial.project_id.clone(),
        attempt_id: dial.attempt_id.clone(),
        recording_sid: SID.to_owned(),
    };
    assert_eq!(deletions(), std::slice::from_ref(&expected), "the carrier is to forget it, too");
    world.publish(&[later]).await;
    world.quiet().await;
    assert_eq!(world.count("call_recordings").await, 0, "what comes later is of nobody");
    let late = DeleteRecordingRequested { recording_sid: "RE1".to_owned(), ..expected.clone() };
    assert_eq!(deletions(), [expected, late]);
}
