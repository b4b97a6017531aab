//! Two processes over the same tables.

use std::time::Duration;

use contracts::ids::ProjectId;
use futures_util::future::join_all;
use testkit::database::Engine;
use testkit::model_server::Script;

use crate::world::{World, by_agent, heard};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_turn_asked_of_two_replicas_is_answered_the_same_and_the_model_is_asked_once() {
    let (world, model) = World::scripted(Engine::Postgres).await;
    let mut second = world.second().await;
    let (_, dial) = world.talk(by_agent(world.project)).await;
    let pieces = ["First one. Sec", "ond one. Th", "ird one."].map(str::to_owned).to_vec();
    model.push(Script::Slow { text: pieces, gap_ms: 100 });
    let mut asked = Vec::new();
    for replica in [&world, &second, &world, &second] {
        asked.push(replica.whole_turn(&dial, 1, heard("Yes.")));
    }
    for (said, _) in join_all(asked).await {
        assert_eq!(said, "First one. Second one. Third one.");
    }
    assert_eq!(model.requests().len(), 1);
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_survives_the_end_of_the_replica_that_answered_it() {
    let (mut world, model) = World::scripted(Engine::Postgres).await;
    let second = world.second().await;
    let (_, dial) = world.talk(by_agent(world.project)).await;
    model.push(Script::Hang);
    model.push(Script::Say(vec!["Here I am.".to_owned()]));
    let answer = world.try_turn(&dial.call_id, 1, heard("Yes."), 0).await.unwrap();
    assert_eq!(answer.text, "");
    world.stop().await;
    // The heartbeat of the first replica does not reach this time any more: its lease is over.
    world.clock.advance(Duration::from_secs(10));
    let part = second.part(&dial, 1, 0, 20_000).await;
    assert_eq!(part.text, "Here I am.");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_place_once_and_summarise_once() {
    let world = World::new(Engine::Postgres).await;
    let mut second = world.second().await;
    let mut calls = Vec::new();
    for _ in 0..12 {
        let request = by_agent(ProjectId::new());
        let (one, other) = tokio::join!(world.place(request.clone()), second.place(request));
        assert_eq!(one.call_id, other.call_id);
        calls.push((one.id, world.dial(&one.call_id, 1).await));
    }
    for (_, dial) in &calls {
        world.complete(dial, 0).await;
        second.complete(dial, 0).await;
    }
    for (id, dial) in &calls {
        world.summary(id).await;
        assert_eq!(world.started_and_ended(&dial.call_id), (1, 1));
        assert_eq!(world.dials_of(&dial.call_id).len(), 1);
    }
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_together_ring_no_more_than_a_project_may() {
    let world = World::new(Engine::Postgres).await;
    let mut second = world.second().await;
    let place = |n: usize| {
        let replica = if n.is_multiple_of(2) { &world } else { &second };
        replica.place(by_agent(world.project))
    };
    let placed = join_all((0..14).map(place)).await;
    assert_eq!(placed.iter().filter(|n| n.status == "in_progress").count(), 10);
    world.quiet().await;
    assert_eq!(world.heard.dials.lock().unwrap().len(), 10);
    second.stop().await;
}
