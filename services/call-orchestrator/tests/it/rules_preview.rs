//! Who would be rung now, told without ringing anybody.

use contracts::accounts::ProjectPolicy;
use contracts::calls::{PreviewRulesRequest, PreviewedCustomer};
use contracts::ids::CustomerId;
use contracts::rpc::RpcError;
use testkit::database::Engine;
use testkit::on_both_engines;

use crate::world::{JOHN, World, context, opens_in};

on_both_engines![each_customer_is_told_what_a_notification_would_be_told, more_than_a_thousand_are_refused];

fn customer(phone: &str) -> PreviewedCustomer {
    PreviewedCustomer {
        customer_id: CustomerId::new().to_string(),
        phone_e164: phone.to_owned(),
        standing: None,
    }
}

async fn each_customer_is_told_what_a_notification_would_be_told(engine: Engine) {
    let world = World::new(engine).await;
    world.suppress(JOHN, "").await;
    let policy = ProjectPolicy {
        calling_hours: Some(opens_in(&world, -30)),
        allowed_countries: vec!["US".to_owned(), "DE".to_owned()],
        max_concurrent_calls: 1,
        ..world.policy(2)
    };
    world.change_policy(policy.clone()).await;
    let mut far = customer("+14155550001");
    let mut standing = world.standing(&far.customer_id, 1);
    standing.time_zone = "Asia/Kathmandu".to_owned();
    world.change_customer(standing.clone()).await;
    let mut moved = far.clone();
    standing.version = 2;
    standing.time_zone = String::new();
    moved.standing = Some(standing);
    far.standing = None;
    let request = PreviewRulesRequest {
        project_id: world.project.to_string(),
        policy: None,
        customers: vec![
            customer(JOHN),
            customer("+4930901820"),
            customer("+442079460018"),
            far.clone(),
            moved,
        ],
    };
    let told = world.preview(request.clone()).await;
    let words: Vec<(bool, &str)> = told.iter().map(|v| (v.would_ring, v.blocked_by.as_str())).collect();
    let expected = [
        (false, "suppressed"),
        (true, ""),
        (false, "country_not_allowed"),
        (false, "calling_hours"),
        (true, ""),
    ];
    assert_eq!(words, expected);
    assert!(told[0].until_ms.is_none() && told[1].until_ms.is_none());
    assert!(told[3].until_ms.unwrap() > world.clock.now().timestamp_millis());
    assert!(world.heard.dials.lock().unwrap().is_empty());

    // A newer policy that comes along counts for this answer alone.
    let stricter = ProjectPolicy { require_consent: true, version: 3, ..policy };
    let asked = PreviewRulesRequest { policy: Some(stricter), ..request.clone() };
    assert_eq!(world.preview(asked).await[1].blocked_by, "no_consent");
    assert!(world.preview(request.clone()).await[1].would_ring);

    // The one call that may be alive is.
    let placed = world.place(world.for_number("+14155550002")).await;
    assert_eq!(placed.status, "in_progress");
    assert_eq!(world.preview(request).await[1].blocked_by, "max_concurrent_calls");
}

async fn more_than_a_thousand_are_refused(engine: Engine) {
    let world = World::new(engine).await;
    let request = |n: usize| PreviewRulesRequest {
        project_id: world.project.to_string(),
        policy: None,
        customers: vec![customer(JOHN); n],
    };
    assert_eq!(world.preview(request(1_000)).await.len(), 1_000);
    let client = contracts::calls::RulesClient::new(world.caller());
    let refused = client.preview_rules(context(), request(1_001)).await;
    assert!(matches!(refused, Err(RpcError::Invalid { .. })), "{refused:?}");
}
