//! A call that names an attempt which is not its own would be a second ring: it is hung up and ended at the carrier.

use testkit::database::Engine;
use testkit::on_both_engines;

use crate::line::Line;
use crate::stopping::rung_by_somebody;
use crate::world::{NOBODY_ANSWERS, SILENT, World};

on_both_engines![
    a_second_call_of_an_attempt_that_asks_for_words_is_hung_up_and_ended,
    a_second_call_of_an_attempt_that_only_rings_is_ended,
    a_call_of_an_attempt_that_is_over_is_hung_up_and_ended,
];

async fn a_second_call_of_an_attempt_that_asks_for_words_is_hung_up_and_ended(engine: Engine) {
    let world = World::new(engine).await;
    let wish = world.wish(NOBODY_ANSWERS);
    world.publish(std::slice::from_ref(&wish)).await;
    let first = world.accepted(&wish).await;
    let second = rung_by_somebody(&world, NOBODY_ANSWERS).await;
    world.at_the_carrier(&second, "ringing").await;

    let stranger = Line { world: &world, wish: wish.clone(), sid: second.clone() };
    assert!(stranger.pick_up().await.hangs_up());
    world.at_the_carrier(&second, "canceled").await;
    assert_eq!(world.orchestrator.asked(), []);
    // The attempt's own call rings on, and is spoken to.
    world.at_the_carrier(&first, "ringing").await;
    let own = Line { world: &world, wish, sid: first };
    assert!(own.pick_up().await.spoken().starts_with("Sentence 0"));
}

async fn a_second_call_of_an_attempt_that_only_rings_is_ended(engine: Engine) {
    let world = World::new(engine).await;
    let own = Line::running(&world).await;
    let second = rung_by_somebody(&world, NOBODY_ANSWERS).await;
    let stranger = Line { world: &world, wish: own.wish.clone(), sid: second.clone() };
    assert_eq!(stranger.report("ringing", "1").await, 204);
    world.at_the_carrier(&second, "canceled").await;
    // Its reports say nothing about the attempt.
    assert_eq!(stranger.report("canceled", "2").await, 204);
    world.all_handled().await;
    assert_eq!(world.orchestrator.statuses_of(&own.wish.attempt_id), Vec::<String>::new());
    assert!(world.row(&own.wish).await.unwrap().live);
}

async fn a_call_of_an_attempt_that_is_over_is_hung_up_and_ended(engine: Engine) {
    let world = World::new(engine).await;
    let wish = world.wish(SILENT);
    world.left_behind(&wish, "over", None).await;
    let sid = rung_by_somebody(&world, NOBODY_ANSWERS).await;
    let late = Line { world: &world, wish: wish.clone(), sid: sid.clone() };
    assert!(late.pick_up().await.hangs_up());
    world.at_the_carrier(&sid, "canceled").await;
    assert_eq!(world.row(&wish).await.unwrap().carrier_call_sid, None);
    assert_eq!(world.orchestrator.heard.lock().unwrap().accepted, []);
}
