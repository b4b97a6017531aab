//! Personal data is kept as long as the project wants, and no longer.

use std::time::Duration;

use contracts::accounts::ProjectPolicy;
use testkit::database::Engine;
use testkit::on_both_engines;
use testkit::wait::eventually;

use crate::world::{PATIENCE, World, by_agent, by_message, heard};

on_both_engines![what_is_older_than_the_project_wants_is_blanked_and_what_is_younger_stays];

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn what_is_older_than_the_project_wants_is_blanked_and_what_is_younger_stays(engine: Engine) {
    let world = World::new(engine).await;
    let (placed, dial) = world.talk(by_agent(world.project)).await;
    world.whole_turn(&dial, 1, heard("Yes, Thursday works.")).await;
    world.complete(&dial, 5).await;
    world.summary(&placed.id).await;
    world.pass(DAY * 80).await;
    let younger = world.place(by_message(world.project)).await;
    let dial = world.dial(&younger.call_id, 1).await;
    world.accept(&dial).await;
    world.complete(&dial, 0).await;
    world.summary(&younger.id).await;
    let kept = "notifications WHERE phone <> ''";
    assert_eq!(world.count(kept).await, 2);
    // Ninety days are the default.
    world.pass(DAY * 11).await;
    left(&world, 1).await;
    let said = format!("sentences WHERE text <> '' AND call_id = '{}'", placed.call_id);
    assert_eq!(world.count(&said).await, 0);
    assert_eq!(world.get(&placed.id).await.customer_id, "");
    assert_eq!(world.get(&younger.id).await.target_phone_e164, "+14155552671");
    // A project that wants less is served at once.
    world.change_policy(ProjectPolicy { retention_days: 5, ..world.policy(1) }).await;
    left(&world, 0).await;
    assert_eq!(world.get(&younger.id).await.status, "completed");
}

/// Waits until so many notifications still hold personal data.
async fn left(world: &World, n: i64) {
    let look = || async {
        match world.count("notifications WHERE phone <> ''").await {
            left if left == n => Ok(()),
            left => Err(left),
        }
    };
    eventually("old data to be blanked", PATIENCE, look).await;
}
