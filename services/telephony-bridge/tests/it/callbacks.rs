//! Status callbacks come twice, late, out of order, or about nothing that is known.

use serde_json::json;
use testkit::database::Engine;
use testkit::on_both_engines;

use crate::line::Line;
use crate::world::{BUSY, World};

on_both_engines![
    each_change_is_told_once_and_an_end_stays_the_end,
    the_same_report_at_the_same_moment_is_told_once,
    reports_that_tell_nothing_are_taken_and_forgotten,
    a_carrier_that_repeats_and_swaps_its_reports_is_understood,
];

async fn each_change_is_told_once_and_an_end_stays_the_end(engine: Engine) {
    let world = World::new(engine).await;
    let line = Line::running(&world).await;
    let reports = [
        ("ringing", "1"),
        ("ringing", "1"),
        ("in-progress", "2"),
        ("initiated", "0"),
        ("ringing", "1"),
        ("completed", "3"),
        ("completed", "3"),
        ("busy", "4"),
        ("in-progress", "5"),
    ];
    for (status, sequence) in reports {
        assert_eq!(line.report(status, sequence).await, 204, "{status}");
    }
    world.status(&line.wish, "completed").await;
    world.all_handled().await;
    assert_eq!(
        world.orchestrator.statuses_of(&line.wish.attempt_id),
        ["ringing", "in_progress", "completed"]
    );
    let reports = world.orchestrator.reports_of(&line.wish.attempt_id);
    let sequences: Vec<Option<u32>> = reports.iter().map(|report| report.sequence).collect();
    assert_eq!(sequences, [Some(1), Some(2), Some(3)]);
    let row = world.row(&line.wish).await.unwrap();
    assert_eq!((row.state.as_str(), row.live), ("over", false));
}

async fn the_same_report_at_the_same_moment_is_told_once(engine: Engine) {
    let world = World::new(engine).await;
    let line = Line::running(&world).await;
    let same = || line.report("in-progress", "2");
    let statuses = tokio::join!(same(), same(), same(), same());
    // Whoever was overtaken too often is told to come again.
    let (a, b, c, d) = statuses;
    assert!([a, b, c, d].iter().all(|status| [204, 503].contains(status)), "{statuses:?}");
    assert_eq!(same().await, 204);
    world.status(&line.wish, "in_progress").await;
    world.all_handled().await;
    assert_eq!(world.orchestrator.statuses_of(&line.wish.attempt_id), ["in_progress"]);
}

async fn reports_that_tell_nothing_are_taken_and_forgotten(engine: Engine) {
    let world = World::new(engine).await;
    let line = Line::running(&world).await;
    assert_eq!(line.report("parked", "1").await, 204);
    assert_eq!(line.report("queued", "2").await, 204);
    assert_eq!(line.post(&line.path("voice-status"), &[]).await.status, 204);
    let unknown = "/v1/voice-status?attempt=01890000-0000-7000-8000-000000000000";
    for path in [unknown, "/v1/voice-status"] {
        assert_eq!(line.post(path, &[("CallStatus", "completed")]).await.status, 204);
    }
    // Without a number of its own a report still cannot move a call back.
    for status in ["in-progress", "ringing", "in-progress"] {
        assert_eq!(line.post(&line.path("voice-status"), &[("CallStatus", status)]).await.status, 204);
    }
    world.status(&line.wish, "in_progress").await;
    world.all_handled().await;
    assert_eq!(world.orchestrator.statuses_of(&line.wish.attempt_id), ["in_progress"]);
}

async fn a_carrier_that_repeats_and_swaps_its_reports_is_understood(engine: Engine) {
    let world = World::new(engine).await;
    world.nasty(&json!({"callbacks_twice": true, "callbacks_reordered": true})).await;
    let wish = world.wish(BUSY);
    world.publish(std::slice::from_ref(&wish)).await;
    world.status(&wish, "busy").await;
    world.all_handled().await;
    let heard = world.orchestrator.statuses_of(&wish.attempt_id);
    assert_eq!(heard.iter().filter(|status| *status == "busy").count(), 1, "{heard:?}");
    assert_eq!(heard.last().unwrap(), "busy");
    assert_eq!(world.orchestrator.heard.lock().unwrap().accepted.len(), 1);
}
