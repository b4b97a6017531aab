//! How a leg can end, and what Twilio calls that.

use twilio::call::CallStatus;

/// The end of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    /// It was answered and is over.
    Completed,
    /// The line was engaged.
    Busy,
    /// Nobody picked up in time.
    NoAnswer,
    /// It was declined. Twilio has no status of its own for it: the SIP code tells.
    Rejected,
    /// No network knows the number.
    Failed,
    /// It was cancelled over REST while it rang.
    Canceled,
    /// It was cancelled over REST before it was dialled: no callback is sent (Twilio's call resource).
    CanceledInQueue,
}

impl Ending {
    /// The word in the call resource and in callbacks.
    pub(crate) fn status(self) -> CallStatus {
        match self {
            Ending::Completed => CallStatus::Completed,
            Ending::Busy => CallStatus::Busy,
            Ending::NoAnswer | Ending::Rejected => CallStatus::NoAnswer,
            Ending::Failed => CallStatus::Failed,
            Ending::Canceled | Ending::CanceledInQueue => CallStatus::Canceled,
        }
    }

    /// `SipResponseCode` of the last callback.
    pub(crate) fn sip_code(self) -> u16 {
        match self {
            Ending::Completed => 200,
            Ending::Busy => 486,
            Ending::NoAnswer | Ending::Canceled | Ending::CanceledInQueue => 487,
            Ending::Rejected => 603,
            Ending::Failed => 404,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_ending_is_terminal() {
        let all = [
            Ending::Completed,
            Ending::Busy,
            Ending::NoAnswer,
            Ending::Rejected,
            Ending::Failed,
            Ending::Canceled,
            Ending::CanceledInQueue,
        ];
        assert!(all.iter().all(|ending| ending.status().is_terminal()));
    }

    #[test]
    fn a_rejection_is_told_from_no_answer_by_its_sip_code() {
        assert_eq!(Ending::Rejected.status(), Ending::NoAnswer.status());
        assert_ne!(Ending::Rejected.sip_code(), Ending::NoAnswer.sip_code());
    }
}
