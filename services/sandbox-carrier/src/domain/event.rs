//! What an onlooker of the carrier sees: phones that ring, people who speak, calls that end.

use serde::Serialize;
use twilio::CallSid;

use super::transcript::Speaker;

/// Something happened in a call.
#[derive(Clone, Debug, Serialize)]
pub struct CarrierEvent {
    /// The leg.
    pub call_sid: CallSid,
    /// Who is called.
    pub to: String,
    /// Who calls.
    pub from: String,
    /// What happened.
    #[serde(flatten)]
    pub what: Happening,
}

/// What can happen in a call.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Happening {
    /// The phone rings.
    Ringing,
    /// Somebody, or a machine, picked up.
    Answered,
    /// Somebody begins to speak.
    Said {
        /// Which side.
        by: Speaker,
        /// All that they say, even if they are interrupted.
        text: String,
    },
    /// The person pressed keys.
    Digits {
        /// The keys.
        keys: String,
    },
    /// The leg is over.
    Ended {
        /// `completed`, `busy`, `no-answer`, `failed` or `canceled`.
        status: String,
        /// Seconds of conversation on the call's own clock; 0 if nobody picked up.
        duration: u64,
    },
}
