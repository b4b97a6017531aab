//! What a project has used, counted once.

use std::time::Duration;

use testkit::database::Engine;
use testkit::on_both_engines;

use crate::world::{World, by_agent, by_message, completed, heard};

on_both_engines![calls_are_counted_once_on_the_day_on_which_they_end];

async fn calls_are_counted_once_on_the_day_on_which_they_end(engine: Engine) {
    let world = World::new(engine).await;
    assert!(world.usage().await.is_empty());
    let (placed, dial) = world.talk(by_agent(world.project)).await;
    world.whole_turn(&dial, 1, heard("Yes, Thursday works.")).await;
    world.pass(Duration::from_secs(60)).await;
    let now = world.clock.now().timestamp_millis();
    // The carrier says it twice, and once more with another number.
    let report = completed(&dial, 9, now, 45);
    world.publish(&[report.clone(), report, completed(&dial, 10, now, 45)]).await;
    let talked = world.summary(&placed.id).await.duration_ms;
    assert!(talked >= 45_000, "{talked}");

    let (unanswered, ringing) = world.ring(by_message(world.project)).await;
    world.publish(&[crate::world::progressed(&ringing, "no_answer", 3, now)]).await;
    world.summary(&unanswered.id).await;
    // One that was never dialled is no call.
    world.suppress("+14155552671", "").await;
    world.place(by_message(world.project)).await;
    world.quiet().await;

    let days = world.usage().await;
    assert_eq!(days.len(), 1, "{days:?}");
    let day = &days[0];
    assert_eq!(day.day, world.clock.now().date_naive().to_string());
    assert_eq!((day.calls, day.answered, day.talk_ms), (2, 1, talked.unsigned_abs()));
    assert_eq!((day.tokens_in, day.tokens_out, day.cost_micros), (None, None, None));

    world.pass(Duration::from_secs(24 * 3600)).await;
    let (next, dial) = world.ring(world.for_number("+14155550001")).await;
    let now = world.clock.now().timestamp_millis();
    world.publish(&[crate::world::progressed(&dial, "busy", 3, now)]).await;
    world.summary(&next.id).await;
    let days = world.usage().await;
    assert_eq!(days.iter().map(|d| d.calls).collect::<Vec<_>>(), [2, 1]);
}
