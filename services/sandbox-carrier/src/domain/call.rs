//! One leg of a call as the carrier's books hold it.

use std::time::Duration;

use chrono::{DateTime, Utc};
use twilio::CallSid;
use twilio::call::{AnsweredBy, CallStatus, Direction};

use super::ending::Ending;
use super::plan::Plan;
use super::transcript::Line;

/// A leg.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) sid: CallSid,
    pub(crate) parent: Option<CallSid>,
    pub(crate) to: String,
    pub(crate) from: String,
    pub(crate) direction: Direction,
    pub(crate) status: CallStatus,
    /// The one before it.
    before: CallStatus,
    pub(crate) created: DateTime<Utc>,
    pub(crate) updated: Option<DateTime<Utc>>,
    pub(crate) started: Option<DateTime<Utc>>,
    pub(crate) ended: Option<DateTime<Utc>>,
    pub(crate) ending: Option<Ending>,
    /// Conversation, on the call's own clock; nothing unless it was answered and is over.
    pub(crate) duration: Option<Duration>,
    pub(crate) answered_by: Option<AnsweredBy>,
    /// How long it waited for its slot.
    pub(crate) queued_for: Duration,
    pub(crate) plan: Plan,
    pub(crate) transcript: Vec<Line>,
}

/// Who calls whom, and how that came about.
#[derive(Clone, Debug)]
pub(crate) struct Parties {
    pub(crate) to: String,
    pub(crate) from: String,
    pub(crate) direction: Direction,
    pub(crate) parent: Option<CallSid>,
}

impl Call {
    /// A leg that has not been dialled.
    pub(crate) fn new(sid: CallSid, parties: Parties, plan: Plan, now: DateTime<Utc>) -> Call {
        Call {
            sid,
            parent: parties.parent,
            to: parties.to,
            from: parties.from,
            direction: parties.direction,
            status: CallStatus::Queued,
            before: CallStatus::Queued,
            created: now,
            updated: None,
            started: None,
            ended: None,
            ending: None,
            duration: None,
            answered_by: None,
            queued_for: Duration::ZERO,
            plan,
            transcript: Vec::new(),
        }
    }

    /// Enters a status. An end is for ever: whatever comes later changes nothing.
    pub(crate) fn enter(&mut self, status: CallStatus, now: DateTime<Utc>) {
        if self.is_over() {
            return;
        }
        if status == CallStatus::InProgress {
            self.started = Some(now);
        }
        self.before = std::mem::replace(&mut self.status, status);
        self.updated = Some(now);
    }

    /// Ends it; `duration` is the conversation if there was one. False if it was over already.
    pub(crate) fn end(&mut self, ending: Ending, duration: Duration, now: DateTime<Utc>) -> bool {
        if self.is_over() {
            return false;
        }
        self.duration = self.started.map(|_| duration);
        self.ended = Some(now);
        self.ending = Some(ending);
        self.before = std::mem::replace(&mut self.status, ending.status());
        self.updated = Some(now);
        true
    }

    /// What somebody saw of it at that moment, as far back as its last change. Nothing before it was there.
    pub(crate) fn as_of(&self, then: DateTime<Utc>) -> Option<Call> {
        if self.created > then {
            return None;
        }
        let mut seen = self.clone();
        if self.updated.is_some_and(|updated| updated > then) {
            seen.status = self.before.clone();
            seen.updated = None;
            seen.started = self.started.filter(|started| *started <= then);
            (seen.ended, seen.ending, seen.duration) = (None, None, None);
        }
        Some(seen)
    }

    /// Whether it has ended.
    pub(crate) fn is_over(&self) -> bool {
        self.status.is_terminal()
    }

    /// The status that the call resource shows: it has no `initiated`.
    pub(crate) fn shown_status(&self) -> &str {
        match &self.status {
            CallStatus::Initiated => CallStatus::Queued.as_str(),
            status => status.as_str(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::plan::{Events, LONGEST_CALL};
    use super::*;

    fn call() -> Call {
        let plan = Plan {
            source: None,
            fallback: None,
            status: None,
            events: Events::COMPLETED,
            timeout: Duration::from_secs(60),
            time_limit: LONGEST_CALL,
            detection: None,
            recording: None,
        };
        let parties = Parties {
            to: "+14155550100".to_owned(),
            from: "+15005550006".to_owned(),
            direction: Direction::OutboundApi,
            parent: None,
        };
        let sid = "CA00000000000000000000000000000000".parse().unwrap();
        Call::new(sid, parties, plan, DateTime::UNIX_EPOCH)
    }

    #[test]
    fn dialling_is_still_queued_for_whoever_fetches_the_call() {
        let mut call = call();
        call.enter(CallStatus::Initiated, DateTime::UNIX_EPOCH);
        assert_eq!(call.shown_status(), "queued");
    }

    #[test]
    fn an_end_is_for_ever() {
        let mut call = call();
        assert!(call.end(Ending::Busy, Duration::ZERO, DateTime::UNIX_EPOCH));
        call.enter(CallStatus::InProgress, DateTime::UNIX_EPOCH);
        assert!(!call.end(Ending::Completed, Duration::from_secs(9), DateTime::UNIX_EPOCH));
        assert_eq!((call.status, call.duration), (CallStatus::Busy, None));
    }

    #[test]
    fn a_call_that_is_looked_at_late_is_as_it_was() {
        let at = |seconds| DateTime::UNIX_EPOCH + chrono::TimeDelta::seconds(seconds);
        let mut call = call();
        assert!(call.as_of(at(-1)).is_none());
        call.enter(CallStatus::InProgress, at(5));
        call.end(Ending::Completed, Duration::from_secs(9), at(9));
        let seen = call.as_of(at(8)).unwrap();
        assert_eq!(
            (seen.status, seen.started, seen.ended, seen.duration),
            (CallStatus::InProgress, Some(at(5)), None, None)
        );
        assert_eq!(call.as_of(at(9)).unwrap().status, CallStatus::Completed);
    }

    #[test]
    fn only_a_conversation_has_a_duration() {
        let mut call = call();
        call.enter(CallStatus::InProgress, DateTime::UNIX_EPOCH);
        call.end(Ending::Completed, Duration::from_secs(9), DateTime::UNIX_EPOCH);
        assert_eq!(call.duration, Some(Duration::from_secs(9)));
    }
}
