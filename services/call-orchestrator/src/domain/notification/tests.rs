use proptest::prelude::*;

use super::*;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

fn fresh(max_attempts: u32) -> NotificationState {
    NotificationState::accepted(at(0), None, RetryPolicy::new(max_attempts, vec![60], Vec::new()).unwrap())
}

fn run(state: &mut NotificationState, input: NotificationInput, now: i64) -> Vec<NotificationEffect> {
    let step = step(state, input, at(now));
    *state = step.state;
    step.effects
}

fn ended(reason: EndedReason) -> NotificationInput {
    NotificationInput::CallEnded { reason }
}

fn summary(reason: EndedReason) -> Vec<NotificationEffect> {
    vec![NotificationEffect::Summarise { ended_reason: reason, status: reason.notification_status() }]
}

#[test]
fn a_due_notification_is_dialled_and_completes_with_its_call() {
    let mut state = fresh(1);
    assert_eq!(run(&mut state, NotificationInput::Due, 0), [NotificationEffect::StartCall { attempt: 1 }]);
    assert_eq!(state.status, NotificationStatus::InProgress);
    let reason = EndedReason::CustomerEndedCall;
    assert_eq!(run(&mut state, ended(reason), 30), summary(reason));
    assert_eq!(state.status, NotificationStatus::Completed);
}

#[test]
fn a_scheduled_notification_waits_for_its_time() {
    let mut state = fresh(1);
    assert_eq!(run(&mut state, NotificationInput::Due, -5), [NotificationEffect::WaitUntil(at(0))]);
    assert_eq!(state.status, NotificationStatus::Queued);
}

#[test]
fn a_rule_that_will_open_makes_it_wait_and_a_rule_that_will_not_ends_it() {
    let mut state = fresh(1);
    let hours = NotificationInput::Blocked { by: "max_concurrent_calls".to_owned(), until: Some(at(900)) };
    assert_eq!(run(&mut state, hours, 0), [NotificationEffect::WaitUntil(at(900))]);
    assert_eq!(state.status, NotificationStatus::Queued);
    let listed = NotificationInput::Blocked { by: "suppressed".to_owned(), until: None };
    assert_eq!(run(&mut state, listed, 900), summary(EndedReason::Blocked));
    assert_eq!(state.blocked_by.as_deref(), Some("suppressed"));
}

#[test]
fn a_wait_never_reaches_beyond_the_expiry() {
    let mut state = fresh(1);
    let never =
        NotificationInput::Blocked { by: "max_concurrent_calls".to_owned(), until: Some(at(900_000)) };
    assert_eq!(run(&mut state, never, 0), [NotificationEffect::WaitUntil(at(86_400))]);
    assert_eq!(run(&mut state, NotificationInput::Due, 86_400), summary(EndedReason::Expired));
}

#[test]
fn a_refused_dial_does_not_count_as_an_attempt() {
    let mut state = fresh(1);
    run(&mut state, NotificationInput::Due, 0);
    assert_eq!(
        run(&mut state, NotificationInput::DialRefusedLate, 40),
        [NotificationEffect::WaitUntil(at(41))]
    );
    assert_eq!(run(&mut state, NotificationInput::Due, 41), [NotificationEffect::StartCall { attempt: 1 }]);
    assert_eq!(
        run(&mut state, NotificationInput::DialRefusedLineBusy, 42),
        [NotificationEffect::WaitUntil(at(57))]
    );
    assert_eq!(state.blocked_by.as_deref(), Some("line_busy"));
    assert_eq!(run(&mut state, NotificationInput::Due, 57), [NotificationEffect::StartCall { attempt: 1 }]);
    assert_eq!(state.blocked_by, None);
}

#[test]
fn a_busy_line_is_rung_again_as_often_as_the_policy_says() {
    let mut state = fresh(2);
    run(&mut state, NotificationInput::Due, 0);
    assert_eq!(run(&mut state, ended(EndedReason::Busy), 10), [NotificationEffect::WaitUntil(at(70))]);
    assert_eq!(state.status, NotificationStatus::InProgress, "also between attempts");
    assert_eq!(run(&mut state, NotificationInput::Due, 70), [NotificationEffect::StartCall { attempt: 2 }]);
    assert_eq!(run(&mut state, ended(EndedReason::Busy), 80), summary(EndedReason::Busy));
}

#[test]
fn an_attempt_that_would_come_after_the_expiry_is_not_waited_for() {
    let mut state = fresh(3);
    run(&mut state, NotificationInput::Due, 86_390);
    assert_eq!(run(&mut state, ended(EndedReason::NoAnswer), 86_399), summary(EndedReason::NoAnswer));
}

#[test]
fn a_dial_of_unknown_outcome_is_never_repeated_whatever_the_policy_says() {
    let mut state = fresh(5);
    run(&mut state, NotificationInput::Due, 0);
    assert_eq!(run(&mut state, ended(EndedReason::DialUnknown), 300), summary(EndedReason::DialUnknown));
}

#[test]
fn a_waiting_notification_is_canceled_and_summarised_at_once() {
    let mut state = fresh(1);
    assert_eq!(run(&mut state, NotificationInput::CancelRequested, 0), summary(EndedReason::Canceled));
    assert!(!state.can_be_canceled());
}

#[test]
fn a_cancel_during_a_call_stops_it_and_the_summary_follows_its_end() {
    let mut state = fresh(3);
    run(&mut state, NotificationInput::Due, 0);
    assert_eq!(run(&mut state, NotificationInput::CancelRequested, 5), [NotificationEffect::StopCall]);
    assert_eq!(state.status, NotificationStatus::Canceled);
    assert_eq!(run(&mut state, ended(EndedReason::Busy), 6), summary(EndedReason::Canceled));
}

#[test]
fn a_canceled_call_that_the_bridge_never_dialled_is_summarised_as_well() {
    let mut state = fresh(1);
    run(&mut state, NotificationInput::Due, 0);
    run(&mut state, NotificationInput::CancelRequested, 1);
    assert_eq!(run(&mut state, NotificationInput::DialRefusedLate, 40), summary(EndedReason::Canceled));
}

#[test]
fn what_is_stored_as_summarised_is_never_summarised_again() {
    let mut state = fresh(1);
    run(&mut state, NotificationInput::Due, 0);
    run(&mut state, NotificationInput::CancelRequested, 1);
    state.summarised = true;
    assert_eq!(run(&mut state, ended(EndedReason::Canceled), 2), []);
}

#[test]
fn a_call_in_progress_outlives_the_expiry() {
    let mut state = fresh(1);
    run(&mut state, NotificationInput::Due, 86_000);
    assert_eq!(run(&mut state, NotificationInput::Expired, 86_500), []);
    assert_eq!(state.status, NotificationStatus::InProgress);
}

#[test]
fn a_sweep_that_comes_too_early_expires_nothing() {
    let mut state = fresh(1);
    assert_eq!(run(&mut state, NotificationInput::Expired, 86_399), []);
    assert_eq!(run(&mut state, NotificationInput::Expired, 86_400), summary(EndedReason::Expired));
}

#[test]
fn a_customer_who_rings_back_between_two_calls_is_not_rung_and_ends_it() {
    let mut state = fresh(2);
    run(&mut state, NotificationInput::Due, 0);
    run(&mut state, ended(EndedReason::Busy), 10);
    assert_eq!(run(&mut state, NotificationInput::CustomerRangBack, 20), []);
    assert_eq!(run(&mut state, NotificationInput::Due, 70), []);
    let reason = EndedReason::CustomerEndedCall;
    assert_eq!(run(&mut state, ended(reason), 80), summary(reason));
}

#[test]
fn a_customer_who_rings_back_while_it_is_dialled_or_when_it_is_over_changes_nothing() {
    let mut state = fresh(1);
    let queued = state.clone();
    run(&mut state, NotificationInput::CustomerRangBack, 0);
    assert_eq!(state, queued);
    run(&mut state, NotificationInput::Due, 0);
    run(&mut state, ended(EndedReason::Busy), 10);
    let over = state.clone();
    assert_eq!(run(&mut state, NotificationInput::CustomerRangBack, 20), []);
    assert_eq!(state, over);
}

fn any_input() -> impl Strategy<Value = NotificationInput> {
    prop_oneof![
        4 => Just(NotificationInput::Due),
        1 => proptest::option::of(0..200_000_i64).prop_map(|until| NotificationInput::Blocked {
            by: "rule".to_owned(),
            until: until.map(at),
        }),
        1 => Just(NotificationInput::DialRefusedLate),
        1 => Just(NotificationInput::DialRefusedLineBusy),
        3 => proptest::sample::select(EndedReason::ALL.to_vec()).prop_map(ended),
        1 => Just(NotificationInput::CustomerRangBack),
        1 => Just(NotificationInput::CancelRequested),
        1 => Just(NotificationInput::Expired),
    ]
}

proptest! {
    #[test]
    fn whatever_happens_it_ends_once_and_is_summarised_once(
        inputs in proptest::collection::vec((any_input(), 0..5_000_i64), 0..40),
        max_attempts in 1..=5_u32,
    ) {
        let mut state = fresh(max_attempts);
        let mut now = 0;
        let mut summaries = 0;
        for (input, pause) in inputs {
            now += pause;
            let before = state.clone();
            let effects = run(&mut state, input, now);
            if before.status.is_final() {
                prop_assert_eq!(before.status, state.status);
                prop_assert_eq!(before.ended_reason, state.ended_reason);
            }
            prop_assert_eq!(state.status.is_final(), state.ended_reason.is_some());
            prop_assert!(state.attempts <= max_attempts);
            let starts = effects.iter().any(|effect| matches!(effect, NotificationEffect::StartCall { .. }));
            prop_assert!(!starts || (!before.live_call && !before.status.is_final()), "two calls at once");
            summaries += effects
                .iter()
                .filter(|effect| matches!(effect, NotificationEffect::Summarise { .. }))
                .count();
            prop_assert_eq!(summaries, usize::from(state.status.is_final() && !state.live_call));
        }
        run(&mut state, ended(EndedReason::NoAnswer), now);
        run(&mut state, NotificationInput::Expired, 200_000);
        prop_assert!(state.status.is_final() && state.summarised, "it can always be brought to its end");
    }
}
