//! What the outside is told about a call and a notification, made from their rows: events, and what a project sees when it
//! asks.

use chrono::{DateTime, Utc};
use common::clock::to_millis;
use common::db::outbox::MAX_BODY;
use contracts::calls::{
    self as proto, BotCompleted, CallEnded, CallStarted, CallSummarised, PhoneReachabilityChanged,
};
use contracts::ids::EventId;

use crate::domain::bot_result::BotOutcome;
use crate::domain::ended_reason::EndedReason;
use crate::store::calls::Call;
use crate::store::notifications::{Found, Notification, ToBot};
use crate::store::shown::Shown;

/// An id as messages carry it: empty when there is none.
pub(crate) fn text(id: Option<impl ToString>) -> String {
    id.map(|id| id.to_string()).unwrap_or_default()
}

/// A notification as its project sees it.
pub(crate) fn seen(n: &Shown, call: Option<&Call>) -> proto::Notification {
    proto::Notification {
        id: n.id.to_string(),
        project_id: n.project_id.to_string(),
        agent_id: text(n.agent_id),
        agent_version: n.agent_version,
        customer_id: text(n.customer_id),
        target_phone_e164: n.phone.clone(),
        message: n.message.clone(),
        context: n.context.clone(),
        collect_feedback: n.collect_feedback,
        max_duration_seconds: n.max_duration_seconds,
        status: n.status.clone(),
        call_result_json: text(n.result.as_ref()),
        ended_reason: n.ended_reason.clone().unwrap_or_default(),
        metadata_json: text(n.metadata.as_ref()),
        created_at_ms: to_millis(n.created_at),
        updated_at_ms: to_millis(n.updated_at),
        call_id: n.call_id.to_string(),
        call_status: call.map(|c| c.state.status.as_str().to_owned()).unwrap_or_default(),
        blocked_by: n.blocked_by.clone().unwrap_or_default(),
        carrier_code: call.and_then(|c| c.state.carrier_code).unwrap_or_default(),
        evidence_json: text(n.evidence.as_ref()),
        scheduled_at_ms: n.options.scheduled.then(|| to_millis(n.due_at)),
        expires_at_ms: to_millis(n.expires_at),
        max_attempts: n.retry.max_attempts(),
        attempts: n.attempts,
        next_attempt_at_ms: n.next_try_at.map(to_millis),
        from_e164: n.options.from.clone().unwrap_or_default(),
        voicemail: n.options.voicemail.as_str().to_owned(),
        retry_delay_seconds: n.retry.delay_seconds().to_vec(),
        reschedule_json: text(n.options.reschedule.as_ref()),
        retry_on: n.retry.on().iter().map(|reason| reason.as_str().to_owned()).collect(),
        reschedule_outcome_json: text(n.rescheduled.as_ref()),
    }
}

/// The call was picked up.
pub(crate) fn started(n: &Notification, call: &Call) -> CallStarted {
    CallStarted {
        event_id: EventId::new().to_string(),
        project_id: n.project_id.to_string(),
        notification_id: n.id.to_string(),
        call_id: call.id.to_string(),
        customer_id: text(n.customer_id),
        external_id: n.spec.external_id.clone(),
        agent_id: text(n.agent_id),
        attempt: call.attempt,
        started_at_ms: call.state.started_at.map(to_millis).unwrap_or_default(),
        metadata_json: text(n.metadata.as_ref()),
        inbound: call.inbound,
    }
}

/// The call is over.
pub(crate) fn ended(n: &Notification, call: &Call) -> CallEnded {
    CallEnded {
        event_id: EventId::new().to_string(),
        project_id: n.project_id.to_string(),
        notification_id: n.id.to_string(),
        call_id: call.id.to_string(),
        customer_id: text(n.customer_id),
        external_id: n.spec.external_id.clone(),
        agent_id: text(n.agent_id),
        attempt: call.attempt,
        status: call.state.status.as_str().to_owned(),
        ended_reason: text(call.state.ended_reason.map(EndedReason::as_str)),
        metadata_json: text(n.metadata.as_ref()),
        inbound: call.inbound,
    }
}

/// Whether the customer's number can be rung, as a call showed at `at`; `None` of a customer who is erased.
pub(crate) fn reachability(
    n: &Notification,
    reachable: bool,
    at: DateTime<Utc>,
) -> Option<PhoneReachabilityChanged> {
    Some(PhoneReachabilityChanged {
        project_id: n.project_id.to_string(),
        customer_id: n.customer_id?.to_string(),
        phone_e164: n.phone.clone(),
        reachable,
        at_ms: to_millis(at),
    })
}

/// The notification is over, and this is what it brought.
pub(crate) fn summarised(n: &Notification, call: &Call, transcript: &str, found: &Found) -> CallSummarised {
    let event = CallSummarised {
        event_id: EventId::new().to_string(),
        project_id: n.project_id.to_string(),
        notification_id: n.id.to_string(),
        call_id: call.id.to_string(),
        customer_id: text(n.customer_id),
        external_id: n.spec.external_id.clone(),
        agent_id: text(n.agent_id),
        attempt: call.attempt,
        status: n.state.status.as_str().to_owned(),
        ended_reason: text(n.state.ended_reason.map(EndedReason::as_str)),
        transcript: transcript.to_owned(),
        analysis_json: text(found.result.as_ref()),
        evidence_json: text(found.evidence.as_ref()),
        summary: found.summary.clone().unwrap_or_default(),
        started_at_ms: call.state.started_at.map(to_millis),
        ended_at_ms: to_millis(call.state.ended_at.unwrap_or(n.updated_at)),
        duration_ms: call.state.talk_time().num_milliseconds(),
        metadata_json: text(n.metadata.as_ref()),
        inbound: call.inbound,
        reschedule_outcome_json: text(found.rescheduled.as_ref()),
    };
    fitting(event)
}

/// A call that a bot answered is over, and this is what it brought.
pub(crate) fn bot_completed(
    n: &Notification,
    to: &ToBot,
    call: &Call,
    transcript: &str,
    found: &Found,
) -> BotCompleted {
    let state = &call.state;
    let event = BotCompleted {
        event_id: EventId::new().to_string(),
        project_id: n.project_id.to_string(),
        business_id: to.business.to_string(),
        bot_id: to.bot.to_string(),
        webhook: to.part.webhook.clone(),
        call_id: call.id.to_string(),
        carrier_call_sid: state.carrier_sid.clone().unwrap_or_default(),
        goal: to.part.goal.clone(),
        outcome: text(to.part.outcome.map(BotOutcome::as_str)),
        collected_json: found.result.as_ref().map_or_else(|| "{}".to_owned(), ToString::to_string),
        evidence_json: found.evidence.as_ref().map_or_else(|| "{}".to_owned(), ToString::to_string),
        transcript: transcript.to_owned(),
        started_at_ms: to_millis(state.started_at.unwrap_or(call.created_at)),
        ended_at_ms: to_millis(state.ended_at.unwrap_or(n.updated_at)),
        duration_ms: state.talk_time().num_milliseconds(),
        ended_reason: text(state.ended_reason.map(EndedReason::as_str)),
    };
    fitting(event)
}

/// What of an event may be long.
trait Long: prost::Message {
    /// What was said, of which the end goes first.
    fn transcript(&mut self) -> &mut String;
    /// What goes next, the least needed first, and what stands in its place.
    fn rest(&mut self) -> [(&mut String, &'static str); 2];
}

impl Long for CallSummarised {
    fn transcript(&mut self) -> &mut String {
        &mut self.transcript
    }

    fn rest(&mut self) -> [(&mut String, &'static str); 2] {
        [(&mut self.evidence_json, ""), (&mut self.analysis_json, "")]
    }
}

impl Long for BotCompleted {
    fn transcript(&mut self) -> &mut String {
        &mut self.transcript
    }

    fn rest(&mut self) -> [(&mut String, &'static str); 2] {
        [(&mut self.evidence_json, "{}"), (&mut self.collected_json, "{}")]
    }
}

/// The bus takes no more than [`MAX_BODY`] bytes. A conversation of extreme length loses the end of its transcript, and
/// what the integrator needs least after that, but never its summary.
fn fitting<E: Long>(mut event: E) -> E {
    let excess = |event: &E| event.encoded_len().saturating_sub(MAX_BODY);
    let over = excess(&event);
    if over > 0 {
        // Room for the mark, and for the length of the text itself to be shorter to write.
        cut(event.transcript(), over + 16);
    }
    for n in 0..2 {
        if excess(&event) > 0 {
            let (text, instead) = &mut event.rest()[n];
            **text = (*instead).to_owned();
        }
    }
    event
}

fn cut(text: &mut String, bytes: usize) {
    let mut keep = text.len().saturating_sub(bytes);
    while !text.is_char_boundary(keep) {
        keep -= 1;
    }
    text.truncate(keep);
    text.push('…');
}

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;

    #[test]
    fn a_summary_always_fits_through_the_bus() {
        for (transcript, evidence) in [(0, 0), (MAX_BODY * 4, 0), (MAX_BODY, MAX_BODY), (10, MAX_BODY * 2)] {
            let event = CallSummarised {
                transcript: "é".repeat(transcript / 2),
                evidence_json: "e".repeat(evidence),
                analysis_json: "{}".to_owned(),
                ..CallSummarised::default()
            };
            let fits = fitting(event);
            assert!(fits.encoded_len() <= MAX_BODY, "{}", fits.encoded_len());
            assert_eq!(fits.analysis_json, "{}", "what was learned is the last to go");
        }
    }

    #[test]
    fn what_a_bot_s_call_brought_always_fits_and_is_json() {
        let event = BotCompleted {
            transcript: "é".repeat(MAX_BODY),
            evidence_json: "e".repeat(MAX_BODY),
            collected_json: "c".repeat(MAX_BODY),
            ..BotCompleted::default()
        };
        let fits = fitting(event);
        assert!(fits.encoded_len() <= MAX_BODY, "{}", fits.encoded_len());
        assert_eq!((fits.evidence_json.as_str(), fits.collected_json.as_str()), ("{}", "{}"));
    }

    #[test]
    fn a_summary_of_ordinary_size_is_left_alone() {
        let event = CallSummarised { transcript: "AI: Hello.".to_owned(), ..CallSummarised::default() };
        assert_eq!(fitting(event.clone()), event);
    }
}
