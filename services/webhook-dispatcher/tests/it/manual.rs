//! Attempts and events that a person asks for.

use std::time::Duration;

use contracts::ids::{DeliveryId, ProjectId};
use contracts::rpc::RpcError;
use contracts::webhooks::{Endpoint, SendTestRequest};
use testkit::database::Engine;
use testkit::on_both_engines;

use crate::receiver::{Receiver, Reply};
use crate::world::{World, context};

on_both_engines![
    a_failed_delivery_gets_one_more_attempt_and_the_schedule_does_not_begin_anew,
    between_two_attempts_the_schedule_stays_as_it_was,
    what_was_received_is_sent_again_when_somebody_wants_it,
    what_cannot_be_tried_again_says_why,
    a_test_is_an_ordinary_delivery_to_whatever_endpoint,
];

/// A delivery that has failed for good.
async fn failed(world: &World, receiver: &Receiver) -> (Endpoint, String) {
    receiver.answer(Reply::Status(500));
    let endpoint = world.endpoint(&receiver.url).await;
    world.end_a_call().await;
    for (attempt, minutes) in [(1, 1), (2, 5), (3, 30)] {
        world.until_one_is("retrying", attempt).await;
        world.clock.advance(Duration::from_secs(minutes * 66));
    }
    world.until_one_is("failed", 4).await;
    let id = world.latest(&endpoint).await.delivery.unwrap().id;
    (endpoint, id)
}

async fn a_failed_delivery_gets_one_more_attempt_and_the_schedule_does_not_begin_anew(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = Receiver::start();
    let (endpoint, id) = failed(&world, &receiver).await;
    let asked = world.retry(&endpoint, &id).await.unwrap();
    assert_eq!(
        (asked.id.as_str(), asked.status.as_str(), asked.next_retry_at_ms),
        (id.as_str(), "pending", None)
    );
    let row = world.until_one_is("failed", 5).await;
    assert_eq!(row.next_retry_at, None);
    assert_eq!(world.endpoint_now(&endpoint.id).await.consecutive_failures, 1, "it is the same delivery");

    receiver.answer(Reply::Status(200));
    world.retry(&endpoint, &id).await.unwrap();
    world.until_one_is("success", 6).await;
    assert_eq!(world.endpoint_now(&endpoint.id).await.consecutive_failures, 0);
    let attempts = world.latest(&endpoint).await.attempts;
    let triggers: Vec<_> = attempts.iter().map(|a| a.triggered_by.as_str()).collect();
    assert_eq!(triggers, ["auto", "auto", "auto", "auto", "manual", "manual"]);
    let received = receiver.received();
    assert!(received.iter().all(|r| r.body == received[0].body));
    received[5].assert_signed_with(&endpoint.signing_secret);
}

async fn between_two_attempts_the_schedule_stays_as_it_was(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = Receiver::start();
    receiver.answer(Reply::Status(500));
    let endpoint = world.endpoint(&receiver.url).await;
    world.end_a_call().await;
    let before = world.until_one_is("retrying", 1).await;
    let id = world.latest(&endpoint).await.delivery.unwrap().id;
    world.retry(&endpoint, &id).await.unwrap();
    let after = world.until_one_is("retrying", 2).await;
    assert_eq!(after.next_retry_at, before.next_retry_at);
    world.clock.advance(Duration::from_secs(66));
    let second = world.until_one_is("retrying", 3).await;
    let attempts = world.attempts().await;
    let triggers: Vec<_> = attempts.iter().map(|a| a.triggered_by.as_str()).collect();
    assert_eq!(triggers, ["auto", "manual", "auto"]);
    // It was the second one of the schedule: the next one comes after five minutes.
    let pause = second.next_retry_at.unwrap().0 - attempts[2].started_at.0;
    assert!((300..340).contains(&pause.num_seconds()), "{pause}");
}

async fn what_was_received_is_sent_again_when_somebody_wants_it(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = Receiver::start();
    let endpoint = world.endpoint(&receiver.url).await;
    world.end_a_call().await;
    world.until_one_is("success", 1).await;
    let id = world.latest(&endpoint).await.delivery.unwrap().id;
    world.retry(&endpoint, &id).await.unwrap();
    world.until_one_is("success", 2).await;
    let received = receiver.received();
    assert_eq!(received[0].header("webhook-id"), received[1].header("webhook-id"));
    assert_eq!(received[0].body, received[1].body);
}

#[track_caller]
fn assert_conflict<T: std::fmt::Debug>(refused: Result<T, RpcError>, wanted: &str) {
    let refused = refused.unwrap_err();
    assert!(matches!(&refused, RpcError::Conflict { code, .. } if code == wanted), "{refused}");
}

async fn what_cannot_be_tried_again_says_why(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = Receiver::start();
    receiver.answer_once(Reply::Held(200));
    let endpoint = world.endpoint(&receiver.url).await;
    world.end_a_call().await;
    receiver.wait_for_held(1).await;
    let id = world.latest(&endpoint).await.delivery.unwrap().id;
    assert_conflict(world.retry(&endpoint, &id).await, "delivery_in_progress");
    receiver.release();
    world.until_one_is("success", 1).await;
    world.switch(&endpoint, "disabled").await.unwrap();
    assert_conflict(world.retry(&endpoint, &id).await, "webhook_disabled");
    world.switch(&endpoint, "active").await.unwrap();
    world.execute("UPDATE deliveries SET payload = ''").await;
    assert_conflict(world.retry(&endpoint, &id).await, "delivery_erased");
    let unknown = world.retry(&endpoint, &DeliveryId::new().to_string()).await.unwrap_err();
    assert!(matches!(unknown, RpcError::NotFound(_)), "{unknown}");
    assert_eq!(receiver.received().len(), 1);
}

async fn a_test_is_an_ordinary_delivery_to_whatever_endpoint(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = Receiver::start();
    receiver.answer_once(Reply::Status(500));
    let endpoint = world.create(&receiver.url, &["call.started"]).await.unwrap();
    let request = SendTestRequest {
        project_id: endpoint.project_id.clone(),
        endpoint_id: endpoint.id.clone(),
        delivery_id: DeliveryId::new().to_string(),
    };
    let sent = world.log().send_test(context(), request.clone()).await.unwrap();
    assert_eq!((sent.id.as_str(), sent.event_name.as_str()), (request.delivery_id.as_str(), "webhook.test"));
    let again = world.log().send_test(context(), request.clone()).await.unwrap();
    assert_eq!(again.event_id, sent.event_id);
    world.until_one_is("retrying", 1).await;
    world.clock.advance(Duration::from_secs(66));
    world.until_one_is("success", 2).await;
    let received = receiver.received().remove(1);
    received.assert_signed_with(&endpoint.signing_secret);
    let body = received.json();
    assert_eq!(body["event_id"], sent.event_id);
    assert!(body["customer_id"].is_null() && body["notification_id"].is_null() && body["data"].is_object());
    assert_eq!(body.as_object().unwrap().len(), 5);

    world.switch(&endpoint, "disabled").await.unwrap();
    let fresh = SendTestRequest { delivery_id: DeliveryId::new().to_string(), ..request.clone() };
    assert_conflict(world.log().send_test(context(), fresh.clone()).await, "webhook_disabled");
    let stranger = SendTestRequest { project_id: ProjectId::new().to_string(), ..fresh };
    let refused = world.log().send_test(context(), stranger).await.unwrap_err();
    assert!(matches!(refused, RpcError::NotFound(_)), "{refused}");
}
