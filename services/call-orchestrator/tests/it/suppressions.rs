//! The opt-out list of a project.

use std::time::Duration;

use contracts::calls::{AddSuppressionRequest, RemoveSuppressionRequest};
use contracts::ids::ProjectId;
use contracts::rpc::RpcError;
use testkit::database::Engine;
use testkit::on_both_engines;

use crate::world::{JOHN, World, by_agent, by_message, context, heard};

on_both_engines![
    a_number_stands_on_the_list_once_and_is_taken_off_again,
    the_list_is_read_page_by_page_newest_first,
    what_waits_for_the_number_is_stopped_and_a_live_call_goes_on,
    what_is_asked_for_in_a_call_stands_on_the_list_and_stops_what_waits_for_long,
];

async fn a_number_stands_on_the_list_once_and_is_taken_off_again(engine: Engine) {
    let world = World::new(engine).await;
    let first = world.suppress(JOHN, "asked by mail").await;
    assert_eq!(
        (first.phone_e164.as_str(), first.reason.as_str(), first.source.as_str()),
        (JOHN, "asked by mail", "api")
    );
    assert_eq!(world.suppress(JOHN, "once more").await, first);
    assert_eq!(world.place(by_message(world.project)).await.blocked_by, "suppressed");
    assert_eq!(world.place(by_message(ProjectId::new())).await.status, "in_progress");

    let remove =
        |project: String| RemoveSuppressionRequest { project_id: project, suppression_id: first.id.clone() };
    let other =
        world.suppressions().remove_suppression(context(), remove(ProjectId::new().to_string())).await;
    assert!(matches!(other, Err(RpcError::NotFound(_))), "{other:?}");
    world.suppressions().remove_suppression(context(), remove(world.project.to_string())).await.unwrap();
    let again = world.suppressions().remove_suppression(context(), remove(world.project.to_string())).await;
    assert!(matches!(again, Err(RpcError::NotFound(_))), "{again:?}");
    assert_eq!(world.place(by_message(world.project)).await.status, "in_progress");
}

async fn the_list_is_read_page_by_page_newest_first(engine: Engine) {
    let world = World::new(engine).await;
    let mut all = Vec::new();
    for n in 0..5 {
        all.insert(0, world.suppress(&format!("+1415555000{n}"), "").await);
    }
    let request = AddSuppressionRequest {
        project_id: ProjectId::new().to_string(),
        phone_e164: JOHN.to_owned(),
        ..AddSuppressionRequest::default()
    };
    world.suppressions().add_suppression(context(), request).await.unwrap();
    for limit in [1, 2, 5, 100] {
        assert_eq!(world.suppressed(limit).await, all, "{limit}");
    }
}

async fn what_waits_for_the_number_is_stopped_and_a_live_call_goes_on(engine: Engine) {
    let world = World::new(engine).await;
    let (talking, dial) = world.talk(by_agent(world.project)).await;
    let refused = world.place(by_message(world.project)).await;
    let wish = world.dial(&refused.call_id, 1).await;
    world.refuse(&wish, contracts::telephony::dial_refused::Reason::LineBusy).await;
    world.quiet().await;
    let waits = world.get(&refused.id).await;
    assert_eq!((waits.status.as_str(), waits.blocked_by.as_str()), ("in_progress", "line_busy"));
    world.suppress(JOHN, "").await;
    let summary = world.summary(&refused.id).await;
    assert_eq!((summary.status.as_str(), summary.ended_reason.as_str()), ("failed", "blocked"));
    assert_eq!(world.get(&refused.id).await.blocked_by, "suppressed");
    assert!(world.heard.stops.lock().unwrap().is_empty());
    world.complete(&dial, 5).await;
    assert_eq!(world.summary(&talking.id).await.status, "completed");
}

async fn what_is_asked_for_in_a_call_stands_on_the_list_and_stops_what_waits_for_long(engine: Engine) {
    let world = World::new(engine).await;
    let (_, dial) = world.talk(by_agent(world.project)).await;
    let other = world.place(by_message(world.project)).await;
    // As a notification that was scheduled for later.
    world
        .meddle(format!("UPDATE notifications SET live_call = FALSE, next_try_at = '2999-01-01T00:00:00Z' WHERE id = '{}'", other.id))
        .await;
    world.turn(&dial, 1, heard("Please stop calling me.")).await;
    let summary = world.summary(&other.id).await;
    assert_eq!(summary.ended_reason, "blocked");
    let listed = world.suppressed(100).await;
    assert_eq!(listed.len(), 1);
    assert_eq!((listed[0].phone_e164.as_str(), listed[0].source.as_str()), (JOHN, "call"));
    world.pass(Duration::from_secs(6)).await;
}
