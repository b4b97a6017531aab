//! Who is rung now, who later, and who never.

use std::time::Duration;

use contracts::calls::{Customer, DialRequested, Notification, PlaceNotificationRequest};
use contracts::ids::ProjectId;
use contracts::telephony::dial_refused::Reason;
use testkit::database::Engine;
use testkit::on_both_engines;
use testkit::wait::eventually;

use crate::world::{PATIENCE, World, by_agent, by_message, heard};

on_both_engines![
    the_eleventh_call_waits_for_one_to_end_and_other_projects_do_not,
    those_who_wait_are_rung_in_the_order_in_which_they_came,
    a_call_that_the_bridge_refuses_leaves_its_place_to_another,
    a_wish_that_came_too_late_or_to_a_busy_line_is_repeated_as_a_new_wish_for_the_same_call,
    a_number_that_asked_not_to_be_called_is_blocked_and_nothing_is_dialled,
    a_number_in_a_country_that_the_operator_has_not_named_is_blocked_and_nothing_is_dialled,
    who_waits_and_asks_not_to_be_called_in_another_call_waits_no_longer,
    what_could_not_be_dialled_for_a_day_expires,
    one_that_cannot_be_looked_at_does_not_stop_the_ones_behind_it,
];

const CALLS: usize = 10;

/// Fills a project with calls that ring.
async fn fill(world: &World) -> Vec<(Notification, DialRequested)> {
    let mut calls = Vec::new();
    for _ in 0..CALLS {
        let placed = world.place(by_message(world.project)).await;
        assert_eq!(placed.status, "in_progress");
        let dial = world.dial(&placed.call_id, 1).await;
        calls.push((placed, dial));
    }
    calls
}

async fn waits(world: &World) -> Notification {
    let placed = world.place(by_message(world.project)).await;
    assert_eq!((placed.status.as_str(), placed.call_status.as_str()), ("queued", "queued"));
    assert_eq!(placed.blocked_by, "max_concurrent_calls");
    placed
}

async fn the_eleventh_call_waits_for_one_to_end_and_other_projects_do_not(engine: Engine) {
    let world = World::new(engine).await;
    let calls = fill(&world).await;
    let eleventh = waits(&world).await;
    let other = world.place(by_message(ProjectId::new())).await;
    assert_eq!(other.status, "in_progress");
    world.quiet().await;
    assert!(world.dials_of(&eleventh.call_id).is_empty());
    // A round of the rules that changes nothing is no change that its project sees.
    world.pass(Duration::from_secs(6)).await;
    let looked = || async {
        match world.count("notifications WHERE blocked_by IS NOT NULL AND version > 1").await {
            1 => Ok(()),
            n => Err(n),
        }
    };
    eventually("another round", PATIENCE, looked).await;
    assert_eq!(world.get(&eleventh.id).await, eleventh);

    world.complete(&calls[3].1, 0).await;
    world.dial(&eleventh.call_id, 1).await;
    let rung = world.get(&eleventh.id).await;
    assert_eq!((rung.status.as_str(), rung.blocked_by.as_str()), ("in_progress", ""));
}

async fn those_who_wait_are_rung_in_the_order_in_which_they_came(engine: Engine) {
    let world = World::new(engine).await;
    let calls = fill(&world).await;
    let mut line = Vec::new();
    for _ in 0..3 {
        line.push(waits(&world).await);
    }
    for (n, next) in line.iter().enumerate() {
        world.complete(&calls[n].1, 0).await;
        // Whoever comes now stands at the end, even if the place is free at this moment.
        world.quiet().await;
        world.dial(&next.call_id, 1).await;
        for later in &line[n + 1..] {
            assert!(world.dials_of(&later.call_id).is_empty(), "{n}");
        }
    }
    // Two places, and the line is longer than that: a newcomer gets neither.
    let tail = [waits(&world).await, waits(&world).await];
    world
        .meddle(format!(
            "UPDATE notifications SET lease_until = '2999-01-01T00:00:00Z' WHERE id = '{}'",
            tail[0].id
        ))
        .await;
    world
        .meddle(format!(
            "UPDATE notifications SET lease_until = '2999-01-01T00:00:00Z' WHERE id = '{}'",
            tail[1].id
        ))
        .await;
    world
        .meddle(format!(
            "UPDATE calls SET dial_requested = {} WHERE id = '{}'",
            truth(engine, false),
            calls[5].1.call_id
        ))
        .await;
    let newcomer = world.place(by_message(world.project)).await;
    assert_eq!(newcomer.status, "queued");
}

/// How an engine writes a truth value.
fn truth(engine: Engine, value: bool) -> &'static str {
    match (engine, value) {
        (Engine::Sqlite, true) => "1",
        (Engine::Sqlite, false) => "0",
        (Engine::Postgres, true) => "TRUE",
        (Engine::Postgres, false) => "FALSE",
    }
}

async fn a_call_that_the_bridge_refuses_leaves_its_place_to_another(engine: Engine) {
    let world = World::new(engine).await;
    let calls = fill(&world).await;
    let eleventh = waits(&world).await;
    world.refuse(&calls[0].1, Reason::LineBusy).await;
    world.dial(&eleventh.call_id, 1).await;
}

async fn a_wish_that_came_too_late_or_to_a_busy_line_is_repeated_as_a_new_wish_for_the_same_call(
    engine: Engine,
) {
    let world = World::new(engine).await;
    let placed = world.place(by_agent(world.project)).await;
    let first = world.dial(&placed.call_id, 1).await;
    world.refuse(&first, Reason::Late).await;
    world.quiet().await;
    world.pass(Duration::from_secs(2)).await;
    let second = world.dial(&placed.call_id, 2).await;
    world.refuse(&first, Reason::Late).await; // once more, and of no meaning
    world.refuse(&second, Reason::LineBusy).await;
    world.quiet().await;
    assert_eq!(world.dials_of(&placed.call_id).len(), 2, "the line is busy for a while");
    assert_eq!(world.get(&placed.id).await.blocked_by, "line_busy");
    world.pass(Duration::from_secs(16)).await;
    let third = world.dial(&placed.call_id, 3).await;
    let ids = [&first.attempt_id, &second.attempt_id, &third.attempt_id];
    assert!(ids[0] != ids[1] && ids[1] != ids[2] && ids[0] != ids[2], "{ids:?}");
    world.accept(&third).await;
    world.complete(&third, 0).await;
    let summary = world.summary(&placed.id).await;
    assert_eq!((summary.attempt, summary.call_id), (1, placed.call_id));
}

async fn suppressed(world: &World) -> PlaceNotificationRequest {
    let (placed, dial) = world.talk(by_agent(world.project)).await;
    world.turn(&dial, 1, heard("Please stop calling me.")).await;
    world.complete(&dial, 5).await;
    assert_eq!(world.summary(&placed.id).await.ended_reason, "opt-out");
    by_agent(world.project)
}

async fn a_number_that_asked_not_to_be_called_is_blocked_and_nothing_is_dialled(engine: Engine) {
    let world = World::new(engine).await;
    let request = suppressed(&world).await;
    let elsewhere = PlaceNotificationRequest {
        notification_id: contracts::ids::NotificationId::new().to_string(),
        project_id: ProjectId::new().to_string(),
        ..request.clone()
    };
    let placed = world.place(request).await;
    assert_eq!((placed.status.as_str(), placed.ended_reason.as_str()), ("failed", "blocked"));
    assert_eq!(placed.blocked_by, "suppressed");
    assert_eq!(world.get(&placed.id).await.blocked_by, "suppressed");
    let summary = world.summary(&placed.id).await;
    assert_eq!((summary.status.as_str(), summary.ended_reason.as_str()), ("failed", "blocked"));
    assert!(world.dials_of(&placed.call_id).is_empty());
    assert_eq!(world.started_and_ended(&placed.call_id), (0, 0));
    assert_eq!(world.place(elsewhere).await.status, "in_progress", "it asked one project");
}

async fn a_number_in_a_country_that_the_operator_has_not_named_is_blocked_and_nothing_is_dialled(
    engine: Engine,
) {
    let world = World::with(engine, &[("ECHO_ALLOWED_COUNTRIES", "de, US")]).await;
    let in_jamaica = PlaceNotificationRequest {
        customer: Some(Customer {
            phone_e164: "+18765550123".to_owned(),
            ..by_message(world.project).customer.unwrap()
        }),
        ..by_message(world.project)
    };
    let placed = world.place(in_jamaica).await;
    assert_eq!((placed.status.as_str(), placed.ended_reason.as_str()), ("failed", "blocked"));
    assert_eq!(world.count("notifications WHERE blocked_by = 'country_not_allowed'").await, 1);
    let summary = world.summary(&placed.id).await;
    assert_eq!((summary.status.as_str(), summary.ended_reason.as_str()), ("failed", "blocked"));
    assert!(world.dials_of(&placed.call_id).is_empty());
    assert_eq!(world.place(by_message(world.project)).await.status, "in_progress");
}

async fn who_waits_and_asks_not_to_be_called_in_another_call_waits_no_longer(engine: Engine) {
    let world = World::new(engine).await;
    let (_, dial) = world.talk(by_agent(world.project)).await;
    let other = |n: u64| {
        let customer =
            Customer { phone_e164: format!("+1415555{n:04}"), ..by_message(world.project).customer.unwrap() };
        PlaceNotificationRequest { customer: Some(customer), ..by_message(world.project) }
    };
    for n in 1..10 {
        world.place(other(n)).await;
    }
    let first = world.place(other(99)).await;
    let same_number = world.place(by_agent(world.project)).await;
    assert_eq!((first.status.as_str(), same_number.status.as_str()), ("queued", "queued"));
    world.turn(&dial, 1, heard("Please stop calling me.")).await;
    // No call has ended, and another one stands before it in the line.
    world.pass(Duration::from_secs(6)).await;
    let summary = world.summary(&same_number.id).await;
    assert_eq!(summary.ended_reason, "blocked");
    assert_eq!(world.get(&first.id).await.status, "queued");
}

async fn what_could_not_be_dialled_for_a_day_expires(engine: Engine) {
    let world = World::new(engine).await;
    let calls = fill(&world).await;
    let (first, last) = (waits(&world).await, waits(&world).await);
    // Calls that go on for ever, so that nothing but the line itself ends the waiting.
    world.meddle("UPDATE calls SET reap_at = '2999-01-01T00:00:00Z'".to_owned()).await;
    world.pass(Duration::from_secs(24 * 3600 - 30)).await;
    world.quiet().await;
    assert_eq!(world.get(&last.id).await.status, "queued");
    world.pass(Duration::from_secs(40)).await;
    for waiting in [&first, &last] {
        let summary = world.summary(&waiting.id).await;
        assert_eq!((summary.status.as_str(), summary.ended_reason.as_str()), ("failed", "expired"));
        let seen = world.get(&waiting.id).await;
        assert_eq!((seen.call_status.as_str(), seen.blocked_by.as_str()), ("failed", "max_concurrent_calls"));
        assert_eq!(world.started_and_ended(&waiting.call_id), (0, 0));
    }
    assert_eq!(world.heard.dials.lock().unwrap().len(), calls.len());
}

async fn one_that_cannot_be_looked_at_does_not_stop_the_ones_behind_it(engine: Engine) {
    let world = World::new(engine).await;
    let calls = fill(&world).await;
    let broken = waits(&world).await;
    let (second, third) = (waits(&world).await, waits(&world).await);
    world.quiet().await;
    let spoil =
        format!("UPDATE notifications SET retry = '{{\"max_attempts\": 99}}' WHERE id = '{}'", broken.id);
    world.meddle(spoil).await;
    world.complete(&calls[0].1, 0).await;
    world.dial(&second.call_id, 1).await;
    world.complete(&calls[1].1, 0).await;
    world.dial(&third.call_id, 1).await;
    // It does not stand in the line either: a newcomer finds the place that is free.
    world.complete(&calls[2].1, 0).await;
    world.quiet().await;
    let newcomer = world.place(by_message(world.project)).await;
    assert_eq!(newcomer.status, "in_progress");
    assert!(world.dials_of(&broken.call_id).is_empty());
}
