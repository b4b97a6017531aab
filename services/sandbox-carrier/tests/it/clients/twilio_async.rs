//! The crate twilio-async as a witness that nobody of Twilio's or ours wrote. It can create calls, and reads no other answer than
//! that to a creation (see the README of `crates/twilio`, whose tests have its documents read).

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use serde_json::Value;
use tokio::process::Command;

use crate::harness::{ACCOUNT, NUMBER, Sandbox, TOKEN, bye, text};
use crate::receiver::Receiver;

/// The program, which Cargo builds by itself: its dependencies have no place in the workspace.
fn built() -> PathBuf {
    static BUILT: LazyLock<PathBuf> = LazyLock::new(|| {
        let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../crates/twilio/tests/twilio_async");
        let products = Path::new(env!("CARGO_TARGET_TMPDIR"));
        testkit::beside::program(&from, "echo-twilio-async-witness", products)
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
