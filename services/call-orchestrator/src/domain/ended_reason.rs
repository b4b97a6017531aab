//! Why a call or a notification ended: the closed list of public words, and which notification status each
//! belongs to.
//!
//! Which of them a call gets is decided elsewhere: by what is heard of it in `call/step.rs`, by a rule (`Blocked`, with the
//! rule's name in `blocked_by`) in `rules.rs`, by time (`Expired`) in `notification.rs`. What the carrier said is beside it as
//! `carrier_code`; the bridge's `domain/attempt.rs` reads it, and its `tasks/reconcile.rs` gives up what the carrier never
//! explained (`DialUnknown`).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::notification::NotificationStatus;

/// Why it ended. The texts are part of the public API and never change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EndedReason {
    /// The customer hung up.
    CustomerEndedCall,
    /// The agent said goodbye and hung up.
    AgentEndedCall,
    /// The longest allowed duration was reached.
    MaxDuration,
    /// The customer stayed silent.
    Silence,
    /// The customer was put through to a person.
    Transferred,
    /// A message was left on a machine, as asked for.
    VoicemailLeft,
    /// The customer asked not to be called any more.
    OptOut,
    /// A machine picked up.
    Voicemail,
    /// A call screener picked up and did not put the call through.
    Screened,
    /// The line was busy.
    Busy,
    /// Nobody picked up.
    NoAnswer,
    /// The customer declined the call.
    Rejected,
    /// The number cannot be rung.
    InvalidNumber,
    /// The carrier could not make or hold the call.
    CarrierError,
    /// The carrier never said whether it rang; it is never dialled again.
    DialUnknown,
    /// A rule of ours stopped it.
    Blocked,
    /// It could not be dialled before it expired.
    Expired,
    /// Something of ours failed.
    Error,
    /// It was canceled on request.
    Canceled,
}

/// A text that is no [`EndedReason`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no ended reason; known are, for example, `customer-ended-call` and `no-answer`")]
pub struct UnknownEndedReason(pub String);

impl EndedReason {
    /// Every reason, in the order of the public documentation.
    pub const ALL: [Self; 19] = [
        Self::CustomerEndedCall,
        Self::AgentEndedCall,
        Self::MaxDuration,
        Self::Silence,
        Self::Transferred,
        Self::VoicemailLeft,
        Self::OptOut,
        Self::Voicemail,
        Self::Screened,
        Self::Busy,
        Self::NoAnswer,
        Self::Rejected,
        Self::InvalidNumber,
        Self::CarrierError,
        Self::DialUnknown,
        Self::Blocked,
        Self::Expired,
        Self::Error,
        Self::Canceled,
    ];

    /// The public text, for example `customer-ended-call`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::CustomerEndedCall => "customer-ended-call",
            Self::AgentEndedCall => "agent-ended-call",
            Self::MaxDuration => "max-duration",
            Self::Silence => "silence",
            Self::Transferred => "transferred",
            Self::VoicemailLeft => "voicemail-left",
            Self::OptOut => "opt-out",
            Self::Voicemail => "voicemail",
            Self::Screened => "screened",
            Self::Busy => "busy",
            Self::NoAnswer => "no-answer",
            Self::Rejected => "rejected",
            Self::InvalidNumber => "invalid-number",
            Self::CarrierError => "carrier-error",
            Self::DialUnknown => "dial-unknown",
            Self::Blocked => "blocked",
            Self::Expired => "expired",
            Self::Error => "error",
            Self::Canceled => "canceled",
        }
    }

    /// The status of a notification that ended for this reason.
    #[must_use]
    pub const fn notification_status(self) -> NotificationStatus {
        match self {
            Self::CustomerEndedCall
            | Self::AgentEndedCall
            | Self::MaxDuration
            | Self::Silence
            | Self::Transferred
            | Self::VoicemailLeft
            | Self::OptOut => NotificationStatus::Completed,
            Self::Voicemail
            | Self::Screened
            | Self::Busy
            | Self::NoAnswer
            | Self::Rejected
            | Self::InvalidNumber
            | Self::CarrierError
            | Self::DialUnknown
            | Self::Blocked
            | Self::Expired
            | Self::Error => NotificationStatus::Failed,
            Self::Canceled => NotificationStatus::Canceled,
        }
    }

    /// Whether a retry policy may ask for another attempt after this ending. An ending that leaves open
    /// whether the phone rang, or that cannot change by ringing again, is not among them.
    #[must_use]
    pub const fn may_be_retried(self) -> bool {
        matches!(
            self,
            Self::Voicemail
                | Self::Screened
                | Self::Busy
                | Self::NoAnswer
                | Self::Rejected
                | Self::CarrierError
                | Self::Error
        )
    }
}

impl fmt::Display for EndedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for EndedReason {
    type Err = UnknownEndedReason;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|reason| reason.as_str() == text)
            .ok_or_else(|| UnknownEndedReason(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reason_reads_back_from_its_text_and_from_json() {
        for reason in EndedReason::ALL {
            assert_eq!(reason.as_str().parse(), Ok(reason));
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.as_str());
        }
    }

    #[test]
    fn an_unknown_text_is_refused_and_named() {
        let problem = "customer_ended_call".parse::<EndedReason>().unwrap_err();
        assert!(problem.to_string().contains("`customer_ended_call`"));
    }

    #[test]
    fn every_reason_belongs_to_a_final_notification_status() {
        for reason in EndedReason::ALL {
            assert!(reason.notification_status().is_final(), "{reason}");
        }
    }

    #[test]
    fn a_completed_notification_is_one_where_somebody_or_something_was_reached_as_wanted() {
        let completed = EndedReason::ALL
            .into_iter()
            .filter(|reason| reason.notification_status() == NotificationStatus::Completed)
            .map(EndedReason::as_str)
            .collect::<Vec<_>>();
        assert_eq!(
            completed,
            [
                "customer-ended-call",
                "agent-ended-call",
                "max-duration",
                "silence",
                "transferred",
                "voicemail-left",
                "opt-out"
            ]
        );
    }

    #[test]
    fn a_call_of_which_nobody_knows_whether_it_rang_is_never_retried() {
        assert!(!EndedReason::DialUnknown.may_be_retried());
    }
}
