//! Echo is stopped and started again: nothing is lost, nobody is rung twice.

use std::time::Duration;

use testkit::wait::eventually;

use crate::echo::{Echo, PATIENCE, Pair};
use crate::on_both_pairs;

on_both_pairs! {
    a_restart_in_the_middle_of_a_call_loses_no_summary_and_rings_nobody_twice;
    what_was_stored_is_there_after_a_restart;
}

const PHONE: &str = "+14155550110";

async fn a_restart_in_the_middle_of_a_call_loses_no_summary_and_rings_nobody_twice(pair: Pair) {
    let mut echo = Echo::start_with(pair, &[("ECHO_SANDBOX_SPEED", "4")]).await;
    let notification = echo.ring(PHONE).await;
    eventually("the conversation to begin", PATIENCE, || async {
        let said = echo.spoken(PHONE).await;
        if said.is_empty() { Err(said) } else { Ok(()) }
    })
    .await;
    // The carrier is in the same process and forgets the call: the worst that a restart can do.
    echo.restart().await;
    let (summary, stored) = echo.summary_of(&notification).await;
    assert!(summary["data"]["ended_reason"].is_string(), "{summary}");
    assert_ne!(stored["status"], "in_progress", "{stored}");
    assert_eq!(echo.dialled(PHONE).await, 0, "dialled again after the restart");
    assert_eq!(echo.receiver.of(&notification, "call.summary").len(), 1);
    echo.stop().await;
}

async fn what_was_stored_is_there_after_a_restart(pair: Pair) {
    let mut echo = Echo::start(pair).await;
    let notification = echo.ring("+14155552671").await;
    let (_, before) = echo.summary_of(&notification).await;
    echo.restart().await;
    let after = echo.get(&format!("/api/v1/notifications/{notification}")).await;
    assert_eq!(before, after);
    tokio::time::timeout(Duration::from_secs(30), echo.stop()).await.expect("it stops");
}
