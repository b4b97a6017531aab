//! Calls that the carrier records, because the orchestrator has said so.

use std::sync::atomic::Ordering;
use std::time::Duration;

use contracts::calls::{DeleteRecordingRequested, DialRequested};
use contracts::ids::ProjectId;
use contracts::telephony::CallRecorded;
use testkit::database::Engine;
use testkit::on_both_engines;
use testkit::wait::eventually;
use twilio::twiml::Verb;
use twilio::{CallSid, RecordingSid};

use crate::line::{Answer, Line};
use crate::orchestrator::Manner;
use crate::world::{PATIENCE, SILENT, World};

on_both_engines![
    a_call_is_dialled_with_the_wish_and_its_recording_is_told,
    a_call_to_a_bot_is_recorded_from_its_first_document_on,
    a_call_that_begins_late_is_recorded_from_there_on_and_once,
    only_what_is_complete_and_of_this_call_is_told,
    a_recording_that_is_to_be_forgotten_is_deleted_at_the_carrier,
];

const CALLER: &str = "+14155550117";
const OURS: &str = "+15005550006";

/// A report about a recording.
async fn report(line: &Line<'_>, path: &str, status: &str, sid: &str) -> u16 {
    let more = [("RecordingSid", sid), ("RecordingStatus", status), ("RecordingDuration", "42")];
    line.post(path, &more).await.status
}

fn told(world: &World) -> Vec<CallRecorded> {
    world.orchestrator.heard.lock().unwrap().recorded.clone()
}

async fn first_told(world: &World) -> CallRecorded {
    world.heard("the recording", |heard| heard.recorded.first().cloned()).await
}

/// Where reports about the recording go that begins with this document.
fn begins(answer: &Answer) -> Option<String> {
    let mut found = answer.document().verbs.into_iter().filter_map(|verb| match verb {
        Verb::StartRecording(recording) => recording.recording_status_callback,
        _ => None,
    });
    let first = found.next();
    assert_eq!(found.next(), None, "{}", answer.body);
    first
}

async fn a_call_is_dialled_with_the_wish_and_its_recording_is_told(engine: Engine) {
    let world = World::new(engine).await;
    world.orchestrator.behaves(Manner::Ends);
    let silent = world.wish("+14155550117");
    let wish = DialRequested { records: true, ..world.wish(SILENT) };
    world.publish(&[silent.clone(), wish.clone()]).await;
    world.status(&wish, "completed").await;
    world.status(&silent, "completed").await;
    let recorded = first_told(&world).await;
    assert_eq!(
        (&recorded.attempt_id, &recorded.call_id, &recorded.project_id),
        (&wish.attempt_id, &wish.call_id, &wish.project_id)
    );
    assert!(recorded.recording_sid.parse::<RecordingSid>().is_ok() && recorded.duration_seconds > 0);
    world.all_handled().await;
    assert_eq!(told(&world), [recorded], "of the other nothing is recorded");
}

async fn a_call_to_a_bot_is_recorded_from_its_first_document_on(engine: Engine) {
    let world = World::new(engine).await;
    let quiet = world.caller().rings_bot(world.bot_of(world.project)).await;
    assert_eq!(begins(&quiet), None, "nobody wants it");

    world.orchestrator.records.store(true, Ordering::SeqCst);
    let (bot, line) = (world.bot_of(world.project), world.caller());
    let first = line.rings_bot(bot).await;
    let attempt = world.bot_calls().pop().unwrap().attempt_id;
    let callback = begins(&first).expect("the recording begins");
    let path = format!("/v1/voice-recording?attempt={attempt}");
    assert!(callback.starts_with(&format!("{}{path}#", world.base)), "{callback}");
    assert!(first.spoken().starts_with("Sentence 0 of turn 0"), "{}", first.body);
    begun(&world).await;
    // Later nobody wants it any more: what runs goes on, and the same request gets the same document.
    world.orchestrator.records.store(false, Ordering::SeqCst);
    assert_eq!(line.rings_bot(bot).await.body, first.body);
    assert_eq!(begins(&line.post(&first.next(&world).unwrap(), &[]).await), None);

    let sid = RecordingSid::random().unwrap();
    assert_eq!(report(&line, &path, "completed", sid.as_str()).await, 204);
    let recorded = first_told(&world).await;
    assert_eq!((recorded.attempt_id, recorded.recording_sid), (attempt, sid.to_string()));
    assert_eq!((recorded.project_id, recorded.duration_seconds), (world.project.to_string(), 42));
}

/// Waits until it is written down where the recording begins.
async fn begun(world: &World) {
    let look = || async {
        let noted = "dial_attempts WHERE records_fill IS NOT NULL AND carrier_status = 'in-progress'";
        if world.count(noted).await == 1 { Ok(()) } else { Err(()) }
    };
    eventually("the beginning to be noted", PATIENCE, look).await;
}

async fn a_call_that_begins_late_is_recorded_from_there_on_and_once(engine: Engine) {
    let world = World::new(engine).await;
    // A customer rings back while the orchestrator is away.
    let wish = world.wish(CALLER);
    world.left_behind(&wish, "over", Some(CallSid::random().unwrap().as_str())).await;
    world.orchestrator.behaves(Manner::Fails);
    world.orchestrator.records.store(true, Ordering::SeqCst);
    let line = Line { world: &world, wish, sid: CallSid::random().unwrap().to_string() };
    let from = [("From", CALLER), ("To", OURS), ("Direction", "inbound"), ("CallStatus", "ringing")];
    let waiting = line.post("/v1/voice", &from).await;
    assert_eq!(begins(&waiting), None, "nobody has said so yet");
    world.orchestrator.behaves(Manner::Answers);
    let again = waiting.next(&world).unwrap();
    let there = line.post(&again, &[]).await;
    assert!(begins(&there).is_some(), "{}", there.body);
    begun(&world).await;
    assert_eq!(line.post(&again, &[]).await.body, there.body, "a repeat");
    assert_eq!(begins(&line.post("/v1/voice", &from).await), None, "an old request");
    assert_eq!(begins(&line.post(&there.next(&world).unwrap(), &[]).await), None, "the next one");
    world.clock.advance(Duration::from_secs(1));
}

async fn only_what_is_complete_and_of_this_call_is_told(engine: Engine) {
    let world = World::new(engine).await;
    let line = Line::running(&world).await;
    let (path, sid) = (line.path("voice-recording"), RecordingSid::random().unwrap().to_string());
    for (status, sid) in [("absent", sid.as_str()), ("in-progress", &sid), ("", &sid), ("completed", "RE1")] {
        assert_eq!(report(&line, &path, status, sid).await, 204);
    }
    let other = Line { world: &world, wish: line.wish.clone(), sid: CallSid::random().unwrap().to_string() };
    assert_eq!(report(&other, &path, "completed", &sid).await, 204);
    assert_eq!(report(&line, "/v1/voice-recording?attempt=nonsense", "completed", &sid).await, 204);
    world.all_handled().await;
    assert_eq!(told(&world), []);
    assert_eq!(line.report("completed", "3").await, 204);
    assert_eq!(report(&line, &path, "completed", &sid).await, 204, "it comes after the end");
    assert_eq!(first_told(&world).await.recording_sid, sid);
}

async fn a_recording_that_is_to_be_forgotten_is_deleted_at_the_carrier(engine: Engine) {
    let world = World::new(engine).await;
    world.orchestrator.behaves(Manner::Ends);
    let wish = DialRequested { records: true, ..world.wish(SILENT) };
    world.publish(std::slice::from_ref(&wish)).await;
    let recorded = first_told(&world).await;
    let sid: RecordingSid = recorded.recording_sid.parse().unwrap();
    let forget = DeleteRecordingRequested {
        call_id: wish.call_id.clone(),
        project_id: wish.project_id.clone(),
        attempt_id: wish.attempt_id.clone(),
        recording_sid: recorded.recording_sid.clone(),
    };
    let other = DeleteRecordingRequested { project_id: ProjectId::new().to_string(), ..forget.clone() };
    world.publish(&[other]).await;
    world.all_handled().await;
    assert_eq!(world.recording_at_the_carrier(&sid).await, 200, "another project's wish");
    world.publish(&[forget.clone(), forget]).await;
    world.all_handled().await;
    assert_eq!(world.recording_at_the_carrier(&sid).await, 404);
}

impl World {
    /// How the carrier answers whoever asks for it.
    async fn recording_at_the_carrier(&self, sid: &RecordingSid) -> u16 {
        let path = format!("/2010-04-01/Accounts/{}/Recordings/{sid}.json", self.account);
        let request = self.http.get(format!("{}{path}", self.carrier));
        request.basic_auth(&self.account, Some(&self.token)).send().await.unwrap().status().as_u16()
    }
}
