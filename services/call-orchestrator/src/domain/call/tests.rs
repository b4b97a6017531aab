use super::*;

fn at(seconds: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
}

struct Line {
    call: CallState,
    effects: Vec<CallEffect>,
}

impl Line {
    fn new() -> Self {
        Self { call: CallState::accepted(Some(600)), effects: Vec::new() }
    }

    fn requested() -> Self {
        Self::new().hear(CallInput::DialRequested, 0)
    }

    fn accepted() -> Self {
        Self::requested().hear(CallInput::DialAccepted { carrier_sid: "CA1".to_owned() }, 1)
    }

    fn answered() -> Self {
        Self::accepted().progress(CallStatus::Ringing, Some(1), 2).progress(
            CallStatus::InProgress,
            Some(2),
            5,
        )
    }

    fn hear(mut self, input: CallInput, now: i64) -> Self {
        let step = step(&self.call, input, at(now));
        self.call = step.state;
        self.effects = step.effects;
        self
    }

    fn progress(self, status: CallStatus, sequence: Option<u32>, now: i64) -> Self {
        self.report(status, sequence, now, None, None)
    }

    fn completed(self, duration: u32, now: i64) -> Self {
        self.report(CallStatus::Completed, Some(3), now, Some(duration), None)
    }

    fn report(
        self,
        status: CallStatus,
        sequence: Option<u32>,
        now: i64,
        duration_seconds: Option<u32>,
        sip_code: Option<u32>,
    ) -> Self {
        let progress = Progress {
            status,
            sequence,
            at: at(now),
            duration_seconds,
            sip_code,
            gave_up: false,
            nobody_reached: false,
        };
        self.hear(CallInput::Progress(progress), now)
    }

    fn is(&self, status: CallStatus, reason: EndedReason, effects: &[CallEffect]) {
        assert_eq!((self.call.status, self.call.ended_reason), (status, Some(reason)));
        assert_eq!(self.effects, effects);
    }
}

fn failed(cause: DialFailure) -> CallInput {
    CallInput::DialFailed { cause, carrier_code: None }
}

fn over(reason: EndedReason) -> [CallEffect; 2] {
    [CallEffect::EmitEnded, CallEffect::Conclude(reason)]
}

#[test]
fn statuses_read_back_from_their_public_texts() {
    for status in CallStatus::ALL {
        assert_eq!(status.as_str().parse(), Ok(status));
    }
    assert_eq!(CallStatus::NoAnswer.as_str(), "no_answer");
    assert!("no-answer".parse::<CallStatus>().is_err());
}

#[test]
fn an_answered_call_that_the_customer_ends_starts_and_ends_once() {
    let line = Line::requested().hear(CallInput::DialAccepted { carrier_sid: "CA1".to_owned() }, 1);
    assert_eq!(line.effects, [CallEffect::PrepareFirstTurn]);
    assert_eq!(Line::answered().effects, [CallEffect::EmitStarted]);
    let line = Line::answered().completed(20, 25);
    line.is(CallStatus::Completed, EndedReason::CustomerEndedCall, &over(EndedReason::CustomerEndedCall));
    assert_eq!(line.call.talk_time(), TimeDelta::seconds(20));
}

#[test]
fn a_call_that_the_agent_ends_says_so_although_the_carrier_only_says_completed() {
    Line::answered().hear(CallInput::AgentHungUp, 20).completed(20, 25).is(
        CallStatus::Completed,
        EndedReason::AgentEndedCall,
        &over(EndedReason::AgentEndedCall),
    );
}

#[test]
fn a_call_as_long_as_its_limit_was_cut_off_by_the_carrier() {
    Line::answered().completed(600, 605).is(
        CallStatus::Completed,
        EndedReason::MaxDuration,
        &over(EndedReason::MaxDuration),
    );
}

#[test]
fn a_call_that_the_bridge_had_to_end_alone_is_our_error() {
    let progress = Progress {
        status: CallStatus::Completed,
        sequence: Some(3),
        at: at(30),
        duration_seconds: Some(25),
        sip_code: None,
        gave_up: true,
        nobody_reached: false,
    };
    Line::answered().hear(CallInput::Progress(progress), 30).is(
        CallStatus::Completed,
        EndedReason::Error,
        &over(EndedReason::Error),
    );
}

#[test]
fn a_customer_who_was_put_through_to_nobody_was_not_put_through() {
    for (nobody_reached, reason) in [(false, EndedReason::Transferred), (true, EndedReason::AgentEndedCall)] {
        let progress = Progress {
            status: CallStatus::Completed,
            sequence: Some(3),
            at: at(30),
            duration_seconds: Some(25),
            sip_code: None,
            gave_up: false,
            nobody_reached,
        };
        Line::answered().hear(CallInput::Transferred, 20).hear(CallInput::Progress(progress), 30).is(
            CallStatus::Completed,
            reason,
            &over(reason),
        );
    }
}

#[test]
fn a_completed_report_without_a_pick_up_report_starts_and_ends_the_call() {
    let line = Line::accepted().completed(20, 25);
    assert_eq!(line.effects[0], CallEffect::EmitStarted);
    assert_eq!(line.call.started_at, Some(at(5)));
    let late = line.progress(CallStatus::InProgress, Some(2), 30);
    assert_eq!(late.effects, [], "the late pick-up is not told a second time");
}

#[test]
fn reports_out_of_order_never_lead_backwards() {
    let line = Line::accepted()
        .progress(CallStatus::InProgress, Some(2), 5)
        .progress(CallStatus::Ringing, Some(1), 6)
        .progress(CallStatus::InProgress, Some(2), 7);
    assert_eq!(line.call.status, CallStatus::InProgress);
    assert_eq!(line.effects, []);
}

#[test]
fn a_report_that_overtakes_the_acceptance_proves_that_it_rings() {
    let line = Line::requested().progress(CallStatus::Ringing, Some(1), 2);
    assert_eq!(line.effects, [CallEffect::PrepareFirstTurn]);
    let line = line.hear(CallInput::DialAccepted { carrier_sid: "CA1".to_owned() }, 3);
    assert_eq!(line.effects, []);
    assert_eq!(line.call.carrier_sid.as_deref(), Some("CA1"));
    let line = line.hear(failed(DialFailure::Unknown), 60);
    assert_eq!(line.call.status, CallStatus::Ringing, "the carrier's report is the better witness");
}

#[test]
fn every_way_of_not_being_answered_has_its_reason() {
    let cases = [
        (CallStatus::Busy, Some(486), EndedReason::Busy),
        (CallStatus::Busy, Some(603), EndedReason::Rejected),
        (CallStatus::NoAnswer, Some(487), EndedReason::NoAnswer),
        (CallStatus::Failed, Some(603), EndedReason::Rejected),
        (CallStatus::Failed, Some(503), EndedReason::CarrierError),
        (CallStatus::Failed, None, EndedReason::CarrierError),
    ];
    for (status, sip_code, reason) in cases {
        Line::accepted().report(status, Some(2), 30, Some(0), sip_code).is(status, reason, &over(reason));
    }
}

#[test]
fn a_number_that_cannot_be_rung_is_marked_whether_the_carrier_says_so_at_once_or_later() {
    let marked = [
        CallEffect::MarkNumberUnreachable,
        CallEffect::EmitEnded,
        CallEffect::Conclude(EndedReason::InvalidNumber),
    ];
    Line::requested().hear(failed(DialFailure::InvalidNumber), 1).is(
        CallStatus::Failed,
        EndedReason::InvalidNumber,
        &marked,
    );
    Line::accepted().report(CallStatus::Failed, Some(1), 2, Some(0), Some(404)).is(
        CallStatus::Failed,
        EndedReason::InvalidNumber,
        &marked,
    );
}

#[test]
fn the_carriers_code_is_kept_with_the_failure_and_not_where_the_carrier_is_the_better_witness() {
    let refused = CallInput::DialFailed { cause: DialFailure::CarrierError, carrier_code: Some(21215) };
    assert_eq!(Line::requested().hear(refused.clone(), 1).call.carrier_code, Some(21215));
    let rings = Line::accepted().report(CallStatus::Ringing, Some(1), 2, None, None);
    assert_eq!(rings.hear(refused, 3).call.carrier_code, None);
}

#[test]
fn a_dial_of_unknown_outcome_ends_the_call_and_is_told() {
    Line::requested().hear(failed(DialFailure::Unknown), 60).is(
        CallStatus::Failed,
        EndedReason::DialUnknown,
        &over(EndedReason::DialUnknown),
    );
}

#[test]
fn a_refused_dial_leaves_the_call_queued_and_the_rules_run_again() {
    let line = Line::requested().hear(CallInput::DialRefused(DialRefusal::LineBusy), 2);
    assert_eq!(line.effects, [CallEffect::RunRulesAgain(DialRefusal::LineBusy)]);
    assert_eq!(line.call, CallState::accepted(Some(600)));
}

#[test]
fn a_call_that_no_rule_lets_through_ends_without_an_ended_event() {
    Line::new().hear(CallInput::Withdrawn { reason: EndedReason::Blocked }, 1).is(
        CallStatus::Failed,
        EndedReason::Blocked,
        &[CallEffect::Conclude(EndedReason::Blocked)],
    );
}

#[test]
fn a_cancel_before_the_wish_to_dial_ends_the_call_and_after_it_asks_the_bridge() {
    let alone = [CallEffect::Conclude(EndedReason::Canceled)];
    Line::new().hear(CallInput::CancelRequested, 1).is(CallStatus::Canceled, EndedReason::Canceled, &alone);
    let line = Line::requested().hear(CallInput::CancelRequested, 1);
    assert_eq!(line.effects, [CallEffect::StopCarrierCall]);
    line.hear(failed(DialFailure::Canceled), 2).is(CallStatus::Canceled, EndedReason::Canceled, &alone);
    let line = Line::requested().hear(CallInput::CancelRequested, 1);
    line.hear(CallInput::DialRefused(DialRefusal::Late), 2).is(
        CallStatus::Canceled,
        EndedReason::Canceled,
        &alone,
    );
}

#[test]
fn a_cancel_in_the_middle_of_the_talk_ends_as_canceled_and_keeps_the_talk_time() {
    let line = Line::answered().hear(CallInput::CancelRequested, 10).completed(6, 11);
    line.is(CallStatus::Canceled, EndedReason::Canceled, &over(EndedReason::Canceled));
    assert_eq!(line.call.talk_time(), TimeDelta::seconds(6));
}

#[test]
fn an_opt_out_suppresses_the_number_also_when_the_agent_is_already_leaving() {
    let line = Line::answered().hear(CallInput::AgentHungUp, 10).hear(CallInput::OptOut, 11);
    assert_eq!(line.effects, [CallEffect::SuppressNumber]);
    line.completed(8, 13).is(CallStatus::Completed, EndedReason::OptOut, &over(EndedReason::OptOut));
}

#[test]
fn a_machine_is_hung_up_on_or_left_a_message_as_the_policy_says() {
    let heard = |verdict, policy| CallInput::AnsweredBy { verdict, policy, by_a_person: false };
    let line = Line::answered().hear(heard(AnsweredBy::Machine, VoicemailPolicy::HangUp), 9);
    assert_eq!(line.effects, [CallEffect::StopCarrierCall]);
    line.completed(5, 10).is(CallStatus::Completed, EndedReason::Voicemail, &over(EndedReason::Voicemail));
    let line = Line::answered().hear(heard(AnsweredBy::Machine, VoicemailPolicy::LeaveMessage), 9);
    assert_eq!(line.effects, [CallEffect::LeaveVoicemail]);
    let line = line.hear(CallInput::MessageLeft, 14);
    line.completed(15, 20).is(
        CallStatus::Completed,
        EndedReason::VoicemailLeft,
        &over(EndedReason::VoicemailLeft),
    );
    let line = Line::answered().hear(heard(AnsweredBy::Fax, VoicemailPolicy::LeaveMessage), 9);
    assert_eq!(line.effects, [CallEffect::StopCarrierCall]);
}

#[test]
fn a_goodbye_that_was_said_to_a_machine_is_no_end_of_a_conversation() {
    let machine = || CallInput::AnsweredBy {
        verdict: AnsweredBy::Machine,
        policy: VoicemailPolicy::HangUp,
        by_a_person: false,
    };
    for goodbye in [CallInput::AgentHungUp, CallInput::SilenceExhausted] {
        let line = Line::answered().hear(goodbye, 8).hear(machine(), 9);
        assert_eq!(line.effects, [CallEffect::StopCarrierCall]);
        line.completed(5, 10).is(
            CallStatus::Completed,
            EndedReason::Voicemail,
            &over(EndedReason::Voicemail),
        );
    }
    let line = Line::answered().hear(CallInput::OptOut, 8).hear(machine(), 9);
    assert_eq!((line.effects.len(), line.call.hangup_by), (0, Some(HangupBy::OptOut)));
}

#[test]
fn a_verdict_is_not_believed_after_a_person_has_answered() {
    let input = CallInput::AnsweredBy {
        verdict: AnsweredBy::Machine,
        policy: VoicemailPolicy::HangUp,
        by_a_person: true,
    };
    let line = Line::answered().hear(input, 9);
    assert_eq!((line.effects.len(), line.call.hangup_by), (0, None));
}

#[test]
fn the_carriers_words_for_machines_are_understood_and_anything_else_is_a_person() {
    let read = ["human", "unknown", "", "machine_start", "machine_end_beep", "fax"].map(AnsweredBy::parse);
    let (human, machine) = (AnsweredBy::Human, AnsweredBy::Machine);
    assert_eq!(read, [human, human, human, machine, machine, AnsweredBy::Fax]);
}

#[test]
fn the_reaper_ends_a_call_whose_last_report_was_lost() {
    let input = CallInput::Reaped { outcome: CarrierFinal::Completed, duration_seconds: Some(30) };
    let line = Line::answered().hear(input, 900);
    line.is(CallStatus::Completed, EndedReason::CustomerEndedCall, &over(EndedReason::CustomerEndedCall));
    assert_eq!(line.call.ended_at, Some(at(35)), "the end by the carrier's count, not by the sweep");
}

#[test]
fn a_call_that_the_carrier_has_forgotten_is_ended_all_the_same() {
    let lost = || CallInput::Reaped { outcome: CarrierFinal::Unknown, duration_seconds: None };
    let reasons = [Line::new(), Line::requested(), Line::accepted(), Line::answered()]
        .map(|line| line.hear(lost(), 900).call.ended_reason);
    let expected =
        [EndedReason::Error, EndedReason::DialUnknown, EndedReason::DialUnknown, EndedReason::CarrierError];
    assert_eq!(reasons, expected.map(Some));
}
