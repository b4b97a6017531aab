//! Where the API is, and what goes in and out.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::client::{Account, Client, new_customer, new_phone, new_signup};
use crate::echo::Echo;
use crate::promises;
use crate::shape::{elements, is_time, is_uuid, text};

promises! {
    resources_are_reached_below_api_v1;
    the_same_resources_are_reached_below_v1;
    auth_is_reached_below_auth_and_below_api_auth;
    json_goes_in_and_json_comes_out;
    ids_are_uuids_and_times_are_utc_with_milliseconds;
    names_are_snake_case_except_call_id;
}

/// The lists below a base.
fn lists(base: &str, account: &Account) -> [String; 5] {
    let hooks = format!("projects/{}/webhooks", account.project);
    ["api-keys", "agents", "customers", "notifications", &hooks].map(|path| format!("{base}/{path}"))
}

async fn resources_are_reached_below_api_v1(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    for path in lists("/api/v1", &own) {
        elements(&own.api.get(&path).await.is(200));
    }
}

async fn the_same_resources_are_reached_below_v1(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let made = own.api.post("/v1/customers", &new_customer(&new_phone())).await.is(201);
    let path = format!("customers/{}", text(&made, "id"));
    assert_eq!(own.api.get(&format!("/api/v1/{path}")).await.is(200), made);
    assert_eq!(own.api.get(&format!("/v1/{path}")).await.is(200), made);
    own.agent().await;
    own.listen(&["call.summary"]).await;
    for (short, long) in lists("/v1", &own).into_iter().zip(lists("/api/v1", &own)) {
        assert_eq!(own.api.get(&short).await.is(200), own.api.get(&long).await.is(200), "{short}");
    }
}

async fn auth_is_reached_below_auth_and_below_api_auth(echo: Arc<Echo>) {
    let stranger = Client::stranger(&echo);
    for base in ["/auth", "/api/auth"] {
        let signup = new_signup();
        stranger.post(&format!("{base}/signup"), &signup).await.is(201);
        let login = json!({"email": signup["email"], "password": signup["password"]});
        let session = stranger.post(&format!("{base}/login"), &login).await.is(200);
        let refresher = stranger.with_bearer(text(&session, "refresh_token"));
        refresher.act(&format!("{base}/refresh")).await.is(201);
    }
}

async fn json_goes_in_and_json_comes_out(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let made = own.api.post("/api/v1/customers", &new_customer(&new_phone())).await;
    let refused = own.api.post("/api/v1/customers", &json!({})).await;
    let missing = own.api.get("/api/v1/nowhere").await;
    for answer in [made, refused, missing] {
        assert_eq!(answer.headers["content-type"], "application/json", "{answer:?}");
        assert!(answer.body.is_object(), "{answer:?}");
    }
}

/// Everything that a project answers after a call: of each resource one object or more.
async fn everything(own: &Account) -> Vec<Value> {
    let placed = own.ring().await;
    own.listen(&["call.started", "call.ended", "call.summary"]).await;
    let mut all = vec![own.signup.clone(), own.ended(&placed).await, placed];
    for path in lists("/api/v1", own) {
        let list = own.api.get(&path).await.is(200);
        assert!(!elements(&list).is_empty(), "{path}");
        all.extend(elements(&list).iter().cloned());
    }
    all
}

/// Every field in a value and in what it holds, but for what the caller made up.
fn walk(value: &Value, see: &mut impl FnMut(&str, &Value)) {
    let theirs = ["output_schema", "metadata", "call_result", "evidence", "variables"];
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                see(name, value);
                if !theirs.contains(&name.as_str()) {
                    walk(value, see);
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| walk(item, see)),
        _ => {}
    }
}

async fn ids_are_uuids_and_times_are_utc_with_milliseconds(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let (mut ids, mut times) = (0, 0);
    for answer in everything(&own).await {
        walk(&answer, &mut |name, value| {
            let Some(text) = value.as_str() else { return };
            if name == "id" || name.ends_with("_id") && name != "external_id" {
                assert!(is_uuid(text), "{name}: {text}");
                ids += 1;
            }
            if name.ends_with("_at") {
                assert!(is_time(text), "{name}: {text}");
                times += 1;
            }
        });
    }
    assert!(ids > 10 && times > 10, "{ids} ids and {times} times");
}

async fn names_are_snake_case_except_call_id(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let mut others = std::collections::BTreeSet::new();
    for answer in everything(&own).await {
        walk(&answer, &mut |name, _| {
            if name.bytes().any(|b| !(b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')) {
                others.insert(name.to_owned());
            }
        });
    }
    assert_eq!(Vec::from_iter(others), ["callId"]);
}
