//! Endpoints that keep failing or are busy hold up nobody else.

use testkit::database::Engine;

use crate::on_both_engines;
use crate::receiver::{Receiver, Reply};
use crate::world::World;

on_both_engines![
    a_dead_endpoint_does_not_delay_a_healthy_one,
    a_busy_endpoint_gets_no_more_than_its_share_and_everything_in_the_end,
];

const EVENTS: usize = 30;

async fn a_dead_endpoint_does_not_delay_a_healthy_one(engine: Engine) {
    let world = World::with(engine, &[("ECHO_WEBHOOK_CONCURRENCY", "4")]).await;
    let dead = Receiver::start();
    dead.answer(Reply::Status(500));
    world.endpoint(&dead.url).await;
    for failures in 1..=3 {
        world.end_a_call().await;
        world
            .until("failures", |rows| rows.iter().filter(|d| d.status == "retrying").count() == failures)
            .await;
    }
    // From now on it does not even answer.
    dead.answer(Reply::Held(200));
    let healthy = Receiver::start();
    world.endpoint(&healthy.url).await;
    let messages: Vec<_> = (0..EVENTS).map(|_| world.ended()).collect();
    world.publish(&messages).await;

    healthy.wait_for(EVENTS).await;
    dead.wait_for_held(2).await;
    let rows = world.deliveries().await;
    assert_eq!(rows.iter().filter(|d| d.lane == "slow" && d.status == "pending").count(), EVENTS);
    assert_eq!(dead.held(), (2, 2));

    // One success, and it is an endpoint like any other.
    dead.release();
    world
        .until("all of both", |rows| rows.iter().filter(|d| d.status == "success").count() == 2 * EVENTS)
        .await;
    let rows = world.deliveries().await;
    assert!(rows.iter().all(|d| d.lane == "normal"), "{rows:?}");
}

async fn a_busy_endpoint_gets_no_more_than_its_share_and_everything_in_the_end(engine: Engine) {
    let world = World::with(engine, &[("ECHO_WEBHOOK_CONCURRENCY", "12")]).await;
    let (busy, idle) = (Receiver::start(), Receiver::start());
    busy.answer(Reply::Held(200));
    world.endpoint(&busy.url).await;
    world.endpoint(&idle.url).await;
    let messages: Vec<_> = (0..EVENTS).map(|_| world.ended()).collect();
    world.publish(&messages).await;

    idle.wait_for(EVENTS).await;
    busy.wait_for_held(8).await;
    busy.release();
    world
        .until("all of both", |rows| {
            rows.len() == 2 * EVENTS && rows.iter().all(|d| d.status == "success" && d.attempt_count == 1)
        })
        .await;
    assert_eq!((busy.held(), busy.received().len()), ((0, 8), EVENTS));
}
