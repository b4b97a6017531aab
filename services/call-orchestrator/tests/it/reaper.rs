//! Calls of which no more is heard.

use std::time::Duration;

use testkit::database::Engine;
use testkit::on_both_engines;
use testkit::wait::eventually;

use crate::world::{PATIENCE, World, by_agent, heard};

on_both_engines![
    a_call_that_talks_beyond_its_limits_is_stopped_then_closed_and_summarised_once,
    a_call_that_is_never_heard_of_again_is_closed_as_unknown_and_never_dialled_again,
];

async fn stopped(world: &World) {
    let look = || async {
        let stops = world.heard.stops.lock().unwrap().len();
        if stops == 1 { Ok(()) } else { Err(stops) }
    };
    eventually("one stop", PATIENCE, look).await;
}

async fn a_call_that_talks_beyond_its_limits_is_stopped_then_closed_and_summarised_once(engine: Engine) {
    let world = World::new(engine).await;
    let (placed, dial) = world.talk(by_agent(world.project)).await;
    world.pass(Duration::from_secs(600 + 240)).await;
    // Talking on does not push the limit away.
    world.whole_turn(&dial, 1, heard("Yes.")).await;
    world.pass(Duration::from_secs(90)).await;
    stopped(&world).await;
    world.quiet().await;
    assert!(world.summaries_of(&placed.id).is_empty(), "the carrier may still report");
    world.pass(Duration::from_secs(301)).await;
    let summary = world.summary(&placed.id).await;
    assert_eq!((summary.status.as_str(), summary.ended_reason.as_str()), ("failed", "carrier-error"));
    assert!(summary.transcript.contains("Customer: Yes."));
    assert_eq!(world.started_and_ended(&placed.call_id), (1, 1));
    world.complete(&dial, 30).await;
    world.quiet().await;
    assert_eq!(world.get(&placed.id).await.ended_reason, "carrier-error", "terminal states stick");
}

async fn a_call_that_is_never_heard_of_again_is_closed_as_unknown_and_never_dialled_again(engine: Engine) {
    let world = World::new(engine).await;
    let (placed, dial) = world.ring(by_agent(world.project)).await;
    world.pass(Duration::from_secs(40 + 600 + 310)).await;
    let summary = world.summary(&placed.id).await;
    assert_eq!((summary.status.as_str(), summary.ended_reason.as_str()), ("failed", "dial-unknown"));
    stopped(&world).await;
    assert_eq!(world.dials_of(&dial.call_id).len(), 1);
}
