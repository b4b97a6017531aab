//! Calls: created, fetched, changed while they run, listed, deleted.

use serde_json::{Value, json};
use testkit::wait::eventually;

use super::{Client, PATIENCE, both};
use crate::harness::{ACCOUNT, NUMBER, Sandbox, bye, text};
use crate::receiver::Receiver;
use echo_sandbox_carrier::Happening;

const SOMEBODY: &str = "+14155552671";
const NOBODY_ANSWERS: &str = "+14155550105";
const DATES: [&str; 4] = ["date_created", "date_updated", "start_time", "end_time"];

/// A call that stays until somebody ends it.
const STAYS: &str = "<Response><Pause length=\"3600\"/></Response>";

/// Slow enough that a call is still there when a library has something to say about it.
fn patient() -> Sandbox {
    Sandbox::at_speed(20.0)
}

/// What a client says to create a call whose document and callbacks are the receiver's.
fn creation(to: &str, receiver: &Receiver) -> Value {
    json!({
        "to": to, "from": NUMBER, "url": format!("{}/voice", receiver.url), "timeout": 600,
        "status_callback": format!("{}/status", receiver.url),
        "status_callback_event": ["initiated", "ringing", "answered", "completed"],
    })
}

fn date(value: &Value) -> &str {
    value["date"].as_str().unwrap_or_else(|| panic!("a library read no date but {value}"))
}

/// The names of the properties that hold nothing. `stir_verstat` only one of the libraries knows.
fn empty(call: &Value) -> Vec<&str> {
    let fields = call.as_object().unwrap().iter();
    fields
        .filter(|(name, value)| value.is_null() && *name != "stir_verstat")
        .map(|(name, _)| name.as_str())
        .collect()
}

/// Asks for a call until its price is known.
async fn billed(client: &mut Client, sid: &str) -> Value {
    let client = tokio::sync::Mutex::new(client);
    eventually("a price", PATIENCE, || async {
        let call = client.lock().await.fetches(sid).await;
        if call["price"].is_null() { Err(call) } else { Ok(call) }
    })
    .await
}

#[tokio::test]
async fn a_new_call_comes_back_with_everything_that_is_known_of_it() {
    let sandbox = Sandbox::start();
    let receiver = Receiver::with(&[("/voice", &bye("Hello."))]);
    for mut client in both(&sandbox).await {
        let call = client.creates(creation(SOMEBODY, &receiver)).await;
        for (name, value) in [
            ("account_sid", ACCOUNT),
            ("api_version", "2010-04-01"),
            ("direction", "outbound-api"),
            ("from", NUMBER),
            ("from_formatted", "(500) 555-0100"),
            ("price_unit", "XTS"),
            ("queue_time", "0"),
            ("status", "queued"),
            ("to", SOMEBODY),
            ("to_formatted", "(415) 555-2671"),
        ] {
            assert_eq!(call[name], value, "{}: {name}", client.name);
        }
        assert!(
            text(&call["sid"]).starts_with("CA") && text(&call["phone_number_sid"]).starts_with("PN"),
            "{call}"
        );
        let path = format!("/2010-04-01/Accounts/{ACCOUNT}/Calls/{}", text(&call["sid"]));
        assert_eq!(call["uri"], format!("{path}.json"));
        assert_eq!(call["subresource_uris"]["recordings"], format!("{path}/Recordings.json"));
        let mut unknown = empty(&call);
        unknown.sort_unstable();
        let expected = [
            "answered_by",
            "caller_name",
            "date_created",
            "date_updated",
            "duration",
            "end_time",
            "forwarded_from",
            "group_sid",
            "parent_call_sid",
            "price",
            "start_time",
            "trunk_sid",
        ];
        assert_eq!(unknown, expected, "{}", client.name);
    }
}

#[tokio::test]
async fn a_call_that_is_over_has_dates_a_duration_and_a_price() {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::with(&[("/voice", &bye("Hello."))]);
    let mut clients = both(&sandbox).await;
    let mut wanted = creation(SOMEBODY, &receiver);
    wanted["machine_detection"] = json!("Enable");
    let sid = text(&clients[0].creates(wanted).await["sid"]).to_owned();
    receiver.until_the_end().await;
    let mut seen = Vec::new();
    for client in &mut clients {
        let mut call = billed(client, &sid).await;
        let [created, updated, started, ended] = DATES.map(|name| date(&call[name]));
        assert!(created <= started && started <= ended && ended <= updated, "{call}");
        assert_eq!((&call["status"], &call["answered_by"]), (&json!("completed"), &json!("human")));
        assert!(text(&call["duration"]).parse::<u64>().unwrap() > 0, "{call}");
        assert_eq!(call["price"], "-0.0140");
        call.as_object_mut().unwrap().remove("stir_verstat");
        seen.push(call);
    }
    assert_eq!(seen[0], seen[1], "the libraries read the same");
}

#[tokio::test]
async fn a_running_call_is_ended() {
    let mut sandbox = patient();
    let mut receiver = Receiver::with(&[("/voice", STAYS)]);
    for mut client in both(&sandbox).await {
        let sid = text(&client.creates(creation(SOMEBODY, &receiver)).await["sid"]).to_owned();
        receiver.next_at("/voice").await;
        assert_eq!(client.fetches(&sid).await["status"], "in-progress", "{}", client.name);
        assert_eq!(client.updates(&sid, json!({"status": "completed"})).await["sid"], sid.as_str());
        assert_eq!(sandbox.until_over().await.0, "completed");
        assert_eq!(client.fetches(&sid).await["status"], "completed");
    }
}

#[tokio::test]
async fn a_ringing_call_is_canceled() {
    let mut sandbox = patient();
    let receiver = Receiver::with(&[]);
    for mut client in both(&sandbox).await {
        let sid = text(&client.creates(creation(NOBODY_ANSWERS, &receiver)).await["sid"]).to_owned();
        sandbox.until(|what| matches!(what, Happening::Ringing)).await;
        assert_eq!(client.fetches(&sid).await["status"], "ringing", "{}", client.name);
        client.updates(&sid, json!({"status": "canceled"})).await;
        assert_eq!(sandbox.until_over().await.0, "canceled");
        let call = client.fetches(&sid).await;
        assert_eq!((&call["status"], &call["duration"]), (&json!("canceled"), &Value::Null));
    }
}

#[tokio::test]
async fn a_running_call_goes_on_with_another_document() {
    let mut sandbox = patient();
    let mut receiver = Receiver::with(&[("/voice", STAYS), ("/other", &bye("From the other address."))]);
    let other = format!("{}/other?a=1&b=2", receiver.url);
    for mut client in both(&sandbox).await {
        for (with, words) in [
            (
                json!({"twiml": bye("Words & <more>.".replace('&', "&amp;").replace('<', "&lt;").as_str())}),
                "Words & <more>.",
            ),
            (json!({"url": other, "method": "GET"}), "From the other address."),
        ] {
            let sid = text(&client.creates(creation(SOMEBODY, &receiver)).await["sid"]).to_owned();
            receiver.next_at("/voice").await;
            assert_eq!(client.updates(&sid, with.clone()).await["status"], "in-progress", "{}", client.name);
            assert_eq!(sandbox.until_over().await.0, "completed");
            let said = sandbox.transcript(&sid).await;
            assert!(said.contains(&format!("agent: {words}")), "{}: {said:?}", client.name);
            if with["url"].is_string() {
                let asked = receiver.next_at("/other").await;
                assert_eq!(
                    (asked.method.as_str(), asked.get("b"), asked.get("CallSid")),
                    ("GET", "2", sid.as_str())
                );
            }
        }
    }
}

/// Calls that are over, in the order of their creation: their sids.
async fn made(sandbox: &Sandbox, receiver: &mut Receiver, numbers: &[&str]) -> Vec<String> {
    let mut sids = Vec::new();
    for to in numbers {
        sids.push(sandbox.call(to, &receiver.url, &[]).await);
        receiver.until_the_end().await;
    }
    sids
}

fn listed(calls: &Value) -> Vec<&str> {
    calls.as_array().unwrap().iter().map(|call| text(&call["sid"])).collect()
}

#[tokio::test]
async fn calls_are_listed_page_by_page_and_back() {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::with(&[("/voice", &bye("Hello."))]);
    let [a, b] = ["+14155550190", "+14155550191"];
    let sids = made(&sandbox, &mut receiver, &[a, b, a, b, a]).await;
    let page = |indices: &[usize]| -> Vec<String> { indices.iter().map(|i| sids[*i].clone()).collect() };
    let list = |with: Value| json!({"at": ["calls"], "do": "list", "with": with});
    let pages = |with: Value| json!({"at": ["calls"], "do": "pages", "with": with});
    for mut client in both(&sandbox).await {
        let all = client.asks(list(json!({"page_size": 2}))).await;
        assert_eq!(listed(&all), page(&[4, 3, 2, 1, 0]), "{}", client.name);
        let some = client.asks(list(json!({"page_size": 2, "limit": 3}))).await;
        assert_eq!(listed(&some), page(&[4, 3, 2]), "{}", client.name);
        let by_page = client.asks(pages(json!({"page_size": 2}))).await;
        let there_and_back = [page(&[4, 3]), page(&[2, 1]), page(&[0]), page(&[2, 1]), page(&[4, 3])];
        assert_eq!(by_page, json!(there_and_back), "{}", client.name);
        // What is asked for holds on every page.
        let to_one = client.asks(pages(
            json!({"page_size": 1, "to": b, "start_time_after": {"date": "2020-01-01T00:00:00Z"}}),
        ));
        assert_eq!(to_one.await, json!([page(&[3]), page(&[1]), page(&[3])]), "{}", client.name);
    }
}

#[tokio::test]
async fn calls_are_found_by_number_status_and_time() {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::with(&[("/voice", &bye("Hello."))]);
    let sids = made(&sandbox, &mut receiver, &["+14155550190", "+14155550104", "+14155550191"]).await;
    let (first, busy, last) = (sids[0].as_str(), sids[1].as_str(), sids[2].as_str());
    for mut client in both(&sandbox).await {
        let call = client.fetches(last).await;
        let began = call["start_time"].clone();
        for (with, expected) in [
            (json!({"to": "+14155550190"}), vec![first]),
            (json!({"from": NUMBER}), vec![last, busy, first]),
            (json!({"from": "+14155550190"}), vec![]),
            (json!({"status": "busy"}), vec![busy]),
            (json!({"status": "completed"}), vec![last, first]),
            (json!({"status": "completed", "to": "+14155550191"}), vec![last]),
            // The moment that the call itself shows.
            (json!({"to": "+14155550191", "start_time": began}), vec![last]),
            (json!({"to": "+14155550191", "start_time_before": began}), vec![last]),
            (json!({"to": "+14155550191", "start_time_after": began}), vec![last]),
            (json!({"to": "+14155550191", "end_time": call["end_time"]}), vec![last]),
            (json!({"start_time_before": {"date": "2020-01-01T00:00:00Z"}}), vec![]),
            (json!({"start_time_after": {"date": "2020-01-01T00:00:00Z"}}), vec![last, first]),
            // A day, as a text.
            (json!({"start_time": text(&began["date"])[..10]}), vec![last, first]),
        ] {
            let found = client.asks(json!({"at": ["calls"], "do": "list", "with": with})).await;
            assert_eq!(listed(&found), expected, "{}: {with}", client.name);
        }
    }
}

#[tokio::test]
async fn a_call_is_deleted_when_it_is_over() {
    let mut sandbox = patient();
    let mut receiver = Receiver::with(&[("/voice", STAYS)]);
    for mut client in both(&sandbox).await {
        let sid = text(&client.creates(creation(SOMEBODY, &receiver)).await["sid"]).to_owned();
        receiver.next_at("/voice").await;
        let delete = json!({"at": ["calls", sid], "do": "delete"});
        assert_eq!(client.is_refused(delete.clone()).await.code, 20009, "{}", client.name);
        client.updates(&sid, json!({"status": "completed"})).await;
        sandbox.until_over().await;
        assert_eq!(client.asks(delete.clone()).await, json!(true), "{}", client.name);
        assert_eq!(client.is_refused(delete).await.code, 20404);
        let gone = client.is_refused(json!({"at": ["calls", sid], "do": "fetch"})).await;
        assert_eq!((gone.status, gone.code), (404, 20404), "{gone:?}");
    }
}
