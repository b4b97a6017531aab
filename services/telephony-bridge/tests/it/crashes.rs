//! What becomes of calls whose bridge died, or whose answer and reports were lost: evidence is adopted, silence is reported
//! as unknown, and nothing is ever dialled a second time.

use std::time::Duration;

use contracts::ids::ProjectId;
use contracts::telephony::dial_failed::Cause;
use serde_json::json;
use testkit::database::Engine;
use testkit::on_both_engines;
use twilio::CallSid;

use crate::line::Line;
use crate::stopping::rung_by_somebody;
use crate::world::{BUSY, NOBODY_ANSWERS, SILENT, World};

on_both_engines![
    an_intent_that_was_never_carried_out_is_unknown_after_three_minutes_and_not_dialled,
    a_call_whose_answer_was_lost_is_found_on_the_carriers_list,
    a_call_whose_answer_was_lost_is_known_by_its_first_callback,
    a_request_for_words_is_evidence_too,
    a_call_that_may_be_somebody_elses_is_not_taken_from_the_list,
    a_final_report_that_was_lost_is_found_out_by_asking,
    a_call_that_the_carrier_has_forgotten_has_failed,
];

async fn an_intent_that_was_never_carried_out_is_unknown_after_three_minutes_and_not_dialled(engine: Engine) {
    let world = World::new(engine).await;
    let wish = world.wish(NOBODY_ANSWERS);
    world.left_behind(&wish, "dialing", None).await;
    world.publish(std::slice::from_ref(&wish)).await;
    world.all_handled().await;
    for seconds in [31, 60, 60] {
        world.clock.advance(Duration::from_secs(seconds));
        world.asked_about(&wish).await;
    }
    assert_eq!(world.orchestrator.heard.lock().unwrap().failed, [], "there may still be evidence");

    world.clock.advance(Duration::from_secs(30));
    let failed = world.heard("the end", |heard| heard.failed.first().cloned()).await;
    assert_eq!((failed.cause(), &failed.attempt_id), (Cause::Unknown, &wish.attempt_id));
    world.publish(std::slice::from_ref(&wish)).await;
    world.all_handled().await;
    assert_eq!(world.dialled(NOBODY_ANSWERS).await, 0);
    assert_eq!(world.orchestrator.heard.lock().unwrap().failed.len(), 1);
}

async fn a_call_whose_answer_was_lost_is_found_on_the_carriers_list(engine: Engine) {
    for lost in ["answer_lost_next", "error_after_dialling_next"] {
        let world = World::new(engine).await;
        world.nasty(&json!({lost: 1, "callbacks_lose_next": 100})).await;
        let wish = world.wish(NOBODY_ANSWERS);
        world.publish(&[wish.clone(), wish.clone()]).await;
        let sid = world.accepted(&wish).await;
        world.at_the_carrier(&sid, "ringing").await;
        world.status(&wish, "ringing").await;
        world.all_handled().await;
        assert_eq!(world.dialled(NOBODY_ANSWERS).await, 1, "{lost}");
        assert_eq!(world.orchestrator.heard.lock().unwrap().accepted.len(), 1, "{lost}");
    }
}

async fn a_call_whose_answer_was_lost_is_known_by_its_first_callback(engine: Engine) {
    let world = World::new(engine).await;
    let wish = world.wish(NOBODY_ANSWERS);
    world.left_behind(&wish, "dialing", None).await;
    let sid = CallSid::random().unwrap().to_string();
    let line = Line { world: &world, wish: wish.clone(), sid: sid.clone() };
    assert_eq!(line.report("initiated", "0").await, 204);
    assert_eq!(world.accepted(&wish).await, sid);
    world.status(&wish, "dialing").await;
    assert_eq!(world.row(&wish).await.unwrap().state, "placed");
}

async fn a_request_for_words_is_evidence_too(engine: Engine) {
    let world = World::new(engine).await;
    let wish = world.wish(NOBODY_ANSWERS);
    world.left_behind(&wish, "unknown", None).await;
    let line = Line { world: &world, wish: wish.clone(), sid: CallSid::random().unwrap().to_string() };
    let answer = line.pick_up().await;
    assert!(answer.spoken().starts_with("Sentence 0 of turn 0"), "{}", answer.body);
    assert_eq!(world.accepted(&wish).await, line.sid);
}

async fn a_call_that_may_be_somebody_elses_is_not_taken_from_the_list(engine: Engine) {
    let world = World::new(engine).await;
    // Two projects were about to ring the same number; one of them did.
    let one = world.wish(NOBODY_ANSWERS);
    let mut other = world.wish(NOBODY_ANSWERS);
    other.project_id = ProjectId::new().to_string();
    for wish in [&one, &other] {
        world.left_behind(wish, "dialing", None).await;
    }
    let sid = rung_by_somebody(&world, NOBODY_ANSWERS).await;
    world.clock.advance(Duration::from_secs(31));
    world.asked_about(&one).await;
    world.asked_about(&other).await;
    assert_eq!(world.orchestrator.heard.lock().unwrap().accepted, []);

    // Its callback names the attempt.
    let line = Line { world: &world, wish: other.clone(), sid: sid.clone() };
    assert_eq!(line.report("ringing", "1").await, 204);
    assert_eq!(world.accepted(&other).await, sid);
    // Now the other one is alone, and the call on the list is taken.
    world.clock.advance(Duration::from_secs(11));
    world.asked_about(&one).await;
    assert_eq!(world.row(&one).await.unwrap().carrier_call_sid, None);
}

async fn a_final_report_that_was_lost_is_found_out_by_asking(engine: Engine) {
    let world = World::new(engine).await;
    world.nasty(&json!({"callbacks_lose_next": 100})).await;
    let wish = world.wish(BUSY);
    world.publish(std::slice::from_ref(&wish)).await;
    let sid = world.accepted(&wish).await;
    world.at_the_carrier(&sid, "busy").await;
    world.clock.advance(Duration::from_secs(31));
    world.status(&wish, "busy").await;
    assert_eq!(world.orchestrator.heard.lock().unwrap().progressed[0].sequence, None);
    assert!(!world.row(&wish).await.unwrap().live);
}

async fn a_call_that_the_carrier_has_forgotten_has_failed(engine: Engine) {
    let world = World::new(engine).await;
    let wish = world.wish(SILENT);
    let sid = CallSid::random().unwrap().to_string();
    world.left_behind(&wish, "placed", Some(&sid)).await;
    world.clock.advance(Duration::from_secs(31));
    world.status(&wish, "failed").await;
    assert_eq!(world.orchestrator.statuses_of(&wish.attempt_id), ["failed"]);
}
