//! An account of EchoLink: how it is made, what its token opens, and how it is refused.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::client::{Account, Client};
use crate::echo::Echo;
use crate::link::{Link, Number};
use crate::promises;
use crate::shape::{fields, text};

promises! {
    connecting_answers_five_fields_word_for_word;
    the_token_is_a_jwt_signed_with_hs256_that_is_good_for_a_day;
    all_six_fields_are_required_and_the_missing_one_is_named;
    an_unreadable_body_is_400;
    credentials_that_twilio_refuses_are_401_and_make_no_account;
    the_auth_token_never_comes_back;
    connecting_again_answers_another_token_for_the_same_account;
    an_address_with_another_twilio_account_or_a_password_is_409;
    whoever_has_a_password_gains_a_number_with_their_access_token;
    a_number_of_another_account_is_409;
    my_number_is_the_number_and_how_many_bots_there_are;
    without_a_good_token_every_resource_is_401;
    every_error_has_its_text_in_error;
}

async fn connecting_answers_five_fields_word_for_word(echo: Arc<Echo>) {
    let link = Link::new(&echo).await;
    let expected = ["access_token", "expires_in", "message", "phone_number", "token_type"];
    assert_eq!(fields(&link.connected), expected);
    let expected = json!({
        "message": "Connected", "phone_number": link.number.number,
        "access_token": link.connected["access_token"], "token_type": "Bearer", "expires_in": 86400,
    });
    assert_eq!(link.connected, expected);
}

async fn the_token_is_a_jwt_signed_with_hs256_that_is_good_for_a_day(echo: Arc<Echo>) {
    let link = Link::new(&echo).await;
    let parts: Vec<&str> = text(&link.connected, "access_token").split('.').collect();
    assert_eq!(parts.len(), 3);
    let [header, claims] = [parts[0], parts[1]].map(|part| {
        serde_json::from_slice::<Value>(&BASE64_URL_SAFE_NO_PAD.decode(part).expect("base64")).expect("JSON")
    });
    assert_eq!(header["alg"], "HS256", "{header}");
    let life = claims["exp"].as_i64().zip(claims["iat"].as_i64()).map(|(end, begin)| end - begin);
    assert_eq!(life, Some(86_400), "{claims}");
}

async fn all_six_fields_are_required_and_the_missing_one_is_named(echo: Arc<Echo>) {
    let (connection, stranger) = (Number::free(&echo).await.connection(), Client::stranger(&echo));
    for field in ["first_name", "last_name", "email", "account_sid", "auth_token", "phone_number_sid"] {
        let mut body = connection.clone();
        body.as_object_mut().expect("an object").remove(field);
        stranger.post("/v1/connect-twilio", &body).await.link_refuses(400, field);
    }
    stranger.post("/v1/connect-twilio", &connection).await.is(200);
}

async fn an_unreadable_body_is_400(echo: Arc<Echo>) {
    let stranger = Client::stranger(&echo);
    for body in [json!(null), json!([]), json!("text"), json!({})] {
        stranger.post("/v1/connect-twilio", &body).await.link_refuses(400, "");
    }
}

async fn credentials_that_twilio_refuses_are_401_and_make_no_account(echo: Arc<Echo>) {
    let number = Number::free(&echo).await;
    let (connection, stranger) = (number.connection(), Client::stranger(&echo));
    for (field, wrong) in [
        ("auth_token", "0123456789abcdef0123456789abcdef"),
        ("phone_number_sid", "PN0123456789abcdef0123456789abcdef"),
        ("account_sid", "AC1"),
        ("phone_number_sid", "PN1"),
    ] {
        let mut body = connection.clone();
        body[field] = json!(wrong);
        let refused = stranger.post("/v1/connect-twilio", &body).await.link_refuses(401, field);
        assert!(!refused.to_string().contains(wrong), "{refused}");
    }
    // Neither the number nor the address is taken.
    let connected = stranger.post("/v1/connect-twilio", &connection).await.is(200);
    let api = stranger.with_bearer(text(&connected, "access_token"));
    assert_eq!(api.get("/v1/my-number").await.is(200)["phone_number"], number.number.as_str());
}

async fn the_auth_token_never_comes_back(echo: Arc<Echo>) {
    let link = Link::new(&echo).await;
    let bot = link.bot("https://api.eatery.com/book").await;
    let one = format!("/v1/bots/{}", text(&bot, "bot_id"));
    for path in ["/v1/my-number", "/v1/bots", &one, "/v1/calls"] {
        let answer = link.api.get(path).await.is(200).to_string();
        assert!(!answer.contains(&link.number.auth_token), "{path}: {answer}");
    }
    assert!(!link.connected.to_string().contains(&link.number.auth_token));
}

async fn connecting_again_answers_another_token_for_the_same_account(echo: Arc<Echo>) {
    let link = Link::new(&echo).await;
    let bot = link.bot("https://api.eatery.com/book").await;
    let stranger = Client::stranger(&echo);
    // The address says who it is, in capital letters or not; another number of the account takes the place of the first.
    let other = Number::free(&echo).await;
    let mut again = link.connection.clone();
    again["email"] = json!(text(&again, "email").to_uppercase());
    again["phone_number_sid"] = json!(other.sid);
    let connected = stranger.post("/v1/connect-twilio", &again).await.is(200);
    assert_ne!(connected["access_token"], link.connected["access_token"]);
    assert_eq!(connected["phone_number"], other.number.as_str());
    let api = stranger.with_bearer(text(&connected, "access_token"));
    for api in [&api, &link.api] {
        let number = api.get("/v1/my-number").await.is(200);
        assert_eq!(number, json!({"phone_number": other.number, "bots_count": 1}));
        assert_eq!(api.get("/v1/bots").await.is(200)[0]["bot_id"], bot["bot_id"]);
    }
    // The first number is free again.
    stranger.post("/v1/connect-twilio", &link.number.connection()).await.is(200);
}

async fn an_address_with_another_twilio_account_or_a_password_is_409(echo: Arc<Echo>) {
    let (link, own) = (Link::new(&echo).await, Account::new(&echo).await);
    let stranger = Client::stranger(&echo);
    let mut other = link.connection.clone();
    other["account_sid"] = json!("AC0123456789abcdef0123456789abcdef");
    let refused =
        stranger.post("/v1/connect-twilio", &other).await.link_refuses(409, "another twilio account");
    assert_eq!(refused["code"], "other_account");
    let mut taken = Number::free(&echo).await.connection();
    taken["email"] = own.signup["user"]["email"].clone();
    let refused = stranger.post("/v1/connect-twilio", &taken).await.link_refuses(409, "access token");
    assert_eq!(refused["code"], "email_taken");
}

async fn whoever_has_a_password_gains_a_number_with_their_access_token(echo: Arc<Echo>) {
    let (own, number) = (Account::new(&echo).await, Number::free(&echo).await);
    let mut connection = number.connection();
    connection["email"] = own.signup["user"]["email"].clone();
    let person = own.person(&echo);
    let connected = person.post("/v1/connect-twilio", &connection).await.is(200);
    let link = Client::stranger(&echo).with_bearer(text(&connected, "access_token"));
    for credential in [&link, &person, &own.api] {
        let found = credential.get("/v1/my-number").await.is(200);
        assert_eq!(found["phone_number"], number.number.as_str());
    }
}

async fn a_number_of_another_account_is_409(echo: Arc<Echo>) {
    let link = Link::new(&echo).await;
    let stranger = Client::stranger(&echo);
    let other = link.number.connection();
    let refused = stranger.post("/v1/connect-twilio", &other).await.link_refuses(409, "another account");
    assert_eq!(refused["code"], "number_in_use");
    // Nothing is left of the attempt.
    let mut own = Number::free(&echo).await.connection();
    own["email"] = other["email"].clone();
    stranger.post("/v1/connect-twilio", &own).await.is(200);
}

async fn my_number_is_the_number_and_how_many_bots_there_are(echo: Arc<Echo>) {
    let link = Link::new(&echo).await;
    for count in 0..=2 {
        let number = link.api.get("/v1/my-number").await.is(200);
        assert_eq!(number, json!({"phone_number": link.number.number, "bots_count": count}));
        link.bot("https://api.eatery.com/book").await;
    }
}

async fn without_a_good_token_every_resource_is_401(echo: Arc<Echo>) {
    let link = Link::new(&echo).await;
    let stranger = Client::stranger(&echo);
    let good = text(&link.connected, "access_token");
    let mut tampered = good.to_owned();
    tampered.pop();
    let nobodies = [
        stranger.clone(),
        stranger.with_bearer(""),
        stranger.with_bearer("nonsense"),
        stranger.with_bearer(&tampered),
        stranger.with_authorization(good),
        stranger.with_authorization(&format!("Basic {good}")),
    ];
    for path in ["/v1/my-number", "/v1/bots", "/v1/bots/bot_4Zk9mUqQh8vYw2XnRt3L", "/v1/calls"] {
        for nobody in &nobodies {
            nobody.get(path).await.link_refuses(401, "");
        }
    }
    for nobody in &nobodies {
        nobody.post("/v1/bots", &json!({})).await.link_refuses(401, "");
    }
    // And it is no token of Echo's.
    link.api.get("/api/v1/agents").await.is(401);
}

async fn every_error_has_its_text_in_error(echo: Arc<Echo>) {
    let link = Link::new(&echo).await;
    let stranger = Client::stranger(&echo);
    for answer in [
        stranger.post("/v1/connect-twilio", &json!({})).await.link_refuses(400, "required"),
        stranger.get("/v1/my-number").await.link_refuses(401, ""),
        link.api.get("/v1/bots/bot_4Zk9mUqQh8vYw2XnRt3L").await.link_refuses(404, "bot not found"),
        link.api.delete("/v1/my-number").await.link_refuses(405, ""),
    ] {
        assert_eq!(fields(&answer).iter().filter(|name| **name == "message").count(), 0, "{answer}");
    }
}
