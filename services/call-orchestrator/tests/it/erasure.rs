//! Somebody is to be forgotten: what waits is stopped, what talks is ended, and nothing personal is left.

use std::time::Duration;

use contracts::accounts::CustomerErased;
use contracts::calls::{Notification, PlaceNotificationRequest};
use contracts::ids::NotificationId;
use testkit::database::Engine;
use testkit::on_both_engines;
use testkit::wait::eventually;

use crate::world::{JOHN, PATIENCE, World, by_agent, by_message, heard};

on_both_engines![
    a_customer_who_is_erased_leaves_rows_and_nothing_personal,
    a_live_call_is_stopped_and_forgotten_when_it_is_over,
    an_erased_customer_is_not_rung_by_what_comes_late,
    a_deleted_project_is_stopped_and_forgotten,
    what_a_tool_was_sent_and_answered_is_forgotten,
];

/// Waits until nobody is to be forgotten any more.
async fn forgotten(world: &World) {
    let look = || async {
        match world.count("erasures").await {
            0 => Ok(()),
            n => Err(n),
        }
    };
    eventually("everybody forgotten", PATIENCE, look).await;
    world.quiet().await;
}

/// Asserts that nothing of a conversation with John, or about him, is left.
async fn assert_nothing_personal(world: &World) {
    for personal in [
        "notifications WHERE phone <> '' OR customer_id IS NOT NULL OR message <> '' OR context IS NOT NULL",
        "notifications WHERE CAST(spec AS TEXT) LIKE '%John%' OR CAST(outcome AS TEXT) LIKE '%confirmed%'",
        "turns WHERE heard IS NOT NULL",
        "sentences WHERE text <> ''",
        "tool_calls WHERE result IS NOT NULL OR CAST(arguments AS TEXT) LIKE '%preferred%'",
        "standings WHERE time_zone <> '' OR consent IS NOT NULL",
    ] {
        assert_eq!(world.count(personal).await, 0, "{personal}");
    }
}

/// A notification that was talked about to its end.
async fn talked(world: &World, request: PlaceNotificationRequest) -> Notification {
    let (placed, dial) = world.talk(request).await;
    world.whole_turn(&dial, 1, heard("Yes, Thursday works.")).await;
    world.complete(&dial, 5).await;
    world.summary(&placed.id).await;
    world.get(&placed.id).await
}

async fn a_customer_who_is_erased_leaves_rows_and_nothing_personal(engine: Engine) {
    let world = World::new(engine).await;
    let request = by_agent(world.project);
    let customer = request.customer.clone().unwrap().id;
    let before = talked(&world, request.clone()).await;
    assert!(!before.call_result_json.is_empty() && before.target_phone_e164 == JOHN);
    let mut standing = world.standing(&customer, 4);
    standing.time_zone = "Europe/Berlin".to_owned();
    world.change_customer(standing.clone()).await;

    world.erase_customer(&customer).await;
    forgotten(&world).await;
    assert_nothing_personal(&world).await;
    let after = world.get(&before.id).await;
    assert_eq!((after.customer_id.as_str(), after.target_phone_e164.as_str()), ("", ""));
    assert_eq!((after.call_result_json.as_str(), after.context), ("", None));
    assert_eq!((after.status, after.ended_reason), (before.status, before.ended_reason));
    assert_eq!(after.created_at_ms, before.created_at_ms);

    // Heard twice, and followed by older news of them.
    world.erase_customer(&customer).await;
    standing.version = 9;
    world.change_customer(standing).await;
    forgotten(&world).await;
    assert_nothing_personal(&world).await;
    assert_eq!(world.summaries_of(&before.id).len(), 1);
}

async fn a_live_call_is_stopped_and_forgotten_when_it_is_over(engine: Engine) {
    let world = World::new(engine).await;
    let request = by_agent(world.project);
    let customer = request.customer.clone().unwrap();
    let (talking, dial) = world.talk(request).await;
    world.whole_turn(&dial, 1, heard("Yes, Thursday works.")).await;
    let waiting = PlaceNotificationRequest { customer: Some(customer.clone()), ..by_message(world.project) };
    let waiting = world.place(waiting).await;
    let wish = world.dial(&waiting.call_id, 1).await;
    world.refuse(&wish, contracts::telephony::dial_refused::Reason::LineBusy).await;
    world.quiet().await;

    world.erase_customer(&customer.id).await;
    assert_eq!(world.summary(&waiting.id).await.ended_reason, "canceled");
    let stopped = || async {
        let stops = world.heard.stops.lock().unwrap();
        stops.iter().find(|stop| stop.call_id == dial.call_id).map(drop).ok_or(())
    };
    eventually("the live call to be stopped", PATIENCE, stopped).await;
    assert_eq!(world.count("erasures").await, 1, "it is not over yet");
    world.complete(&dial, 5).await;
    let summary = world.summary(&talking.id).await;
    assert_eq!((summary.status.as_str(), summary.ended_reason.as_str()), ("canceled", "canceled"));
    world.pass(Duration::from_secs(6)).await;
    forgotten(&world).await;
    assert_nothing_personal(&world).await;
}

async fn an_erased_customer_is_not_rung_by_what_comes_late(engine: Engine) {
    let world = World::new(engine).await;
    let request = by_message(world.project);
    world.erase_customer(&request.customer.clone().unwrap().id).await;
    forgotten(&world).await;
    let placed = world.place(request).await;
    assert_eq!((placed.status.as_str(), placed.ended_reason.as_str()), ("canceled", "canceled"));
    forgotten(&world).await;
    assert_nothing_personal(&world).await;
    assert!(world.dials_of(&placed.call_id).is_empty());
    assert_eq!(world.place(by_message(world.project)).await.status, "in_progress", "another customer");
}

async fn a_deleted_project_is_stopped_and_forgotten(engine: Engine) {
    let world = World::new(engine).await;
    let done = talked(&world, by_agent(world.project)).await;
    world.suppress("+14155550009", "").await;
    let waiting = world.place(by_message(world.project)).await;
    let wish = world.dial(&waiting.call_id, 1).await;
    world.refuse(&wish, contracts::telephony::dial_refused::Reason::LineBusy).await;
    world.quiet().await;
    let elsewhere = CustomerErased {
        project_id: contracts::ids::ProjectId::new().to_string(),
        customer_id: done.customer_id.clone(),
    };
    world.publish(&[elsewhere]).await;
    forgotten(&world).await;
    assert_eq!(world.get(&done.id).await.target_phone_e164, JOHN, "it was said in another project");

    world.delete_project().await;
    forgotten(&world).await;
    assert_nothing_personal(&world).await;
    assert_eq!(world.count("suppressions").await, 0);
    assert_eq!(world.summary(&waiting.id).await.ended_reason, "canceled");
    assert_eq!(world.get(&done.id).await.status, "completed");
    let late = PlaceNotificationRequest {
        notification_id: NotificationId::new().to_string(),
        policy: Some(world.policy(99)),
        ..by_message(world.project)
    };
    assert_eq!(world.place(late).await.status, "canceled");
    assert_eq!(world.usage().await.len(), 1, "what was used stays");
}

async fn what_a_tool_was_sent_and_answered_is_forgotten(engine: Engine) {
    let world = World::new(engine).await;
    let mut request = by_agent(world.project);
    request.reschedule_json = r#"{"url": "https://clinic.example.com/book"}"#.to_owned();
    let customer = request.customer.clone().unwrap().id;
    world.tools_answer([crate::tools::answer(r#"{"accepted": true}"#)]);
    let (placed, dial) = world.talk(request).await;
    world.whole_turn(&dial, 1, heard("No, could we do Friday at ten instead?")).await;
    world.complete(&dial, 5).await;
    world.summary(&placed.id).await;
    assert_eq!(world.count("tool_calls WHERE result IS NOT NULL").await, 1);
    world.erase_customer(&customer).await;
    forgotten(&world).await;
    assert_nothing_personal(&world).await;
    assert_eq!(world.count("tool_calls").await, 1, "that something was called stays known");
}
