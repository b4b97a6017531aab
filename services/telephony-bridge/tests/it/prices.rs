//! What calls cost: asked of the carrier some time after the end, told once, and given up after a day.

use std::time::Duration;

use contracts::calls::DialRequested;
use contracts::telephony::CallPriced;
use testkit::database::Engine;
use testkit::on_both_engines;
use testkit::wait::eventually;
use twilio::rest::UpdateCall;

use crate::line::Line;
use crate::orchestrator::Manner;
use crate::world::{BUSY, PATIENCE, SILENT, World};

on_both_engines![
    the_carriers_price_is_asked_for_after_the_end_and_told_once,
    two_replicas_tell_one_price,
    a_price_that_never_comes_is_given_up_after_a_day,
    a_call_that_nobody_picked_up_is_not_asked_about,
    a_call_that_was_put_through_to_a_person_has_the_price_of_both_legs,
];

/// A call that was picked up and is over, also for the carrier, with the id that it has there.
async fn talked(world: &World) -> (DialRequested, String) {
    let wish = world.wish(SILENT);
    world.publish(std::slice::from_ref(&wish)).await;
    let sid = world.accepted(&wish).await;
    world.status(&wish, "in_progress").await;
    world.rest().update_call(&sid.parse().unwrap(), &UpdateCall::Complete).await.unwrap();
    world.status(&wish, "completed").await;
    (wish, sid)
}

/// Waits until the carrier's call resource shows a price.
async fn known_to_the_carrier(world: &World, sid: &str) -> String {
    let client = world.rest();
    let sid = sid.parse().unwrap();
    let look = || async { client.fetch_call(&sid).await.unwrap().price.ok_or(()) };
    eventually("the carrier to know its price", PATIENCE, look).await
}

async fn told(world: &World) -> CallPriced {
    world.heard("the price", |heard| heard.priced.first().cloned()).await
}

/// Waits until so many prices are still to be asked for, `asked` times asked.
async fn left(world: &World, asked: &str, n: i64) {
    let look = || async {
        let left = world.count(&format!("price_checks WHERE asked {asked}")).await;
        if left == n { Ok(()) } else { Err(left) }
    };
    eventually("the questions that are left", PATIENCE, look).await;
}

async fn the_carriers_price_is_asked_for_after_the_end_and_told_once(engine: Engine) {
    let world = World::new(engine).await;
    let (wish, sid) = talked(&world).await;
    assert_eq!(known_to_the_carrier(&world, &sid).await, "-0.0140");
    left(&world, "= 0", 1).await;
    world.clock.advance(Duration::from_secs(61));
    let priced = told(&world).await;
    let expected = CallPriced {
        attempt_id: wish.attempt_id.clone(),
        call_id: wish.call_id.clone(),
        project_id: wish.project_id.clone(),
        amount_micros: 14_000,
        currency: "XTS".to_owned(),
    };
    assert_eq!(priced, expected);
    left(&world, ">= 0", 0).await;
    world.clock.advance(Duration::from_secs(24 * 3600));
    world.all_handled().await;
    assert_eq!(world.orchestrator.heard.lock().unwrap().priced.len(), 1);
}

async fn two_replicas_tell_one_price(engine: Engine) {
    let world = World::new(engine).await;
    let replica = world.replica().await;
    let (_, sid) = talked(&world).await;
    known_to_the_carrier(&world, &sid).await;
    world.clock.advance(Duration::from_secs(61));
    told(&world).await;
    left(&world, ">= 0", 0).await;
    world.all_handled().await;
    assert_eq!(world.orchestrator.heard.lock().unwrap().priced.len(), 1);
    drop(replica);
}

async fn a_price_that_never_comes_is_given_up_after_a_day(engine: Engine) {
    let world = World::new(engine).await;
    // The carrier has no such call.
    let line = Line::running(&world).await;
    assert_eq!(line.report("completed", "1").await, 204);
    left(&world, "= 0", 1).await;
    world.clock.advance(Duration::from_secs(61));
    left(&world, "= 1", 1).await;
    world.clock.advance(Duration::from_secs(121));
    left(&world, "= 2", 1).await;
    world.clock.advance(Duration::from_secs(24 * 3600));
    left(&world, ">= 0", 0).await;
    world.all_handled().await;
    assert_eq!(world.orchestrator.heard.lock().unwrap().priced, []);
    assert!(world.metrics().await.contains("echo_bridge_prices_total{result=\"given_up\"} 1"));
}

async fn a_call_that_nobody_picked_up_is_not_asked_about(engine: Engine) {
    let world = World::new(engine).await;
    let wish = world.wish(BUSY);
    world.publish(std::slice::from_ref(&wish)).await;
    world.status(&wish, "busy").await;
    assert_eq!(world.count("price_checks").await, 0);
}

async fn a_call_that_was_put_through_to_a_person_has_the_price_of_both_legs(engine: Engine) {
    let world = World::new(engine).await;
    world.orchestrator.behaves(Manner::Transfers);
    let wish = world.wish(SILENT);
    world.publish(std::slice::from_ref(&wish)).await;
    let sid = world.accepted(&wish).await;
    world.status(&wish, "completed").await;
    let calls = world.carrier_says("calls").await;
    let of = |call: &&serde_json::Value| call["parent_call_sid"] == serde_json::json!(sid);
    let second = calls.as_array().unwrap().iter().find(of).expect("a second leg")["sid"].clone();
    let prices = [
        known_to_the_carrier(&world, &sid).await,
        known_to_the_carrier(&world, second.as_str().unwrap()).await,
    ];
    assert_eq!(prices, ["-0.0140", "-0.0140"]);
    world.clock.advance(Duration::from_secs(61));
    let priced = told(&world).await;
    assert_eq!((priced.attempt_id, priced.amount_micros), (wish.attempt_id, 28_000));
}
