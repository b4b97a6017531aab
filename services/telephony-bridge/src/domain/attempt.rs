//! The life of one wish to dial. It is dialled at most once: `Dialing` is committed before the carrier is asked, and only
//! the one who moved it there may ask. What is not known stays `Unknown` until there is evidence.

use chrono::{DateTime, TimeDelta, Utc};
use contracts::telephony::dial_failed::Cause;
use twilio::rest::CreateError;

use super::urls::Place;

/// Where a wish to dial stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AttemptState {
    /// The carrier took nothing and may be asked again.
    Waiting,
    /// Somebody is asking the carrier, or died doing so.
    Dialing,
    /// The carrier may have placed it; nobody knows.
    Unknown,
    /// The carrier has placed it.
    Placed,
    /// Nothing more will happen.
    Over,
}

impl AttemptState {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Dialing => "dialing",
            Self::Unknown => "unknown",
            Self::Placed => "placed",
            Self::Over => "over",
        }
    }

    pub(crate) fn parse(text: &str) -> Option<Self> {
        [Self::Waiting, Self::Dialing, Self::Unknown, Self::Placed, Self::Over]
            .into_iter()
            .find(|s| s.as_str() == text)
    }

    /// True when the carrier may have been asked, so that it must not be asked again.
    pub(crate) const fn acted_on(self) -> bool {
        !matches!(self, Self::Waiting)
    }
}

/// Where the recording of a call that came in begins: in the document of this turn, and behind so many fillers in it. Later ones must
/// not begin it again, and a repeat of the same request gets the same document. A call that we dial is recorded from the moment
/// when somebody picks up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RecordsFrom {
    pub(crate) turn: u32,
    pub(crate) fill: u32,
}

impl RecordsFrom {
    /// The beginning of the call.
    pub(crate) const THE_START: Self = Self { turn: 0, fill: 0 };

    /// In the document of this place.
    pub(crate) const fn at(place: Place) -> Self {
        Self { turn: place.turn, fill: place.fill }
    }

    /// Whether it is the document of this place in which it begins.
    pub(crate) fn is(self, place: Place) -> bool {
        place.part == 0 && self == Self::at(place)
    }
}

/// What is to be done with a request to dial that has not been acted on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DialDecision {
    /// Commit the intent and ask the carrier.
    Dial,
    /// Too many calls are before it; ask again later.
    Later,
    /// Too late.
    RefuseLate,
    /// Another call of the project to this number is alive.
    RefuseLineBusy,
}

/// Longest wait for the account's turn while a message is held.
pub(crate) const WAIT_FOR_TURN: TimeDelta = TimeDelta::seconds(4);

/// Decides about a request to dial whose turn is at `turn`. `line_busy`: another call to the number is alive.
pub(crate) fn decide_dial(
    line_busy: bool,
    now: DateTime<Utc>,
    turn: DateTime<Utc>,
    dial_before: DateTime<Utc>,
) -> DialDecision {
    if now > dial_before {
        DialDecision::RefuseLate
    } else if line_busy {
        DialDecision::RefuseLineBusy
    } else if turn > dial_before {
        DialDecision::RefuseLate
    } else if turn - now > WAIT_FOR_TURN {
        DialDecision::Later
    } else {
        DialDecision::Dial
    }
}

/// The request to the carrier goes out this soon after its turn, or not at all: a worker that was paused in between must not
/// ring a phone when it wakes up.
const SEND_WITHIN: TimeDelta = TimeDelta::seconds(5);

/// Whether a worker that has committed the intent may still ask the carrier.
pub(crate) fn may_send(now: DateTime<Utc>, turn: DateTime<Utc>, dial_before: DateTime<Utc>) -> bool {
    now <= turn + SEND_WITHIN && now <= dial_before
}

/// What the carrier's answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum DialResult {
    /// Placed under this id.
    Placed(String),
    /// Certainly not placed; may be tried again.
    TryLater,
    /// Certainly not placed, because it was not asked for: its moment had passed, or somebody had stopped it.
    NotSent,
    /// Certainly not placed, for good.
    Failed {
        /// Why.
        cause: Cause,
        /// The carrier's code, 0 without one.
        code: u32,
    },
    /// Nobody knows.
    Unknown,
}

impl DialResult {
    /// For metrics.
    pub(crate) const fn as_str(&self) -> &'static str {
        match self {
            Self::Placed(_) => "placed",
            Self::TryLater => "later",
            Self::NotSent => "not_sent",
            Self::Failed { .. } => "failed",
            Self::Unknown => "unknown",
        }
    }
}

/// Reads the carrier's answer to a create-call request.
pub(crate) fn read_answer(answer: Result<String, CreateError>) -> DialResult {
    match answer {
        Ok(sid) => DialResult::Placed(sid),
        Err(CreateError::Unknown { .. }) => DialResult::Unknown,
        Err(CreateError::NotPlaced { retry: true, .. }) => DialResult::TryLater,
        Err(e @ CreateError::NotPlaced { retry: false, .. }) => {
            let code = e.code().unwrap_or(0);
            DialResult::Failed { cause: cause_of(code), code }
        }
    }
}

/// Twilio's codes for a number that can never be rung (error dictionary: 21201, 21202, 21211, 21214, 21217). Not 21216: that also
/// says that the account may not call there yet, and a better account may.
fn cause_of(code: u32) -> Cause {
    match code {
        21_201 | 21_202 | 21_211 | 21_214 | 21_217 => Cause::InvalidNumber,
        _ => Cause::CarrierError,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use twilio::rest::{ApiError, Error};

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000 + seconds, 0).unwrap()
    }

    #[test]
    fn a_request_that_was_acted_on_is_never_dialled_again() {
        for state in [AttemptState::Dialing, AttemptState::Unknown, AttemptState::Placed, AttemptState::Over]
        {
            assert!(state.acted_on(), "{state:?}");
        }
        assert!(!AttemptState::Waiting.acted_on());
    }

    #[test]
    fn nothing_rings_late_or_twice_on_one_line() {
        assert_eq!(decide_dial(false, at(31), at(31), at(30)), DialDecision::RefuseLate);
        assert_eq!(
            decide_dial(false, at(28), at(31), at(30)),
            DialDecision::RefuseLate,
            "its turn is too late"
        );
        assert_eq!(decide_dial(true, at(0), at(0), at(30)), DialDecision::RefuseLineBusy);
        assert_eq!(decide_dial(false, at(0), at(5), at(30)), DialDecision::Later);
        assert_eq!(decide_dial(false, at(0), at(4), at(30)), DialDecision::Dial);
        assert_eq!(decide_dial(false, at(30), at(30), at(30)), DialDecision::Dial);
    }

    #[test]
    fn a_worker_that_was_paused_after_its_intent_does_not_send() {
        assert!(may_send(at(5), at(0), at(30)));
        assert!(!may_send(at(6), at(0), at(30)), "paused for longer than five seconds");
        assert!(!may_send(at(31), at(30), at(30)), "past the moment before which it had to ring");
    }

    #[test]
    fn only_what_certainly_rang_nobody_may_be_tried_again_or_called_failed() {
        let api = |status, code| {
            let message = String::new();
            CreateError::from(Error::Api(ApiError { status, code, message, detail: None, more_info: None }))
        };
        let unknown = [
            api(500, None),
            api(503, Some(20429)),
            CreateError::from(Error::NoAnswer(String::new())),
            CreateError::from(Error::Unreadable { status: 201, reason: String::new() }),
        ];
        for error in unknown {
            assert_eq!(read_answer(Err(error.clone())), DialResult::Unknown, "{error}");
        }
        for error in [api(429, None), CreateError::from(Error::NotSent(String::new()))] {
            assert_eq!(read_answer(Err(error.clone())), DialResult::TryLater, "{error}");
        }
        let number = DialResult::Failed { cause: Cause::InvalidNumber, code: 21211 };
        assert_eq!(read_answer(Err(api(400, Some(21211)))), number);
        let account = DialResult::Failed { cause: Cause::CarrierError, code: 20003 };
        assert_eq!(read_answer(Err(api(401, Some(20003)))), account);
    }

    #[test]
    fn a_state_reads_back_what_it_writes() {
        for state in ["waiting", "dialing", "unknown", "placed", "over"] {
            assert_eq!(AttemptState::parse(state).unwrap().as_str(), state);
        }
        assert_eq!(AttemptState::parse("ringing"), None);
    }
}
