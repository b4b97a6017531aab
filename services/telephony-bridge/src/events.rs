//! What this service tells the orchestrator about an attempt.

use chrono::{DateTime, Utc};
use common::clock::to_millis;
use contracts::telephony::dial_failed::Cause;
use contracts::telephony::dial_refused::Reason;
use contracts::telephony::{
    AnsweredByDetected, CallPriced, CallProgressed, CallRecorded, DialAccepted, DialFailed, DialRefused,
};

use crate::domain::price::Price;
use crate::progress::News;
use crate::store::attempts::Attempt;
use crate::store::price_checks::PriceCheck;

/// Not dialled, and will not be: the rules run again.
pub(crate) fn refused(attempt: &Attempt, reason: Reason) -> DialRefused {
    DialRefused {
        attempt_id: attempt.id.to_string(),
        call_id: attempt.call_id.to_string(),
        project_id: attempt.project_id.to_string(),
        reason: reason.into(),
    }
}

/// Could not be placed, or nobody knows. `carrier_code` is 0 without one.
pub(crate) fn failed(attempt: &Attempt, cause: Cause, carrier_code: u32) -> DialFailed {
    DialFailed {
        attempt_id: attempt.id.to_string(),
        call_id: attempt.call_id.to_string(),
        project_id: attempt.project_id.to_string(),
        cause: cause.into(),
        carrier_code,
    }
}

/// The carrier has placed it under `sid`.
pub(crate) fn accepted(attempt: &Attempt, sid: &str) -> DialAccepted {
    DialAccepted {
        attempt_id: attempt.id.to_string(),
        call_id: attempt.call_id.to_string(),
        project_id: attempt.project_id.to_string(),
        carrier_call_sid: sid.to_owned(),
    }
}

/// It has a new status, in our word for it.
pub(crate) fn progressed(attempt: &Attempt, news: &News, status: &str, now: DateTime<Utc>) -> CallProgressed {
    CallProgressed {
        attempt_id: attempt.id.to_string(),
        call_id: attempt.call_id.to_string(),
        project_id: attempt.project_id.to_string(),
        carrier_call_sid: news.sid.clone(),
        status: status.to_owned(),
        sequence: news.sequence,
        // The carrier's clock has whole seconds; ours tells the order within one.
        at_ms: to_millis(news.at.filter(|at| (now - *at).num_seconds().abs() > 2).unwrap_or(now)),
        duration_seconds: news.duration_seconds,
        sip_response_code: news.sip_response_code,
        gave_up: attempt.gave_up,
        nobody_reached: attempt.nobody_reached,
    }
}

/// Who, or what, picked up.
pub(crate) fn answered_by_detected(attempt: &Attempt, answered_by: &str) -> AnsweredByDetected {
    AnsweredByDetected {
        attempt_id: attempt.id.to_string(),
        call_id: attempt.call_id.to_string(),
        project_id: attempt.project_id.to_string(),
        answered_by: answered_by.to_owned(),
    }
}

/// The carrier has recorded its call.
pub(crate) fn recorded(attempt: &Attempt, sid: &str, seconds: u32) -> CallRecorded {
    CallRecorded {
        attempt_id: attempt.id.to_string(),
        call_id: attempt.call_id.to_string(),
        project_id: attempt.project_id.to_string(),
        recording_sid: sid.to_owned(),
        duration_seconds: seconds,
    }
}

/// What its call costs.
pub(crate) fn priced(check: &PriceCheck, price: &Price) -> CallPriced {
    CallPriced {
        attempt_id: check.attempt_id.to_string(),
        call_id: check.call_id.to_string(),
        project_id: check.project_id.to_string(),
        amount_micros: price.micros,
        currency: price.currency.clone(),
    }
}
