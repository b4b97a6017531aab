//! The parameters of a call creation, checked as Twilio checks them, with its error codes.

use std::time::Duration;

use twilio::call::Direction;
use twilio::twiml::MAX_INLINE_CHARS;

use super::error::ApiError;
use super::form::Form;
use crate::domain::amd::{Detection, Mode};
use crate::domain::answer::Answer;
use crate::domain::call::Parties;
use crate::domain::number::is_e164;
use crate::domain::people::People;
use crate::domain::plan::{CREATED, Events, LONGEST_CALL, Plan, Recording, Source, hears_of_completion};

/// The `From` that Twilio's test credentials accept.
const MAGIC_FROM: &str = "+15005550006";

/// The `To` of Twilio's test credentials that are refused, and why.
const MAGIC_TO: [(&str, u32, &str); 4] = [
    ("+15005550001", 21217, "is not a valid phone number"),
    ("+15005550002", 21214, "cannot be reached"),
    ("+15005550003", 21215, "is in a country that this account has no permission to call"),
    ("+15005550004", 21216, "is on the block list"),
];

/// Reads a creation for an account that owns `own`.
pub(super) fn read(form: &Form, own: &[String], people: &People) -> Result<(Parties, Plan), ApiError> {
    let to = form.given("To").ok_or_else(|| ApiError::bad(21201, "No 'To' number is specified"))?;
    let from = form.given("From").ok_or_else(|| ApiError::bad(21213, "No 'From' number is specified"))?;
    check_from(from, own)?;
    check_to(to, from, people)?;
    let plan = Plan {
        source: Some(source(form)?),
        fallback: form.hook("FallbackUrl", "FallbackMethod", 21205)?,
        status: form.hook("StatusCallback", "StatusCallbackMethod", 21609)?,
        events: Events::of(form.all("StatusCallbackEvent")),
        timeout: Duration::from_secs(form.number("Timeout", 1..=600, 60, 21208)?),
        time_limit: time_limit(form)?,
        detection: if has_digits(form)? { None } else { detection(form)? },
        recording: recording(form)?,
    };
    let (to, from) = (to.to_owned(), from.to_owned());
    Ok((Parties { to, from, direction: Direction::OutboundApi, parent: None }, plan))
}

fn check_from(from: &str, own: &[String]) -> Result<(), ApiError> {
    if !is_e164(from) || from == "+15005550001" {
        return Err(ApiError::bad(21212, format!("The 'From' number {from} is not a valid phone number")));
    }
    if !own.iter().any(|own| own == from) && from != MAGIC_FROM {
        let own = own.join(", ");
        let message = format!(
            "The source phone number {from} is not yet verified for your account; the sandbox's own are {own}"
        );
        return Err(ApiError::bad(21210, message));
    }
    Ok(())
}

fn check_to(to: &str, from: &str, people: &People) -> Result<(), ApiError> {
    if to.starts_with("sip:") || to.starts_with("client:") {
        return Err(ApiError::bad(
            21214,
            format!("'To' {to} cannot be reached: the sandbox only has telephones"),
        ));
    }
    if let Some((_, code, why)) = MAGIC_TO.iter().find(|(number, _, _)| *number == to) {
        return Err(ApiError::bad(*code, format!("'To' number {to} {why}")));
    }
    if !is_e164(to) || to == from || people.at(to).answer == Answer::Invalid {
        return Err(ApiError::bad(21211, format!("The phone number {to} is not a valid phone number")));
    }
    Ok(())
}

/// `Url` wins over `Twiml`; an application cannot be had, as the sandbox knows none.
fn source(form: &Form) -> Result<Source, ApiError> {
    if let Some(sid) = form.given("ApplicationSid") {
        return Err(ApiError::bad(
            21218,
            format!("Invalid ApplicationSid: the sandbox has no application {sid}"),
        ));
    }
    if let Some(hook) = form.hook("Url", "Method", 21205)? {
        return Ok(Source::Fetch(hook));
    }
    inline(form)?.ok_or_else(|| ApiError::bad(21205, "No document is specified: send Url or Twiml"))
}

/// The inline document of a creation or an update.
pub(super) fn inline(form: &Form) -> Result<Option<Source>, ApiError> {
    let Some(xml) = form.given("Twiml") else { return Ok(None) };
    let length = xml.chars().count();
    if length > MAX_INLINE_CHARS {
        let message = format!("Twiml has {length} characters, at most {MAX_INLINE_CHARS} are allowed");
        return Err(ApiError::bad(32018, message));
    }
    Ok(Some(Source::Inline(xml.to_owned())))
}

/// `TimeLimit` of a creation or an update.
pub(super) fn time_limit(form: &Form) -> Result<Duration, ApiError> {
    let most = LONGEST_CALL.as_secs();
    Ok(Duration::from_secs(form.number("TimeLimit", 1..=most, most, 21200)?))
}

fn has_digits(form: &Form) -> Result<bool, ApiError> {
    let Some(digits) = form.given("SendDigits") else { return Ok(false) };
    let known = |key: char| key.is_ascii_digit() || matches!(key, 'A'..='D' | '#' | '*' | 'w' | 'W');
    if digits.len() <= 32 && digits.chars().all(known) {
        return Ok(true);
    }
    let message = format!("SendDigits is `{digits}`, it may hold up to 32 of 0-9, A-D, #, *, w, W");
    Err(ApiError::bad(21206, message))
}

fn recording(form: &Form) -> Result<Option<Recording>, ApiError> {
    let callback = form.hook("RecordingStatusCallback", "RecordingStatusCallbackMethod", 21200)?;
    match form.given("Record") {
        None | Some("false") => Ok(None),
        Some("true") => {
            let told = hears_of_completion(form.all("RecordingStatusCallbackEvent"));
            Ok(Some(Recording { source: CREATED, callback: callback.filter(|_| told) }))
        }
        Some(other) => Err(ApiError::bad(21200, format!("Record is `{other}`, it must be true or false"))),
    }
}

fn detection(form: &Form) -> Result<Option<Detection>, ApiError> {
    let mode = match form.given("MachineDetection") {
        None | Some("false") => return Ok(None),
        Some("Enable" | "true") => Mode::Enable,
        Some("DetectMessageEnd") => Mode::DetectMessageEnd,
        Some(other) => {
            let message = format!("MachineDetection is `{other}`, it must be Enable or DetectMessageEnd");
            return Err(ApiError::bad(21200, message));
        }
    };
    let millis = |name, bounds, usual| form.number(name, bounds, usual, 21200).map(Duration::from_millis);
    Ok(Some(Detection {
        mode,
        timeout: Duration::from_secs(form.number("MachineDetectionTimeout", 3..=60, 30, 21200)?),
        speech_threshold: millis("MachineDetectionSpeechThreshold", 1000..=6000, 2400)?,
        speech_end: millis("MachineDetectionSpeechEndThreshold", 500..=5000, 1200)?,
        silence_timeout: millis("MachineDetectionSilenceTimeout", 2000..=10_000, 5000)?,
        asynchronous: form.given("AsyncAmd") == Some("true"),
        callback: form.hook("AsyncAmdStatusCallback", "AsyncAmdStatusCallbackMethod", 21200)?,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    const OWN: &str = "+15005550100";

    fn created(extra: &str) -> Result<(Parties, Plan), ApiError> {
        let body = format!("To=%2B14155552671&From=%2B15005550100&Url=https%3A%2F%2Fh%2Fv&{extra}");
        read(&Form::of_body(body.as_bytes()), &[OWN.to_owned()], &People::builtin().unwrap())
    }

    fn refused(body: &str) -> u32 {
        let form = Form::of_body(body.replace('+', "%2B").as_bytes());
        read(&form, &[OWN.to_owned()], &People::builtin().unwrap()).unwrap_err().code()
    }

    #[test]
    fn twilio_s_defaults_hold() {
        let (_, plan) = created("").unwrap();
        assert_eq!((plan.timeout, plan.time_limit), (Duration::from_secs(60), LONGEST_CALL));
        assert_eq!((plan.events, plan.detection), (Events::COMPLETED, None));
    }

    #[test]
    fn every_wrong_party_has_its_code() {
        let url = "Url=https://h/v";
        for (parties, code) in [
            ("From=+15005550100", 21201),
            ("To=+14155552671", 21213),
            ("To=+14155552671&From=5551234", 21212),
            ("To=+14155552671&From=+15005550001", 21212),
            ("To=+14155552671&From=+14155550999", 21210),
            ("To=4155552671&From=+15005550100", 21211),
            ("To=+15005550100&From=+15005550100", 21211),
            ("To=+14155550112&From=+15005550100", 21211),
            ("To=+15005550001&From=+15005550006", 21217),
            ("To=+15005550002&From=+15005550006", 21214),
            ("To=+15005550003&From=+15005550006", 21215),
            ("To=+15005550004&From=+15005550006", 21216),
        ] {
            assert_eq!(refused(&format!("{parties}&{url}")), code, "{parties}");
        }
    }

    #[test]
    fn every_wrong_parameter_has_its_code() {
        let parties = "To=+14155552671&From=+15005550100";
        let long = "a".repeat(4001);
        for (parameters, code) in [
            ("", 21205),
            ("Url=voice", 21205),
            ("Url=https://my_host/v", 21205),
            ("Url=https://h/v&Method=PUT", 21209),
            ("Url=https://h/v&Timeout=601", 21208),
            ("Url=https://h/v&SendDigits=12x", 21206),
            ("Url=https://h/v&StatusCallback=status", 21609),
            ("Url=https://h/v&MachineDetection=Maybe", 21200),
            ("Url=https://h/v&Record=loudly", 21200),
            ("Url=https://h/v&Record=true&RecordingStatusCallback=recorded", 21200),
            ("ApplicationSid=AP0", 21218),
            (&format!("Twiml={long}"), 32018),
        ] {
            assert_eq!(refused(&format!("{parties}&{parameters}")), code, "{parameters}");
        }
    }

    #[test]
    fn repeated_events_and_detection_are_read() {
        let extra = "StatusCallbackEvent=ringing&StatusCallbackEvent=completed&MachineDetection=Enable\
                     &AsyncAmd=true&AsyncAmdStatusCallback=https%3A%2F%2Fh%2Famd";
        let (_, plan) = created(extra).unwrap();
        assert_eq!((plan.events.initiated, plan.events.ringing, plan.events.completed), (false, true, true));
        let detection = plan.detection.unwrap();
        assert!(detection.asynchronous && detection.callback.is_some());
    }

    #[test]
    fn a_recording_and_who_hears_of_it_are_read() {
        let callback = "Record=true&RecordingStatusCallback=https%3A%2F%2Fh%2Fr";
        let recording = created(callback).unwrap().1.recording.unwrap();
        assert_eq!(recording.callback.map(|hook| hook.url).as_deref(), Some("https://h/r"));
        let others = format!("{callback}&RecordingStatusCallbackEvent=absent");
        assert_eq!(created(&others).unwrap().1.recording.unwrap().callback, None);
        for none in ["", "Record=false", "RecordingStatusCallback=https%3A%2F%2Fh%2Fr"] {
            assert_eq!(created(none).unwrap().1.recording, None, "{none}");
        }
    }

    #[test]
    fn keys_after_the_answer_switch_detection_off() {
        assert_eq!(created("SendDigits=1w2&MachineDetection=Enable").unwrap().1.detection, None);
    }
}
