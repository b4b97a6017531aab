//! When a number is rung: at its time, again, or not any more.

use std::time::Duration;

use contracts::calls::{PlaceNotificationRequest, RetryPolicy};
use contracts::ids::ProjectId;
use contracts::rpc::RpcError;
use testkit::database::Engine;
use testkit::on_both_engines;
use testkit::wait::eventually;

use crate::world::{PATIENCE, World, answered, by_agent, by_message, heard, progressed};

on_both_engines![
    a_scheduled_call_is_dialled_when_it_is_due_and_not_before,
    a_scheduled_call_holds_nobody_up_who_may_be_rung_now,
    what_was_not_dialled_in_time_expires,
    a_busy_line_is_rung_again_after_the_pause_that_was_asked_for,
    a_policy_that_cannot_be_is_named,
    what_waits_rings_or_talks_is_stopped_and_what_is_over_stays,
    each_attempt_is_read_back_with_its_times_and_what_was_said,
];

fn in_seconds(world: &World, seconds: i64) -> Option<i64> {
    Some(world.clock.now().timestamp_millis() + seconds * 1000)
}

async fn a_scheduled_call_is_dialled_when_it_is_due_and_not_before(engine: Engine) {
    let world = World::new(engine).await;
    let at = in_seconds(&world, 3600);
    let request = PlaceNotificationRequest { scheduled_at_ms: at, ..by_agent(world.project) };
    let placed = world.place(request).await;
    assert_eq!((placed.status.as_str(), placed.call_status.as_str()), ("queued", "queued"));
    assert_eq!((placed.scheduled_at_ms, placed.next_attempt_at_ms), (at, at));
    assert_eq!(placed.expires_at_ms, at.unwrap() + 24 * 3600 * 1000, "a day after it became due");
    world.pass(Duration::from_secs(3500)).await;
    // Something that comes later is rung at once: a round has passed by what waits.
    let later = world.place(by_message(ProjectId::new())).await;
    world.dial(&later.call_id, 1).await;
    assert!(world.dials_of(&placed.call_id).is_empty());
    world.pass(Duration::from_secs(101)).await;
    world.dial(&placed.call_id, 1).await;
    assert_eq!(world.get(&placed.id).await.status, "in_progress");
}

async fn a_scheduled_call_holds_nobody_up_who_may_be_rung_now(engine: Engine) {
    let world = World::new(engine).await;
    let mut first = None;
    for _ in 0..10 {
        let placed = world.place(by_message(world.project)).await;
        first.get_or_insert(world.dial(&placed.call_id, 1).await);
    }
    let at = in_seconds(&world, 3600);
    let later = PlaceNotificationRequest { scheduled_at_ms: at, ..by_message(world.project) };
    let later = world.place(later).await;
    assert_eq!((later.status.as_str(), later.blocked_by.as_str()), ("queued", ""));
    let now = world.place(by_message(world.project)).await;
    assert_eq!(now.blocked_by, "max_concurrent_calls");
    world.complete(&first.unwrap(), 1).await;
    world.dial(&now.call_id, 1).await;
    assert!(world.dials_of(&later.call_id).is_empty());
}

async fn what_was_not_dialled_in_time_expires(engine: Engine) {
    let world = World::new(engine).await;
    let mut dials = Vec::new();
    for _ in 0..10 {
        let placed = world.place(by_message(world.project)).await;
        dials.push(world.dial(&placed.call_id, 1).await);
    }
    let expires_at_ms = in_seconds(&world, 60);
    let placed = world.place(PlaceNotificationRequest { expires_at_ms, ..by_message(world.project) }).await;
    assert_eq!(
        (placed.blocked_by.as_str(), Some(placed.expires_at_ms)),
        ("max_concurrent_calls", expires_at_ms)
    );
    world.pass(Duration::from_secs(61)).await;
    let summary = world.summary(&placed.id).await;
    assert_eq!((summary.status.as_str(), summary.ended_reason.as_str()), ("failed", "expired"));
    assert!(world.dials_of(&placed.call_id).is_empty());
}

async fn a_busy_line_is_rung_again_after_the_pause_that_was_asked_for(engine: Engine) {
    let world = World::new(engine).await;
    let retry = RetryPolicy { max_attempts: 2, delay_seconds: vec![120], on: vec!["busy".to_owned()] };
    let request = PlaceNotificationRequest {
        retry: Some(retry),
        from_e164: "+15005550006".to_owned(),
        ..by_message(world.project)
    };
    let (placed, dial) = world.ring(request).await;
    assert_eq!(dial.from_e164, "+15005550006");
    let now = world.clock.now().timestamp_millis();
    world.publish(&[progressed(&dial, "busy", 2, now)]).await;
    world.quiet().await;
    let waits = world.get(&placed.id).await;
    assert_eq!((waits.status.as_str(), waits.attempts, waits.max_attempts), ("in_progress", 1, 2));
    assert!(waits.next_attempt_at_ms.unwrap() >= now + 119_000, "{waits:?}");
    world.pass(Duration::from_secs(121)).await;
    let call = eventually("the second call", PATIENCE, || async {
        let calls = world.calls(&placed.id).await;
        if calls.len() == 2 { Ok(calls[0].clone()) } else { Err(calls.len()) }
    })
    .await;
    let again = world.dial(&call.id, 1).await;
    let now = world.clock.now().timestamp_millis();
    world.publish(&[progressed(&again, "busy", 2, now)]).await;
    let summary = world.summary(&placed.id).await;
    assert_eq!((summary.ended_reason.as_str(), summary.attempt), ("busy", 2));
    let calls = world.calls(&placed.id).await;
    let seen: Vec<_> =
        calls.iter().map(|c| (c.attempt, c.status.as_str(), c.ended_reason.as_str())).collect();
    assert_eq!(seen, [(2, "busy", "busy"), (1, "busy", "busy")]);
}

async fn a_policy_that_cannot_be_is_named(engine: Engine) {
    let world = World::new(engine).await;
    let policy =
        |max_attempts, on: &str| RetryPolicy { max_attempts, delay_seconds: vec![], on: vec![on.to_owned()] };
    for retry in [policy(6, "busy"), policy(2, "dial-unknown"), policy(2, "never")] {
        let request = PlaceNotificationRequest { retry: Some(retry), ..by_message(world.project) };
        let refused = world.try_place(request).await;
        assert!(matches!(&refused, Err(RpcError::Invalid { field, .. }) if field == "retry"), "{refused:?}");
    }
    let request = PlaceNotificationRequest { voicemail: "sing".to_owned(), ..by_message(world.project) };
    let refused = world.try_place(request).await;
    assert!(matches!(&refused, Err(RpcError::Invalid { field, .. }) if field == "voicemail"), "{refused:?}");
}

async fn what_waits_rings_or_talks_is_stopped_and_what_is_over_stays(engine: Engine) {
    let world = World::new(engine).await;
    let project = world.project.to_string();
    let at = in_seconds(&world, 3600);
    let waits =
        world.place(PlaceNotificationRequest { scheduled_at_ms: at, ..by_agent(world.project) }).await;
    let stopped = world.stop_it(&project, &waits.id).await.unwrap();
    assert_eq!((stopped.status.as_str(), stopped.call_status.as_str()), ("canceled", "canceled"));
    assert_eq!(world.summary(&waits.id).await.ended_reason, "canceled");
    let (talks, dial) = world.talk(by_agent(world.project)).await;
    let other = ProjectId::new().to_string();
    assert_eq!(world.stop_it(&other, &talks.id).await, Err(RpcError::NotFound("notification".to_owned())));
    assert_eq!(world.stop_it(&project, &talks.id).await.unwrap().status, "canceled");
    world.quiet().await;
    let stops = world.heard.stops.lock().unwrap().clone();
    assert_eq!(stops.iter().map(|s| s.call_id.as_str()).collect::<Vec<_>>(), [dial.call_id.as_str()]);
    world.complete(&dial, 3).await;
    assert_eq!(world.summary(&talks.id).await.ended_reason, "canceled");
    for over in [&waits.id, &talks.id] {
        let refused = world.stop_it(&project, over).await;
        assert!(
            matches!(&refused, Err(RpcError::Conflict { code, .. }) if code == "notification_finished"),
            "{refused:?}"
        );
    }
}

async fn each_attempt_is_read_back_with_its_times_and_what_was_said(engine: Engine) {
    let world = World::new(engine).await;
    let (placed, dial) = world.ring(by_agent(world.project)).await;
    let now = world.clock.now().timestamp_millis();
    world.publish(&[progressed(&dial, "in_progress", 2, now)]).await;
    let (opening, _) = world.whole_turn(&dial, 0, answered()).await;
    world.whole_turn(&dial, 1, heard("Yes, Thursday is fine.")).await;
    world.quiet().await;
    world.complete(&dial, 0).await;
    world.summary(&placed.id).await;
    let calls = world.calls(&placed.id).await;
    let call = &calls[0];
    assert_eq!((calls.len(), call.id.as_str(), call.attempt), (1, placed.call_id.as_str(), 1));
    assert_eq!((call.carrier_call_sid.as_str(), call.status.as_str()), ("CA1", "completed"));
    assert_eq!(call.to_e164, "+14155552671");
    let times = [Some(call.created_at_ms), call.dialled_at_ms, call.answered_at_ms, call.ended_at_ms];
    assert!(times.iter().all(Option::is_some) && times.is_sorted(), "{times:?}");
    let spoken: Vec<_> = call.turns.iter().map(|t| (t.turn, t.speaker.as_str())).collect();
    assert_eq!(spoken, [(0, "agent"), (1, "customer"), (1, "agent")]);
    assert_eq!(call.turns[0].text, opening);
    assert_eq!(
        (call.turns[1].text.as_str(), call.turns[1].confidence),
        ("Yes, Thursday is fine.", Some(0.95))
    );
    assert_eq!((call.turns[0].confidence, call.turns[1].latency_ms), (None, None));
    assert!(call.turns[2].latency_ms.is_some_and(|ms| ms >= 0));
    assert_eq!(world.try_call(&world.project.to_string(), &call.id).await.as_ref(), Ok(call));
    let other = ProjectId::new().to_string();
    assert_eq!(world.try_call(&other, &call.id).await, Err(RpcError::NotFound("call".to_owned())));
    let read = world.get(&placed.id).await;
    assert!(read.evidence_json.contains("grounded"), "{read:?}");
}
