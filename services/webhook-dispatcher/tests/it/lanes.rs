//! Endpoints that keep failing or are busy hold up nobody else.

use std::time::Duration;

use contracts::calls::CallStarted;
use contracts::ids::{CallId, EventId, NotificationId};
use testkit::database::Engine;
use testkit::on_both_engines;

use crate::receiver::{Receiver, Reply};
use crate::world::{Delivery, World};

on_both_engines![
    a_dead_endpoint_does_not_delay_a_healthy_one,
    failing_endpoints_take_turns_however_much_waits_for_one_of_them,
    what_waits_for_a_failing_endpoint_keeps_its_schedule,
    a_busy_endpoint_gets_no_more_than_its_share_and_everything_in_the_end,
];

const EVENTS: usize = 30;
/// A receiver that holds its answer is waited for longer than any condition here.
const PATIENT: [(&str, &str); 2] =
    [("ECHO_WEBHOOK_DEADLINE_MS", "45000"), ("ECHO_WEBHOOK_LEASE_MS", "50000")];

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
    dead.wait_for_held(1).await;
    let rows = world.deliveries().await;
    assert_eq!(rows.iter().filter(|d| d.lane == "slow" && d.status == "pending").count(), EVENTS);
    assert_eq!(dead.held(), (1, 1));

    // One success, and it is an endpoint like any other.
    dead.release();
    world
        .until("all of both", |rows| rows.iter().filter(|d| d.status == "success").count() == 2 * EVENTS)
        .await;
    let rows = world.deliveries().await;
    assert!(rows.iter().all(|d| d.lane == "normal"), "{rows:?}");
}

/// A call of the world's project that was picked up.
fn started(world: &World) -> CallStarted {
    CallStarted {
        event_id: EventId::new().to_string(),
        project_id: world.project.to_string(),
        notification_id: NotificationId::new().to_string(),
        call_id: CallId::new().to_string(),
        attempt: 1,
        ..CallStarted::default()
    }
}

/// Publishes so many calls that ended and so many that were picked up, and waits until so many deliveries are there.
async fn publish(world: &World, ended: usize, picked_up: usize, there: usize) {
    world.publish(&(0..ended).map(|_| world.ended()).collect::<Vec<_>>()).await;
    world.publish(&(0..picked_up).map(|_| started(world)).collect::<Vec<_>>()).await;
    world.until("deliveries", |rows| rows.len() == there).await;
}

/// One place behind which stand two endpoints that keep failing: `/hook/a` hears of ended calls, `/hook/b` of those that
/// were picked up.
async fn two_that_fail(world: &World) -> Receiver {
    let receiver = Receiver::start();
    receiver.answer(Reply::Status(500));
    world.create(&format!("{}/a", receiver.url), &["call.ended"]).await.unwrap();
    world.create(&format!("{}/b", receiver.url), &["call.started"]).await.unwrap();
    publish(world, 3, 3, 6).await;
    until_all_fail(world, 6).await;
    receiver
}

/// Waits until so many deliveries wait for endpoints that keep failing.
async fn until_all_fail(world: &World, count: usize) {
    let failing = |d: &&Delivery| d.status == "retrying" && d.lane == "slow";
    world.until("failing endpoints", |rows| rows.iter().filter(failing).count() == count).await;
}

async fn failing_endpoints_take_turns_however_much_waits_for_one_of_them(engine: Engine) {
    let settings = [("ECHO_WEBHOOK_SLOW_CONCURRENCY", "1"), PATIENT[0], PATIENT[1]];
    let world = World::with(engine, &settings).await;
    let receiver = two_that_fail(&world).await;
    receiver.answer(Reply::Held(500));
    publish(&world, EVENTS, 0, 6 + EVENTS).await;
    receiver.wait_for_held(1).await;
    // All of it waits when the first delivery to the other one comes.
    publish(&world, 0, 3, 9 + EVENTS).await;
    receiver.release();

    let received = receiver.wait_for(9 + EVENTS).await;
    let paths: Vec<&str> = received[6..].iter().map(|r| r.path.as_str()).collect();
    let (a, b) = ("/hook/a", "/hook/b");
    assert_eq!(paths[..7], [a, b, a, b, a, b, a]);
    assert!(paths[7..].iter().all(|path| *path == a), "{paths:?}");
}

async fn what_waits_for_a_failing_endpoint_keeps_its_schedule(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = two_that_fail(&world).await;
    world.clock.advance(Duration::from_secs(66));
    world
        .until("second attempts", |rows| {
            rows.iter().all(|d| d.status == "retrying" && d.attempt_count == 2 && d.lease_until.is_none())
        })
        .await;
    // The receiver works again: what is due goes out, and then all the rest is delivered as to anybody else.
    receiver.answer(Reply::Status(200));
    world.clock.advance(Duration::from_secs(330));
    let done = |rows: &[Delivery]| rows.iter().all(|d| d.status == "success" && d.attempt_count == 3);
    let rows = world.until("third attempts", done).await;
    assert!(rows.iter().all(|d| d.lane == "normal"), "{rows:?}");
    assert_eq!(receiver.received().len(), 18);
    publish(&world, 1, 1, 8).await;
    receiver.wait_for(20).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_dispatchers_together_make_one_attempt_at_a_time_to_a_failing_endpoint() {
    let settings = [("ECHO_WEBHOOK_SLOW_CONCURRENCY", "2"), PATIENT[0], PATIENT[1]];
    let world = World::with(Engine::Postgres, &settings).await;
    let mut second = world.second().await;
    let (dead, failing) = (Receiver::start(), Receiver::start());
    for receiver in [&dead, &failing] {
        receiver.answer(Reply::Status(500));
    }
    for path in ["a", "b", "c"] {
        world.create(&format!("{}/{path}", dead.url), &["call.ended"]).await.unwrap();
    }
    world.create(&failing.url, &["call.started"]).await.unwrap();
    publish(&world, 3, 3, 12).await;
    until_all_fail(&world, 12).await;

    // Three are more than one dispatcher can hold: both are at it, and one of them has a place left.
    dead.answer(Reply::Held(500));
    publish(&world, EVENTS, 0, 12 + 3 * EVENTS).await;
    dead.wait_for_held(3).await;
    // It takes many turns there meanwhile.
    publish(&world, 0, EVENTS, 12 + 4 * EVENTS).await;
    failing.wait_for(3 + EVENTS).await;
    assert_eq!(dead.held(), (3, 3));
    dead.release();
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_failing_endpoint_whose_attempt_was_lost_gets_its_next_turn() {
    let world = World::with(Engine::Postgres, &PATIENT).await;
    let mut second = world.second().await;
    let receiver = two_that_fail(&world).await;
    receiver.answer_once(Reply::Held(500));
    publish(&world, 1, 0, 7).await;
    receiver.wait_for_held(1).await;
    // As if its process had died: the lease of delivery and turn runs out, and another process takes them.
    world.clock.advance(Duration::from_secs(51));
    let again = |d: &Delivery| d.attempt_count == 2 && d.status == "retrying" && d.lease_until.is_none();
    world.until("another attempt", |rows| rows.last().is_some_and(again)).await;
    receiver.release();
    second.stop().await;
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
