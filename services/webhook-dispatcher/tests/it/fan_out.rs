//! From a message to the requests that it causes.

use contracts::calls::{CallStarted, CallSummarised};
use contracts::ids::{EventId, NotificationId, ProjectId};
use testkit::database::Engine;
use testkit::on_both_engines;

use crate::receiver::Receiver;
use crate::world::World;

on_both_engines![
    an_event_goes_signed_to_every_endpoint_of_the_project_that_wants_it,
    all_three_messages_become_webhooks,
    a_message_that_comes_twice_is_delivered_once,
];

async fn an_event_goes_signed_to_every_endpoint_of_the_project_that_wants_it(engine: Engine) {
    let world = World::new(engine).await;
    let (first, second, other) = (Receiver::start(), Receiver::start(), Receiver::start());
    let to_first = world.endpoint(&first.url).await;
    let to_second = world.create(&second.url, &["call.summary", "call.ended"]).await.unwrap();
    world.create(&other.url, &["call.started"]).await.unwrap();
    let message = world.end_a_call().await;
    let elsewhere = ProjectId::new().to_string();
    let stranger = contracts::calls::CallEnded { project_id: elsewhere, ..world.ended() };
    world.publish(&[stranger]).await;

    let rows =
        world.until("two successes", |rows| rows.iter().filter(|d| d.status == "success").count() == 2).await;
    assert_eq!(rows.len(), 2);
    assert!(other.received().is_empty());
    for (receiver, endpoint) in [(&first, &to_first), (&second, &to_second)] {
        let received = receiver.received();
        assert_eq!(received.len(), 1);
        let request = &received[0];
        request.assert_signed_with(&endpoint.signing_secret);
        assert!(request.verifies_with(&endpoint.signing_secret));
        assert!(!request.verifies_with(&format!("whsec_{}", "0".repeat(64))));
        assert_eq!(request.header("content-type"), "application/json");
        assert_eq!(request.header("user-agent"), concat!("Echo-Webhooks/", env!("CARGO_PKG_VERSION")));
        assert_eq!(request.header("webhook-id"), message.event_id);
        assert_eq!(request.json()["event_id"], message.event_id);
        assert_eq!(request.json()["data"]["ended_reason"], "customer-ended-call");
        let row = rows.iter().find(|d| d.endpoint_id.0.to_string() == endpoint.id).unwrap();
        assert_eq!(request.body, row.payload.as_bytes());
        assert_eq!((row.attempt_count, row.next_retry_at, row.lane.as_str()), (1, None, "normal"));
    }
    assert_ne!(to_first.signing_secret, to_second.signing_secret);
    for attempt in world.attempts().await {
        assert_eq!((attempt.triggered_by.as_str(), attempt.state.as_str()), ("auto", "finished"));
        assert_eq!((attempt.http_status, attempt.success, attempt.error_message), (Some(200), true, None));
        assert_eq!(attempt.response_body.as_deref(), Some("as told"));
        assert!(attempt.duration_ms.is_some());
    }
}

async fn all_three_messages_become_webhooks(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = Receiver::start();
    world.create(&receiver.url, &["call.started", "call.ended", "call.summary"]).await.unwrap();
    let started = CallStarted {
        event_id: EventId::new().to_string(),
        project_id: world.project.to_string(),
        notification_id: NotificationId::new().to_string(),
        ..CallStarted::default()
    };
    let summarised = CallSummarised {
        event_id: EventId::new().to_string(),
        project_id: world.project.to_string(),
        notification_id: NotificationId::new().to_string(),
        ..CallSummarised::default()
    };
    world.publish(&[started]).await;
    world.publish(&[summarised]).await;
    world.end_a_call().await;

    let received = receiver.wait_for(3).await;
    let mut names: Vec<_> = received.iter().map(|r| r.json()["event_name"].clone()).collect();
    names.sort_by_key(ToString::to_string);
    assert_eq!(names, ["call.ended", "call.started", "call.summary"]);
    let rows = world.until("three successes", |rows| rows.iter().all(|d| d.status == "success")).await;
    assert!(rows.iter().all(|d| d.payload.contains(&d.event_name)));
}

async fn a_message_that_comes_twice_is_delivered_once(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = Receiver::start();
    world.endpoint(&receiver.url).await;
    let twice = world.ended();
    world.publish(std::slice::from_ref(&twice)).await;
    world.until_one_is("success", 1).await;
    world.publish(std::slice::from_ref(&twice)).await;
    let last = world.end_a_call().await;

    let rows =
        world.until("another success", |rows| rows.iter().filter(|d| d.status == "success").count() == 2);
    assert_eq!(rows.await.len(), 2);
    let mut ids: Vec<_> = receiver.received().iter().map(|r| r.header("webhook-id").to_owned()).collect();
    ids.sort();
    assert_eq!(ids, [twice.event_id, last.event_id]);
}
