//! A customer rings back.

use contracts::calls::{BeginInboundRequest, CallStarted, DialRequested, Notification, Then};
use contracts::ids::{AttemptId, CallId};
use contracts::rpc::RpcError;
use contracts::telephony::dial_refused::Reason;
use testkit::database::Engine;
use testkit::on_both_engines;
use testkit::wait::eventually;

use crate::world::{PATIENCE, World, answered, by_agent, heard};

on_both_engines![
    a_customer_who_rings_back_after_the_end_talks_with_the_same_agent_and_changes_nothing,
    what_a_customer_says_who_rings_back_after_the_end_is_kept_with_that_call,
    who_is_forgotten_while_they_ring_back_leaves_nothing_of_what_they_say,
    a_notification_that_waits_goes_on_with_the_call_of_its_customer,
    a_call_that_came_in_is_begun_once_and_each_is_a_call_of_its_own,
    whoever_cannot_be_the_customer_is_not_answered,
];

/// A call as the bridge enters it, for the customer of `dial`.
fn rings_back(dial: &DialRequested, world: &World) -> BeginInboundRequest {
    BeginInboundRequest {
        project_id: dial.project_id.clone(),
        call_id: CallId::new().to_string(),
        attempt_id: AttemptId::new().to_string(),
        answers_call_id: dial.call_id.clone(),
        carrier_call_sid: "CA2".to_owned(),
        from_e164: dial.to_e164.clone(),
        at_ms: world.clock.now().timestamp_millis(),
    }
}

/// The same call, as the reports about it name it.
fn named(request: &BeginInboundRequest, dial: &DialRequested) -> DialRequested {
    DialRequested { call_id: request.call_id.clone(), attempt_id: request.attempt_id.clone(), ..dial.clone() }
}

impl World {
    /// The call comes in, and the agent's first words are heard.
    async fn rung_back(&self, dial: &DialRequested) -> (DialRequested, String) {
        let request = rings_back(dial, self);
        self.begin(&request).await.unwrap();
        let call = named(&request, dial);
        let (said, then) = self.whole_turn(&call, 0, answered()).await;
        assert_eq!(then, i32::from(Then::Listen), "{said}");
        (call, said)
    }

    fn started(&self, call_id: &str) -> Vec<CallStarted> {
        self.heard.started.lock().unwrap().iter().filter(|e| e.call_id == call_id).cloned().collect()
    }
}

async fn a_customer_who_rings_back_after_the_end_talks_with_the_same_agent_and_changes_nothing(
    engine: Engine,
) {
    let world = World::new(engine).await;
    let (placed, dial) = world.ring(by_agent(world.project)).await;
    let (first, _) = world.whole_turn(&dial, 0, answered()).await;
    world.complete(&dial, 9).await;
    let summary = world.summary(&placed.id).await;
    let before: Notification = world.get(&placed.id).await;

    let (call, said) = world.rung_back(&dial).await;
    assert_eq!(said, first, "the same agent, the same words");
    world.whole_turn(&call, 1, heard("Yes, that works.")).await;
    world.complete(&call, 20).await;
    world.quiet().await;
    assert_eq!(world.started_and_ended(&call.call_id), (1, 1));
    let started = world.started(&call.call_id).remove(0);
    assert_eq!(
        (started.notification_id.as_str(), started.attempt, started.inbound),
        (placed.id.as_str(), 1, true)
    );
    assert!(!world.started(&dial.call_id).remove(0).inbound);
    assert_eq!(world.get(&placed.id).await, before);
    assert_eq!(world.summary(&placed.id).await, summary, "and there is one");
}

async fn what_a_customer_says_who_rings_back_after_the_end_is_kept_with_that_call(engine: Engine) {
    let world = World::new(engine).await;
    let (placed, dial) = world.ring(by_agent(world.project)).await;
    let now = world.clock.now().timestamp_millis();
    // Nobody was there; then they ring back.
    world.publish(&[crate::world::progressed(&dial, "no_answer", 3, now)]).await;
    let summary = world.summary(&placed.id).await;
    assert_eq!((summary.status.as_str(), summary.analysis_json.as_str()), ("failed", ""));
    let (call, _) = world.rung_back(&dial).await;
    world.whole_turn(&call, 1, heard("Yes, that works.")).await;
    world.complete(&call, 20).await;
    let read = || async {
        let seen = world.try_call(&placed.project_id, &call.call_id).await.unwrap();
        if seen.call_result_json.is_empty() { Err(seen) } else { Ok(seen) }
    };
    let seen = eventually("the call to be read", PATIENCE, read).await;
    assert!(seen.inbound && seen.call_result_json.contains("\"confirmed\":true"), "{seen:?}");
    assert!(seen.evidence_json.contains("grounded"), "{}", seen.evidence_json);
    let calls = world.calls(&placed.id).await;
    let listed: Vec<(bool, bool)> =
        calls.iter().map(|c| (c.inbound, c.call_result_json.is_empty())).collect();
    assert_eq!(listed, [(true, false), (false, true)], "newest first");
    let after = world.get(&placed.id).await;
    assert_eq!((after.status.as_str(), after.call_result_json.as_str()), ("failed", ""));
    assert_eq!(world.summary(&placed.id).await, summary, "and there is one");
    world.erase_customer(&placed.customer_id).await;
    let forgotten = || async {
        let left = world.count("readings").await;
        if left == 0 { Ok(()) } else { Err(left) }
    };
    eventually("what was said to be forgotten", PATIENCE, forgotten).await;
}

async fn who_is_forgotten_while_they_ring_back_leaves_nothing_of_what_they_say(engine: Engine) {
    let world = World::new(engine).await;
    let (placed, dial) = world.ring(by_agent(world.project)).await;
    let now = world.clock.now().timestamp_millis();
    world.publish(&[crate::world::progressed(&dial, "no_answer", 3, now)]).await;
    world.summary(&placed.id).await;
    let (call, _) = world.rung_back(&dial).await;
    world.erase_customer(&placed.customer_id).await;
    world.whole_turn(&call, 1, heard("Yes, that works.")).await;
    assert_eq!(world.count("turns WHERE heard IS NOT NULL").await, 1, "they talk");
    world.complete(&call, 20).await;
    world.quiet().await;
    let forgotten = || async {
        world.clock.advance(std::time::Duration::from_secs(6));
        let heard = world.count("turns WHERE heard IS NOT NULL").await;
        let said = world.count("sentences WHERE text <> ''").await;
        let read = world.count("readings").await;
        if (heard, said, read) == (0, 0, 0) { Ok(()) } else { Err((heard, said, read)) }
    };
    eventually("what was said to be forgotten", PATIENCE, forgotten).await;
}

async fn a_notification_that_waits_goes_on_with_the_call_of_its_customer(engine: Engine) {
    let world = World::new(engine).await;
    let placed = world.place(by_agent(world.project)).await;
    let dial = world.dial(&placed.call_id, 1).await;
    world.refuse(&dial, Reason::LineBusy).await;
    world.quiet().await;

    let (call, _) = world.rung_back(&dial).await;
    let meanwhile = world.get(&placed.id).await;
    assert_eq!((meanwhile.status.as_str(), &meanwhile.call_id), ("in_progress", &call.call_id));
    world.pass(std::time::Duration::from_secs(120)).await;
    assert_eq!(world.dials_of(&dial.call_id).len(), 1, "nobody is rung who is on the line");
    world.whole_turn(&call, 1, heard("Yes, that works.")).await;
    world.complete(&call, 20).await;
    let summary = world.summary(&placed.id).await;
    assert_eq!(
        (summary.status.as_str(), &summary.call_id, summary.inbound),
        ("completed", &call.call_id, true)
    );
    assert!(summary.transcript.contains("Yes, that works."), "{}", summary.transcript);
}

async fn a_call_that_came_in_is_begun_once_and_each_is_a_call_of_its_own(engine: Engine) {
    let world = World::new(engine).await;
    let (placed, dial) = world.talk(by_agent(world.project)).await;
    world.complete(&dial, 9).await;
    world.summary(&placed.id).await;
    let request = rings_back(&dial, &world);
    let (a, b) = tokio::join!(world.begin(&request), world.begin(&request));
    a.and(b).unwrap();
    world.begin(&rings_back(&dial, &world)).await.unwrap();
    assert_eq!(world.count("calls WHERE attempt < 0").await, 2);
    assert_eq!(world.count("calls WHERE attempt = -1").await, 1);
}

async fn whoever_cannot_be_the_customer_is_not_answered(engine: Engine) {
    let world = World::new(engine).await;
    let (placed, dial) = world.talk(by_agent(world.project)).await;
    world.complete(&dial, 9).await;
    world.summary(&placed.id).await;
    let right = rings_back(&dial, &world);
    for wrong in [
        BeginInboundRequest { from_e164: "+14155550999".to_owned(), ..right.clone() },
        BeginInboundRequest { project_id: contracts::ids::ProjectId::new().to_string(), ..right.clone() },
        BeginInboundRequest { answers_call_id: CallId::new().to_string(), ..right.clone() },
    ] {
        let refused = world.begin(&wrong).await.unwrap_err();
        assert!(matches!(refused, RpcError::NotFound(_)), "{refused}");
    }
    assert_eq!(world.count("calls").await, 1);
}
