//! A person rings the account's number.

use serde_json::json;

use crate::harness::{NUMBER, Sandbox, ask, bye, text};
use crate::receiver::Receiver;

const CALLER: &str = "+14155550117";

/// Gives the number a voice URL and a status callback, and lets the caller ring.
async fn ring(sandbox: &Sandbox, receiver: &Receiver) -> String {
    let (_, page) = sandbox.get("/IncomingPhoneNumbers.json").await;
    let sid = text(&page["incoming_phone_numbers"][0]["sid"]).to_owned();
    let (voice, status) =
        (format!("{}/voice?bot_id=bot_1", receiver.url), format!("{}/status", receiver.url));
    let form = [("VoiceUrl", voice.as_str()), ("StatusCallback", status.as_str())];
    assert_eq!(sandbox.post(&format!("/IncomingPhoneNumbers/{sid}.json"), &form).await.0, 200);
    let (status, answer) = sandbox.control("incoming", json!({"from": CALLER, "to": NUMBER})).await;
    assert_eq!(status, 201, "{answer}");
    text(&answer["call_sid"]).to_owned()
}

#[tokio::test]
async fn a_caller_books_a_table() {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::start(|got, before| match (got.path.as_str(), before) {
        ("/voice", _) => (200, ask("Hello, how can I help you?", "/heard")),
        ("/heard", 0) => (200, ask("For how many people?", "/heard")),
        ("/heard", 1) => (200, ask("What time?", "/heard")),
        ("/heard", _) => (200, bye("Your table is booked.")),
        _ => (200, String::new()),
    });
    let sid = ring(&sandbox, &receiver).await;
    let all = receiver.until_the_end().await;
    let voice = &all[0];
    assert_eq!((voice.path.as_str(), voice.query.as_str()), ("/voice", "bot_id=bot_1"));
    assert_eq!((voice.get("CallStatus"), voice.get("Direction")), ("ringing", "inbound"));
    assert_eq!((voice.get("From"), voice.get("To"), voice.get("CallSid")), (CALLER, NUMBER, sid.as_str()));
    let said: Vec<_> =
        all.iter().filter(|got| got.path == "/heard").map(|got| got.get("SpeechResult")).collect();
    assert_eq!(
        said,
        ["I would like to book a table, please.", "For four people.", "Tomorrow at seven in the evening."]
    );
    let reports: Vec<_> = all.iter().filter(|got| got.path == "/status").collect();
    assert_eq!(reports.len(), 1, "an inbound call reports its end only");
    assert_eq!(reports[0].get("CallStatus"), "completed");
}

#[tokio::test]
async fn a_caller_is_shown_as_the_carrier_likes() {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::with(&[("/voice", &bye("Hello."))]);
    ring(&sandbox, &receiver).await;
    assert_eq!(receiver.next_at("/voice").await.get("From"), CALLER);
    for (who, shown) in [(json!({"hidden": true}), "anonymous"), (json!({"shown": "555-0117"}), "555-0117")] {
        let mut wanted = json!({"from": CALLER, "to": NUMBER});
        wanted.as_object_mut().unwrap().extend(who.as_object().unwrap().clone());
        assert_eq!(sandbox.control("incoming", wanted).await.0, 201);
        assert_eq!(receiver.next_at("/voice").await.get("From"), shown);
    }
}

#[tokio::test]
async fn a_call_is_refused_without_being_answered() {
    for (reason, status) in [("busy", "busy"), ("rejected", "no-answer")] {
        let sandbox = Sandbox::start();
        let document = format!("<Response><Reject reason=\"{reason}\"/></Response>");
        let mut receiver = Receiver::with(&[("/voice", &document)]);
        let sid = ring(&sandbox, &receiver).await;
        assert_eq!(receiver.until_the_end().await.last().unwrap().get("CallStatus"), status);
        let (_, call) = sandbox.get(&format!("/Calls/{sid}.json")).await;
        assert!(call["start_time"].is_null() && call["duration"].is_null());
    }
}

#[tokio::test]
async fn a_number_without_a_voice_url_cannot_be_rung() {
    let sandbox = Sandbox::start();
    let (status, answer) = sandbox.control("incoming", json!({"from": CALLER, "to": NUMBER})).await;
    assert_eq!(status, 409);
    assert!(text(&answer["error"]).contains("VoiceUrl"));
    let (status, _) = sandbox.control("incoming", json!({"from": CALLER, "to": "+15005550999"})).await;
    assert_eq!(status, 404);
}
