use proptest::prelude::*;
use proptest::sample::select;

use super::*;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

fn any_progress() -> impl Strategy<Value = CallInput> {
    (
        select(CallStatus::ALL.to_vec()),
        proptest::option::of(0..6_u32),
        -100..1_000_i64,
        proptest::option::of(0..700_u32),
        proptest::option::of(select(vec![404, 486, 487, 503, 603])),
        any::<bool>(),
    )
        .prop_map(|(status, sequence, seconds, duration_seconds, sip_code, gave_up)| {
            CallInput::Progress(Progress {
                status,
                sequence,
                at: at(seconds),
                duration_seconds,
                sip_code,
                gave_up,
                nobody_reached: false,
            })
        })
}

fn any_verdict() -> impl Strategy<Value = CallInput> {
    (
        select(vec![AnsweredBy::Human, AnsweredBy::Machine, AnsweredBy::Fax]),
        select(vec![VoicemailPolicy::HangUp, VoicemailPolicy::LeaveMessage, VoicemailPolicy::Retry]),
        any::<bool>(),
    )
        .prop_map(|(verdict, policy, by_a_person)| CallInput::AnsweredBy {
            verdict,
            policy,
            by_a_person,
        })
}

fn any_reaped() -> impl Strategy<Value = CallInput> {
    let outcomes = vec![
        CarrierFinal::Completed,
        CarrierFinal::Busy,
        CarrierFinal::NoAnswer,
        CarrierFinal::Failed,
        CarrierFinal::Canceled,
        CarrierFinal::Unknown,
    ];
    (select(outcomes), proptest::option::of(0..700_u32))
        .prop_map(|(outcome, duration_seconds)| CallInput::Reaped { outcome, duration_seconds })
}

fn any_dial_answer() -> impl Strategy<Value = CallInput> {
    let failures = vec![
        DialFailure::InvalidNumber,
        DialFailure::CarrierError,
        DialFailure::Unknown,
        DialFailure::Canceled,
    ];
    prop_oneof![
        4 => Just(CallInput::DialAccepted { carrier_sid: "CA1".to_owned() }),
        1 => select(failures).prop_map(|cause| CallInput::DialFailed { cause, carrier_code: None }),
        1 => select(vec![DialRefusal::Late, DialRefusal::LineBusy]).prop_map(CallInput::DialRefused),
    ]
}

fn any_wish() -> impl Strategy<Value = CallInput> {
    select(vec![
        CallInput::AgentHungUp,
        CallInput::Transferred,
        CallInput::SilenceExhausted,
        CallInput::OptOut,
        CallInput::MaxDuration,
        CallInput::MessageLeft,
        CallInput::Screened,
        CallInput::Broken,
        CallInput::CancelRequested,
    ])
}

fn any_input() -> impl Strategy<Value = CallInput> {
    prop_oneof![
        4 => Just(CallInput::DialRequested),
        4 => any_dial_answer(),
        8 => any_progress(),
        4 => any_wish(),
        2 => any_verdict(),
        1 => any_reaped(),
        1 => select(EndedReason::ALL.to_vec()).prop_map(|reason| CallInput::Withdrawn { reason }),
    ]
}

fn any_story() -> impl Strategy<Value = Vec<(CallInput, i64)>> {
    proptest::collection::vec((any_input(), 0..1_000_i64), 0..25)
}

fn count(effects: &[CallEffect], wanted: CallEffect) -> usize {
    effects.iter().filter(|effect| **effect == wanted).count()
}

fn conclusions(effects: &[CallEffect]) -> usize {
    effects.iter().filter(|effect| matches!(effect, CallEffect::Conclude(_))).count()
}

proptest! {
    #[test]
    fn a_final_state_never_changes_and_has_no_effects(
        story in any_story(), ending in any_reaped(), after in any_story(),
    ) {
        let mut call = CallState::accepted(Some(600));
        for (input, now) in story {
            call = step(&call, input, at(now)).state;
        }
        let call = step(&call, ending, at(1_000)).state;
        prop_assert!(call.status.is_final());
        for (input, now) in after {
            let step = step(&call, input, at(now));
            prop_assert_eq!(&step.state, &call);
            prop_assert_eq!(step.effects, vec![]);
        }
    }

    #[test]
    fn no_state_is_stuck_because_the_reaper_ends_every_one(story in any_story(), last in any_reaped()) {
        let mut call = CallState::accepted(None);
        for (input, now) in story {
            call = step(&call, input, at(now)).state;
        }
        prop_assert!(step(&call, last, at(2_000)).state.status.is_final());
    }

    #[test]
    fn events_are_told_once_in_order_and_only_of_what_was_dialled(story in any_story()) {
        let mut call = CallState::accepted(Some(600));
        let mut told = Vec::new();
        for (input, now) in story {
            let rank = call.status.rank();
            let step = step(&call, input, at(now));
            call = step.state;
            told.extend(step.effects);
            prop_assert!(call.status.rank() >= rank, "a call never goes backwards");
        }
        let is_final = call.status.is_final();
        prop_assert_eq!(count(&told, CallEffect::EmitStarted), usize::from(call.started_at.is_some()));
        prop_assert_eq!(count(&told, CallEffect::EmitEnded), usize::from(is_final && call.dialled));
        prop_assert_eq!(conclusions(&told), usize::from(is_final));
        let started = told.iter().position(|effect| *effect == CallEffect::EmitStarted);
        let ended = told.iter().position(|effect| *effect == CallEffect::EmitEnded);
        prop_assert!(started.is_none() || ended.is_none() || started < ended);
        prop_assert!(count(&told, CallEffect::PrepareFirstTurn) <= 1);
    }

    #[test]
    fn times_and_reasons_are_there_when_they_should_be_and_never_run_backwards(story in any_story()) {
        let mut call = CallState::accepted(Some(600));
        for (input, now) in story {
            call = step(&call, input, at(now)).state;
            prop_assert_eq!(call.status.is_final(), call.ended_at.is_some());
            prop_assert_eq!(call.status.is_final(), call.ended_reason.is_some());
            if let (Some(started), Some(ended)) = (call.started_at, call.ended_at) {
                prop_assert!(ended >= started);
            }
            prop_assert!(call.talk_time() >= TimeDelta::zero());
            prop_assert!(call.started_at.is_none() || call.dialled);
        }
    }
}
