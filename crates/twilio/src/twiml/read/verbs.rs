//! From elements to verbs.

use super::attributes::{Attributes, SCHEMA, Warnings, warn};
use super::gather::gather;
use super::tree::{Element, Node};
use super::{Document, Response};
use crate::twiml::{
    Dial, DialNoun, DtmfKey, NounKind, Number, Pause, Play, Record, Redirect, Reject, RejectReason, Say,
    StartRecording, Trim, Verb,
};

/// Verbs that Twilio knows and the model does not.
const FOREIGN_VERBS: [&str; 10] =
    ["Stop", "Connect", "Enqueue", "Leave", "Refer", "Echo", "Pay", "Prompt", "Queue", "Sms"];

/// What Twilio starts in the background and the model does not know.
const FOREIGN_STARTS: [&str; 3] = ["Stream", "Siprec", "Transcription"];

/// What is told of a recording.
const RECORDING_EVENTS: [&str; 3] = ["in-progress", "completed", "absent"];

/// Characters of the reason for a call.
const MAX_REASON_CHARS: usize = 50;

/// The sides of a call.
const TRACKS: [&str; 3] = ["inbound", "outbound", "both"];

/// Speech markup that may stand in a Say.
const SSML: [&str; 10] = ["break", "emphasis", "lang", "p", "phoneme", "prosody", "s", "say-as", "sub", "w"];

pub(super) fn document(root: Element) -> Document {
    let mut warnings = Warnings::new();
    let mut ignored = Vec::new();
    let mut verbs = Vec::new();
    Attributes::new("Response", root.attributes, &mut warnings).finish();
    for child in elements("Response", root.nodes, &mut warnings) {
        if FOREIGN_VERBS.contains(&child.name.as_str()) {
            ignored.push(child.name);
        } else if child.name == "Start" {
            start(child, (&mut verbs, &mut ignored), &mut warnings);
        } else {
            verbs.extend(verb(child, &mut warnings));
        }
    }
    Document { response: Response { verbs }, warnings, ignored }
}

/// What begins here goes on in the background.
fn start(element: Element, (verbs, ignored): (&mut Vec<Verb>, &mut Vec<String>), warnings: &mut Warnings) {
    let mut a = Attributes::new("Start", element.attributes, warnings);
    a.skip(&["action", "method"]);
    a.finish();
    for noun in elements("Start", element.nodes, warnings) {
        match noun.name.as_str() {
            "Recording" => verbs.push(Verb::StartRecording(start_recording(noun, warnings))),
            name if FOREIGN_STARTS.contains(&name) => ignored.push("Start".to_owned()),
            name => warn(warnings, SCHEMA, format!("<{name}> may not stand in <Start>")),
        }
    }
}

fn start_recording(element: Element, warnings: &mut Warnings) -> StartRecording {
    let mut a = Attributes::new("Recording", element.attributes, warnings);
    let recording = StartRecording {
        recording_status_callback: a.text("recordingStatusCallback"),
        recording_status_callback_method: a.method("recordingStatusCallbackMethod", SCHEMA),
        recording_status_callback_event: a.words("recordingStatusCallbackEvent", SCHEMA, &RECORDING_EVENTS),
        channels: one_of(&mut a, "channels", &["mono", "dual"]),
        track: one_of(&mut a, "track", &TRACKS),
        trim: trim(&mut a),
    };
    a.finish();
    nothing_inside("Recording", element.nodes, warnings);
    recording
}

fn verb(element: Element, warnings: &mut Warnings) -> Option<Verb> {
    match element.name.as_str() {
        "Say" => say(element, warnings).map(Verb::Say),
        "Play" => Some(Verb::Play(play(element, warnings))),
        "Pause" => Some(Verb::Pause(pause(element, warnings))),
        "Gather" => Some(Verb::Gather(gather(element, warnings))),
        "Record" => Some(Verb::Record(record(element, warnings))),
        "Dial" => Some(Verb::Dial(dial(element, warnings))),
        "Redirect" => Some(Verb::Redirect(redirect(element, warnings))),
        "Reject" => Some(Verb::Reject(reject(element, warnings))),
        "Hangup" => {
            Attributes::new("Hangup", element.attributes, warnings).finish();
            nothing_inside("Hangup", element.nodes, warnings);
            Some(Verb::Hangup)
        }
        name => {
            warn(warnings, SCHEMA, format!("<{name}> is no verb of <Response>; names are case-sensitive"));
            None
        }
    }
}

/// The elements among these nodes; text between them is out of place.
pub(super) fn elements(parent: &str, nodes: Vec<Node>, warnings: &mut Warnings) -> Vec<Element> {
    let mut found = Vec::new();
    for node in nodes {
        match node {
            Node::Element(element) => found.push(element),
            Node::Text(text) if text.trim().is_empty() => {}
            Node::Text(_) => {
                warn(warnings, SCHEMA, format!("<{parent}> contains text, only verbs may stand in it"))
            }
        }
    }
    found
}

fn nothing_inside(parent: &str, nodes: Vec<Node>, warnings: &mut Warnings) {
    for child in elements(parent, nodes, warnings) {
        warn(warnings, SCHEMA, format!("<{}> may not stand in <{parent}>", child.name));
    }
}

/// The text of an element in which nothing else may stand.
fn text_inside(parent: &str, nodes: Vec<Node>, warnings: &mut Warnings) -> String {
    let mut found = String::new();
    for node in nodes {
        match node {
            Node::Text(text) => found.push_str(&text),
            Node::Element(child) => {
                warn(warnings, SCHEMA, format!("<{}> may not stand in <{parent}>", child.name));
            }
        }
    }
    found.trim().to_owned()
}

pub(super) fn say(element: Element, warnings: &mut Warnings) -> Option<Say> {
    let mut attributes = Attributes::new("Say", element.attributes, warnings);
    let voice = attributes.value("voice", 13511, "man, woman, alice, Polly.… or Google.…", |value| {
        let known = ["man", "woman", "alice"].contains(&value)
            || ["Polly.", "Google."]
                .iter()
                .any(|maker| value.len() > maker.len() && value.starts_with(maker));
        known.then(|| value.to_owned())
    });
    let language = attributes.value("language", 13512, "a tag with its region, such as en-US", language);
    let loop_ = attributes.number("loop", 13510);
    attributes.finish();

    let mut spoken = String::new();
    speech(element.nodes, &mut spoken, warnings);
    let text = spoken.split_whitespace().collect::<Vec<_>>().join(" ");
    if text.is_empty() {
        warn(warnings, 13520, "<Say> has nothing to say");
        return None;
    }
    let limit = match &voice {
        Some(name) if name.starts_with("Polly.") => 3_000,
        Some(name) if name.starts_with("Google.") => 5_000,
        _ => 4_096,
    };
    let length = text.chars().count();
    if length > limit {
        warn(warnings, 13521, format!("<Say> has {length} characters, this voice takes at most {limit}"));
    }
    Some(Say { voice, language, loop_, text })
}

/// The words of plain text and of speech markup, which shapes sound and not words.
fn speech(nodes: Vec<Node>, spoken: &mut String, warnings: &mut Warnings) {
    for node in nodes {
        match node {
            Node::Text(text) => spoken.push_str(&text),
            Node::Element(child) if SSML.contains(&child.name.as_str()) => {
                let alias = child.attributes.iter().find(|(name, _)| child.name == "sub" && name == "alias");
                match alias {
                    Some((_, alias)) => spoken.push_str(alias),
                    None => speech(child.nodes, spoken, warnings),
                }
                if matches!(child.name.as_str(), "break" | "p" | "s") {
                    spoken.push(' ');
                }
            }
            Node::Element(child) => {
                warn(warnings, SCHEMA, format!("<{}> may not stand in <Say>", child.name));
            }
        }
    }
}

/// A tag of two letters alone (`en`) names no recogniser and no voice.
pub(super) fn language(value: &str) -> Option<String> {
    let well_formed = !value.is_empty()
        && value.split('-').all(|part| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric()));
    (well_formed && value.len() > 2).then(|| value.to_owned())
}

pub(super) fn play(element: Element, warnings: &mut Warnings) -> Play {
    let mut attributes = Attributes::new("Play", element.attributes, warnings);
    let loop_ = attributes.number("loop", 13410);
    let right = "keys of 0-9 A-D # * w W";
    let digits = attributes.value("digits", SCHEMA, right, |value| sendable(value).then(|| value.to_owned()));
    attributes.finish();
    let url = text_inside("Play", element.nodes, warnings);
    Play { url: (!url.is_empty()).then_some(url), digits, loop_ }
}

fn sendable(keys: &str) -> bool {
    !keys.is_empty() && keys.chars().all(|key| key.is_ascii_digit() || "ABCD#*wW".contains(key))
}

pub(super) fn pause(element: Element, warnings: &mut Warnings) -> Pause {
    let mut attributes = Attributes::new("Pause", element.attributes, warnings);
    let length = attributes.positive("length", 13910);
    attributes.finish();
    nothing_inside("Pause", element.nodes, warnings);
    Pause { length }
}

fn redirect(element: Element, warnings: &mut Warnings) -> Redirect {
    let mut attributes = Attributes::new("Redirect", element.attributes, warnings);
    let method = attributes.method("method", 13710);
    attributes.finish();
    Redirect { method, url: text_inside("Redirect", element.nodes, warnings) }
}

fn reject(element: Element, warnings: &mut Warnings) -> Reject {
    let mut attributes = Attributes::new("Reject", element.attributes, warnings);
    let reason = attributes.value("reason", SCHEMA, "rejected or busy", |value| match value {
        "rejected" => Some(RejectReason::Rejected),
        "busy" => Some(RejectReason::Busy),
        _ => None,
    });
    attributes.finish();
    nothing_inside("Reject", element.nodes, warnings);
    Reject { reason }
}

fn trim(a: &mut Attributes<'_>) -> Option<Trim> {
    a.value("trim", SCHEMA, "trim-silence or do-not-trim", |value| match value {
        "trim-silence" => Some(Trim::TrimSilence),
        "do-not-trim" => Some(Trim::DoNotTrim),
        _ => None,
    })
}

/// One of these words.
fn one_of(a: &mut Attributes<'_>, name: &str, known: &[&str]) -> Option<String> {
    let right = known.join(" or ");
    a.value(name, SCHEMA, &right, |value| known.contains(&value).then(|| value.to_owned()))
}

fn record(element: Element, warnings: &mut Warnings) -> Record {
    let mut a = Attributes::new("Record", element.attributes, warnings);
    let record = Record {
        action: a.text("action"),
        method: a.method("method", 13610),
        timeout: a.number("timeout", 13611),
        finish_on_key: a.value("finishOnKey", 13613, "keys of 0-9 # *", |value| {
            value.chars().map(DtmfKey::new).collect()
        }),
        max_length: a.positive("maxLength", 13612),
        play_beep: a.boolean("playBeep", 13616),
        trim: trim(&mut a),
        transcribe: a.boolean("transcribe", 13614),
        transcribe_callback: a.text("transcribeCallback"),
        recording_status_callback: a.text("recordingStatusCallback"),
        recording_status_callback_method: a.method("recordingStatusCallbackMethod", SCHEMA),
        recording_status_callback_event: a.words("recordingStatusCallbackEvent", SCHEMA, &RECORDING_EVENTS),
    };
    a.finish();
    nothing_inside("Record", element.nodes, warnings);
    record
}

fn dial(element: Element, warnings: &mut Warnings) -> Dial {
    let mut a = Attributes::new("Dial", element.attributes, warnings);
    let mut dial = Dial {
        action: a.text("action"),
        method: a.method("method", 13210),
        timeout: a.positive("timeout", 13212),
        time_limit: a.positive("timeLimit", 13216),
        caller_id: a.text("callerId"),
        hangup_on_star: a.boolean("hangupOnStar", 13213),
        answer_on_bridge: a.boolean("answerOnBridge", SCHEMA),
        record: a.text("record"),
        trim: trim(&mut a),
        recording_track: one_of(&mut a, "recordingTrack", &TRACKS),
        recording_status_callback: a.text("recordingStatusCallback"),
        recording_status_callback_method: a.method("recordingStatusCallbackMethod", SCHEMA),
        recording_status_callback_event: a.words("recordingStatusCallbackEvent", SCHEMA, &RECORDING_EVENTS),
        ring_tone: a.text("ringTone"),
        sequential: a.boolean("sequential", SCHEMA),
        call_reason: a.value("callReason", SCHEMA, "at most 50 characters", |value| {
            (value.chars().count() <= MAX_REASON_CHARS).then(|| value.to_owned())
        }),
        refer_url: a.text("referUrl"),
        refer_method: a.method("referMethod", SCHEMA),
        nouns: Vec::new(),
    };
    a.skip(&["events"]);
    a.finish();
    for node in element.nodes {
        match node {
            Node::Text(text) if text.trim().is_empty() => {}
            Node::Text(text) => dial.nouns.push(Number::new(text.trim()).into()),
            Node::Element(child) => dial.nouns.extend(noun(child, warnings)),
        }
    }
    dial
}

fn noun(element: Element, warnings: &mut Warnings) -> Option<DialNoun> {
    if element.name == "Number" {
        return Some(number(element, warnings).into());
    }
    let Some(kind) = NounKind::ALL.into_iter().find(|kind| kind.as_str() == element.name) else {
        warn(warnings, 13215, format!("<{}> may not stand in <Dial>", element.name));
        return None;
    };
    let text: String = element
        .nodes
        .iter()
        .filter_map(|node| match node {
            Node::Text(text) => Some(text.as_str()),
            Node::Element(_) => None,
        })
        .collect();
    Some(DialNoun::Other(kind, text.trim().to_owned()))
}

fn number(element: Element, warnings: &mut Warnings) -> Number {
    let mut a = Attributes::new("Number", element.attributes, warnings);
    let mut number = Number {
        number: String::new(),
        url: a.text("url"),
        method: a.method("method", 13221),
        status_callback: a.text("statusCallback"),
        status_callback_method: a.method("statusCallbackMethod", SCHEMA),
        status_callback_event: a.words(
            "statusCallbackEvent",
            SCHEMA,
            &["initiated", "ringing", "answered", "completed"],
        ),
        send_digits: a.value("sendDigits", 13222, "keys of 0-9 A-D # * w W", |value| {
            sendable(value).then(|| value.to_owned())
        }),
        machine_detection: one_of(&mut a, "machineDetection", &["Enable", "DetectMessageEnd"]),
        machine_detection_timeout: a.number("machineDetectionTimeout", SCHEMA),
        machine_detection_speech_threshold: a.number("machineDetectionSpeechThreshold", SCHEMA),
        machine_detection_speech_end_threshold: a.number("machineDetectionSpeechEndThreshold", SCHEMA),
        machine_detection_silence_timeout: a.number("machineDetectionSilenceTimeout", SCHEMA),
        amd_status_callback: a.text("amdStatusCallback"),
        amd_status_callback_method: a.method("amdStatusCallbackMethod", SCHEMA),
        byoc: a.text("byoc"),
    };
    a.finish();
    number.number = text_inside("Number", element.nodes, warnings);
    number
}
