//! What Twilio's debugger would list: everything that went wrong between the carrier and the customer's
//! server, with Twilio's own error codes.

use chrono::{DateTime, Utc};
use serde::Serialize;
use twilio::CallSid;

/// No Twilio code fits: the carrier's own loop guard ended the call.
pub(crate) const LOOP_GUARD: u32 = 0;
/// An answer with an error status, or without a usable content type.
pub(crate) const HTTP_FAILURE: u32 = 11200;
/// The connection could not be made in time.
pub(crate) const CONNECT_TIMEOUT: u32 = 11201;
/// The connection could not be made or broke.
pub(crate) const CONNECTION: u32 = 11205;
/// The host is unknown or the URL is none.
pub(crate) const BAD_URL: u32 = 11100;
/// The answer did not come within the time limit.
pub(crate) const TOTAL_TIMEOUT: u32 = 11203;
/// More than ten redirects.
pub(crate) const TOO_MANY_REDIRECTS: u32 = 11215;
/// More than 64 kB.
pub(crate) const TOO_LARGE: u32 = 11750;
/// Not a content type that a call can be controlled with.
pub(crate) const CONTENT_TYPE: u32 = 12300;
/// A status callback was answered with an error.
pub(crate) const CALLBACK_ANSWER: u32 = 15003;
/// Asynchronous detection without a place for its verdict.
pub(crate) const NO_AMD_CALLBACK: u32 = 21262;
/// A `<Dial>` of something that this carrier cannot reach.
pub(crate) const DIAL_NOUN: u32 = 13210;
/// A `<Dial>` of something that is no number.
pub(crate) const DIAL_NUMBER: u32 = 13224;
/// A relative URL in a document that has no address of its own.
pub(crate) const RELATIVE_URL: u32 = 15004;

/// One entry of the list.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Fault {
    pub(crate) at: DateTime<Utc>,
    pub(crate) call_sid: CallSid,
    /// Twilio's error or warning code; 0 for the carrier's own.
    pub(crate) code: u32,
    pub(crate) message: String,
    /// The URL that it is about, without its fragment.
    pub(crate) url: Option<String>,
}

/// A fault that is not yet tied to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) code: u32,
    pub(crate) message: String,
}

impl Problem {
    /// A problem of this code.
    pub(crate) fn new(code: u32, message: impl Into<String>) -> Problem {
        Problem { code, message: message.into() }
    }
}
