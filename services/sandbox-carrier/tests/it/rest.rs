//! The REST slice: credentials, errors, shapes, pages.

use serde_json::json;

use crate::harness::{ACCOUNT, KEY, NUMBER, Sandbox, TOKEN, bye, text};
use crate::receiver::Receiver;

async fn status_as(sandbox: &Sandbox, path: &str, user: &str, password: &str) -> (u16, u64) {
    let response = sandbox.http.get(sandbox.at(path)).basic_auth(user, Some(password)).send().await.unwrap();
    let status = response.status().as_u16();
    let body: serde_json::Value = response.json().await.unwrap();
    (status, body["code"].as_u64().unwrap_or(0))
}

#[tokio::test]
async fn every_request_is_written_down_without_its_credentials() {
    let sandbox = Sandbox::start();
    let receiver = Receiver::with(&[]);
    let sid = sandbox.call("+14155550104", &receiver.url, &[]).await;
    sandbox.get("/Calls.json?To=%2B14155550104").await;
    sandbox.post(&format!("/Calls/{sid}.json"), &[("Status", "paused")]).await;
    let asked = sandbox.look("requests").await;
    let seen: Vec<_> =
        asked.as_array().unwrap().iter().map(|one| (text(&one["method"]), one["status"].as_u64())).collect();
    assert_eq!(seen, [("POST", Some(201)), ("GET", Some(200)), ("POST", Some(400))], "{asked}");
    assert_eq!(asked[0]["parameters"][0], json!(["To", "+14155550104"]));
    assert_eq!(asked[1]["parameters"], json!([["To", "+14155550104"]]));
    assert!(text(&asked[2]["path"]).ends_with(&format!("/Calls/{sid}.json")));
    assert!(!asked.to_string().contains(TOKEN));
}

#[tokio::test]
async fn an_account_may_be_a_trial_barred_or_suspended() {
    let sandbox = Sandbox::start();
    let form = |to: &'static str| [("To", to), ("From", NUMBER), ("Url", "http://127.0.0.1:9/voice")];
    for (switches, status, code) in [
        (json!({"trial": true}), 400, 21219),
        (json!({"barred": ["+1415"]}), 400, 21215),
        (json!({"suspended": true}), 403, 20005),
    ] {
        sandbox.control("nasty", switches).await;
        let (found, error) = sandbox.post("/Calls.json", &form("+14155550104")).await;
        assert_eq!((found, error["code"].as_u64()), (status, Some(code)));
    }
    assert_eq!(sandbox.get(".json").await.1["status"], "suspended");
    sandbox.control("nasty", json!({"trial": true, "verified": ["+14155550104"]})).await;
    assert_eq!(sandbox.post("/Calls.json", &form("+14155550104")).await.0, 201);
    assert_eq!(sandbox.get(".json").await.1["type"], "Trial");
}

#[tokio::test]
async fn only_the_account_s_credentials_open_the_door() {
    let sandbox = Sandbox::start();
    assert_eq!(status_as(&sandbox, ".json", ACCOUNT, TOKEN).await, (200, 0));
    assert_eq!(status_as(&sandbox, ".json", ACCOUNT, "wrong").await, (401, 20003));
    let without = sandbox.http.get(sandbox.at(".json")).send().await.unwrap();
    assert_eq!(without.status(), 401);
    let other = format!("{}/2010-04-01/Accounts/AC{}.json", sandbox.url, "f".repeat(32));
    let foreign = sandbox.http.get(other).basic_auth(ACCOUNT, Some(TOKEN)).send().await.unwrap();
    assert_eq!(foreign.status(), 401);
}

#[tokio::test]
async fn an_api_key_opens_all_but_the_account() {
    let sandbox = Sandbox::start();
    assert_eq!(status_as(&sandbox, "/IncomingPhoneNumbers.json", KEY.0, KEY.1).await, (200, 0));
    assert_eq!(status_as(&sandbox, ".json", KEY.0, KEY.1).await, (401, 20003));
}

#[tokio::test]
async fn what_is_not_there_is_not_found_and_what_cannot_be_done_is_not_allowed() {
    let sandbox = Sandbox::start();
    let unknown = format!("/Calls/CA{}.json", "0".repeat(32));
    for path in [unknown.as_str(), "/Calls/CA1.json", "/Messages.json"] {
        let (status, error) = sandbox.get(path).await;
        assert_eq!((status, &error["code"]), (404, &20404.into()), "{path}");
        assert!(text(&error["message"]).contains(path), "{error}");
    }
    let malformed = format!("{}/2010-04-01/Accounts/AC1/Calls.json", sandbox.url);
    assert_eq!(sandbox.http.get(malformed).send().await.unwrap().status(), 404);
    let request = sandbox.http.delete(sandbox.at("/Calls.json")).basic_auth(ACCOUNT, Some(TOKEN));
    assert_eq!(request.send().await.unwrap().status(), 405);
}

#[tokio::test]
async fn a_fresh_call_has_twilio_s_shape() {
    let sandbox = Sandbox::start();
    let form = [("To", "+14155552671"), ("From", NUMBER), ("Url", "http://127.0.0.1:9/voice")];
    let (status, call) = sandbox.post("/Calls.json", &form).await;
    assert_eq!(status, 201);
    assert_eq!((&call["status"], &call["direction"]), (&"queued".into(), &"outbound-api".into()));
    assert_eq!(call["to_formatted"], "(415) 555-2671");
    for name in ["start_time", "end_time", "duration", "price", "date_created", "answered_by"] {
        assert!(call[name].is_null(), "{name}");
    }
    let sid = text(&call["sid"]);
    assert_eq!(call["uri"], format!("/2010-04-01/Accounts/{ACCOUNT}/Calls/{sid}.json"));
    assert_eq!(text(&call["phone_number_sid"]).len(), 34);
}

#[tokio::test]
async fn a_wrong_creation_is_refused_in_twilio_s_envelope() {
    let sandbox = Sandbox::start();
    for (form, code) in [
        (vec![("To", "+14155552671"), ("Url", "http://h/v")], 21213),
        (vec![("To", "+14155550112"), ("From", NUMBER), ("Url", "http://h/v")], 21211),
        (vec![("To", "+14155552671"), ("From", NUMBER), ("Url", "voice")], 21205),
    ] {
        let (status, error) = sandbox.post("/Calls.json", &form).await;
        assert_eq!((status, &error["status"], &error["code"]), (400, &400.into(), &code.into()));
        assert_eq!(error["more_info"], format!("https://www.twilio.com/docs/errors/{code}"));
    }
    assert_eq!(sandbox.look("calls").await, json!([]));
}

#[tokio::test]
async fn the_list_is_filtered_and_paged() {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::with(&[("/voice", &bye("Hello."))]);
    let mut sids = Vec::new();
    for to in ["+14155550190", "+14155550191", "+14155550190"] {
        sids.push(sandbox.call(to, &receiver.url, &[]).await);
        receiver.until_the_end().await;
    }
    let (_, page) = sandbox.get("/Calls.json?PageSize=2").await;
    let listed = |page: &serde_json::Value| -> Vec<String> {
        page["calls"].as_array().unwrap().iter().map(|call| text(&call["sid"]).to_owned()).collect()
    };
    assert_eq!(listed(&page), [sids[2].clone(), sids[1].clone()]);
    let next = format!("{}{}", sandbox.url, text(&page["next_page_uri"]));
    let next = sandbox.http.get(next).basic_auth(ACCOUNT, Some(TOKEN)).send().await.unwrap();
    let next: serde_json::Value = next.json().await.unwrap();
    assert_eq!((listed(&next), next["next_page_uri"].is_null()), (vec![sids[0].clone()], true));
    assert!(next["previous_page_uri"].is_string());

    let (_, to) = sandbox.get("/Calls.json?To=%2B14155550190&Status=completed&StartTime%3E=2020-01-01").await;
    assert_eq!(listed(&to), [sids[2].clone(), sids[0].clone()]);
    let (_, nobody) = sandbox.get("/Calls.json?Status=busy").await;
    assert_eq!(listed(&nobody), [""; 0]);
    let (status, error) = sandbox.get("/Calls.json?PageSize=1001").await;
    assert_eq!((status, &error["code"]), (400, &20007.into()));
}

#[tokio::test]
async fn a_call_is_deleted_only_when_it_is_over() {
    let mut sandbox = Sandbox::at_speed(50.0);
    let mut receiver = Receiver::with(&[("/voice", "<Response><Pause length=\"3600\"/></Response>")]);
    let sid = sandbox.call("+14155552671", &receiver.url, &[]).await;
    let path = format!("/Calls/{sid}.json");
    let delete = || sandbox.http.delete(sandbox.at(&path)).basic_auth(ACCOUNT, Some(TOKEN)).send();
    let early = delete().await.unwrap();
    assert_eq!(early.status(), 400);
    assert_eq!(early.json::<serde_json::Value>().await.unwrap()["code"], 20009);
    receiver.next_at("/voice").await;
    sandbox.post(&path, &[("Status", "completed")]).await;
    sandbox.until_over().await;
    let delete = sandbox.http.delete(sandbox.at(&path)).basic_auth(ACCOUNT, Some(TOKEN));
    assert_eq!(delete.send().await.unwrap().status(), 204);
    assert_eq!(sandbox.get(&path).await.0, 404);
}

#[tokio::test]
async fn the_number_is_found_and_configured() {
    let sandbox = Sandbox::start();
    let (_, page) = sandbox.get("/IncomingPhoneNumbers.json?PhoneNumber=%2B15005550100").await;
    let number = &page["incoming_phone_numbers"][0];
    assert_eq!((&number["phone_number"], &number["capabilities"]["voice"]), (&NUMBER.into(), &true.into()));
    let path = format!("/IncomingPhoneNumbers/{}.json", text(&number["sid"]));
    let (status, changed) =
        sandbox.post(&path, &[("VoiceUrl", "https://h.example/v"), ("VoiceMethod", "GET")]).await;
    assert_eq!((status, &changed["voice_url"]), (200, &"https://h.example/v".into()));
    let (_, fetched) = sandbox.get(&path).await;
    assert_eq!(
        (&fetched["voice_url"], &fetched["voice_method"]),
        (&"https://h.example/v".into(), &"GET".into())
    );
    let (status, error) = sandbox.post(&path, &[("VoiceUrl", "nowhere")]).await;
    assert_eq!((status, &error["code"]), (400, &21402.into()));
    let unknown = format!("/IncomingPhoneNumbers/PN{}.json", "0".repeat(32));
    assert_eq!(sandbox.get(&unknown).await.0, 404);
}
