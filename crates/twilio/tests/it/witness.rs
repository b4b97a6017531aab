//! The crate twilio-async as a witness: somebody else's reading of the same protocol. What its client sends is what ours sends,
//! what one can read of an answer the other reads the same, and its documents mean to our reader what they meant to their author.
//! The README says why it is no more than a witness.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};
use serde_json::Value;
use twilio::HttpMethod;
use twilio::rest::{
    CallEvent, CreateCall, CreateError, Error, Instructions, MachineDetection, MachineDetectionMode,
};
use twilio::twiml::{Play, Redirect, Response, Say, read};
use twilio::webhook::decode_form;

use crate::support::{ACCOUNT, CALL, Reply, SECRET, Server, body};

const FROM: &str = "+15005550006";
const TO: &str = "+14155550100";
const VOICE: &str = "https://example.com/voice?a=1&b=%2B2";
const STATUS: &str = "https://example.com/status#rc=2";

/// The program, which Cargo builds by itself: its dependencies have no place in the workspace.
fn built() -> PathBuf {
    static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/twilio_async");
        let products = Path::new(env!("CARGO_TARGET_TMPDIR"));
        testkit::beside::program(&from, "echo-twilio-async-witness", products)
    });
    BUILT.clone()
}

/// What it says on its line.
async fn told(carrier: &str, arguments: &[&str]) -> Value {
    let mut program = Command::new(tokio::task::spawn_blocking(built).await.unwrap());
    program.args(arguments).env("CARRIER", carrier);
    let ended = tokio::task::spawn_blocking(move || program.output().unwrap()).await.unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    serde_json::from_slice(&ended.stdout).unwrap()
}

/// The call that it creates, as our client says it.
fn the_same() -> CreateCall {
    CreateCall {
        timeout: Some(30),
        machine_detection: Some(MachineDetection::new(MachineDetectionMode::Enable)),
        status_callback: Some(STATUS.to_owned()),
        status_events: vec![CallEvent::Completed],
        ..CreateCall::new(TO, FROM, Instructions::Url { url: VOICE.to_owned(), method: None })
    }
}

/// A create of twilio-async's and one of ours, both answered with this: what it told, what we were told, and the requests.
async fn both(status: u16, answer: &str) -> (Value, Result<twilio::rest::Call, CreateError>, Vec<String>) {
    let reply = Reply::Answer(status, answer.to_owned());
    let server = Server::start(vec![reply.clone(), reply]).await;
    let theirs = told(&server.address, &[ACCOUNT, SECRET, FROM, TO, VOICE, STATUS]).await;
    let ours = server.client().create_call(&the_same()).await;
    (theirs, ours, server.requests())
}

/// A call as Twilio answers its creation.
fn fresh_call() -> String {
    let root = format!("/2010-04-01/Accounts/{ACCOUNT}/Calls/{CALL}");
    format!(
        r#"{{"sid":"{CALL}","account_sid":"{ACCOUNT}","parent_call_sid":null,"to":"{TO}","to_formatted":"(415) 555-0100",
        "from":"{FROM}","from_formatted":"(500) 555-0006","phone_number_sid":"PN1","status":"queued","start_time":null,
        "end_time":null,"duration":null,"price":null,"price_unit":"USD","direction":"outbound-api","answered_by":null,
        "annotation":null,"api_version":"2010-04-01","forwarded_from":null,"group_sid":null,"caller_name":null,
        "queue_time":"0","trunk_sid":null,"date_created":null,"date_updated":null,"uri":"{root}.json",
        "subresource_uris":{{"recordings":"{root}/Recordings.json"}}}}"#
    )
}

/// A header of a request.
fn header<'r>(request: &'r str, wanted: &str) -> &'r str {
    let head = request.split("\r\n\r\n").next().unwrap_or_default();
    let mut named = head.lines().filter_map(|line| line.split_once(':'));
    named
        .find(|(name, _)| name.eq_ignore_ascii_case(wanted))
        .map(|(_, value)| value.trim())
        .unwrap_or_default()
}

fn sorted(request: &str) -> Vec<(String, String)> {
    let mut form = decode_form(body(request).as_bytes());
    form.sort();
    form
}

#[tokio::test]
async fn both_clients_send_the_same_and_read_the_same_of_the_answer() {
    let (theirs, ours, requests) = both(201, &fresh_call()).await;
    let [their, our] = requests.as_slice() else { panic!("{requests:?}") };
    assert_eq!(their.lines().next(), our.lines().next(), "method and path");
    for name in ["authorization", "content-type"] {
        assert_eq!(header(their, name), header(our, name), "{name}");
        assert!(!header(our, name).is_empty(), "{name}");
    }
    assert_eq!(sorted(their), sorted(our));

    let (call, told) = (ours.unwrap(), &theirs["answer"]);
    let status = call.status.unwrap().to_string();
    let direction = call.direction.unwrap().to_string().replace('-', "_");
    for (name, ours) in [
        ("sid", Some(call.sid.to_string())),
        ("account_sid", call.account_sid.map(|sid| sid.to_string())),
        ("from", call.from),
        ("to", call.to),
        ("uri", call.uri),
        ("status", Some(status)),
        ("direction", Some(direction)),
    ] {
        assert_eq!(told[name].as_str(), ours.as_deref(), "{name} of {told}");
    }
}

#[tokio::test]
async fn both_clients_read_the_same_of_a_refusal() {
    for (status, code, message) in [
        (400, 21211, "The phone number is not valid"),
        (401, 20003, "Authenticate"),
        (429, 20429, "Too Many"),
    ] {
        let answer = format!(
            r#"{{"code":{code},"message":"{message}","more_info":"https://example.com/{code}","status":{status}}}"#
        );
        let (theirs, ours, _) = both(status, &answer).await;
        let told = &theirs["refused"];
        let CreateError::NotPlaced { cause: Error::Api(refused), .. } = ours.unwrap_err() else {
            panic!("{told}")
        };
        assert_eq!(
            (told["code"].as_u64(), told["status"].as_u64(), told["message"].as_str()),
            (refused.code.map(u64::from), Some(refused.status.into()), Some(refused.message.as_str())),
            "{told}"
        );
    }
}

/// What its document means.
fn meant() -> Response {
    let say = Say {
        voice: Some("woman".to_owned()),
        language: Some("de-DE".to_owned()),
        loop_: Some(1),
        text: "Fish & chips, \"ä\"".to_owned(),
    };
    let url = Some("https://app.example/a.mp3?a=1&b=2".to_owned());
    let play = Play { url, digits: None, loop_: Some(1) };
    let redirect = Redirect { method: Some(HttpMethod::Post), url: "https://app.example/next".to_owned() };
    Response::new(vec![say.into(), play.into(), redirect.into()])
}

/// The same list for all spellings of a document: elements with their attributes in order, and texts.
fn spelled_out(xml: &str) -> Vec<String> {
    let mut reader = Reader::from_str(xml);
    let mut found: Vec<String> = Vec::new();
    let opened = |start: &BytesStart<'_>| {
        let attributes = start.attributes().map(|a| a.unwrap());
        let mut all: Vec<_> = attributes.map(|a| format!("{}={}", a.key.as_ref(), a.value)).collect();
        all.sort();
        format!("<{} {}>", start.name().as_ref(), all.join(" "))
    };
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return found,
            Event::Start(start) => found.push(opened(&start)),
            Event::Empty(start) => found.extend([opened(&start), "end".to_owned()]),
            Event::End(_) => found.push("end".to_owned()),
            Event::Text(text) if text.trim().is_empty() => {}
            Event::Text(text) => found.push(text.to_string()),
            Event::GeneralRef(reference) => found.push(format!("&{};", &*reference)),
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_document_of_twilio_async_means_to_our_reader_what_it_meant() {
    let document = told("", &[]).await;
    let document = document.as_str().unwrap();
    let found = read(document.as_bytes()).unwrap();
    assert_eq!(found.response, meant(), "{document}");
    assert_eq!(found.warnings, []);
}

#[tokio::test]
async fn our_writer_writes_what_twilio_async_writes() {
    let document = told("", &[]).await;
    let quotes = |xml: &str| xml.replace("&quot;", "\"");
    let theirs = spelled_out(&quotes(document.as_str().unwrap()));
    assert_eq!(spelled_out(&quotes(&meant().to_xml())), theirs, "{document}");
}
