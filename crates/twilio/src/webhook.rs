//! What Twilio tells in its voice requests and status callbacks.
//!
//! Every parameter is optional: Twilio leaves out what does not apply, sends empty values for what it does not know,
//! and adds new names at any time. A value that cannot be understood counts as absent; it never fails a request.

use chrono::{DateTime, Utc};

use crate::call::{AnsweredBy, CallStatus, Direction};
use crate::sid::{AccountSid, CallSid, RecordingSid};

pub use crate::overrides::CALLBACK_FRAGMENT;

/// Decodes a form body or a raw query: `+` is a space, empty values stay, nothing is trimmed, order is kept. This is
/// the form that [`crate::signature::verify`] wants.
#[must_use]
pub fn decode_form(body: &[u8]) -> Vec<(String, String)> {
    url::form_urlencoded::parse(body).into_owned().collect()
}

/// The parameters of any request about a call: voice URL, action of a verb, status callback, partial result, AMD.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct VoiceRequest {
    /// `CallSid`.
    pub call_sid: Option<CallSid>,
    /// `AccountSid`: the account that owns the call, and whose token signed.
    pub account_sid: Option<AccountSid>,
    /// `ParentCallSid`, on the second leg of a `<Dial>`.
    pub parent_call_sid: Option<CallSid>,
    /// `From`: E.164 where possible, else a text such as `anonymous`.
    pub from: Option<String>,
    /// `To`.
    pub to: Option<String>,
    /// `CallStatus`.
    pub call_status: Option<CallStatus>,
    /// `Direction`.
    pub direction: Option<Direction>,
    /// `ForwardedFrom`.
    pub forwarded_from: Option<String>,
    /// `CallerName`.
    pub caller_name: Option<String>,
    /// `FromCountry`, two letters.
    pub from_country: Option<String>,
    /// `SpeechResult`: what was understood.
    pub speech_result: Option<String>,
    /// `Confidence`, 0 to 1; absent when it is missing, malformed or out of range.
    pub confidence: Option<f64>,
    /// `Language` of the recognition.
    pub language: Option<String>,
    /// `UnstableSpeechResult` of a partial result.
    pub unstable_speech_result: Option<String>,
    /// `StableSpeechResult` of a partial result.
    pub stable_speech_result: Option<String>,
    /// `Digits`; after `<Record>` also `hangup`.
    pub digits: Option<String>,
    /// `FinishedOnKey`; absent after a timeout or a full number of digits.
    pub finished_on_key: Option<String>,
    /// `AnsweredBy`.
    pub answered_by: Option<AnsweredBy>,
    /// `MachineDetectionDuration`, milliseconds.
    pub machine_detection_ms: Option<u32>,
    /// `SequenceNumber`, from 0, over the callbacks that were fired.
    pub sequence_number: Option<u32>,
    /// `Timestamp` of the event.
    pub timestamp: Option<DateTime<Utc>>,
    /// `CallDuration`, seconds, at the end of the call.
    pub call_duration: Option<u32>,
    /// `SipResponseCode`, at the end of the call.
    pub sip_response_code: Option<u16>,
    /// `DialCallStatus`: how the second leg ended. `answered` is possible here.
    pub dial_call_status: Option<CallStatus>,
    /// `DialCallSid`.
    pub dial_call_sid: Option<CallSid>,
    /// `DialCallDuration`, seconds.
    pub dial_call_duration: Option<u32>,
    /// `RecordingSid`.
    pub recording_sid: Option<RecordingSid>,
    /// `RecordingStatus`: `in-progress`, `completed` or `absent`.
    pub recording_status: Option<String>,
    /// `RecordingUrl`.
    pub recording_url: Option<String>,
    /// `RecordingDuration`, seconds.
    pub recording_duration: Option<u32>,
    /// `ErrorCode` that made Twilio turn to the fallback URL.
    pub error_code: Option<u32>,
    /// `ErrorUrl` that failed.
    pub error_url: Option<String>,
}

impl VoiceRequest {
    /// Reads decoded parameters. Of a repeated name the first value that is not empty counts, so that a body followed
    /// by the query means "the body decides".
    #[must_use]
    pub fn parse(form: &[(String, String)]) -> Self {
        let p = Parameters(form);
        Self {
            call_sid: p.parsed("CallSid"),
            account_sid: p.parsed("AccountSid"),
            parent_call_sid: p.parsed("ParentCallSid"),
            from: p.text("From"),
            to: p.text("To"),
            call_status: p.parsed("CallStatus"),
            direction: p.parsed("Direction"),
            forwarded_from: p.text("ForwardedFrom"),
            caller_name: p.text("CallerName"),
            from_country: p.text("FromCountry"),
            speech_result: p.text("SpeechResult"),
            confidence: p.raw("Confidence").and_then(confidence),
            language: p.text("Language"),
            unstable_speech_result: p.text("UnstableSpeechResult"),
            stable_speech_result: p.text("StableSpeechResult"),
            digits: p.text("Digits"),
            finished_on_key: p.text("FinishedOnKey"),
            answered_by: p.parsed("AnsweredBy"),
            machine_detection_ms: p.parsed("MachineDetectionDuration"),
            sequence_number: p.parsed("SequenceNumber"),
            timestamp: p.raw("Timestamp").and_then(rfc2822),
            call_duration: p.parsed("CallDuration"),
            sip_response_code: p.parsed("SipResponseCode"),
            dial_call_status: p.parsed("DialCallStatus"),
            dial_call_sid: p.parsed("DialCallSid"),
            dial_call_duration: p.parsed("DialCallDuration"),
            recording_sid: p.parsed("RecordingSid"),
            recording_status: p.text("RecordingStatus"),
            recording_url: p.text("RecordingUrl"),
            recording_duration: p.parsed("RecordingDuration"),
            error_code: p.parsed("ErrorCode"),
            error_url: p.text("ErrorUrl"),
        }
    }
}

struct Parameters<'a>(&'a [(String, String)]);

impl<'a> Parameters<'a> {
    fn raw(&self, name: &str) -> Option<&'a str> {
        self.0
            .iter()
            .filter(|(found, _)| found == name)
            .map(|(_, value)| value.trim())
            .find(|value| !value.is_empty())
    }

    fn text(&self, name: &str) -> Option<String> {
        self.raw(name).map(str::to_owned)
    }

    fn parsed<T: std::str::FromStr>(&self, name: &str) -> Option<T> {
        self.raw(name).and_then(|value| value.parse().ok())
    }
}

/// Some compatible carriers write a decimal comma.
fn confidence(text: &str) -> Option<f64> {
    let number: f64 = text.replace(',', ".").parse().ok()?;
    (0.0..=1.0).contains(&number).then_some(number)
}

/// Twilio's dates: RFC 2822, always UTC.
pub(crate) fn rfc2822(text: &str) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc2822(text).ok().map(|time| time.with_timezone(&Utc))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SID: &str = "CA0123456789abcdef0123456789abcdef";

    fn read(body: &str) -> VoiceRequest {
        VoiceRequest::parse(&decode_form(body.as_bytes()))
    }

    #[test]
    fn the_decoder_keeps_empty_values_and_reads_plus_as_space() {
        let pairs = decode_form(b"A=&msg=Gather+End&From=%2B1415&x=%C3%BC&A=2&bare");
        let expected =
            [("A", ""), ("msg", "Gather End"), ("From", "+1415"), ("x", "ü"), ("A", "2"), ("bare", "")];
        let expected: Vec<_> = expected.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        assert_eq!(pairs, expected);
    }

    #[test]
    fn speech_is_read_with_its_confidence() {
        let found =
            read(&format!("CallSid={SID}&SpeechResult=Ja%2C+gern&Confidence=0.9371&Direction=inbound"));
        assert_eq!(found.call_sid.unwrap().as_str(), SID);
        assert_eq!(found.speech_result.as_deref(), Some("Ja, gern"));
        assert_eq!(found.confidence, Some(0.9371));
        assert_eq!(found.direction, Some(Direction::Inbound));
    }

    #[test]
    fn confidence_is_lenient_about_its_form_but_not_about_its_range() {
        let cases = [("1", Some(1.0)), ("0", Some(0.0)), ("0,5", Some(0.5)), ("+0.25+", Some(0.25))];
        let bad = [("1.01", None), ("-0.1", None), ("NaN", None), ("high", None), ("", None)];
        for (text, expected) in cases.into_iter().chain(bad) {
            assert_eq!(read(&format!("Confidence={text}")).confidence, expected, "{text}");
        }
    }

    #[test]
    fn empty_and_missing_are_the_same() {
        assert_eq!(read("Digits=&FinishedOnKey=&SpeechResult=+&CallStatus="), VoiceRequest::default());
    }

    #[test]
    fn values_that_cannot_be_understood_count_as_absent() {
        let found =
            read("CallSid=CA1&SequenceNumber=x&Timestamp=yesterday&CallDuration=-1&CallStatus=parked");
        let unknown = Some(CallStatus::Other("parked".to_owned()));
        assert_eq!(found, VoiceRequest { call_status: unknown, ..VoiceRequest::default() });
    }

    #[test]
    fn a_final_status_callback_is_read_whole() {
        let found = read(
            "CallStatus=completed&SequenceNumber=3&Timestamp=Tue%2C+31+Aug+2010+20%3A36%3A28+%2B0000\
             &CallDuration=15&SipResponseCode=200&AnsweredBy=machine_end_beep",
        );
        assert_eq!(found.call_status, Some(CallStatus::Completed));
        assert_eq!(found.sequence_number, Some(3));
        assert_eq!(found.timestamp.unwrap().to_rfc3339(), "2010-08-31T20:36:28+00:00");
        assert_eq!((found.call_duration, found.sip_response_code), (Some(15), Some(200)));
        assert_eq!(found.answered_by, Some(AnsweredBy::MachineEndBeep));
    }

    #[test]
    fn the_report_of_a_recording_is_read() {
        let sid = "RE00000000000000000000000000000001";
        let found = read(&format!("RecordingSid={sid}&RecordingStatus=completed&RecordingDuration=42"));
        assert_eq!(found.recording_sid.unwrap().as_str(), sid);
        assert_eq!(
            (found.recording_status.as_deref(), found.recording_duration),
            (Some("completed"), Some(42))
        );
        assert_eq!(read("RecordingSid=../RE1").recording_sid, None);
    }

    #[test]
    fn the_first_value_that_is_not_empty_counts() {
        assert_eq!(read("From=&From=%2B1&From=%2B2").from.as_deref(), Some("+1"));
    }
}
