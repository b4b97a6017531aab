//! The writer: a [`Response`] as text.

use std::fmt::Display;

use super::split::portions;
use super::{
    Dial, DialNoun, FinishOnKey, Gather, GatherChild, Number, Pause, Play, Record, Redirect, Reject,
    Response, Say, SpeechTimeout, StartRecording, Verb,
};

/// Twilio takes at most so many hints, and none that is longer than [`MAX_HINT_CHARS`].
pub(super) const MAX_HINTS: usize = 500;
/// Characters of one hint.
pub(super) const MAX_HINT_CHARS: usize = 100;

pub(super) fn response(response: &Response) -> String {
    let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>");
    for verb in &response.verbs {
        match verb {
            Verb::Say(verb) => say(&mut out, verb),
            Verb::Play(verb) => play(&mut out, verb),
            Verb::Pause(verb) => pause(&mut out, verb),
            Verb::Gather(verb) => gather(&mut out, verb),
            Verb::Record(verb) => record(&mut out, verb),
            Verb::StartRecording(verb) => start_recording(&mut out, verb),
            Verb::Dial(verb) => dial(&mut out, verb),
            Verb::Redirect(verb) => redirect(&mut out, verb),
            Verb::Hangup => Element::open(&mut out, "Hangup").close_empty(),
            Verb::Reject(verb) => reject(&mut out, verb),
        }
    }
    out.push_str("</Response>");
    out
}

/// Whether XML 1.0 allows the character at all, escaped or not.
pub(super) fn is_xml_char(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{D7FF}' | '\u{E000}'..='\u{FFFD}' | '\u{10000}'..='\u{10FFFF}')
}

fn push_text(out: &mut String, text: &str) {
    for c in text.chars().filter(|c| is_xml_char(*c)) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // A reader would turn a bare one into a line feed.
            '\r' => out.push_str("&#13;"),
            c => out.push(c),
        }
    }
}

fn push_attribute(out: &mut String, text: &str) {
    for c in text.chars().filter(|c| is_xml_char(*c)) {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            // A reader would turn these into spaces.
            '\t' => out.push_str("&#9;"),
            '\n' => out.push_str("&#10;"),
            '\r' => out.push_str("&#13;"),
            c => out.push(c),
        }
    }
}

/// An element whose start tag is still open.
struct Element<'a> {
    out: &'a mut String,
    name: &'static str,
}

impl<'a> Element<'a> {
    fn open(out: &'a mut String, name: &'static str) -> Self {
        out.push('<');
        out.push_str(name);
        Self { out, name }
    }

    fn set(&mut self, name: &str, value: Option<impl Display>) -> &mut Self {
        if let Some(value) = value {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            push_attribute(self.out, &value.to_string());
            self.out.push('"');
        }
        self
    }

    fn set_list(&mut self, name: &str, values: &[String]) -> &mut Self {
        self.set(name, (!values.is_empty()).then(|| values.join(" ")))
    }

    fn close_empty(self) {
        self.out.push_str("/>");
    }

    fn close_with_text(self, text: &str) {
        self.close_with(|out| push_text(out, text));
    }

    fn close_with(self, content: impl FnOnce(&mut String)) {
        self.out.push('>');
        content(self.out);
        self.out.push_str("</");
        self.out.push_str(self.name);
        self.out.push('>');
    }
}

fn say(out: &mut String, say: &Say) {
    let speakable: String = say.text.chars().filter(|c| is_xml_char(*c)).collect();
    for part in portions(&speakable) {
        let mut element = Element::open(out, "Say");
        element
            .set("voice", say.voice.as_ref())
            .set("language", say.language.as_ref())
            .set("loop", say.loop_);
        element.close_with_text(part);
    }
}

fn play(out: &mut String, play: &Play) {
    let mut element = Element::open(out, "Play");
    element.set("loop", play.loop_).set("digits", play.digits.as_ref());
    match &play.url {
        Some(url) => element.close_with_text(url),
        None => element.close_empty(),
    }
}

fn pause(out: &mut String, pause: &Pause) {
    let mut element = Element::open(out, "Pause");
    element.set("length", pause.length);
    element.close_empty();
}

fn redirect(out: &mut String, redirect: &Redirect) {
    let mut element = Element::open(out, "Redirect");
    element.set("method", redirect.method);
    element.close_with_text(&redirect.url);
}

fn reject(out: &mut String, reject: &Reject) {
    let mut element = Element::open(out, "Reject");
    element.set("reason", reject.reason.map(super::RejectReason::as_str));
    element.close_empty();
}

fn gather(out: &mut String, gather: &Gather) {
    let speech_timeout = gather.speech_timeout.map(|timeout| match timeout {
        SpeechTimeout::Auto => "auto".to_owned(),
        SpeechTimeout::Seconds(seconds) => seconds.to_string(),
    });
    let finish_on_key = gather.finish_on_key.map(|finish| match finish {
        FinishOnKey::Never => String::new(),
        FinishOnKey::Key(key) => key.to_string(),
    });
    let mut element = Element::open(out, "Gather");
    element
        .set("input", gather.input.map(super::GatherInput::as_str))
        .set("action", gather.action.as_ref())
        .set("method", gather.method)
        .set("timeout", gather.timeout)
        .set("speechTimeout", speech_timeout)
        .set("maxSpeechTime", gather.max_speech_time)
        .set("numDigits", gather.num_digits)
        .set("finishOnKey", finish_on_key)
        .set("language", gather.language.as_ref())
        .set("speechModel", gather.speech_model.as_ref())
        .set("hints", hints(&gather.hints))
        .set("actionOnEmptyResult", gather.action_on_empty_result)
        .set("partialResultCallback", gather.partial_result_callback.as_ref())
        .set("partialResultCallbackMethod", gather.partial_result_callback_method)
        .set("bargeIn", gather.barge_in)
        .set("profanityFilter", gather.profanity_filter)
        .set("enhanced", gather.enhanced)
        .set("debug", gather.debug);
    element.close_with(|out| {
        for child in &gather.children {
            match child {
                GatherChild::Say(verb) => say(out, verb),
                GatherChild::Play(verb) => play(out, verb),
                GatherChild::Pause(verb) => pause(out, verb),
            }
        }
    });
}

/// A comma would make two hints of one, and one hint too long would cost them all.
fn hints(hints: &[String]) -> Option<String> {
    let kept: Vec<String> = hints
        .iter()
        .map(|hint| hint.replace(',', " ").trim().to_owned())
        .filter(|hint| !hint.is_empty() && hint.chars().count() <= MAX_HINT_CHARS)
        .take(MAX_HINTS)
        .collect();
    (!kept.is_empty()).then(|| kept.join(","))
}

fn record(out: &mut String, record: &Record) {
    let keys =
        record.finish_on_key.as_ref().map(|keys| keys.iter().map(|key| key.as_char()).collect::<String>());
    let mut element = Element::open(out, "Record");
    element
        .set("action", record.action.as_ref())
        .set("method", record.method)
        .set("timeout", record.timeout)
        .set("finishOnKey", keys)
        .set("maxLength", record.max_length)
        .set("playBeep", record.play_beep)
        .set("trim", record.trim.map(super::Trim::as_str))
        .set("transcribe", record.transcribe)
        .set("transcribeCallback", record.transcribe_callback.as_ref())
        .set("recordingStatusCallback", record.recording_status_callback.as_ref())
        .set("recordingStatusCallbackMethod", record.recording_status_callback_method)
        .set_list("recordingStatusCallbackEvent", &record.recording_status_callback_event);
    element.close_empty();
}

fn start_recording(out: &mut String, recording: &StartRecording) {
    Element::open(out, "Start").close_with(|out| {
        let mut element = Element::open(out, "Recording");
        element
            .set("recordingStatusCallback", recording.recording_status_callback.as_ref())
            .set("recordingStatusCallbackMethod", recording.recording_status_callback_method)
            .set_list("recordingStatusCallbackEvent", &recording.recording_status_callback_event)
            .set("channels", recording.channels.as_ref())
            .set("track", recording.track.as_ref())
            .set("trim", recording.trim.map(super::Trim::as_str));
        element.close_empty();
    });
}

fn dial(out: &mut String, dial: &Dial) {
    let mut element = Element::open(out, "Dial");
    element
        .set("action", dial.action.as_ref())
        .set("method", dial.method)
        .set("timeout", dial.timeout)
        .set("timeLimit", dial.time_limit)
        .set("callerId", dial.caller_id.as_ref())
        .set("hangupOnStar", dial.hangup_on_star)
        .set("answerOnBridge", dial.answer_on_bridge)
        .set("record", dial.record.as_ref())
        .set("trim", dial.trim.map(super::Trim::as_str))
        .set("recordingTrack", dial.recording_track.as_ref())
        .set("recordingStatusCallback", dial.recording_status_callback.as_ref())
        .set("recordingStatusCallbackMethod", dial.recording_status_callback_method)
        .set_list("recordingStatusCallbackEvent", &dial.recording_status_callback_event)
        .set("ringTone", dial.ring_tone.as_ref())
        .set("sequential", dial.sequential)
        .set("callReason", dial.call_reason.as_ref())
        .set("referUrl", dial.refer_url.as_ref())
        .set("referMethod", dial.refer_method);
    element.close_with(|out| {
        for noun in &dial.nouns {
            match noun {
                DialNoun::Number(noun) => number(out, noun),
                DialNoun::Other(kind, text) => Element::open(out, kind.as_str()).close_with_text(text),
            }
        }
    });
}

fn number(out: &mut String, number: &Number) {
    let mut element = Element::open(out, "Number");
    element
        .set("url", number.url.as_ref())
        .set("method", number.method)
        .set("statusCallback", number.status_callback.as_ref())
        .set("statusCallbackMethod", number.status_callback_method)
        .set_list("statusCallbackEvent", &number.status_callback_event)
        .set("sendDigits", number.send_digits.as_ref())
        .set("machineDetection", number.machine_detection.as_ref())
        .set("machineDetectionTimeout", number.machine_detection_timeout)
        .set("machineDetectionSpeechThreshold", number.machine_detection_speech_threshold)
        .set("machineDetectionSpeechEndThreshold", number.machine_detection_speech_end_threshold)
        .set("machineDetectionSilenceTimeout", number.machine_detection_silence_timeout)
        .set("amdStatusCallback", number.amd_status_callback.as_ref())
        .set("amdStatusCallbackMethod", number.amd_status_callback_method)
        .set("byoc", number.byoc.as_ref());
    element.close_with_text(&number.number);
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::HttpMethod;

    fn body(verbs: Vec<Verb>) -> String {
        let xml = Response::new(verbs).to_xml();
        let start = "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Response>";
        xml.strip_prefix(start).and_then(|rest| rest.strip_suffix("</Response>")).unwrap().to_owned()
    }

    #[test]
    fn a_turn_is_written_with_its_gather_and_its_exit() {
        let gather = Gather {
            input: Some(GatherInput::DtmfSpeech),
            action: Some("https://example.com/t?attempt=1&turn=7".to_owned()),
            method: Some(HttpMethod::Post),
            timeout: NonZeroU32::new(5),
            speech_timeout: Some(SpeechTimeout::Auto),
            finish_on_key: Some(FinishOnKey::Never),
            language: Some("en-US".to_owned()),
            hints: vec!["yes".to_owned(), "no, thanks".to_owned()],
            children: vec![Say::new("For how many <people>?").into()],
            ..Gather::default()
        };
        let redirect = Redirect { method: None, url: "https://example.com/s?a=1&b=2".to_owned() };
        assert_eq!(
            body(vec![gather.into(), redirect.into(), Verb::Hangup]),
            "<Gather input=\"dtmf speech\" action=\"https://example.com/t?attempt=1&amp;turn=7\" method=\"POST\" \
             timeout=\"5\" speechTimeout=\"auto\" finishOnKey=\"\" language=\"en-US\" hints=\"yes,no  thanks\">\
             <Say>For how many &lt;people&gt;?</Say></Gather>\
             <Redirect>https://example.com/s?a=1&amp;b=2</Redirect><Hangup/>"
        );
    }

    #[test]
    fn a_recording_is_started_beside_what_is_said() {
        let recording = StartRecording {
            recording_status_callback: Some("https://example.com/r?a=1&b=2".to_owned()),
            ..StartRecording::default()
        };
        assert_eq!(
            body(vec![recording.into(), Verb::Hangup]),
            "<Start><Recording recordingStatusCallback=\"https://example.com/r?a=1&amp;b=2\"/></Start><Hangup/>"
        );
    }

    #[test]
    fn characters_that_xml_forbids_are_left_out() {
        let say = Say::new("a\u{0}b\u{8}c\u{B}d\u{1F}e\u{FFFE}f\u{FFFF}g\u{7F}ü\u{1F600}");
        assert_eq!(body(vec![say.into()]), "<Say>abcdefg\u{7F}ü\u{1F600}</Say>");
    }

    #[test]
    fn attributes_escape_quotes_and_line_ends() {
        let say = Say { voice: Some("a\"b<c>&\n\t".to_owned()), ..Say::new("x") };
        assert_eq!(body(vec![say.into()]), "<Say voice=\"a&quot;b&lt;c&gt;&amp;&#10;&#9;\">x</Say>");
    }

    #[test]
    fn a_say_with_nothing_to_say_is_left_out() {
        assert_eq!(body(vec![Say::new(" \u{1} \n").into(), Verb::Hangup]), "<Hangup/>");
    }

    #[test]
    fn a_long_say_becomes_several_of_the_same_voice() {
        let say = Say { voice: Some("man".to_owned()), ..Say::new("One sentence more. ".repeat(300)) };
        let xml = body(vec![say.into()]);
        assert_eq!(xml.matches("<Say voice=\"man\">One sentence").count(), 3);
        assert_eq!(xml.matches("more.</Say>").count(), 3);
    }

    #[test]
    fn hints_that_twilio_would_refuse_are_left_out() {
        let many = vec!["x".repeat(101), " ".to_owned(), "ok".to_owned()];
        assert_eq!(hints(&many).as_deref(), Some("ok"));
        assert_eq!(hints(&vec!["a".to_owned(); 600]).unwrap().split(',').count(), 500);
        assert_eq!(hints(&[]), None);
    }

    #[test]
    fn a_dial_lists_its_events_with_spaces() {
        let number = Number {
            status_callback: Some("https://example.com/s".to_owned()),
            status_callback_event: vec!["ringing".to_owned(), "completed".to_owned()],
            ..Number::new("+14155550100")
        };
        let dial = Dial {
            timeout: NonZeroU32::new(20),
            answer_on_bridge: Some(true),
            nouns: vec![number.into()],
            ..Dial::default()
        };
        assert_eq!(
            body(vec![dial.into()]),
            "<Dial timeout=\"20\" answerOnBridge=\"true\"><Number statusCallback=\"https://example.com/s\" \
             statusCallbackEvent=\"ringing completed\">+14155550100</Number></Dial>"
        );
    }

    use super::super::GatherInput;
}
