//! Endpoints that are changed, given another secret, or removed.

use std::time::Duration;

use common::db::{DbError, sql};
use contracts::ids::ProjectId;
use contracts::rpc::RpcError;
use contracts::webhooks::{
    DeleteEndpointRequest, Endpoint, ListEndpointsRequest, RotateEndpointSecretRequest, UpdateEndpointRequest,
};
use diesel::RunQueryDsl as _;
use testkit::database::Engine;
use testkit::on_both_engines;
use testkit::wait::eventually;

use crate::receiver::{Receiver, Reply};
use crate::world::{World, context};

on_both_engines![
    what_is_given_changes_and_the_rest_stays,
    what_waits_for_an_endpoint_that_is_switched_off_fails_and_switched_on_it_is_as_new,
    switching_on_again_needs_a_free_place,
    both_secrets_are_good_for_a_day_after_a_rotation,
    a_deleted_endpoint_is_gone_at_once_and_its_log_soon_after,
];

fn change(endpoint: &Endpoint) -> UpdateEndpointRequest {
    let (project_id, endpoint_id) = (endpoint.project_id.clone(), endpoint.id.clone());
    UpdateEndpointRequest { project_id, endpoint_id, ..Default::default() }
}

async fn delete(world: &World, endpoint: &Endpoint) -> Result<(), RpcError> {
    let (project_id, endpoint_id) = (endpoint.project_id.clone(), endpoint.id.clone());
    let request = DeleteEndpointRequest { project_id, endpoint_id };
    world.client().delete_endpoint(context(), request).await.map(drop)
}

async fn rotate(world: &World, endpoint: &Endpoint) -> Endpoint {
    let (project_id, endpoint_id) = (endpoint.project_id.clone(), endpoint.id.clone());
    let request = RotateEndpointSecretRequest { project_id, endpoint_id };
    world.client().rotate_endpoint_secret(context(), request).await.unwrap()
}

async fn what_is_given_changes_and_the_rest_stays(engine: Engine) {
    let world = World::new(engine).await;
    let (before, after) = (Receiver::start(), Receiver::start());
    let made = world.endpoint(&before.url).await;
    let moved = UpdateEndpointRequest { url: after.url.clone(), ..change(&made) };
    let moved = world.client().update_endpoint(context(), moved).await.unwrap();
    assert_eq!((&moved.url, &moved.events), (&after.url, &made.events));
    assert_eq!((&moved.signing_secret, &moved.status), (&made.signing_secret, &made.status));
    world.end_a_call().await;
    after.wait_for(1).await;
    assert!(before.received().is_empty());

    let wants = UpdateEndpointRequest { events: vec!["call.summary".to_owned()], ..change(&made) };
    let wants = world.client().update_endpoint(context(), wants).await.unwrap();
    assert_eq!((&wants.url, wants.events.as_slice()), (&after.url, &["call.summary".to_owned()][..]));
    assert_eq!(world.endpoint_now(&made.id).await, wants);
    let same = world.client().update_endpoint(context(), change(&made)).await.unwrap();
    assert_eq!((same.url, same.events, same.status), (wants.url, wants.events, wants.status));

    for (request, field) in [
        (UpdateEndpointRequest { url: "https://10.0.0.1/".to_owned(), ..change(&made) }, "url"),
        (UpdateEndpointRequest { events: vec!["webhook.test".to_owned()], ..change(&made) }, "events"),
        (UpdateEndpointRequest { status: "deleted".to_owned(), ..change(&made) }, "status"),
    ] {
        let refused = world.client().update_endpoint(context(), request).await.unwrap_err();
        assert!(matches!(&refused, RpcError::Invalid { field: named, .. } if named == field), "{refused}");
    }
    let stranger = UpdateEndpointRequest { project_id: ProjectId::new().to_string(), ..change(&made) };
    let refused = world.client().update_endpoint(context(), stranger).await.unwrap_err();
    assert!(matches!(refused, RpcError::NotFound(_)), "{refused}");
}

async fn what_waits_for_an_endpoint_that_is_switched_off_fails_and_switched_on_it_is_as_new(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = Receiver::start();
    receiver.answer_once(Reply::Status(500));
    let endpoint = world.endpoint(&receiver.url).await;
    world.end_a_call().await;
    world.until_one_is("retrying", 1).await;
    world.execute("UPDATE endpoints SET consecutive_failures = 7, failed_attempts = 9").await;

    let off = world.switch(&endpoint, "disabled").await.unwrap();
    assert_eq!((off.status.as_str(), off.consecutive_failures), ("disabled", 7));
    assert_eq!(world.until_one_is("failed", 1).await.next_retry_at, None);
    let other = Receiver::start();
    world.endpoint(&other.url).await;
    world.end_a_call().await;
    other.wait_for(1).await;
    assert_eq!(receiver.received().len(), 1);

    let on = world.switch(&endpoint, "active").await.unwrap();
    assert_eq!((on.status.as_str(), on.consecutive_failures), ("active", 0));
    let event = world.end_a_call().await;
    assert_eq!(receiver.wait_for(2).await[1].header("webhook-id"), event.event_id);
    let rows = world.until("all ended", |rows| rows.iter().all(|d| d.next_retry_at.is_none())).await;
    assert!(rows.iter().all(|d| d.lane == "normal"), "not among those that keep failing: {rows:?}");
}

async fn switching_on_again_needs_a_free_place(engine: Engine) {
    let world = World::with(engine, &[("ECHO_WEBHOOK_ENDPOINT_LIMIT", "1")]).await;
    let receiver = Receiver::start();
    let first = world.endpoint(&receiver.url).await;
    world.switch(&first, "disabled").await.unwrap();
    let second = world.endpoint(&receiver.url).await;
    let refused = world.switch(&first, "active").await.unwrap_err();
    assert!(
        matches!(&refused, RpcError::Conflict { code, .. } if code == "webhook_limit_reached"),
        "{refused}"
    );
    assert_eq!(world.switch(&second, "active").await.unwrap().status, "active", "it has its place");
    delete(&world, &second).await.unwrap();
    assert_eq!(world.switch(&first, "active").await.unwrap().status, "active");
}

async fn both_secrets_are_good_for_a_day_after_a_rotation(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = Receiver::start();
    let old = world.endpoint(&receiver.url).await;
    let new = rotate(&world, &old).await;
    assert_ne!(new.signing_secret, old.signing_secret);
    assert_eq!(world.endpoint_now(&old.id).await, new);

    world.end_a_call().await;
    let first = receiver.wait_for(1).await.remove(0);
    assert!(first.verifies_with(&new.signing_secret) && first.verifies_with(&old.signing_secret));
    assert_eq!(first.header("webhook-signature").split(' ').count(), 2);
    assert_eq!(first.header("x-echo-signature"), first.echo_signature(&new.signing_secret));

    world.clock.advance(Duration::from_secs(24 * 3600 + 1));
    world.end_a_call().await;
    let second = receiver.wait_for(2).await.remove(1);
    second.assert_signed_with(&new.signing_secret);
    assert!(!second.is_signed_with(&old.signing_secret));
}

#[derive(diesel::QueryableByName)]
struct Count {
    #[diesel(sql_type = sql::BigInt)]
    rows: i64,
}

/// Waits until nothing is left of any endpoint but `kept` ones.
async fn until_cleared(world: &World, kept: i64) {
    let tables = world.tables();
    let look = || async {
        let text = "SELECT (SELECT COUNT(*) FROM endpoints) * 1000000 + (SELECT COUNT(*) FROM deliveries) * 1000 \
                    + (SELECT COUNT(*) FROM attempts) AS rows";
        let read = tables.read(move |db| diesel::sql_query(text).get_result(db).map_err(DbError::from));
        let count: Count = read.await.unwrap();
        if count.rows == kept * 1_000_000 { Ok(()) } else { Err(count.rows) }
    };
    eventually("a log that is cleared away", Duration::from_secs(30), look).await;
}

async fn a_deleted_endpoint_is_gone_at_once_and_its_log_soon_after(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = Receiver::start();
    let endpoint = world.endpoint(&receiver.url).await;
    world.end_a_call().await;
    world.until_one_is("success", 1).await;
    receiver.answer_once(Reply::Status(500));
    world.end_a_call().await;
    world.until("a retry to come", |rows| rows.iter().any(|d| d.status == "retrying")).await;
    receiver.answer_once(Reply::Held(500));
    world.end_a_call().await;
    receiver.wait_for_held(1).await;

    delete(&world, &endpoint).await.unwrap();
    let again = delete(&world, &endpoint).await.unwrap_err();
    assert!(matches!(again, RpcError::NotFound(_)), "{again}");
    let project_id = world.project.to_string();
    let all = ListEndpointsRequest { project_id, limit: 100, after_id: String::new() };
    assert!(world.client().list_endpoints(context(), all).await.unwrap().endpoints.is_empty());
    assert!(world.switch(&endpoint, "active").await.is_err());
    let other = Receiver::start();
    let kept = world.endpoint(&other.url).await;
    world.end_a_call().await;
    other.wait_for(1).await;
    receiver.release();
    delete(&world, &kept).await.unwrap();
    until_cleared(&world, 0).await;
    assert_eq!(receiver.received().len(), 3, "nothing was sent after it was gone");
}
