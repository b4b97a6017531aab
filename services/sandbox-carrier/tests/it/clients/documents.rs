//! TwiML: documents built with the libraries mean to our reader what they meant to their author, and our writer writes the
//! same documents as the libraries.

use std::num::NonZeroU32;

use serde_json::json;
use twilio::HttpMethod::{Get, Post};
use twilio::twiml::{
    Dial, DialNoun, DtmfKey, FinishOnKey, Gather, GatherChild, GatherInput, NounKind, Number, Pause, Play,
    Record, Redirect, Reject, RejectReason, Response, Say, SpeechTimeout, StartRecording, Trim, Verb, read,
};

use super::{Client, both};
use crate::harness::{NUMBER, Sandbox, text};
use crate::receiver::Receiver;

const ALL_CHARACTERS: &str = "Fish & chips < 5 > 3, \"quoted\" and 'so', ä ß 語 😀";
const CALLBACK: &str = "https://app.example/done?a=1&b=%2B2";

#[expect(clippy::unnecessary_wraps, reason = "it stands where an attribute may be left out")]
fn some(value: &str) -> Option<String> {
    Some(value.to_owned())
}

fn all(values: &[&str]) -> Vec<String> {
    values.iter().map(|value| (*value).to_owned()).collect()
}

fn speech() -> Vec<Verb> {
    let prompt = Say {
        voice: some("Polly.Joanna-Neural"),
        language: some("en-GB"),
        loop_: None,
        text: "For how many people?".to_owned(),
    };
    let beep = Play { url: some("https://app.example/beep.mp3?a=1&b=2"), digits: None, loop_: Some(2) };
    let gather = Gather {
        input: Some(GatherInput::DtmfSpeech),
        action: some("https://app.example/turn?attempt=1&turn=7"),
        method: Some(Post),
        timeout: NonZeroU32::new(5),
        speech_timeout: Some(SpeechTimeout::Auto),
        language: some("en-US"),
        hints: all(&["yes", "no thanks"]),
        action_on_empty_result: Some(true),
        barge_in: Some(false),
        profanity_filter: Some(false),
        partial_result_callback: some(CALLBACK),
        partial_result_callback_method: Some(Get),
        children: vec![
            GatherChild::Say(prompt),
            GatherChild::Pause(Pause { length: NonZeroU32::new(2) }),
            GatherChild::Play(beep),
        ],
        ..Gather::default()
    };
    let silent = Redirect { method: Some(Get), url: "https://app.example/silent?a=1&b=2".to_owned() };
    vec![gather.into(), silent.into()]
}

fn model() -> Vec<Verb> {
    let gather = Gather {
        input: Some(GatherInput::Speech),
        method: Some(Get),
        speech_model: some("deepgram_nova-3"),
        speech_timeout: NonZeroU32::new(3).map(SpeechTimeout::Seconds),
        max_speech_time: NonZeroU32::new(30),
        enhanced: Some(true),
        ..Gather::default()
    };
    vec![gather.into()]
}

fn keys() -> Vec<Verb> {
    let four = Gather {
        input: Some(GatherInput::Dtmf),
        action: some("/keys"),
        timeout: NonZeroU32::new(10),
        num_digits: NonZeroU32::new(4),
        finish_on_key: Some(FinishOnKey::Never),
        children: vec![Say::new("Four keys, please.").into()],
        ..Gather::default()
    };
    let star = Gather { finish_on_key: Some(FinishOnKey::Key(DtmfKey::STAR)), ..Gather::default() };
    vec![four.into(), star.into()]
}

fn talk() -> Vec<Verb> {
    let say = Say {
        voice: some("alice"),
        language: some("de-DE"),
        loop_: Some(3),
        text: ALL_CHARACTERS.to_owned(),
    };
    vec![
        say.into(),
        Pause { length: None }.into(),
        Pause { length: NonZeroU32::new(10) }.into(),
        Play { url: some("https://app.example/jingle.wav"), digits: None, loop_: Some(0) }.into(),
        Play { url: None, digits: some("1w2W#*"), loop_: None }.into(),
        Verb::Hangup,
    ]
}

fn record() -> Vec<Verb> {
    let record = Record {
        action: some(CALLBACK),
        method: Some(Get),
        timeout: Some(0),
        finish_on_key: "1#".chars().map(DtmfKey::new).collect(),
        max_length: NonZeroU32::new(60),
        play_beep: Some(false),
        trim: Some(Trim::DoNotTrim),
        transcribe: Some(true),
        transcribe_callback: some(CALLBACK),
        recording_status_callback: some(CALLBACK),
        recording_status_callback_method: Some(Get),
        recording_status_callback_event: all(&["in-progress", "completed"]),
    };
    vec![record.into()]
}

fn beside() -> Vec<Verb> {
    let recording = StartRecording {
        recording_status_callback: some(CALLBACK),
        recording_status_callback_method: Some(Get),
        recording_status_callback_event: all(&["in-progress", "completed"]),
        channels: some("dual"),
        track: some("both"),
        trim: Some(Trim::DoNotTrim),
    };
    vec![recording.into()]
}

fn transfer() -> Vec<Verb> {
    let first = Number {
        number: "+14155550101".to_owned(),
        url: some(CALLBACK),
        method: Some(Get),
        status_callback: some(CALLBACK),
        status_callback_method: Some(Post),
        status_callback_event: all(&["initiated", "ringing", "answered", "completed"]),
        send_digits: some("ww12#"),
        machine_detection: some("DetectMessageEnd"),
        machine_detection_timeout: Some(20),
        machine_detection_speech_threshold: Some(2000),
        machine_detection_speech_end_threshold: Some(1000),
        machine_detection_silence_timeout: Some(4000),
        amd_status_callback: some(CALLBACK),
        amd_status_callback_method: Some(Get),
        byoc: some("BY0123456789abcdef0123456789abcdef"),
    };
    let dial = Dial {
        action: some(CALLBACK),
        method: Some(Get),
        timeout: NonZeroU32::new(20),
        time_limit: NonZeroU32::new(600),
        caller_id: some("+15005550006"),
        hangup_on_star: Some(true),
        answer_on_bridge: Some(true),
        record: some("record-from-answer"),
        trim: Some(Trim::TrimSilence),
        recording_track: some("inbound"),
        recording_status_callback: some(CALLBACK),
        recording_status_callback_method: Some(Get),
        recording_status_callback_event: all(&["completed", "absent"]),
        ring_tone: some("us"),
        sequential: Some(true),
        call_reason: some("Fish & chips"),
        refer_url: some(CALLBACK),
        refer_method: Some(Get),
        nouns: vec![
            first.into(),
            Number::new("+14155550102").into(),
            DialNoun::Other(NounKind::Client, "jane".to_owned()),
            DialNoun::Other(NounKind::Sip, "sip:jane@app.example".to_owned()),
        ],
    };
    vec![dial.into()]
}

/// What each document means that the model holds completely.
fn meant() -> [(&'static str, Vec<Verb>); 11] {
    [
        ("speech", speech()),
        ("model", model()),
        ("keys", keys()),
        ("talk", talk()),
        ("record", record()),
        ("beside", beside()),
        ("transfer", transfer()),
        ("refuse", vec![Reject { reason: None }.into()]),
        ("busy", vec![Reject { reason: Some(RejectReason::Busy) }.into()]),
        ("again", vec![Redirect::default().into()]),
        ("nothing", vec![]),
    ]
}

/// What each document means that says more than the model holds, or says it in another way than our writer.
fn understood() -> [(&'static str, Vec<Verb>); 3] {
    let spoken = "Your code is123 nota secretWorld Wide Web Consortium";
    [
        ("plain_transfer", vec![Dial::number("+14155550101").into()]),
        ("markup", vec![Say::new(spoken).into()]),
        ("elsewhere", vec![Say::new("Hold the line.").into()]),
    ]
}

async fn canonical(python: &mut Client, xml: &str) -> String {
    text(&python.asks(json!({"do": "canonical", "xml": xml})).await).to_owned()
}

#[tokio::test]
async fn our_reader_understands_what_the_libraries_write() {
    let sandbox = Sandbox::start();
    for mut client in both(&sandbox).await {
        let documents = client.asks(json!({"do": "documents"})).await;
        let meanings: Vec<_> = meant().into_iter().chain(understood()).collect();
        assert_eq!(documents.as_object().unwrap().len(), meanings.len(), "{}", client.name);
        for (name, verbs) in meanings {
            let found = read(text(&documents[name]).as_bytes()).unwrap();
            assert_eq!(found.warnings, [], "{}: {name}", client.name);
            assert_eq!(found.response, Response::new(verbs), "{}: {name}", client.name);
            let ignored: &[&str] = if name == "elsewhere" { &["Start", "Enqueue"] } else { &[] };
            assert_eq!(found.ignored, ignored, "{}: {name}", client.name);
        }
    }
}

#[tokio::test]
async fn our_writer_writes_what_the_libraries_write() {
    let sandbox = Sandbox::start();
    let [mut python, mut node] = both(&sandbox).await;
    let by_python = python.asks(json!({"do": "documents"})).await;
    let by_node = node.asks(json!({"do": "documents"})).await;
    for (name, verbs) in meant() {
        let ours = canonical(&mut python, &Response::new(verbs).to_xml()).await;
        assert_eq!(ours, canonical(&mut python, text(&by_python[name])).await, "Python: {name}");
        assert_eq!(ours, canonical(&mut python, text(&by_node[name])).await, "Node.js: {name}");
    }
}

#[tokio::test]
async fn a_person_hears_what_a_document_of_the_libraries_says() {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::with(&[]);
    for mut client in both(&sandbox).await {
        let documents = client.asks(json!({"do": "documents"})).await;
        let call = client.creates(json!({
            "to": "+14155552671", "from": NUMBER, "twiml": documents["elsewhere"],
            "status_callback": format!("{}/status", receiver.url),
        }));
        let sid = text(&call.await["sid"]).to_owned();
        receiver.until_the_end().await;
        let said = sandbox.transcript(&sid).await;
        assert_eq!(
            said.last().map(String::as_str),
            Some("agent: Hold the line."),
            "{}: {said:?}",
            client.name
        );
    }
}
