//! From placing to exactly one summary, whatever the carrier reports and in whatever order.

use contracts::calls::{CallSummarised, DialRequested, Notification, PlaceNotificationRequest};
use contracts::ids::ProjectId;
use contracts::telephony::dial_failed::Cause;
use contracts::telephony::{CallProgressed, DialAccepted};
use std::time::Duration;
use testkit::database::Engine;
use testkit::on_both_engines;

use crate::world::{World, by_agent, completed, progressed};

on_both_engines![
    a_call_that_is_answered_leads_to_one_summary_in_whatever_order_it_is_reported,
    a_call_that_nobody_answers_leads_to_one_summary_in_whatever_order_it_is_reported,
    a_dial_that_fails_is_summarised_with_its_reason,
    a_number_that_cannot_be_rung_is_told_until_somebody_picks_up_there,
    a_prepared_first_turn_of_an_unanswered_call_was_never_said,
    news_of_an_older_wish_to_dial_is_not_about_the_call,
    times_that_cannot_be_are_not_believed,
];

/// When the call was picked up and when it was over, in milliseconds after it was made.
const PICKED_UP: i64 = 10_000;
const OVER: i64 = 40_000;

/// Every order of four things.
fn orders() -> Vec<[usize; 4]> {
    let digit = |n: usize, place: u32| n / 4_usize.pow(place) % 4;
    let all = (0..256).map(|n| [digit(n, 0), digit(n, 1), digit(n, 2), digit(n, 3)]);
    all.filter(|order| (0..4).all(|n| order.contains(&n))).collect()
}

#[derive(Clone)]
enum Report {
    Accepted(DialAccepted),
    Progressed(CallProgressed),
}

impl World {
    async fn report(&self, report: &Report) {
        match report {
            Report::Accepted(m) => self.publish(std::slice::from_ref(m)).await,
            Report::Progressed(m) => self.publish(std::slice::from_ref(m)).await,
        }
    }

    /// Makes a call in a project of its own for every order, and reports about all of them in theirs, each report twice.
    async fn in_every_order(
        &self,
        reports: impl Fn(&DialRequested, i64) -> [CallProgressed; 3],
    ) -> Vec<(Notification, CallSummarised)> {
        let mut calls = Vec::new();
        for order in orders() {
            let placed = self.place(by_agent(ProjectId::new())).await;
            let dial = self.dial(&placed.call_id, 1).await;
            calls.push((order, placed, dial));
        }
        self.pass(Duration::from_secs(60)).await;
        for step in 0..4 {
            for (order, placed, dial) in &calls {
                let accepted = DialAccepted {
                    attempt_id: dial.attempt_id.clone(),
                    call_id: dial.call_id.clone(),
                    project_id: dial.project_id.clone(),
                    carrier_call_sid: "CA1".to_owned(),
                };
                let [one, two, three] = reports(dial, placed.created_at_ms);
                let all = [
                    Report::Accepted(accepted),
                    Report::Progressed(one),
                    Report::Progressed(two),
                    Report::Progressed(three),
                ];
                self.report(&all[order[step]]).await;
                self.report(&all[order[step]]).await;
            }
            self.quiet().await;
        }
        let mut found = Vec::new();
        for (_, placed, _) in calls {
            let summary = self.summary(&placed.id).await;
            found.push((self.get(&placed.id).await, summary));
        }
        found
    }
}

async fn a_call_that_is_answered_leads_to_one_summary_in_whatever_order_it_is_reported(engine: Engine) {
    let world = World::new(engine).await;
    let reports = |dial: &DialRequested, made: i64| {
        [
            progressed(dial, "ringing", 1, made + 1_000),
            progressed(dial, "in_progress", 2, made + PICKED_UP),
            completed(dial, 3, made + OVER, 30),
        ]
    };
    for (seen, summary) in world.in_every_order(reports).await {
        assert_eq!((seen.status.as_str(), seen.call_status.as_str()), ("completed", "completed"));
        assert_eq!(
            (summary.status.as_str(), seen.ended_reason.as_str()),
            ("completed", "customer-ended-call")
        );
        assert_eq!(summary.started_at_ms, Some(seen.created_at_ms + PICKED_UP));
        assert_eq!((summary.ended_at_ms, summary.duration_ms), (seen.created_at_ms + OVER, 30_000));
        assert_eq!(world.started_and_ended(&seen.call_id), (1, 1));
    }
}

async fn a_call_that_nobody_answers_leads_to_one_summary_in_whatever_order_it_is_reported(engine: Engine) {
    let world = World::new(engine).await;
    for (status, reason) in [("busy", "busy"), ("no_answer", "no-answer"), ("failed", "carrier-error")] {
        let reports = |dial: &DialRequested, made: i64| {
            [
                progressed(dial, "dialing", 0, made + 500),
                progressed(dial, "ringing", 1, made + 1_000),
                progressed(dial, status, 2, made + OVER),
            ]
        };
        for (seen, summary) in world.in_every_order(reports).await {
            assert_eq!((seen.status.as_str(), seen.call_status.as_str()), ("failed", status));
            assert_eq!((summary.ended_reason.as_str(), summary.transcript.as_str()), (reason, ""));
            assert_eq!((summary.started_at_ms, summary.duration_ms), (None, 0));
            assert_eq!(summary.analysis_json, "");
            assert_eq!(world.started_and_ended(&seen.call_id), (0, 1));
        }
    }
}

async fn a_dial_that_fails_is_summarised_with_its_reason(engine: Engine) {
    let world = World::new(engine).await;
    for (cause, code, (status, reason), ended) in [
        (Cause::Unknown, 0, ("failed", "dial-unknown"), 1),
        (Cause::InvalidNumber, 21_211, ("failed", "invalid-number"), 1),
        (Cause::CarrierError, 4_000_000_000, ("failed", "carrier-error"), 1),
        (Cause::Canceled, 0, ("canceled", "canceled"), 0),
    ] {
        let placed = world.place(by_agent(world.project)).await;
        let dial = world.dial(&placed.call_id, 1).await;
        world.fail(&dial, cause, code).await;
        world.fail(&dial, cause, code).await;
        let summary = world.summary(&placed.id).await;
        assert_eq!((summary.status.as_str(), summary.ended_reason.as_str()), (status, reason));
        assert_eq!(world.started_and_ended(&placed.call_id), (0, ended));
        assert_eq!(world.dials_of(&placed.call_id).len(), 1, "never dialled again");
        let seen = world.get(&placed.id).await;
        assert_eq!((seen.carrier_code, seen.blocked_by.as_str()), (code, ""));
        let listed = world.list(1, "").await.notifications;
        assert_eq!(listed, [seen]);
    }
}

async fn a_number_that_cannot_be_rung_is_told_until_somebody_picks_up_there(engine: Engine) {
    let world = World::new(engine).await;
    let request = by_agent(world.project);
    let another = || PlaceNotificationRequest {
        notification_id: contracts::ids::NotificationId::new().to_string(),
        ..request.clone()
    };
    let (answered, dial) = world.talk(another()).await;
    world.complete(&dial, 5).await;
    world.summary(&answered.id).await;
    assert_eq!(*world.heard.reachability.lock().unwrap(), [], "nothing is new about it");
    let invalid = world.place(another()).await;
    let dial = world.dial(&invalid.call_id, 1).await;
    world.fail(&dial, Cause::InvalidNumber, 21_211).await;
    world.summary(&invalid.id).await;
    let (answered, dial) = world.talk(another()).await;
    world.complete(&dial, 5).await;
    world.summary(&answered.id).await;
    let told = world.heard.reachability.lock().unwrap().clone();
    let reachable: Vec<bool> = told.iter().map(|told| told.reachable).collect();
    assert_eq!(reachable, [false, true]);
    let at: Vec<i64> = told.iter().map(|told| told.at_ms).collect();
    for told in told {
        assert_eq!(
            (told.project_id, told.customer_id),
            (invalid.project_id.clone(), invalid.customer_id.clone())
        );
        assert_eq!(told.phone_e164, invalid.target_phone_e164);
    }
    assert_eq!(at[1], world.calls(&answered.id).await[0].answered_at_ms.unwrap());
    assert_eq!(at[0], world.calls(&invalid.id).await[0].ended_at_ms.unwrap());
}

async fn a_prepared_first_turn_of_an_unanswered_call_was_never_said(engine: Engine) {
    let world = World::new(engine).await;
    let (placed, dial) = world.ring(by_agent(world.project)).await;
    world.until_prepared().await;
    let now = world.clock.now().timestamp_millis();
    // It was answered, but the carrier never came for words: also then nothing was said.
    world.publish(&[completed(&dial, 3, now, 0)]).await;
    let summary = world.summary(&placed.id).await;
    assert_eq!((summary.ended_reason.as_str(), summary.transcript.as_str()), ("customer-ended-call", ""));
}

async fn news_of_an_older_wish_to_dial_is_not_about_the_call(engine: Engine) {
    let world = World::new(engine).await;
    let (placed, dial) = world.ring(by_agent(world.project)).await;
    let older = DialRequested { attempt_id: contracts::ids::AttemptId::new().to_string(), ..dial };
    world.complete(&older, 0).await;
    world.quiet().await;
    assert_eq!(world.get(&placed.id).await.call_status, "dialing");
}

async fn times_that_cannot_be_are_not_believed(engine: Engine) {
    let world = World::new(engine).await;
    let (placed, dial) = world.ring(by_agent(world.project)).await;
    world.publish(&[progressed(&dial, "in_progress", 2, 0)]).await;
    world.quiet().await;
    let in_a_year = world.clock.now().timestamp_millis() + 31_536_000_000;
    world.publish(&[completed(&dial, 3, in_a_year, 9)]).await;
    let summary = world.summary(&placed.id).await;
    assert_eq!(summary.started_at_ms, Some(placed.created_at_ms));
    assert!(summary.ended_at_ms <= world.clock.now().timestamp_millis(), "{summary:?}");
    assert!((0..60_000).contains(&summary.duration_ms), "{summary:?}");
}
