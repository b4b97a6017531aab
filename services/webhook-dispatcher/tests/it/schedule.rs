//! When a delivery is tried again, and when no more.

use std::time::Duration;

use testkit::database::Engine;
use testkit::on_both_engines;

use crate::receiver::{Receiver, Reply};
use crate::world::{Delivery, World};

on_both_engines![
    what_keeps_failing_is_sent_four_times_with_the_same_bytes,
    a_later_success_ends_the_retries,
    a_receiver_that_asks_for_more_time_gets_it,
    a_restart_in_between_loses_nothing,
];

/// Seconds from the start of the latest attempt to the next one.
async fn pause(world: &World, delivery: &Delivery) -> f64 {
    let latest = world.attempts().await.pop().unwrap();
    let pause = delivery.next_retry_at.unwrap().0 - latest.started_at.0;
    pause.num_milliseconds() as f64 / 1000.0
}

async fn what_keeps_failing_is_sent_four_times_with_the_same_bytes(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = Receiver::start();
    receiver.answer(Reply::Status(500));
    let endpoint = world.endpoint(&receiver.url).await;
    world.end_a_call().await;
    for (attempt, minutes) in [(1, 1.0), (2, 5.0), (3, 30.0)] {
        let delivery = world.until_one_is("retrying", attempt).await;
        let planned = minutes * 60.0;
        let pause = pause(&world, &delivery).await;
        // Up to a tenth of jitter, counted from the failure: some moments after the start.
        assert!(pause >= planned && pause < planned * 1.1 + 5.0, "attempt {attempt}: {pause} s");
        world.clock.advance(Duration::from_secs_f64(planned * 1.1));
    }
    let delivery = world.until_one_is("failed", 4).await;
    assert_eq!(delivery.next_retry_at, None);

    let received = receiver.received();
    assert_eq!(received.len(), 4);
    for request in &received {
        request.assert_signed_with(&endpoint.signing_secret);
        assert_eq!(request.body, received[0].body);
        assert_eq!(request.header("webhook-id"), received[0].header("webhook-id"));
    }
    let attempts = world.attempts().await;
    assert_eq!(attempts.iter().map(|a| a.attempt_number).collect::<Vec<_>>(), [1, 2, 3, 4]);
    assert!(attempts.iter().all(|a| !a.success && a.http_status == Some(500)));
    assert!(attempts[0].error_message.as_ref().unwrap().starts_with("answered 500"));
    let now = world.endpoint_now(&endpoint.id).await;
    assert_eq!((now.status.as_str(), now.consecutive_failures), ("active", 1));
}

async fn a_later_success_ends_the_retries(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = Receiver::start();
    receiver.answer_once(Reply::Status(404));
    world.endpoint(&receiver.url).await;
    world.end_a_call().await;
    world.until_one_is("retrying", 1).await;
    world.clock.advance(Duration::from_secs(66));
    let delivery = world.until_one_is("success", 2).await;
    assert_eq!(delivery.next_retry_at, None);
}

async fn a_receiver_that_asks_for_more_time_gets_it(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = Receiver::start();
    receiver.answer_once(Reply::Header(503, "retry-after", "600".to_owned()));
    world.endpoint(&receiver.url).await;
    world.end_a_call().await;
    let delivery = world.until_one_is("retrying", 1).await;
    let pause = pause(&world, &delivery).await;
    assert!((600.0..605.0).contains(&pause), "{pause} s");
    world.clock.advance(Duration::from_secs(605));
    world.until_one_is("success", 2).await;
}

async fn a_restart_in_between_loses_nothing(engine: Engine) {
    let mut world = World::new(engine).await;
    let receiver = Receiver::start();
    receiver.answer_once(Reply::Status(500));
    let endpoint = world.endpoint(&receiver.url).await;
    world.end_a_call().await;
    let before = world.until_one_is("retrying", 1).await;
    world.stop().await;
    world.clock.advance(Duration::from_secs(66));
    world.start(&[]).await;
    let after = world.until_one_is("success", 2).await;
    assert_eq!(after.payload, before.payload);
    receiver.received()[1].assert_signed_with(&endpoint.signing_secret);
}
