//! A call that nobody wants any more is not dialled, does not ring on and is not talked on.

use std::time::Duration;

use contracts::calls::DialRequested;
use contracts::telephony::dial_failed::Cause;
use serde_json::json;
use testkit::database::Engine;
use testkit::on_both_engines;

use crate::line::Line;
use crate::world::{NOBODY_ANSWERS, SILENT, World};

on_both_engines![
    a_stop_that_overtakes_its_wish_keeps_it_from_being_dialled,
    a_wish_that_waits_for_the_carrier_is_stopped_without_being_dialled,
    a_wish_that_waits_for_a_turn_far_off_is_stopped_without_being_dialled,
    a_wish_that_waits_for_the_next_turn_is_stopped_without_being_dialled,
    a_phone_that_rings_stops_ringing,
    a_conversation_is_ended_at_the_carrier,
    a_stop_that_comes_while_nobody_knows_the_call_ends_it_once_it_is_known,
    a_carrier_that_does_not_take_the_stop_is_told_again_and_the_caller_hears_nothing_more,
    a_stop_of_what_is_over_changes_nothing,
];

async fn a_stop_that_overtakes_its_wish_keeps_it_from_being_dialled(engine: Engine) {
    let world = World::new(engine).await;
    let wish = world.wish(NOBODY_ANSWERS);
    let stop = World::stop_of(&wish);
    world.publish(&[stop.clone(), stop.clone()]).await;
    // The bus promises no order, so the stop has had its effect before the wish is sent.
    world.all_handled().await;
    world.publish(&[wish.clone(), wish.clone()]).await;
    world.publish(&[stop]).await;
    assert_eq!(only_failure(&world, &wish).await, Cause::Canceled);
    assert_eq!(world.dialled(NOBODY_ANSWERS).await, 0);
}

async fn a_wish_that_waits_for_the_carrier_is_stopped_without_being_dialled(engine: Engine) {
    let world = World::new(engine).await;
    world.nasty(&json!({"too_many_requests_next": 1})).await;
    let wish = world.wish(NOBODY_ANSWERS);
    world.publish(std::slice::from_ref(&wish)).await;
    world.one_put_off().await;
    world.publish(&[World::stop_of(&wish)]).await;
    world.heard("the end", |heard| heard.failed.first().cloned()).await;
    world.clock.advance(Duration::from_secs(6));
    assert_eq!(only_failure(&world, &wish).await, Cause::Canceled);
    assert_eq!(world.dialled(NOBODY_ANSWERS).await, 0);
}

async fn a_wish_that_waits_for_a_turn_far_off_is_stopped_without_being_dialled(engine: Engine) {
    // One call in twenty seconds: the message is put off until its turn is near.
    let world = World::with(engine, &[("ECHO_CALLS_PER_SECOND", "0.05")]).await;
    let (first, second) = (world.wish("+14155550201"), world.wish(NOBODY_ANSWERS));
    world.publish(std::slice::from_ref(&first)).await;
    world.accepted(&first).await;
    world.publish(std::slice::from_ref(&second)).await;
    world.one_put_off().await;
    world.publish(&[World::stop_of(&second)]).await;
    world.heard("the end", |heard| heard.failed.first().cloned()).await;
    world.clock.advance(Duration::from_secs(21));
    assert_eq!(only_failure(&world, &second).await, Cause::Canceled);
    assert_eq!(world.dialled(NOBODY_ANSWERS).await, 0);
}

async fn a_wish_that_waits_for_the_next_turn_is_stopped_without_being_dialled(engine: Engine) {
    // One call in four seconds: so long the message is held, with the intent committed.
    let world = World::with(engine, &[("ECHO_CALLS_PER_SECOND", "0.25")]).await;
    let (first, second) = (world.wish("+14155550201"), world.wish(NOBODY_ANSWERS));
    world.publish(std::slice::from_ref(&first)).await;
    world.begun(&first).await;
    world.publish(std::slice::from_ref(&second)).await;
    world.begun(&second).await;
    world.publish(&[World::stop_of(&second)]).await;
    assert_eq!(only_failure(&world, &second).await, Cause::Canceled);
    assert_eq!(world.dialled(NOBODY_ANSWERS).await, 0);
}

async fn a_phone_that_rings_stops_ringing(engine: Engine) {
    let world = World::new(engine).await;
    let wish = world.wish(NOBODY_ANSWERS);
    world.publish(std::slice::from_ref(&wish)).await;
    let sid = world.accepted(&wish).await;
    world.status(&wish, "ringing").await;
    world.publish(&[World::stop_of(&wish)]).await;
    world.status(&wish, "canceled").await;
    world.at_the_carrier(&sid, "canceled").await;
    assert!(!world.row(&wish).await.unwrap().live);
}

async fn a_conversation_is_ended_at_the_carrier(engine: Engine) {
    let world = World::new(engine).await;
    let wish = world.wish(SILENT);
    world.publish(std::slice::from_ref(&wish)).await;
    let sid = world.accepted(&wish).await;
    world.status(&wish, "in_progress").await;
    world.publish(&[World::stop_of(&wish)]).await;
    world.status(&wish, "completed").await;
    world.at_the_carrier(&sid, "completed").await;
}

async fn a_stop_that_comes_while_nobody_knows_the_call_ends_it_once_it_is_known(engine: Engine) {
    let world = World::new(engine).await;
    // The carrier has the call, the bridge died before it learned of it.
    let wish = world.wish(NOBODY_ANSWERS);
    world.left_behind(&wish, "dialing", None).await;
    let sid = rung_by_somebody(&world, NOBODY_ANSWERS).await;
    world.publish(&[World::stop_of(&wish)]).await;
    world.all_handled().await;
    world.at_the_carrier(&sid, "ringing").await;

    let line = Line { world: &world, wish: wish.clone(), sid: sid.clone() };
    assert_eq!(line.report("ringing", "1").await, 204);
    world.at_the_carrier(&sid, "canceled").await;
    world.status(&wish, "canceled").await;
}

async fn a_carrier_that_does_not_take_the_stop_is_told_again_and_the_caller_hears_nothing_more(
    engine: Engine,
) {
    let world = World::new(engine).await;
    let wish = world.wish(NOBODY_ANSWERS);
    world.publish(std::slice::from_ref(&wish)).await;
    let sid = world.accepted(&wish).await;
    world.status(&wish, "ringing").await;
    world.nasty(&json!({"too_many_requests_next": 1})).await;
    world.publish(&[World::stop_of(&wish)]).await;
    world.one_put_off().await;
    // The phone is picked up all the same.
    let line = Line { world: &world, wish: wish.clone(), sid: sid.clone() };
    assert!(line.pick_up().await.hangs_up());
    assert_eq!(world.orchestrator.asked(), [], "nobody prepares words for it");
    world.clock.advance(Duration::from_secs(6));
    world.at_the_carrier(&sid, "canceled").await;
    world.status(&wish, "canceled").await;
}

async fn a_stop_of_what_is_over_changes_nothing(engine: Engine) {
    let world = World::new(engine).await;
    let wish = world.wish("+14155550104");
    world.publish(std::slice::from_ref(&wish)).await;
    world.status(&wish, "busy").await;
    world.publish(&[World::stop_of(&wish)]).await;
    world.all_handled().await;
    assert_eq!(world.orchestrator.statuses_of(&wish.attempt_id).last().unwrap(), "busy");
    assert_eq!(world.orchestrator.heard.lock().unwrap().failed, []);
}

/// A call to this number of which the bridge knows nothing. Answers its id.
pub(crate) async fn rung_by_somebody(world: &World, phone: &str) -> String {
    let nowhere = format!("{}/nowhere", world.base);
    let document = twilio::rest::Instructions::Url { url: nowhere, method: None };
    let mut call = twilio::rest::CreateCall::new(phone, "+15005550006", document);
    call.timeout = Some(600);
    world.rest().create_call(&call).await.unwrap().sid.to_string()
}

/// The cause of the one failure that is heard once all is done.
async fn only_failure(world: &World, wish: &DialRequested) -> Cause {
    world.heard("the failure", |heard| heard.failed.first().cloned()).await;
    world.all_handled().await;
    let heard = world.orchestrator.heard.lock().unwrap();
    let [failed] = heard.failed.as_slice() else { panic!("{:?}", heard.failed) };
    assert_eq!(failed.attempt_id, wish.attempt_id);
    failed.cause()
}
