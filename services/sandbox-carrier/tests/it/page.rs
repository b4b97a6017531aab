//! The carrier's page, and what it asks for.

use serde_json::json;

use crate::harness::{ACCOUNT, MORE_NUMBERS, NUMBER, Sandbox, TOKEN, ask, text};
use crate::receiver::Receiver;

/// Wants a table.
const CALLER: &str = "+14155550117";

#[tokio::test]
async fn the_page_loads_nothing_from_elsewhere_and_runs_no_script_but_its_own() {
    let sandbox = Sandbox::start();
    for (path, kind) in
        [("/", "text/html"), ("/sandbox/v1/page.js", "text/javascript"), ("/sandbox/v1/page.css", "text/css")]
    {
        let answer = sandbox.http.get(format!("{}{path}", sandbox.url)).send().await.unwrap();
        let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert!(header("content-type").starts_with(kind), "{path}");
        let policy = header("content-security-policy");
        assert!(policy.starts_with("default-src 'none';") && !policy.contains("unsafe"), "{policy}");
        let page = answer.text().await.unwrap();
        assert!(!page.contains("http://") && !page.contains("https://"), "{path}");
        for inline in ["<style", " style=", " onclick=", "javascript:", "innerHTML"] {
            assert!(!page.contains(inline), "{path}: {inline}");
        }
    }
}

#[tokio::test]
async fn what_the_page_looks_for_is_on_it() {
    let sandbox = Sandbox::start();
    let get = async |path: &str| {
        sandbox.http.get(format!("{}{path}", sandbox.url)).send().await.unwrap().text().await.unwrap()
    };
    let (page, script) = (get("/").await, get("/sandbox/v1/page.js").await);
    let ids: Vec<&str> = script.split("at(\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(ids.len() > 10, "{ids:?}");
    for id in ids {
        assert!(page.contains(&format!("id=\"{id}\"")), "{id} is not on the page");
    }
    // Whatever is asked for has a label, and whatever is pressed is a button.
    for field in ["from", "to"] {
        assert!(page.contains(&format!("<label for=\"{field}\">")), "{field}");
    }
    assert!(page.contains("aria-live=\"polite\"") && page.contains("lang=\"en\""));
}

#[tokio::test]
async fn the_account_is_shown_with_its_token_and_all_its_numbers_to_whoever_asks_by_its_name() {
    let sandbox = Sandbox::start();
    let account = sandbox.look("account").await;
    assert_eq!((&account["account_sid"], &account["auth_token"]), (&json!(ACCOUNT), &json!(TOKEN)));
    let numbers: Vec<&str> =
        account["numbers"].as_array().unwrap().iter().map(|n| text(&n["number"])).collect();
    assert_eq!(numbers, [NUMBER, MORE_NUMBERS[0], MORE_NUMBERS[1]]);
    assert!(account["numbers"].as_array().unwrap().iter().all(|number| number["answers"] == json!(false)));

    let url = format!("{}/sandbox/v1/account", sandbox.url);
    let ask_as = async |host: &str| sandbox.http.get(&url).header("host", host).send().await.unwrap();
    for host in ["localhost:8089", "[::1]:8089", "192.168.1.9"] {
        assert_eq!(ask_as(host).await.status(), 200, "{host}");
    }
    // A name that somebody has pointed at this machine.
    for host in ["evil.example", "127.0.0.1.evil.example", ""] {
        let refused = ask_as(host).await;
        assert!(refused.status() == 403 || refused.status() == 400, "{host}");
        assert!(!refused.text().await.unwrap().contains(TOKEN));
    }
}

#[tokio::test]
async fn each_of_the_numbers_has_settings_of_its_own_and_is_rung_for_itself() {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::with(&[("/voice", &ask("How can I help you?", "/voice"))]);
    let (_, page) = sandbox.get("/IncomingPhoneNumbers.json").await;
    let numbers = page["incoming_phone_numbers"].as_array().unwrap().clone();
    assert_eq!(numbers.len(), 3);
    let second = numbers.iter().find(|number| number["phone_number"] == json!(MORE_NUMBERS[0])).unwrap();
    let (voice, status) = (format!("{}/voice", receiver.url), format!("{}/status", receiver.url));
    let form = [("VoiceUrl", voice.as_str()), ("StatusCallback", status.as_str())];
    let path = format!("/IncomingPhoneNumbers/{}.json", text(&second["sid"]));
    assert_eq!(sandbox.post(&path, &form).await.0, 200);
    let shown = sandbox.look("account").await;
    let answers: Vec<_> = shown["numbers"].as_array().unwrap().iter().map(|n| n["answers"].clone()).collect();
    assert_eq!(answers, [json!(false), json!(true), json!(false)]);

    let ring = |to: &'static str| sandbox.control("incoming", json!({"from": CALLER, "to": to}));
    assert_eq!((ring(NUMBER).await.0, ring(MORE_NUMBERS[1]).await.0), (409, 409));
    let (status, answer) = ring(MORE_NUMBERS[0]).await;
    assert_eq!(status, 201, "{answer}");
    let first = receiver.next().await;
    assert_eq!((first.get("From"), first.get("To")), (CALLER, MORE_NUMBERS[0]));
    let (_, call) = sandbox.get(&format!("/Calls/{}.json", text(&answer["call_sid"]))).await;
    assert_eq!(call["phone_number_sid"], second["sid"]);
}

#[tokio::test]
async fn a_caller_may_hide_their_number_and_is_who_they_are() {
    let sandbox = Sandbox::start();
    let mut receiver = Receiver::with(&[("/voice", &ask("How can I help you?", "/heard"))]);
    let (_, page) = sandbox.get("/IncomingPhoneNumbers.json").await;
    let path = format!("/IncomingPhoneNumbers/{}.json", text(&page["incoming_phone_numbers"][0]["sid"]));
    assert_eq!(sandbox.post(&path, &[("VoiceUrl", &format!("{}/voice", receiver.url))]).await.0, 200);
    let wanted = json!({"from": CALLER, "to": NUMBER, "hidden": true});
    assert_eq!(sandbox.control("incoming", wanted).await.0, 201);
    let (first, heard) = (receiver.next().await, receiver.next().await);
    assert_eq!((first.get("From"), first.get("FromCountry")), ("anonymous", ""));
    assert_eq!(heard.get("SpeechResult"), "I would like to book a table, please.");
}

#[tokio::test]
async fn the_latest_calls_are_listed_a_few_at_a_time() {
    let sandbox = Sandbox::start();
    let receiver = Receiver::with(&[]);
    for _ in 0..3 {
        sandbox.call("+14155550104", &receiver.url, &[]).await;
    }
    assert_eq!(sandbox.look("calls?limit=2").await.as_array().unwrap().len(), 2);
    assert_eq!(sandbox.look("calls").await.as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn the_numbers_are_listed_page_by_page() {
    let sandbox = Sandbox::start();
    let mut path = "/IncomingPhoneNumbers.json?PageSize=2".to_owned();
    let mut seen = Vec::new();
    loop {
        let (status, page) = sandbox.get(&path).await;
        assert_eq!(status, 200, "{page}");
        let numbers = page["incoming_phone_numbers"].as_array().unwrap().clone();
        seen.push(numbers.len());
        let Some(next) = page["next_page_uri"].as_str() else { break };
        path = next.strip_prefix(&format!("/2010-04-01/Accounts/{ACCOUNT}")).unwrap().to_owned();
    }
    assert_eq!(seen, [2, 1]);
}
