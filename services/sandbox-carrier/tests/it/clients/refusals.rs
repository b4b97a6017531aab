//! Mistakes: every one of them becomes the library's exception, with Twilio's code.

use serde_json::{Value, json};

use super::{Client, both, both_as};
use crate::harness::{ACCOUNT, KEY, NUMBER, Sandbox, bye, text};
use crate::receiver::Receiver;

/// A creation that is right but for what `with` puts in its place.
fn creation(with: Value) -> Value {
    let mut order = json!({"to": "+14155552671", "from": NUMBER, "url": "https://app.example/voice"});
    for (name, value) in with.as_object().unwrap() {
        order[name] = value.clone();
    }
    json!({"at": ["calls"], "do": "create", "with": order})
}

/// Lets the library make a mistake, and looks at all of its exception.
async fn refused(client: &mut Client, order: Value, status: u64, code: u64, words: &str) {
    let name = client.name;
    let told = format!("{name}: {order}");
    let refusal = client.is_refused(order).await;
    assert_eq!((refusal.status, refusal.code), (status, code), "{told}: {refusal:?}");
    assert!(refusal.message.contains(words), "{told}: {refusal:?}");
    let more_info = (name == "Node.js").then(|| format!("https://www.twilio.com/docs/errors/{code}"));
    assert_eq!(refusal.more_info, more_info, "{told}");
}

#[tokio::test]
async fn wrong_credentials_are_an_exception() {
    let sandbox = Sandbox::start();
    let account = json!({"at": ["accounts", ACCOUNT], "do": "fetch"});
    for mut client in both_as(&sandbox, ACCOUNT, "wrong").await {
        refused(&mut client, account.clone(), 401, 20003, "Authenticate").await;
        refused(&mut client, creation(json!({})), 401, 20003, "Authenticate").await;
    }
    for mut client in both_as(&sandbox, KEY.0, KEY.1).await {
        let numbers = client.asks(json!({"at": ["incoming_phone_numbers"], "do": "list", "with": {}})).await;
        assert_eq!(numbers[0]["phone_number"], NUMBER, "{}: an API key opens everything else", client.name);
        refused(&mut client, account.clone(), 401, 20003, "Authenticate").await;
    }
}

#[tokio::test]
async fn what_is_not_there_is_an_exception() {
    let sandbox = Sandbox::start();
    let (call, number) = (format!("CA{}", "0".repeat(32)), format!("PN{}", "0".repeat(32)));
    for mut client in both(&sandbox).await {
        for (at, path) in
            [(["calls", &call], "Calls"), (["incoming_phone_numbers", &number], "IncomingPhoneNumbers")]
        {
            let words = format!("/2010-04-01/Accounts/{ACCOUNT}/{path}/{}.json was not found", at[1]);
            refused(&mut client, json!({"at": at, "do": "fetch"}), 404, 20404, &words).await;
        }
        refused(
            &mut client,
            json!({"at": ["calls", call], "do": "update", "with": {"status": "completed"}}),
            404,
            20404,
            &call,
        )
        .await;
        refused(&mut client, json!({"at": ["calls", call], "do": "delete"}), 404, 20404, &call).await;
    }
}

#[tokio::test]
async fn a_wrong_creation_is_an_exception() {
    let sandbox = Sandbox::start();
    let long = format!("<Response><Say>{}</Say></Response>", "a".repeat(4000));
    for mut client in both(&sandbox).await {
        for (with, code, words) in [
            (json!({"to": ""}), 21201, "No 'To' number is specified"),
            (json!({"url": ""}), 21205, "Url"),
            (json!({"url": "voice"}), 21205, "voice"),
            (json!({"send_digits": "12x"}), 21206, "12x"),
            (json!({"timeout": 601}), 21208, "601"),
            (json!({"method": "PUT"}), 21209, "PUT"),
            (json!({"from": "+14155550999"}), 21210, "+14155550999"),
            (json!({"to": "+14155550112"}), 21211, "+14155550112 is not a valid phone number"),
            (json!({"to": "555"}), 21211, "555 is not a valid phone number"),
            (json!({"from": "anonymous"}), 21212, "anonymous"),
            (json!({"from": ""}), 21213, "No 'From' number is specified"),
            (json!({"application_sid": format!("AP{}", "0".repeat(32))}), 21218, "AP0"),
            (json!({"status_callback": "status"}), 21609, "StatusCallback"),
            (json!({"url": "", "twiml": long}), 32018, "4000"),
        ] {
            refused(&mut client, creation(with), 400, code, words).await;
        }
    }
    assert_eq!(sandbox.look("calls").await, json!([]), "nobody was rung");
}

#[tokio::test]
async fn a_change_of_a_call_that_is_over_or_not_yet_answered_is_an_exception() {
    let sandbox = Sandbox::at_speed(20.0);
    let mut receiver = Receiver::with(&[("/voice", &bye("Hello."))]);
    let over = sandbox.call("+14155552671", &receiver.url, &[]).await;
    receiver.until_the_end().await;
    let ringing = sandbox.call("+14155550105", &receiver.url, &[("Timeout", "600")]).await;
    for mut client in both(&sandbox).await {
        let update = |sid: &str, with: Value| json!({"at": ["calls", sid], "do": "update", "with": with});
        for (sid, with) in [
            (&over, json!({"status": "completed"})),
            (&over, json!({"status": "canceled"})),
            (&over, json!({"twiml": bye("Too late.")})),
            (&ringing, json!({"url": "https://app.example/too-early"})),
        ] {
            refused(&mut client, update(sid, with), 400, 21220, "Invalid call state").await;
        }
        refused(
            &mut client,
            update(&ringing, json!({"status_callback": "status"})),
            400,
            21609,
            "StatusCallback",
        )
        .await;
    }
}

#[tokio::test]
async fn a_wrong_setting_of_the_number_is_an_exception() {
    let sandbox = Sandbox::start();
    let (_, page) = sandbox.get("/IncomingPhoneNumbers.json").await;
    let sid = text(&page["incoming_phone_numbers"][0]["sid"]).to_owned();
    for mut client in both(&sandbox).await {
        for (with, code, words) in [
            (json!({"voice_url": "voice"}), 21402, "VoiceUrl"),
            (json!({"voice_method": "PUT"}), 21403, "PUT"),
            (json!({"voice_fallback_url": "https://app.example/f"}), 21405, "VoiceFallbackUrl"),
        ] {
            let order = json!({"at": ["incoming_phone_numbers", sid], "do": "update", "with": with});
            refused(&mut client, order, 400, code, words).await;
        }
    }
}

#[tokio::test]
async fn a_carrier_that_is_too_busy_or_broken_is_an_exception() {
    let sandbox = Sandbox::start();
    for mut client in both(&sandbox).await {
        sandbox.control("nasty", json!({"too_many_requests_next": 1})).await;
        refused(&mut client, creation(json!({})), 429, 20429, "Too Many Requests").await;
        sandbox.control("nasty", json!({"error_before_dialling_next": 1})).await;
        refused(&mut client, creation(json!({})), 500, 20500, "Internal server error").await;
    }
}

#[tokio::test]
async fn a_library_that_tries_again_when_the_carrier_was_too_busy_rings_once() {
    let sandbox = Sandbox::start();
    // Python's library does not.
    let [_, mut node] = both(&sandbox).await;
    sandbox.control("nasty", json!({"too_many_requests_next": 2})).await;
    let mut order = creation(json!({"url": "", "twiml": bye("Hello.")}));
    order["patiently"] = json!(true);
    let call = node.asks(order).await;
    let listed = sandbox.look("calls").await;
    assert_eq!((listed.as_array().unwrap().len(), &listed[0]["sid"]), (1, &call["sid"]), "{listed}");
    assert_eq!(sandbox.look("nasty").await["too_many_requests_next"], 0, "it was turned away twice");
}
