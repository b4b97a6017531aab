//! The life of one call: what each report about it means, which events it gives rise to, and what the carrier
//! is told.
//!
//! Reports may come twice, late, out of order or never. A call only moves forward (`queued` → `dialing` →
//! `ringing` → `in_progress` → final), final states stick, and the reaper's report ends a call in any state.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::ended_reason::EndedReason;

mod status;
mod step;

pub use status::{CallStatus, UnknownCallStatus};
pub use step::step;

/// Who or what of ours wanted the call to end; the carrier's final report then confirms it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum HangupBy {
    /// The agent said goodbye.
    Agent,
    /// The agent put the customer through to a person.
    Transfer,
    /// The customer stayed silent.
    Silence,
    /// The customer asked not to be called any more.
    OptOut,
    /// Our own limit of time.
    MaxDuration,
    /// A machine picked up, and no message is to be left.
    Voicemail,
    /// A machine picked up, and a message is to be left before the call ends.
    LeavingMessage,
    /// A machine picked up, and the message has been spoken.
    VoicemailMessage,
    /// A call screener did not put the call through.
    Screener,
    /// Somebody canceled the notification.
    Cancel,
    /// Something of ours broke in the middle of the call.
    Fault,
}

impl HangupBy {
    /// Why the call ends when this wish is fulfilled.
    #[must_use]
    pub const fn reason(self) -> EndedReason {
        match self {
            Self::Agent => EndedReason::AgentEndedCall,
            Self::Transfer => EndedReason::Transferred,
            Self::Silence => EndedReason::Silence,
            Self::OptOut => EndedReason::OptOut,
            Self::MaxDuration => EndedReason::MaxDuration,
            Self::Voicemail | Self::LeavingMessage => EndedReason::Voicemail,
            Self::VoicemailMessage => EndedReason::VoicemailLeft,
            Self::Screener => EndedReason::Screened,
            Self::Cancel => EndedReason::Canceled,
            Self::Fault => EndedReason::Error,
        }
    }
}

/// What is stored of a call's progress.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallState {
    /// Where it stands.
    pub status: CallStatus,
    /// Whether the bridge has been asked to dial and has not refused.
    pub dial_requested: bool,
    /// Whether the carrier was asked to ring, or may have been.
    pub dialled: bool,
    /// The carrier's own id.
    pub carrier_sid: Option<String>,
    /// The highest number among the carrier's reports so far.
    pub last_sequence: Option<u32>,
    /// The longest talk time the carrier was told, seconds.
    pub time_limit_seconds: Option<u32>,
    /// When it was picked up.
    pub started_at: Option<DateTime<Utc>>,
    /// When it ended; present exactly in the final states, never before `started_at`.
    pub ended_at: Option<DateTime<Utc>>,
    /// Why it ended; present exactly in the final states.
    pub ended_reason: Option<EndedReason>,
    /// The first wish of ours to end it; an opt-out and a cancel replace it, and so does a machine to which goodbye was said,
    /// or on which a message has been left.
    pub hangup_by: Option<HangupBy>,
    /// The carrier's own error code, where it could not be placed and the carrier said why.
    pub carrier_code: Option<u32>,
}

impl CallState {
    /// A call as it is accepted, before the bridge is asked to dial.
    #[must_use]
    pub const fn accepted(time_limit_seconds: Option<u32>) -> Self {
        Self {
            status: CallStatus::Queued,
            dial_requested: false,
            dialled: false,
            carrier_sid: None,
            last_sequence: None,
            time_limit_seconds,
            started_at: None,
            ended_at: None,
            ended_reason: None,
            hangup_by: None,
            carrier_code: None,
        }
    }

    /// Talk time: from pick-up to end; zero when nobody picked up or it has not ended.
    #[must_use]
    pub fn talk_time(&self) -> TimeDelta {
        match (self.started_at, self.ended_at) {
            (Some(started), Some(ended)) => ended - started,
            _ => TimeDelta::zero(),
        }
    }
}

/// Why the bridge could not place the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DialFailure {
    /// The number cannot be rung.
    InvalidNumber,
    /// The carrier refused, or cannot be used with these settings.
    CarrierError,
    /// The carrier never said whether it rang.
    Unknown,
    /// Stopped on our wish before it was dialled.
    Canceled,
}

/// Why the bridge did not dial; the rules run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DialRefusal {
    /// The time until which it might dial had passed.
    Late,
    /// Another call to the number is alive.
    LineBusy,
}

/// The carrier's verdict about who picked up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AnsweredBy {
    /// A person, or nobody can tell: treated as a person.
    Human,
    /// An answering machine.
    Machine,
    /// A fax.
    Fax,
}

impl AnsweredBy {
    /// Reads the carrier's text (`human`, `machine_start`, `machine_end_beep`, …, `fax`, `unknown`); any
    /// other text counts as a person. Source: Twilio, "Answering Machine Detection", values of `AnsweredBy`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        if text == "fax" {
            Self::Fax
        } else if text.starts_with("machine") {
            Self::Machine
        } else {
            Self::Human
        }
    }
}

/// What a notification wants when a machine picks up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VoicemailPolicy {
    /// Hang up.
    #[default]
    HangUp,
    /// Say the message after the beep, then hang up.
    LeaveMessage,
    /// Hang up; the retry policy decides whether to ring again.
    Retry,
}

impl VoicemailPolicy {
    /// The public text, for example `leave_message`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::HangUp => "hang_up",
            Self::LeaveMessage => "leave_message",
            Self::Retry => "retry",
        }
    }

    /// Reads the public text; `None` for any other.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::HangUp, Self::LeaveMessage, Self::Retry].into_iter().find(|policy| policy.as_str() == text)
    }
}

/// What the carrier says when the reaper asks it about a call that should be over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CarrierFinal {
    /// It was answered and is over.
    Completed,
    /// The line was busy.
    Busy,
    /// Nobody picked up.
    NoAnswer,
    /// It could not be made.
    Failed,
    /// It was canceled while it rang.
    Canceled,
    /// The carrier knows no such call, or does not answer any more.
    Unknown,
}

/// A status that the carrier reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// The status.
    pub status: CallStatus,
    /// The carrier's own order of its reports, from 0; absent for what the bridge found out by asking.
    pub sequence: Option<u32>,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// Final reports: seconds between pick-up and end.
    pub duration_seconds: Option<u32>,
    /// Final reports: the SIP response, where the carrier gave one.
    pub sip_code: Option<u32>,
    /// Final reports: the bridge said goodbye by itself, because nobody behind it answered.
    pub gave_up: bool,
    /// Final reports: a person to whom the customer was to be put through was not reached.
    pub nobody_reached: bool,
}

/// What happened to a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallInput {
    /// The wish to dial was committed.
    DialRequested,
    /// It will never be dialled: a rule stopped it, it expired, or something of ours failed.
    Withdrawn {
        /// Why.
        reason: EndedReason,
    },
    /// The carrier has taken the call.
    DialAccepted {
        /// The carrier's own id.
        carrier_sid: String,
    },
    /// The call could not be placed.
    DialFailed {
        /// What went wrong.
        cause: DialFailure,
        /// The carrier's own error code, where it gave one.
        carrier_code: Option<u32>,
    },
    /// The bridge did not dial.
    DialRefused(DialRefusal),
    /// The carrier reported a status.
    Progress(Progress),
    /// The agent has spoken its last sentence.
    AgentHungUp,
    /// The agent puts the customer through.
    Transferred,
    /// The customer stayed silent too often.
    SilenceExhausted,
    /// The customer asked not to be called any more.
    OptOut,
    /// Our own timer says that the call is too long.
    MaxDuration,
    /// The carrier said who picked up.
    AnsweredBy {
        /// Who.
        verdict: AnsweredBy,
        /// What to do about a machine.
        policy: VoicemailPolicy,
        /// Whether a person has answered the agent: then the verdict comes too late to be believed.
        by_a_person: bool,
    },
    /// The message for the machine has been put into words: they are all that is said from now on.
    MessageLeft,
    /// A call screener does not put the call through.
    Screened,
    /// Something of ours broke so that the conversation cannot go on.
    Broken,
    /// Something of ours keeps failing; the agent has apologised and said goodbye.
    AgentGaveUp,
    /// The notification was canceled.
    CancelRequested,
    /// The reaper asked the carrier, and this is what became of the call.
    Reaped {
        /// The carrier's word.
        outcome: CarrierFinal,
        /// Seconds between pick-up and end, where the carrier knows.
        duration_seconds: Option<u32>,
    },
}

/// What has to be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CallEffect {
    /// The phone will ring: have the first sentence ready.
    PrepareFirstTurn,
    /// Publish that the call was answered. At most once per call.
    EmitStarted,
    /// Publish that the call is over. Exactly once per call that was dialled, never for another.
    EmitEnded,
    /// Ask the bridge to end the call and to dial nothing for it any more.
    StopCarrierCall,
    /// Have what runs broken off and the message for the machine spoken.
    LeaveVoicemail,
    /// Put the number on the suppression list.
    SuppressNumber,
    /// Mark the customer's number as unreachable.
    MarkNumberUnreachable,
    /// The bridge did not dial: tell the notification, which runs the rules again.
    RunRulesAgain(DialRefusal),
    /// The call is over: tell the notification. Exactly once per call.
    Conclude(EndedReason),
}

/// The answer of [`step()`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallStep {
    /// The state to store; equal to the old one when the input had nothing to say.
    pub state: CallState,
    /// What to do, in this order.
    pub effects: Vec<CallEffect>,
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
