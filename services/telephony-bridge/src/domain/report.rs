//! What a status report of the carrier means in our words.

use twilio::call::CallStatus;

/// Our word for a carrier's status; `None` for one that tells nothing new or that we do not know.
pub(crate) fn our_status(status: &CallStatus) -> Option<&'static str> {
    match status {
        CallStatus::Initiated => Some("dialing"),
        CallStatus::Ringing => Some("ringing"),
        CallStatus::InProgress => Some("in_progress"),
        CallStatus::Completed => Some("completed"),
        CallStatus::Busy => Some("busy"),
        CallStatus::NoAnswer => Some("no_answer"),
        CallStatus::Failed => Some("failed"),
        CallStatus::Canceled => Some("canceled"),
        CallStatus::Queued | CallStatus::Other(_) => None,
    }
}

/// True when `next` moves a call on from `before`: a call never goes back.
pub(crate) fn moves_on(before: Option<&CallStatus>, next: &CallStatus) -> bool {
    let rank = |status: &CallStatus| status.rank().unwrap_or(0);
    before.is_none_or(|before| !before.is_terminal() && rank(next) > rank(before))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_never_goes_back_and_an_end_is_final() {
        assert!(moves_on(None, &CallStatus::Ringing));
        assert!(moves_on(Some(&CallStatus::Ringing), &CallStatus::InProgress));
        assert!(!moves_on(Some(&CallStatus::InProgress), &CallStatus::Ringing));
        assert!(!moves_on(Some(&CallStatus::Completed), &CallStatus::Busy));
        assert!(!moves_on(Some(&CallStatus::Busy), &CallStatus::InProgress));
    }
}
