//! Webhook endpoints: where a project wants its events.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::client::{Account, Client};
use crate::echo::Echo;
use crate::inbox::{Inbox, signature};
use crate::promises;
use crate::shape::{elements, fields, has, ids, is_secret, text, times};

promises! {
    an_endpoint_has_the_documented_fields;
    a_signing_secret_is_whsec_and_64_lower_case_hexadecimal_digits;
    registering_an_endpoint_answers_201_with_its_secret;
    an_endpoint_needs_a_url;
    an_endpoint_needs_at_least_one_of_the_three_events;
    endpoints_are_reached_over_https;
    listing_endpoints_answers_an_array_with_their_secrets;
    one_endpoint_is_read_by_its_id_with_its_secret;
    an_endpoint_changes_its_url_status_and_events;
    rotating_the_secret_answers_the_new_one_which_then_signs;
    a_project_has_several_endpoints_each_with_events_and_secret_of_its_own;
    an_event_that_nobody_wants_is_skipped_in_silence;
    the_project_stands_in_the_path_and_is_the_one_of_the_key;
}

const DOCUMENTED: [&str; 9] = [
    "id",
    "project_id",
    "url",
    "signing_secret",
    "status",
    "events",
    "consecutive_failures",
    "created_at",
    "updated_at",
];

async fn endpoint(own: &Account) -> Value {
    let body = json!({"url": "https://your-server.com/webhooks/echo", "events": ["call.summary"]});
    own.api.post(&own.webhooks(), &body).await.is(201)
}

fn path(own: &Account, endpoint: &Value) -> String {
    format!("{}/{}", own.webhooks(), text(endpoint, "id"))
}

async fn an_endpoint_has_the_documented_fields(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let made = endpoint(&own).await;
    has(&made, &DOCUMENTED);
    ids(&made, &["id", "project_id"]);
    times(&made, &["created_at", "updated_at"]);
    assert_eq!(made["project_id"], own.project.as_str());
    assert_eq!(made["status"], "active");
    assert_eq!(made["consecutive_failures"], 0);
    assert_eq!(made["events"], json!(["call.summary"]));
}

async fn a_signing_secret_is_whsec_and_64_lower_case_hexadecimal_digits(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let secret = endpoint(&own).await["signing_secret"].clone();
    assert!(is_secret(secret.as_str().expect("a secret"), "whsec_"), "{secret}");
}

async fn registering_an_endpoint_answers_201_with_its_secret(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let events = json!(["call.started", "call.ended", "call.summary"]);
    let body = json!({"url": "https://your-server.com/all", "events": events});
    let made = own.api.post(&own.webhooks(), &body).await.is(201);
    assert_eq!(made["url"], body["url"]);
    assert_eq!(made["events"], events);
    text(&made, "signing_secret");
}

async fn an_endpoint_needs_a_url(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    for url in
        [json!(null), json!(7), json!(""), json!("your-server.com/hook"), json!("ftp://your-server.com/")]
    {
        let body = json!({"url": url, "events": ["call.summary"]});
        own.api.post(&own.webhooks(), &body).await.refuses(400, "url");
    }
}

async fn an_endpoint_needs_at_least_one_of_the_three_events(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    for events in [json!(null), json!("call.summary"), json!([]), json!(["call.paused"])] {
        let body = json!({"url": "https://your-server.com/", "events": events});
        own.api.post(&own.webhooks(), &body).await.refuses(400, "events");
    }
    for event in ["call.started", "call.ended", "call.summary"] {
        let body = json!({"url": "https://your-server.com/", "events": [event]});
        own.api.post(&own.webhooks(), &body).await.is(201);
    }
}

async fn endpoints_are_reached_over_https(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    endpoint(&own).await;
    let plain = json!({"url": "http://your-server.com/webhooks/echo", "events": ["call.summary"]});
    own.api.post(&own.webhooks(), &plain).await.refuses(400, "https");
}

async fn listing_endpoints_answers_an_array_with_their_secrets(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let (first, second) = (endpoint(&own).await, endpoint(&own).await);
    assert_eq!(own.api.get(&own.webhooks()).await.is(200), json!([second, first]));
}

async fn one_endpoint_is_read_by_its_id_with_its_secret(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let (made, _) = (endpoint(&own).await, endpoint(&own).await);
    assert_eq!(own.api.get(&path(&own, &made)).await.is(200), made);
}

async fn an_endpoint_changes_its_url_status_and_events(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let mut expected = endpoint(&own).await;
    let path = path(&own, &expected);
    for (name, value) in [
        ("url", json!("https://your-server.com/elsewhere")),
        ("events", json!(["call.started", "call.ended"])),
        ("status", json!("disabled")),
        ("status", json!("active")),
    ] {
        let changed = own.api.patch(&path, &json!({name: value})).await.is(200);
        expected[name] = value;
        expected["updated_at"] = changed["updated_at"].clone();
        assert_eq!(changed, expected);
    }
    let all = json!({"url": "https://your-server.com/", "status": "disabled", "events": ["call.summary"]});
    let changed = own.api.patch(&path, &all).await.is(200);
    for name in ["url", "status", "events"] {
        assert_eq!(changed[name], all[name]);
    }
    assert_eq!(own.api.get(&path).await.is(200), changed);
}

async fn rotating_the_secret_answers_the_new_one_which_then_signs(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let (inbox, made) = own.listen(&["call.summary"]).await;
    let path = path(&own, &made);
    let rotated = own.api.act(&format!("{path}/secret/rotate")).await.is(200);
    assert_eq!(fields(&rotated), ["signing_secret"]);
    let secret = text(&rotated, "signing_secret");
    assert!(is_secret(secret, "whsec_"), "{rotated}");
    assert_ne!(secret, text(&made, "signing_secret"));
    assert_eq!(own.api.get(&path).await.is(200)["signing_secret"], secret);
    own.ring().await;
    let arrival = inbox.arrival("call.summary").await;
    assert_eq!(arrival.headers["x-echo-signature"], signature(secret, &arrival.raw));
}

async fn a_project_has_several_endpoints_each_with_events_and_secret_of_its_own(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let (beginnings, first) = own.listen(&["call.started"]).await;
    let (summaries, second) = own.listen(&["call.summary"]).await;
    assert_ne!(first["signing_secret"], second["signing_secret"]);
    own.ring().await;
    for (inbox, event, endpoint) in
        [(&beginnings, "call.started", &first), (&summaries, "call.summary", &second)]
    {
        let arrival = inbox.arrival(event).await;
        let secret = text(endpoint, "signing_secret");
        assert_eq!(arrival.headers["x-echo-signature"], signature(secret, &arrival.raw));
        assert!(inbox.events().iter().all(|e| e["event_name"] == event), "{:?}", inbox.events());
    }
}

async fn an_event_that_nobody_wants_is_skipped_in_silence(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let (inbox, made) = own.listen(&["call.summary"]).await;
    own.ring().await;
    // It is the last of the three.
    inbox.event("call.summary").await;
    assert_eq!(inbox.arrivals().len(), 1, "{:?}", inbox.events());
    let log = own.api.get(&format!("{}/deliveries", path(&own, &made))).await.is(200);
    assert_eq!(elements(&log["data"]).len(), 1, "{log}");
    assert_eq!(log["data"][0]["event_name"], "call.summary");
}

async fn the_project_stands_in_the_path_and_is_the_one_of_the_key(echo: Arc<Echo>) {
    let (own, other) = (Account::new(&echo).await, Account::new(&echo).await);
    let inbox = Inbox::start();
    let body = json!({"url": inbox.url, "events": ["call.summary"]});
    for path in [other.webhooks(), "/api/v1/projects/default/webhooks".to_owned()] {
        own.api.post(&path, &body).await.is(404);
        own.api.get(&path).await.is(404);
    }
    assert_eq!(other.api.get(&other.webhooks()).await.is(200), json!([]));
    Client::stranger(&echo).get(&own.webhooks()).await.is(401);
}
