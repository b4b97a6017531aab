//! A customer rings back.

use std::sync::atomic::Ordering;
use std::time::Duration;

use contracts::calls::turn_input::Input;
use contracts::calls::{Answered, BeginInboundRequest, DialRequested};
use contracts::ids::ProjectId;
use contracts::telephony::TwilioAccount;
use contracts::telephony::dial_refused::Reason;
use testkit::database::Engine;
use testkit::on_both_engines;
use testkit::wait::eventually;
use twilio::CallSid;

use crate::carriers::wish_of;
use crate::line::{Answer, Line};
use crate::orchestrator::{Asked, Manner};
use crate::other_carrier::{NUMBER, OtherCarrier};
use crate::world::{BUSY, PATIENCE, SILENT, World};

/// Speaks when spoken to.
const CALLER: &str = "+14155550117";
/// The number of the operator's account.
const OURS: &str = "+15005550006";

on_both_engines![
    a_customer_who_was_rung_from_a_projects_number_is_answered,
    whoever_was_not_rung_lately_hears_a_polite_sentence,
    a_customer_who_is_not_known_any_more_hears_the_same,
    the_same_call_is_begun_once_and_hears_the_same_again,
    an_orchestrator_that_is_away_at_first_begins_it_later,
    while_a_customer_talks_with_us_their_number_is_not_rung,
    a_call_that_came_in_is_stopped_like_any_other,
    a_call_that_came_in_ends_with_its_time_limit,
];

impl World {
    pub(crate) async fn begun_calls(&self) -> Vec<BeginInboundRequest> {
        self.orchestrator.inbound.lock().unwrap().clone()
    }

    /// The customer's line, as the carrier holds it: a call to our number.
    pub(crate) fn rings_in(&self, wish: &DialRequested) -> Line<'_> {
        Line { world: self, wish: wish.clone(), sid: CallSid::random().unwrap().to_string() }
    }
}

impl Line<'_> {
    pub(crate) async fn calls(&self, from: &str, to: &str) -> Answer {
        let more = [("From", from), ("To", to), ("Direction", "inbound"), ("CallStatus", "ringing")];
        self.post("/v1/voice", &more).await
    }
}

/// A wish that has rung and is over.
pub(crate) async fn rung(world: &World, to: &str) -> DialRequested {
    let wish = world.wish(to);
    let sid = CallSid::random().unwrap();
    world.left_behind(&wish, "over", Some(sid.as_str())).await;
    wish
}

async fn a_customer_who_was_rung_from_a_projects_number_is_answered(engine: Engine) {
    let other = OtherCarrier::start().await;
    let world = World::with(engine, &[("ECHO_TWILIO_API_URL", &other.url)]).await;
    let own = ProjectId::new();
    world.connected(own, TwilioAccount { configure_number: true, ..other.own() }).await;
    let wish = wish_of(&world, own, CALLER);
    world.publish(std::slice::from_ref(&wish)).await;
    world.status(&wish, "in_progress").await;
    world.publish(&[World::stop_of(&wish)]).await;
    world.status(&wish, "completed").await;
    world.orchestrator.asked.lock().unwrap().clear();

    let back = other.rung_by(CALLER).await;
    let begun =
        eventually("the call to begin", PATIENCE, || async { world.begun_calls().await.pop().ok_or(()) })
            .await;
    assert_eq!((begun.project_id.as_str(), begun.from_e164.as_str()), (own.to_string().as_str(), CALLER));
    assert_eq!((&begun.answers_call_id, &begun.carrier_call_sid), (&wish.call_id, &back));
    assert_ne!(begun.call_id, wish.call_id);
    // A conversation like any other, and its end is reported although its address names no attempt.
    eventually("words", PATIENCE, || async {
        let asked = world.orchestrator.asked();
        if asked.len() > 2 { Ok(()) } else { Err(asked) }
    })
    .await;
    let end = twilio::rest::UpdateCall::Complete;
    other.rest().update_call(&back.parse().unwrap(), &end).await.unwrap();
    world
        .heard("its end", |heard| {
            heard
                .progressed
                .iter()
                .find(|m| m.attempt_id == begun.attempt_id && m.status == "completed")
                .map(drop)
        })
        .await;
    let statuses = world.orchestrator.statuses_of(&begun.attempt_id);
    assert_eq!(statuses.len(), 2, "in progress, completed: {statuses:?}");
}

async fn whoever_was_not_rung_lately_hears_a_polite_sentence(engine: Engine) {
    let world = World::new(engine).await;
    let wish = rung(&world, BUSY).await;
    for (from, to) in [(CALLER, OURS), (BUSY, NUMBER), ("anonymous", OURS)] {
        let answer = world.rings_in(&wish).calls(from, to).await;
        assert!(answer.spoken().contains("nobody here"), "{from} {to}: {}", answer.body);
        assert_eq!(answer.next(&world), None);
    }
    let without_numbers = world.rings_in(&wish).post("/v1/voice", &[]).await;
    assert!(without_numbers.spoken().contains("nobody here"));
    assert_eq!(world.begun_calls().await, []);

    world.clock.advance(Duration::from_secs(24 * 3600 - 60));
    assert!(world.rings_in(&wish).calls(BUSY, OURS).await.spoken().starts_with("Sentence 0"));
    world.clock.advance(Duration::from_secs(120));
    assert!(world.rings_in(&wish).calls(BUSY, OURS).await.spoken().contains("nobody here"));
}

async fn a_customer_who_is_not_known_any_more_hears_the_same(engine: Engine) {
    let world = World::new(engine).await;
    let wish = rung(&world, BUSY).await;
    world.orchestrator.nobody_there.store(true, Ordering::SeqCst);
    let answer = world.rings_in(&wish).calls(BUSY, OURS).await;
    assert!(answer.spoken().contains("nobody here"), "{}", answer.body);
    assert_eq!(answer.next(&world), None);
    assert_eq!(world.orchestrator.asked(), []);
}

async fn the_same_call_is_begun_once_and_hears_the_same_again(engine: Engine) {
    let world = World::new(engine).await;
    let (earlier, wish) = (rung(&world, BUSY).await, rung(&world, BUSY).await);
    let line = world.rings_in(&wish);
    let (first, second) = tokio::join!(line.calls(BUSY, OURS), line.calls(BUSY, OURS));
    assert_eq!(first.body, second.body);
    let begun = world.begun_calls().await;
    assert!(
        begun.iter().all(|b| b.call_id == begun[0].call_id && b.answers_call_id == wish.call_id),
        "{begun:?}"
    );
    assert_ne!(begun[0].answers_call_id, earlier.call_id, "the latest call is answered");
    assert_eq!(world.orchestrator.asked()[0], Asked::Start(0, Input::Answered(Answered {})));

    let path = first.next(&world).unwrap();
    let next = line.post(&path, &[]).await;
    assert!(next.spoken().starts_with("Sentence 1 of turn 0") && next.listens(), "{}", next.body);
}

async fn an_orchestrator_that_is_away_at_first_begins_it_later(engine: Engine) {
    let world = World::new(engine).await;
    let wish = rung(&world, BUSY).await;
    world.orchestrator.behaves(Manner::Fails);
    let line = world.rings_in(&wish);
    let first = line.calls(BUSY, OURS).await;
    assert!(first.spoken().contains("One moment") && first.took < world.in_time(), "{first:?}");
    world.orchestrator.behaves(Manner::Answers);
    let second = line.post(&first.next(&world).unwrap(), &[]).await;
    assert!(second.spoken().starts_with("Sentence 0 of turn 0"), "{}", second.body);
    assert_eq!(world.begun_calls().await.len(), 1);
}

async fn while_a_customer_talks_with_us_their_number_is_not_rung(engine: Engine) {
    let world = World::new(engine).await;
    let wish = rung(&world, SILENT).await;
    assert!(world.rings_in(&wish).calls(SILENT, OURS).await.spoken().starts_with("Sentence 0"));
    // Another customer rings the same number at the same time.
    let other = rung(&world, BUSY).await;
    assert!(world.rings_in(&other).calls(BUSY, OURS).await.spoken().starts_with("Sentence 0"));
    let next = world.wish(SILENT);
    world.publish(std::slice::from_ref(&next)).await;
    let reason = world
        .heard("the refusal", |heard| {
            heard.refused.iter().find(|m| m.attempt_id == next.attempt_id).map(|m| m.reason())
        })
        .await;
    assert_eq!(reason, Reason::LineBusy);
}

/// A call that really runs at the carrier, to the number of a project.
async fn talking(world: &World, other: &OtherCarrier) -> (String, BeginInboundRequest) {
    world.connected(world.project, TwilioAccount { configure_number: true, ..other.own() }).await;
    let wish = world.wish(SILENT);
    world.publish(std::slice::from_ref(&wish)).await;
    world.status(&wish, "in_progress").await;
    world.publish(&[World::stop_of(&wish)]).await;
    world.status(&wish, "completed").await;
    let sid = other.rung_by(SILENT).await;
    other.has(&sid, "in-progress").await;
    let begun =
        eventually("the call to begin", PATIENCE, || async { world.begun_calls().await.pop().ok_or(()) });
    (sid, begun.await)
}

async fn a_call_that_came_in_is_stopped_like_any_other(engine: Engine) {
    let other = OtherCarrier::start().await;
    let world = World::with(engine, &[("ECHO_TWILIO_API_URL", &other.url)]).await;
    let (sid, begun) = talking(&world, &other).await;
    let stop = contracts::calls::StopCallRequested {
        call_id: begun.call_id,
        project_id: begun.project_id,
        attempt_id: begun.attempt_id,
    };
    world.publish(&[stop]).await;
    other.has(&sid, "completed").await;
}

async fn a_call_that_came_in_ends_with_its_time_limit(engine: Engine) {
    let other = OtherCarrier::start().await;
    let world = World::with(engine, &[("ECHO_TWILIO_API_URL", &other.url)]).await;
    let (sid, _) = talking(&world, &other).await;
    other.has(&sid, "in-progress").await;
    world.clock.advance(Duration::from_secs(3_600 + 60));
    other.has(&sid, "completed").await;
}
