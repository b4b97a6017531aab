//! The crate twilio-async as a witness that nobody of Twilio's or ours wrote. It can create calls and write documents, and reads
//! no other answer than that to a creation (see the README of `crates/twilio`).

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::Value;
use tokio::process::Command;
use twilio::twiml::{Play, Redirect, Response, Say, read};

use super::HERE;
use crate::harness::{ACCOUNT, NUMBER, Sandbox, TOKEN, bye, text};
use crate::receiver::Receiver;

/// The program, which Cargo builds by itself: its dependencies have no place in the workspace.
fn built() -> PathBuf {
    static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("twilio-async");
        let cargo = std::process::Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--locked", "--target-dir"])
            .arg(&target)
            .current_dir(Path::new(HERE).join("twilio_async"))
            .output()
            .unwrap();
        assert!(cargo.status.success(), "{}", String::from_utf8_lossy(&cargo.stderr));
        target.join("debug/echo-twilio-async-witness")
    });
    BUILT.clone()
}

async fn told(carrier: &str, arguments: &[&str]) -> Value {
    let program = tokio::task::spawn_blocking(built).await.unwrap();
    let ended = Command::new(program).args(arguments).env("CARRIER", carrier).output().await.unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    serde_json::from_slice(&ended.stdout).unwrap()
}

#[tokio::test]
async fn twilio_async_creates_a_call_and_reads_the_answer() {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::with(&[("/voice", &bye("Hello."))]);
    let (voice, status) = (format!("{}/voice?a=1&b=2", receiver.url), format!("{}/status", receiver.url));
    let told = told(&sandbox.url, &[ACCOUNT, TOKEN, NUMBER, "+14155552671", &voice, &status]).await;
    let call = &told["answer"];
    for (name, value) in [
        ("account_sid", ACCOUNT),
        ("from", NUMBER),
        ("to", "+14155552671"),
        ("status", "queued"),
        ("direction", "outbound_api"),
    ] {
        assert_eq!(call[name], value, "{told}");
    }
    let all = receiver.until_the_end().await;
    let [asked, over] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!(
        (asked.path.as_str(), asked.query.as_str(), asked.get("AnsweredBy")),
        ("/voice", "a=1&b=2", "human")
    );
    assert_eq!((over.get("CallSid"), over.get("CallStatus")), (text(&call["sid"]), "completed"));
}

#[tokio::test]
async fn twilio_async_reads_a_refusal() {
    let sandbox = Sandbox::start();
    for (token, to, code, status) in
        [(TOKEN, "+14155550112", 21211, 400), ("wrong", "+14155552671", 20003, 401)]
    {
        let url = "https://app.example/voice";
        let told = told(&sandbox.url, &[ACCOUNT, token, NUMBER, to, url, url]).await;
        let refused = &told["refused"];
        assert_eq!((&refused["code"], &refused["status"]), (&code.into(), &status.into()), "{told}");
    }
}

#[tokio::test]
async fn our_reader_understands_a_document_of_twilio_async() {
    let document = told("", &[]).await;
    let found = read(text(&document).as_bytes()).unwrap();
    let say = Say {
        voice: Some("woman".to_owned()),
        language: Some("de-DE".to_owned()),
        loop_: Some(1),
        text: "Fish & chips, \"ä\"".to_owned(),
    };
    let play =
        Play { url: Some("https://app.example/a.mp3?a=1&b=2".to_owned()), digits: None, loop_: Some(1) };
    let redirect =
        Redirect { method: Some(twilio::HttpMethod::Post), url: "https://app.example/next".to_owned() };
    assert_eq!(found.response, Response::new(vec![say.into(), play.into(), redirect.into()]), "{document}");
    assert_eq!(found.warnings, []);
}
