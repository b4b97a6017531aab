//! The transition function of a call.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    AnsweredBy, CallEffect, CallInput, CallState, CallStatus, CallStep, CarrierFinal, DialFailure,
    DialRefusal, EndedReason, HangupBy, Progress, VoicemailPolicy,
};

/// How a call ended, as it is about to be written down.
struct Ending {
    status: CallStatus,
    reason: EndedReason,
    at: DateTime<Utc>,
}

/// What `input`, learned at `now`, makes of `state`. An input that comes too late, twice or out of order
/// changes nothing.
#[must_use]
pub fn step(state: &CallState, input: CallInput, now: DateTime<Utc>) -> CallStep {
    let mut next = state.clone();
    let effects = if state.status.is_final() { Vec::new() } else { apply(&mut next, input, now) };
    CallStep { state: next, effects }
}

fn apply(call: &mut CallState, input: CallInput, now: DateTime<Utc>) -> Vec<CallEffect> {
    match input {
        CallInput::DialRequested => {
            call.dial_requested = true;
            Vec::new()
        }
        CallInput::Withdrawn { reason } => withdrawn(call, reason, now),
        CallInput::DialAccepted { carrier_sid } => accepted(call, carrier_sid),
        CallInput::DialFailed { cause, carrier_code } => dial_failed(call, cause, carrier_code, now),
        CallInput::DialRefused(cause) => dial_refused(call, cause, now),
        CallInput::Progress(progress) => progressed(call, progress),
        CallInput::AgentHungUp => wish(call, HangupBy::Agent, &[]),
        CallInput::Transferred => wish(call, HangupBy::Transfer, &[]),
        CallInput::SilenceExhausted => wish(call, HangupBy::Silence, &[]),
        CallInput::OptOut => wish(call, HangupBy::OptOut, &[CallEffect::SuppressNumber]),
        CallInput::MaxDuration => wish(call, HangupBy::MaxDuration, &[CallEffect::StopCarrierCall]),
        CallInput::AnsweredBy { verdict, policy, by_a_person } => {
            answered_by(call, verdict, policy, by_a_person)
        }
        CallInput::MessageLeft => message_left(call),
        CallInput::Screened => wish(call, HangupBy::Screener, &[CallEffect::StopCarrierCall]),
        CallInput::Broken => wish(call, HangupBy::Fault, &[CallEffect::StopCarrierCall]),
        CallInput::AgentGaveUp => wish(call, HangupBy::Fault, &[]),
        CallInput::CancelRequested => canceled(call, now),
        CallInput::Reaped { outcome, duration_seconds } => reaped(call, outcome, duration_seconds, now),
    }
}

fn withdrawn(call: &mut CallState, reason: EndedReason, now: DateTime<Utc>) -> Vec<CallEffect> {
    // Once the bridge has been asked, only the bridge and the carrier know whether it rings.
    if call.dial_requested || call.dialled {
        return Vec::new();
    }
    let status = if reason == EndedReason::Canceled { CallStatus::Canceled } else { CallStatus::Failed };
    end(call, Ending { status, reason, at: now })
}

fn accepted(call: &mut CallState, carrier_sid: String) -> Vec<CallEffect> {
    call.carrier_sid.get_or_insert(carrier_sid);
    call.dialled = true;
    if call.status != CallStatus::Queued {
        return Vec::new();
    }
    call.status = CallStatus::Dialing;
    prepare(call)
}

fn prepare(call: &CallState) -> Vec<CallEffect> {
    if call.hangup_by.is_some() { Vec::new() } else { vec![CallEffect::PrepareFirstTurn] }
}

fn dial_failed(
    call: &mut CallState,
    cause: DialFailure,
    carrier_code: Option<u32>,
    now: DateTime<Utc>,
) -> Vec<CallEffect> {
    // The carrier has reported about the call, so it was placed: that report is the better witness.
    if call.status.rank() > CallStatus::Dialing.rank()
        || (call.dialled && matches!(cause, DialFailure::Unknown | DialFailure::Canceled))
    {
        return Vec::new();
    }
    call.dialled |= cause != DialFailure::Canceled;
    call.carrier_code = carrier_code;
    let (status, reason) = match cause {
        DialFailure::InvalidNumber => (CallStatus::Failed, EndedReason::InvalidNumber),
        DialFailure::CarrierError => (CallStatus::Failed, EndedReason::CarrierError),
        DialFailure::Unknown => (CallStatus::Failed, EndedReason::DialUnknown),
        DialFailure::Canceled => (CallStatus::Canceled, EndedReason::Canceled),
    };
    end(call, Ending { status, reason, at: now })
}

fn dial_refused(call: &mut CallState, cause: DialRefusal, now: DateTime<Utc>) -> Vec<CallEffect> {
    if call.dialled || !call.dial_requested {
        return Vec::new();
    }
    call.dial_requested = false;
    match call.hangup_by {
        Some(by) => end(call, Ending { status: CallStatus::Canceled, reason: by.reason(), at: now }),
        None => vec![CallEffect::RunRulesAgain(cause)],
    }
}

fn progressed(call: &mut CallState, progress: Progress) -> Vec<CallEffect> {
    let late = progress.sequence.is_some_and(|n| call.last_sequence.is_some_and(|last| n <= last));
    call.last_sequence = call.last_sequence.max(progress.sequence);
    if progress.status.is_final() {
        call.dialled = true;
        return carrier_ended(call, progress);
    }
    if late || progress.status.rank() <= call.status.rank() {
        return Vec::new();
    }
    call.dialled = true;
    let mut effects = if call.status == CallStatus::Queued { prepare(call) } else { Vec::new() };
    call.status = progress.status;
    if progress.status == CallStatus::InProgress {
        effects.extend(start(call, progress.at));
    }
    effects
}

fn start(call: &mut CallState, at: DateTime<Utc>) -> Vec<CallEffect> {
    if call.started_at.is_some() {
        return Vec::new();
    }
    call.started_at = Some(at);
    vec![CallEffect::EmitStarted]
}

fn carrier_ended(call: &mut CallState, report: Progress) -> Vec<CallEffect> {
    let mut effects = Vec::new();
    if report.status == CallStatus::Completed {
        // The report of the pick-up may have been lost or may still be on its way.
        let talked = TimeDelta::seconds(i64::from(report.duration_seconds.unwrap_or(0)));
        effects.extend(start(call, report.at - talked));
    }
    let (status, reason) = final_words(call, report);
    effects.extend(end(call, Ending { status, reason, at: report.at }));
    effects
}

fn final_words(call: &CallState, report: Progress) -> (CallStatus, EndedReason) {
    match (report.status, call.hangup_by) {
        (CallStatus::Completed | CallStatus::Canceled, Some(HangupBy::Cancel)) => {
            (CallStatus::Canceled, EndedReason::Canceled)
        }
        // Nobody was there to go on: the call ended with our words.
        (CallStatus::Completed, Some(HangupBy::Transfer)) if report.nobody_reached => {
            (CallStatus::Completed, EndedReason::AgentEndedCall)
        }
        (CallStatus::Completed, Some(by)) => (CallStatus::Completed, by.reason()),
        (CallStatus::Completed, None) => (CallStatus::Completed, completed_reason(call, report)),
        (CallStatus::Busy, _) if report.sip_code == Some(603) => (CallStatus::Busy, EndedReason::Rejected),
        (CallStatus::Busy, _) => (CallStatus::Busy, EndedReason::Busy),
        (CallStatus::NoAnswer, _) => (CallStatus::NoAnswer, EndedReason::NoAnswer),
        (CallStatus::Canceled, by) => {
            (CallStatus::Canceled, by.map_or(EndedReason::Canceled, HangupBy::reason))
        }
        _ => (CallStatus::Failed, failed_reason(report.sip_code)),
    }
}

fn completed_reason(call: &CallState, report: Progress) -> EndedReason {
    let cut_off = match (report.duration_seconds, call.time_limit_seconds) {
        (Some(duration), Some(limit)) => duration >= limit,
        _ => false,
    };
    if report.gave_up {
        EndedReason::Error
    } else if cut_off {
        EndedReason::MaxDuration
    } else {
        EndedReason::CustomerEndedCall
    }
}

// RFC 3261 §21: 404 Not Found, 410 Gone, 484 Address Incomplete, 604 Does Not Exist Anywhere, 603 Decline;
// RFC 8197: 607.
fn failed_reason(sip_code: Option<u32>) -> EndedReason {
    match sip_code {
        Some(404 | 410 | 484 | 604) => EndedReason::InvalidNumber,
        Some(603 | 607) => EndedReason::Rejected,
        _ => EndedReason::CarrierError,
    }
}

fn wish(call: &mut CallState, by: HangupBy, effects: &[CallEffect]) -> Vec<CallEffect> {
    // Before the pick-up there is no conversation that could end for such a reason.
    if call.status != CallStatus::InProgress || call.hangup_by == Some(by) {
        return Vec::new();
    }
    // Who asks not to be called any more is heard also when the call is ending anyway.
    if call.hangup_by.is_some() && by != HangupBy::OptOut {
        return Vec::new();
    }
    if call.hangup_by == Some(HangupBy::Cancel) {
        return vec![CallEffect::SuppressNumber];
    }
    call.hangup_by = Some(by);
    effects.to_vec()
}

/// A machine or a person has picked up.
fn answered_by(
    call: &mut CallState,
    verdict: AnsweredBy,
    policy: VoicemailPolicy,
    by_a_person: bool,
) -> Vec<CallEffect> {
    match (verdict, policy) {
        (AnsweredBy::Human, _) => Vec::new(),
        _ if by_a_person => Vec::new(),
        (AnsweredBy::Machine, VoicemailPolicy::LeaveMessage) => {
            forget_goodbye(call);
            wish(call, HangupBy::LeavingMessage, &[CallEffect::LeaveVoicemail])
        }
        _ => {
            forget_goodbye(call);
            wish(call, HangupBy::Voicemail, &[CallEffect::StopCarrierCall])
        }
    }
}

/// A goodbye to a greeting, or to the silence behind it, was said to nobody.
fn forget_goodbye(call: &mut CallState) {
    if matches!(call.hangup_by, Some(HangupBy::Agent | HangupBy::Silence)) {
        call.hangup_by = None;
    }
}

fn message_left(call: &mut CallState) -> Vec<CallEffect> {
    if call.hangup_by == Some(HangupBy::LeavingMessage) {
        call.hangup_by = Some(HangupBy::VoicemailMessage);
    }
    Vec::new()
}

fn canceled(call: &mut CallState, now: DateTime<Utc>) -> Vec<CallEffect> {
    if !call.dial_requested && !call.dialled {
        return withdrawn(call, EndedReason::Canceled, now);
    }
    if call.hangup_by == Some(HangupBy::Cancel) {
        return Vec::new();
    }
    call.hangup_by = Some(HangupBy::Cancel);
    vec![CallEffect::StopCarrierCall]
}

fn reaped(
    call: &mut CallState,
    outcome: CarrierFinal,
    duration_seconds: Option<u32>,
    now: DateTime<Utc>,
) -> Vec<CallEffect> {
    let status = match outcome {
        CarrierFinal::Completed => CallStatus::Completed,
        CarrierFinal::Busy => CallStatus::Busy,
        CarrierFinal::NoAnswer => CallStatus::NoAnswer,
        CarrierFinal::Failed => CallStatus::Failed,
        CarrierFinal::Canceled => CallStatus::Canceled,
        CarrierFinal::Unknown => return lost(call, now),
    };
    call.dialled = true;
    // The reaper comes after the end: where the carrier knows how long it took, that is the end.
    let at = match (call.started_at, duration_seconds) {
        (Some(started), Some(seconds)) => now.min(started + TimeDelta::seconds(i64::from(seconds))),
        _ => now,
    };
    carrier_ended(
        call,
        Progress {
            status,
            sequence: None,
            at,
            duration_seconds,
            sip_code: None,
            gave_up: false,
            nobody_reached: false,
        },
    )
}

fn lost(call: &mut CallState, now: DateTime<Utc>) -> Vec<CallEffect> {
    let reason = if call.started_at.is_some() {
        EndedReason::CarrierError
    } else if call.dialled || call.dial_requested {
        EndedReason::DialUnknown
    } else {
        EndedReason::Error
    };
    call.dialled |= call.dial_requested;
    end(call, Ending { status: CallStatus::Failed, reason, at: now })
}

fn end(call: &mut CallState, ending: Ending) -> Vec<CallEffect> {
    call.status = ending.status;
    call.ended_reason = Some(ending.reason);
    call.ended_at = Some(call.started_at.map_or(ending.at, |started| ending.at.max(started)));
    let mut effects = Vec::new();
    if ending.reason == EndedReason::InvalidNumber {
        effects.push(CallEffect::MarkNumberUnreachable);
    }
    if call.dialled {
        effects.push(CallEffect::EmitEnded);
    }
    effects.push(CallEffect::Conclude(ending.reason));
    effects
}
