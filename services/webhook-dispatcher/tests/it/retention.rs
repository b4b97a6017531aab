//! How long the log is kept.

use std::time::Duration;

use common::db::DbError;
use contracts::accounts::{ProjectPolicy, ProjectPolicyChanged};
use diesel::RunQueryDsl as _;
use testkit::database::Engine;
use testkit::on_both_engines;
use testkit::wait::eventually;

use crate::receiver::{Receiver, Reply};
use crate::world::World;

on_both_engines![what_a_project_keeps_no_longer_goes_and_what_is_still_to_be_sent_stays];

#[derive(Debug, diesel::QueryableByName)]
struct Days {
    #[diesel(sql_type = diesel::sql_types::Integer)]
    days: i32,
}

/// The project says how long it keeps what was sent, in the version of its policy.
async fn says(world: &World, retention_days: u32, version: i64) {
    let project_id = world.project.to_string();
    let policy =
        ProjectPolicy { project_id: project_id.clone(), version, retention_days, ..ProjectPolicy::default() };
    world.publish(&[ProjectPolicyChanged { project_id, policy: Some(policy) }]).await;
}

/// Waits until that is known.
async fn known(world: &World, days: i32) {
    let tables = world.tables();
    let look = || async {
        let query = "SELECT days FROM retentions";
        let rows = tables.read(move |db| diesel::sql_query(query).load::<Days>(db).map_err(DbError::from));
        let rows = rows.await.unwrap();
        if rows.iter().any(|row| row.days == days) { Ok(()) } else { Err(rows) }
    };
    eventually("the days of the project", Duration::from_secs(10), look).await;
}

async fn what_a_project_keeps_no_longer_goes_and_what_is_still_to_be_sent_stays(engine: Engine) {
    let world = World::new(engine).await;
    let receiver = Receiver::start();
    world.endpoint(&receiver.url).await;
    world.end_a_call().await;
    world.until("a success", |rows| rows.iter().any(|d| d.status == "success")).await;
    receiver.answer(Reply::Status(500));
    world.end_a_call().await;
    let waits = |rows: &[crate::world::Delivery]| {
        rows.iter().any(|d| d.status == "retrying" && d.lease_until.is_none())
    };
    world.until("one that waits for its next attempt", waits).await;
    says(&world, 30, 2).await;
    known(&world, 30).await;
    // Later than the first retry, and not later than the log is kept.
    world.clock.advance(Duration::from_hours(24 * 29));
    says(&world, 1, 1).await;
    says(&world, 30, 3).await;
    let again = |rows: &[crate::world::Delivery]| {
        rows.iter().any(|d| d.attempt_count == 2 && d.status == "retrying" && d.lease_until.is_none())
    };
    let rows = world.until("its second attempt", again).await;
    assert_eq!(rows.len(), 2, "an older policy changes nothing: {rows:?}");
    says(&world, 28, 4).await;
    let rows = world.until("one delivery", |rows| rows.len() == 1).await;
    assert_eq!(rows[0].status, "retrying");
    let attempts = world.attempts().await;
    assert_eq!(attempts.iter().filter(|a| a.success).count(), 0, "they go with it: {attempts:?}");
}
