//! Accepting, withdrawing and reading back.

use std::sync::atomic::Ordering;

use contracts::calls::PlaceNotificationRequest;
use contracts::ids::{NotificationId, ProjectId};
use contracts::rpc::RpcError;
use futures_util::future::join_all;
use testkit::database::Engine;
use testkit::on_both_engines;

use crate::world::{Carrier, World, by_agent, by_message, completed};

on_both_engines![
    a_notification_placed_twice_is_dialled_once_and_answers_the_same,
    a_notification_placed_many_times_at_once_is_dialled_once,
    a_notification_placed_again_after_its_end_answers_its_end,
    a_withdrawal_that_arrives_first_wins,
    a_withdrawal_and_a_placing_at_the_same_moment_never_leave_a_phone_ringing,
    a_cancel_while_it_rings_stops_the_call_and_the_summary_says_canceled,
    without_a_carrier_nothing_is_accepted_until_there_is_one,
    a_bridge_that_does_not_answer_refuses_nothing_and_is_not_asked_each_time,
    another_projects_notification_is_not_found,
    an_id_that_another_project_has_is_not_found_and_changes_nothing,
    what_is_no_id_is_named,
    pages_are_newest_first_and_lead_to_the_end,
    what_is_shown_is_read_without_what_conversations_are_made_of,
    what_a_project_sees_changes_its_time_and_nothing_else_does,
];

async fn a_notification_placed_twice_is_dialled_once_and_answers_the_same(engine: Engine) {
    let world = World::new(engine).await;
    let request = by_agent(world.project);
    let first = world.place(request.clone()).await;
    assert_eq!((first.status.as_str(), first.call_status.as_str()), ("in_progress", "queued"));
    assert_eq!(first.created_at_ms, first.updated_at_ms);
    // What is stored is answered, also when what comes with the id the second time is nonsense.
    let second = world.place(request.clone()).await;
    let third = world.place(PlaceNotificationRequest { customer: None, ..request }).await;
    assert_eq!((&first, &first), (&second, &third));
    world.quiet().await;
    assert_eq!(world.heard.dials.lock().unwrap().len(), 1);
}

async fn a_notification_placed_many_times_at_once_is_dialled_once(engine: Engine) {
    let world = World::new(engine).await;
    let request = by_agent(world.project);
    let placed = join_all((0..8).map(|_| world.place(request.clone()))).await;
    assert!(placed.iter().all(|n| n.call_id == placed[0].call_id), "{placed:?}");
    world.quiet().await;
    assert_eq!(world.heard.dials.lock().unwrap().len(), 1);
}

async fn a_notification_placed_again_after_its_end_answers_its_end(engine: Engine) {
    let world = World::new(engine).await;
    let request = by_message(world.project);
    let (placed, dial) = world.talk(request.clone()).await;
    world.complete(&dial, 0).await;
    world.summary(&placed.id).await;
    let again = world.place(request).await;
    assert_eq!((again.status.as_str(), again.call_status.as_str()), ("completed", "completed"));
    world.quiet().await;
    assert_eq!(world.heard.dials.lock().unwrap().len(), 1);
}

async fn a_withdrawal_that_arrives_first_wins(engine: Engine) {
    let world = World::new(engine).await;
    let request = by_agent(world.project);
    world.cancel(&request.project_id, &request.notification_id).await;
    world.quiet().await;
    let placed = world.place(request).await;
    assert_eq!((placed.status.as_str(), placed.call_status.as_str()), ("canceled", "canceled"));
    let summary = world.summary(&placed.id).await;
    assert_eq!((summary.status.as_str(), summary.ended_reason.as_str()), ("canceled", "canceled"));
    assert_eq!((summary.transcript.as_str(), summary.started_at_ms), ("", None));
    assert!(world.heard.dials.lock().unwrap().is_empty());
    assert_eq!(world.started_and_ended(&placed.call_id), (0, 0), "it was never dialled");
}

async fn a_withdrawal_and_a_placing_at_the_same_moment_never_leave_a_phone_ringing(engine: Engine) {
    let world = World::new(engine).await;
    let requests: Vec<_> = (0..10).map(|_| by_agent(ProjectId::new())).collect();
    let one = async |request: &PlaceNotificationRequest| {
        tokio::join!(
            world.cancel(&request.project_id, &request.notification_id),
            world.place(request.clone())
        );
    };
    join_all(requests.iter().map(one)).await;
    world.quiet().await;
    for request in requests {
        let now = world.get(&request.notification_id).await;
        assert_eq!(now.status, "canceled");
        let dialled = world.dials_of(&now.call_id).len();
        let stopped = world.heard.stops.lock().unwrap().iter().filter(|s| s.call_id == now.call_id).count();
        assert_eq!(dialled, stopped, "what was dialled is stopped");
    }
}

async fn a_cancel_while_it_rings_stops_the_call_and_the_summary_says_canceled(engine: Engine) {
    let world = World::new(engine).await;
    let (placed, dial) = world.ring(by_agent(world.project)).await;
    world.cancel(&placed.project_id, &placed.id).await;
    world.cancel(&placed.project_id, &placed.id).await;
    world.quiet().await;
    {
        let stops = world.heard.stops.lock().unwrap();
        assert_eq!(stops.len(), 1, "{stops:?}");
        assert_eq!((&stops[0].call_id, &stops[0].attempt_id), (&dial.call_id, &dial.attempt_id));
    }
    assert!(world.summaries_of(&placed.id).is_empty(), "the phone may still ring");
    let now = world.clock.now().timestamp_millis();
    world.publish(&[completed(&dial, 4, now, 0)]).await;
    let summary = world.summary(&placed.id).await;
    assert_eq!((summary.status.as_str(), summary.ended_reason.as_str()), ("canceled", "canceled"));
}

async fn without_a_carrier_nothing_is_accepted_until_there_is_one(engine: Engine) {
    let world = World::new(engine).await;
    *world.heard.carrier.lock().unwrap() = Carrier::Missing;
    let request = by_agent(world.project);
    for _ in 0..2 {
        let refused = world.try_place(request.clone()).await;
        assert!(
            matches!(&refused, Err(RpcError::Conflict { code, .. }) if code == "no_carrier"),
            "{refused:?}"
        );
    }
    assert_eq!(world.count("notifications").await, 0);
    *world.heard.carrier.lock().unwrap() = Carrier::There;
    let placed = world.place(request.clone()).await;
    assert_eq!(placed.status, "in_progress");
    // What was accepted once is answered, also by a replica that has to ask.
    *world.heard.carrier.lock().unwrap() = Carrier::Missing;
    let second = world.second().await;
    assert_eq!(second.place(request).await.call_id, placed.call_id);
}

async fn a_bridge_that_does_not_answer_refuses_nothing_and_is_not_asked_each_time(engine: Engine) {
    let world = World::new(engine).await;
    *world.heard.carrier.lock().unwrap() = Carrier::Unknown;
    for _ in 0..10 {
        world.place(by_message(world.project)).await;
    }
    let asked = world.heard.carrier_asked.load(Ordering::SeqCst);
    assert!(asked < 10, "asked {asked} times");
}

async fn another_projects_notification_is_not_found(engine: Engine) {
    let world = World::new(engine).await;
    let placed = world.place(by_agent(world.project)).await;
    let other = ProjectId::new().to_string();
    let seen = world.try_get(&other, &placed.id).await;
    assert_eq!(seen, Err(RpcError::NotFound("notification".to_owned())));
    world.cancel(&other, &placed.id).await;
    world.quiet().await;
    assert_eq!(world.get(&placed.id).await.status, "in_progress");
}

async fn an_id_that_another_project_has_is_not_found_and_changes_nothing(engine: Engine) {
    let world = World::new(engine).await;
    let request = by_agent(world.project);
    let placed = world.place(request.clone()).await;
    let other = PlaceNotificationRequest { project_id: ProjectId::new().to_string(), ..request };
    let refused = world.try_place(other).await;
    assert_eq!(refused, Err(RpcError::NotFound("notification".to_owned())));
    world.quiet().await;
    assert_eq!(world.get(&placed.id).await, placed);
    assert_eq!(world.heard.dials.lock().unwrap().len(), 1);
}

async fn what_is_no_id_is_named(engine: Engine) {
    let world = World::new(engine).await;
    let request = by_agent(world.project);
    for bad in [
        PlaceNotificationRequest { notification_id: "n1".to_owned(), ..request.clone() },
        PlaceNotificationRequest { project_id: String::new(), ..request.clone() },
    ] {
        let answer = world.try_place(bad).await;
        assert!(matches!(answer, Err(RpcError::Invalid { .. })), "{answer:?}");
    }
    let missing = world.try_place(PlaceNotificationRequest { customer: None, ..request }).await;
    assert!(matches!(missing, Err(RpcError::Invalid { field, .. }) if field == "customer_id"));
    let unknown = world.try_get(&world.project.to_string(), &NotificationId::new().to_string()).await;
    assert!(matches!(unknown, Err(RpcError::NotFound(_))), "{unknown:?}");
}

async fn pages_are_newest_first_and_lead_to_the_end(engine: Engine) {
    let world = World::new(engine).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.push(world.place(by_message(world.project)).await.id);
    }
    world.place(by_message(ProjectId::new())).await;
    ids.reverse();
    let mut seen = Vec::new();
    let mut after = String::new();
    for expected in [2, 2, 1] {
        let page = world.list(2, &after).await;
        assert_eq!(page.notifications.len(), expected);
        seen.extend(page.notifications.into_iter().map(|n| n.id));
        after = page.next_after_id;
    }
    assert_eq!((seen, after), (ids, String::new()));
}

async fn what_is_shown_is_read_without_what_conversations_are_made_of(engine: Engine) {
    let world = World::new(engine).await;
    let placed = world.place(by_agent(world.project)).await;
    world.quiet().await;
    let shown = world.get(&placed.id).await;
    // Whoever read it would find it unreadable.
    world.meddle("UPDATE notifications SET spec = '{}'".to_owned()).await;
    assert_eq!(world.list(10, "").await.notifications, std::slice::from_ref(&shown));
    assert_eq!(world.get(&placed.id).await, shown);
}

async fn what_a_project_sees_changes_its_time_and_nothing_else_does(engine: Engine) {
    let world = World::new(engine).await;
    let (placed, dial) = world.ring(by_agent(world.project)).await;
    let rings = world.get(&placed.id).await;
    assert_eq!(rings.call_status, "dialing");
    assert!(rings.updated_at_ms > placed.updated_at_ms);
    world.accept(&dial).await; // delivered once more
    world.quiet().await;
    assert_eq!(world.get(&placed.id).await, rings);
}
