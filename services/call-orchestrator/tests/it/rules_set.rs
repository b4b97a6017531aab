//! What a project has set, and what is known about a customer, decides who is rung when.

use std::time::Duration;

use contracts::accounts::{CallingHours, ProjectPolicy};
use contracts::calls::PlaceNotificationRequest;
use contracts::ids::CustomerId;
use testkit::database::Engine;
use testkit::on_both_engines;

use crate::world::{World, by_message, consent, opens_in};

on_both_engines![
    outside_calling_hours_it_waits_and_rings_when_they_begin,
    a_window_that_is_widened_lets_go_at_once,
    the_customers_own_zone_counts_and_a_change_of_it,
    a_window_that_comes_too_late_lets_it_expire,
    without_consent_nobody_is_rung_where_it_is_required,
    what_comes_with_a_notification_counts_where_it_is_newer,
    the_project_names_its_own_countries,
    a_smaller_number_of_calls_at_a_time_is_kept_and_a_larger_one_fills_up,
    the_calls_of_a_day_are_counted_and_the_next_day_goes_on,
    a_call_that_the_bridge_refuses_is_none_of_the_day,
    an_older_policy_changes_nothing,
    a_month_that_has_cost_enough_waits_for_the_next,
];

const HOUR: Duration = Duration::from_secs(3600);

async fn outside_calling_hours_it_waits_and_rings_when_they_begin(engine: Engine) {
    let world = World::new(engine).await;
    let hours = opens_in(&world, 90);
    world.change_policy(ProjectPolicy { calling_hours: Some(hours), ..world.policy(1) }).await;
    let placed = world.place(by_message(world.project)).await;
    assert_eq!((placed.status.as_str(), placed.blocked_by.as_str()), ("queued", "calling_hours"));
    world.pass(HOUR).await;
    world.quiet().await;
    assert!(world.dials_of(&placed.call_id).is_empty());
    world.pass(HOUR * 31 / 60).await;
    world.dial(&placed.call_id, 1).await;
    let rung = world.get(&placed.id).await;
    assert_eq!((rung.status.as_str(), rung.blocked_by.as_str()), ("in_progress", ""));
}

async fn a_window_that_is_widened_lets_go_at_once(engine: Engine) {
    let world = World::new(engine).await;
    let hours = opens_in(&world, 90);
    world.change_policy(ProjectPolicy { calling_hours: Some(hours), ..world.policy(1) }).await;
    let placed = world.place(by_message(world.project)).await;
    assert_eq!(placed.blocked_by, "calling_hours");
    world.change_policy(world.policy(2)).await;
    world.dial(&placed.call_id, 1).await;
}

async fn the_customers_own_zone_counts_and_a_change_of_it(engine: Engine) {
    let world = World::new(engine).await;
    // Open now by UTC; Kathmandu is 5:45 ahead of it and closed.
    let hours = opens_in(&world, -30);
    world.change_policy(ProjectPolicy { calling_hours: Some(hours), ..world.policy(1) }).await;
    let request = by_message(world.project);
    let customer = request.customer.clone().unwrap().id;
    let mut standing = world.standing(&customer, 3);
    standing.time_zone = "Asia/Kathmandu".to_owned();
    world.change_customer(standing).await;
    let placed = world.place(request).await;
    assert_eq!(placed.blocked_by, "calling_hours");
    assert_eq!(world.place(by_message(world.project)).await.blocked_by, "", "another customer");
    world.change_customer(world.standing(&customer, 2)).await;
    assert_eq!(world.get(&placed.id).await.blocked_by, "calling_hours", "what is older says nothing");
    world.change_customer(world.standing(&customer, 4)).await;
    world.dial(&placed.call_id, 1).await;
}

async fn a_window_that_comes_too_late_lets_it_expire(engine: Engine) {
    let world = World::new(engine).await;
    // A day of the week that is over for long when it has waited its 24 hours.
    let day = chrono::Datelike::weekday(&(world.clock.now() + chrono::TimeDelta::days(3)));
    let weekdays = vec![day.number_from_monday()];
    let hours = CallingHours { from_minute: 0, to_minute: 1440, weekdays };
    world.change_policy(ProjectPolicy { calling_hours: Some(hours), ..world.policy(1) }).await;
    let placed = world.place(by_message(world.project)).await;
    assert_eq!(placed.blocked_by, "calling_hours");
    world.pass(HOUR * 24 + Duration::from_secs(1)).await;
    let summary = world.summary(&placed.id).await;
    assert_eq!((summary.status.as_str(), summary.ended_reason.as_str()), ("failed", "expired"));
    assert_eq!(world.get(&placed.id).await.blocked_by, "calling_hours");
    assert!(world.dials_of(&placed.call_id).is_empty());
}

async fn without_consent_nobody_is_rung_where_it_is_required(engine: Engine) {
    let world = World::new(engine).await;
    world.change_policy(ProjectPolicy { require_consent: true, ..world.policy(1) }).await;
    let placed = world.place(by_message(world.project)).await;
    assert_eq!((placed.status.as_str(), placed.ended_reason.as_str()), ("failed", "blocked"));
    assert_eq!(placed.blocked_by, "no_consent");
    assert_eq!(world.summary(&placed.id).await.ended_reason, "blocked");
    assert!(world.dials_of(&placed.call_id).is_empty());
    for (version, given, status) in [(1, true, "in_progress"), (2, false, "failed")] {
        let request = by_message(world.project);
        let customer = request.customer.clone().unwrap().id;
        let mut standing = world.standing(&customer, version);
        standing.consent = consent(given);
        world.change_customer(standing).await;
        assert_eq!(world.place(request).await.status, status, "{given}");
    }
}

async fn what_comes_with_a_notification_counts_where_it_is_newer(engine: Engine) {
    let world = World::new(engine).await;
    let strict = ProjectPolicy { require_consent: true, ..world.policy(5) };
    let request = PlaceNotificationRequest { policy: Some(strict.clone()), ..by_message(world.project) };
    assert_eq!(world.place(request).await.blocked_by, "no_consent");
    assert_eq!(world.place(by_message(world.project)).await.blocked_by, "no_consent", "it was kept");
    let older = PlaceNotificationRequest { policy: Some(world.policy(4)), ..by_message(world.project) };
    assert_eq!(world.place(older).await.blocked_by, "no_consent");
    let agreed = by_message(world.project);
    let mut standing = world.standing(&agreed.customer.clone().unwrap().id, 1);
    standing.consent = consent(true);
    let agreed = PlaceNotificationRequest { policy: Some(strict), standing: Some(standing), ..agreed };
    assert_eq!(world.place(agreed).await.status, "in_progress");
}

async fn the_project_names_its_own_countries(engine: Engine) {
    let world = World::new(engine).await;
    let allowed_countries = vec!["DE".to_owned(), "GB".to_owned()];
    world.change_policy(ProjectPolicy { allowed_countries, ..world.policy(1) }).await;
    let placed = world.place(by_message(world.project)).await;
    assert_eq!(
        (placed.ended_reason.as_str(), placed.blocked_by.as_str()),
        ("blocked", "country_not_allowed")
    );
    assert_eq!(world.place(world.for_number("+4930901820")).await.status, "in_progress");
}

async fn a_smaller_number_of_calls_at_a_time_is_kept_and_a_larger_one_fills_up(engine: Engine) {
    let world = World::new(engine).await;
    world.change_policy(ProjectPolicy { max_concurrent_calls: 1, ..world.policy(1) }).await;
    let first = world.place(by_message(world.project)).await;
    let (second, third) =
        (world.place(by_message(world.project)).await, world.place(by_message(world.project)).await);
    assert_eq!(first.status, "in_progress");
    assert_eq!(
        (second.blocked_by.as_str(), third.blocked_by.as_str()),
        ("max_concurrent_calls", "max_concurrent_calls")
    );
    world.change_policy(ProjectPolicy { max_concurrent_calls: 2, ..world.policy(2) }).await;
    world.dial(&second.call_id, 1).await;
    world.quiet().await;
    assert!(world.dials_of(&third.call_id).is_empty());
}

async fn the_calls_of_a_day_are_counted_and_the_next_day_goes_on(engine: Engine) {
    let world = World::new(engine).await;
    world.change_policy(ProjectPolicy { max_calls_per_day: 2, ..world.policy(1) }).await;
    for _ in 0..2 {
        let placed = world.place(by_message(world.project)).await;
        let dial = world.dial(&placed.call_id, 1).await;
        world.accept(&dial).await;
        world.complete(&dial, 0).await;
        world.summary(&placed.id).await;
    }
    let third = world.place(by_message(world.project)).await;
    assert_eq!((third.status.as_str(), third.blocked_by.as_str()), ("queued", "max_calls_per_day"));
    world.pass(HOUR * 24 - Duration::from_secs(60)).await;
    world.dial(&third.call_id, 1).await;
}

async fn a_call_that_the_bridge_refuses_is_none_of_the_day(engine: Engine) {
    let world = World::new(engine).await;
    world.change_policy(ProjectPolicy { max_calls_per_day: 1, ..world.policy(1) }).await;
    let placed = world.place(by_message(world.project)).await;
    let dial = world.dial(&placed.call_id, 1).await;
    world.refuse(&dial, contracts::telephony::dial_refused::Reason::Late).await;
    world.pass(Duration::from_secs(2)).await;
    world.dial(&placed.call_id, 2).await;
    assert_eq!(world.place(by_message(world.project)).await.blocked_by, "max_calls_per_day");
}

async fn an_older_policy_changes_nothing(engine: Engine) {
    let world = World::new(engine).await;
    world.change_policy(ProjectPolicy { require_consent: true, ..world.policy(7) }).await;
    world.change_policy(world.policy(6)).await;
    world.change_policy(world.policy(7)).await;
    assert_eq!(world.place(by_message(world.project)).await.blocked_by, "no_consent");
    assert_eq!(world.count("policies WHERE version = 7").await, 1);
}

async fn a_month_that_has_cost_enough_waits_for_the_next(engine: Engine) {
    let world = World::new(engine).await;
    let policy = ProjectPolicy { monthly_spend_cap_cents: 100, ..world.policy(1) };
    world.change_policy(policy).await;
    let (project, today) = (world.project, world.clock.now().date_naive());
    let spent = |micros: u32| {
        format!(
            "INSERT INTO spend_days (project_id, day, currency, cost_micros) VALUES ('{project}', '{today}', 'USD', {micros})"
        )
    };
    world.meddle(spent(999_999)).await;
    assert_eq!(world.place(by_message(world.project)).await.status, "in_progress");
    world.meddle(format!("UPDATE spend_days SET cost_micros = 1000000 WHERE project_id = '{project}'")).await;
    let request = by_message(world.project);
    let customer: CustomerId = request.customer.clone().unwrap().id.parse().unwrap();
    let placed = world.place(request).await;
    assert_eq!((placed.status.as_str(), placed.blocked_by.as_str()), ("queued", "monthly_spend_cap"));
    assert_eq!(placed.customer_id, customer.to_string());
    // More money lets it go at once.
    world.change_policy(ProjectPolicy { monthly_spend_cap_cents: 101, ..world.policy(2) }).await;
    world.dial(&placed.call_id, 1).await;
}
