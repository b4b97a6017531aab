//! Signing up, logging in, and getting new tokens.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::client::{Account, Client, new_signup};
use crate::echo::Echo;
use crate::promises;
use crate::shape::{fields, has, ids, is_secret, text};

promises! {
    signing_up_makes_user_business_default_project_and_first_key_in_one_step;
    signing_up_needs_each_of_its_seven_fields;
    an_email_address_has_the_form_of_one;
    a_password_has_at_least_eight_characters;
    logging_in_takes_address_and_password_and_answers_as_a_refresh_does;
    refreshing_takes_the_refresh_token_as_bearer_and_answers_201_with_new_tokens;
    refreshing_needs_a_refresh_token;
}

const PERSON: [&str; 4] = ["email", "first_name", "id", "last_name"];

fn is_session(answer: &Value, signup: &Value) {
    has(answer, &["access_token", "refresh_token", "user"]);
    assert_eq!(fields(&answer["user"]), PERSON);
    ids(&answer["user"], &["id"]);
    for name in ["email", "first_name", "last_name"] {
        assert_eq!(answer["user"][name], signup[name], "{answer}");
    }
}

async fn signing_up_makes_user_business_default_project_and_first_key_in_one_step(echo: Arc<Echo>) {
    let (stranger, signup) = (Client::stranger(&echo), new_signup());
    let made = stranger.post("/auth/signup", &signup).await.is(201);
    is_session(&made, &signup);
    ids(&made["business"], &["id"]);
    assert_eq!(made["business"]["name"], signup["business_name"]);
    let project = &made["default_project"];
    ids(project, &["id"]);
    assert_eq!(project["name"], "default");
    assert!(is_secret(text(project, "api_key"), "echo_"), "{project}");
    let keyed = stranger.with_key(text(project, "api_key"));
    let customers = keyed.get("/api/v1/customers").await.is(200);
    assert_eq!(customers, json!([]));
}

async fn signing_up_needs_each_of_its_seven_fields(echo: Arc<Echo>) {
    let stranger = Client::stranger(&echo);
    let whole = new_signup();
    let names = fields(&whole);
    assert_eq!(names.len(), 7);
    for name in names {
        for wrong in [None, Some(Value::Null), Some(json!(7)), Some(json!(""))] {
            let mut body = new_signup();
            match wrong {
                Some(wrong) => body[name] = wrong,
                None => drop(body.as_object_mut().expect("an object").remove(name)),
            }
            stranger.post("/auth/signup", &body).await.refuses(400, name);
        }
    }
    stranger.post("/auth/signup", &whole).await.is(201);
}

async fn an_email_address_has_the_form_of_one(echo: Arc<Echo>) {
    let stranger = Client::stranger(&echo);
    for wrong in ["you", "you@", "@example.com", "you example.com"] {
        let mut body = new_signup();
        body["email"] = json!(wrong);
        stranger.post("/auth/signup", &body).await.refuses(400, "email");
    }
}

async fn a_password_has_at_least_eight_characters(echo: Arc<Echo>) {
    let stranger = Client::stranger(&echo);
    let mut body = new_signup();
    body["password"] = json!("1234567");
    stranger.post("/auth/signup", &body).await.refuses(400, "password");
    // No other rule.
    body["password"] = json!("12345678");
    stranger.post("/auth/signup", &body).await.is(201);
}

async fn logging_in_takes_address_and_password_and_answers_as_a_refresh_does(echo: Arc<Echo>) {
    let (stranger, signup) = (Client::stranger(&echo), new_signup());
    let made = stranger.post("/auth/signup", &signup).await.is(201);
    let mut login = json!({"email": signup["email"], "password": signup["password"]});
    let session = stranger.post("/auth/login", &login).await.is(200);
    is_session(&session, &signup);
    assert_eq!(session["user"], made["user"]);
    assert_eq!(session.get("default_project"), None);
    let person = stranger.with_bearer(text(&session, "access_token"));
    person.get("/api/v1/customers").await.is(200);
    login["password"] = json!("another one");
    stranger.post("/auth/login", &login).await.is(401);
}

async fn refreshing_takes_the_refresh_token_as_bearer_and_answers_201_with_new_tokens(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let stranger = Client::stranger(&echo);
    let refresher = stranger.with_bearer(text(&own.signup, "refresh_token"));
    // It has no body.
    let session = refresher.act("/auth/refresh").await.is(201);
    has(&session, &["access_token", "refresh_token", "user"]);
    assert_eq!(fields(&session["user"]), PERSON);
    assert_eq!(session["user"], own.signup["user"]);
    for name in ["access_token", "refresh_token"] {
        assert_ne!(session[name], own.signup[name], "{name}");
    }
    stranger.with_bearer(text(&session, "access_token")).get("/api/v1/customers").await.is(200);
    stranger.with_bearer(text(&session, "refresh_token")).act("/auth/refresh").await.is(201);
}

async fn refreshing_needs_a_refresh_token(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let stranger = Client::stranger(&echo);
    let with_access = stranger.with_bearer(text(&own.signup, "access_token"));
    for client in [&stranger, &with_access, &own.api] {
        client.act("/auth/refresh").await.is(401);
    }
}
