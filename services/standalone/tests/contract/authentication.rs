//! Keys and tokens: who may come in.

use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::client::{Account, Client, new_signup};
use crate::echo::Echo;
use crate::promises;
use crate::shape::{elements, has, is_secret, text};

promises! {
    every_resource_needs_a_key_in_the_x_api_key_header;
    signing_up_and_logging_in_need_no_key;
    a_key_is_echo_and_64_lower_case_hexadecimal_digits;
    a_key_is_kept_as_its_hash_only_and_never_shown_again;
    a_lost_key_is_replaced_by_a_new_one;
    the_prefix_that_lists_show_is_the_first_16_characters_of_the_key;
    tokens_are_jwt_signed_with_hs256_that_name_user_address_and_times;
    an_access_token_lives_an_hour_and_a_refresh_token_thirty_days;
    an_access_token_is_accepted_where_a_key_is;
}

async fn every_resource_needs_a_key_in_the_x_api_key_header(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let stranger = Client::stranger(&echo);
    let hooks = format!("projects/{}/webhooks", own.project);
    for path in ["api-keys", "agents", "customers", "notifications", &hooks] {
        let path = format!("/api/v1/{path}");
        own.api.get(&path).await.is(200);
        for nobody in [&stranger, &stranger.with_key(&format!("echo_{}", "0".repeat(64)))] {
            nobody.get(&path).await.is(401);
            nobody.post(&path, &json!({})).await.is(401);
        }
    }
}

async fn signing_up_and_logging_in_need_no_key(echo: Arc<Echo>) {
    let (stranger, signup) = (Client::stranger(&echo), new_signup());
    stranger.post("/auth/signup", &signup).await.is(201);
    let login = json!({"email": signup["email"], "password": signup["password"]});
    stranger.post("/auth/login", &login).await.is(200);
}

async fn a_key_is_echo_and_64_lower_case_hexadecimal_digits(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let made = own.api.post("/api/v1/api-keys", &json!({"name": "second"})).await.is(201);
    for key in [own.key(), text(&made, "key")] {
        assert!(is_secret(key, "echo_"), "{key}");
    }
}

async fn a_key_is_kept_as_its_hash_only_and_never_shown_again(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let digits = own.key().strip_prefix("echo_").expect("a key");
    let hash = hex::encode(Sha256::digest(own.key()));
    let kept = echo.kept_of_keys().to_lowercase();
    assert!(kept.contains(&hash), "the hash is not there: {kept}");
    assert!(!kept.contains(digits), "the key itself is there: {kept}");
    let listed = own.api.get("/api/v1/api-keys").await.is(200).to_string();
    assert!(!listed.contains(digits) && !listed.contains(&hash), "{listed}");
}

async fn a_lost_key_is_replaced_by_a_new_one(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let new = own.api.post("/api/v1/api-keys", &json!({"name": "replacement"})).await.is(201);
    let replaced = own.api.with_key(text(&new, "key"));
    let listed = replaced.get("/api/v1/api-keys").await.is(200);
    let lost = elements(&listed).iter().find(|key| key["name"] == "default").expect("the first key");
    replaced
        .send(reqwest::Method::PATCH, &format!("/api/v1/api-keys/{}/revoke", text(lost, "id")), None)
        .await
        .is(200);
    own.api.get("/api/v1/customers").await.is(401);
    replaced.get("/api/v1/customers").await.is(200);
}

async fn the_prefix_that_lists_show_is_the_first_16_characters_of_the_key(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let listed = own.api.get("/api/v1/api-keys").await.is(200);
    assert_eq!(text(&listed[0], "key_prefix"), &own.key()[..16]);
}

/// Header and claims of a token.
fn parts(token: &str) -> [Value; 2] {
    let parts: Vec<&str> = token.split('.').collect();
    assert_eq!(parts.len(), 3, "{token}");
    [parts[0], parts[1]].map(|part| {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(part).expect("base64");
        serde_json::from_slice(&bytes).expect("JSON")
    })
}

async fn tokens_are_jwt_signed_with_hs256_that_name_user_address_and_times(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    for name in ["access_token", "refresh_token"] {
        let [header, claims] = parts(text(&own.signup, name));
        assert_eq!(header["alg"], "HS256", "{header}");
        has(&claims, &["sub", "email", "iat", "exp"]);
        assert_eq!(claims["sub"], own.signup["user"]["id"]);
        assert_eq!(claims["email"], own.signup["user"]["email"]);
    }
}

async fn an_access_token_lives_an_hour_and_a_refresh_token_thirty_days(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    for (name, hours) in [("access_token", 1), ("refresh_token", 30 * 24)] {
        let [_, claims] = parts(text(&own.signup, name));
        let life = claims["exp"].as_i64().zip(claims["iat"].as_i64()).map(|(end, begin)| end - begin);
        assert_eq!(life, Some(hours * 3600), "{name}: {claims}");
    }
}

async fn an_access_token_is_accepted_where_a_key_is(echo: Arc<Echo>) {
    let own = Account::new(&echo).await;
    let person = Client::stranger(&echo).with_bearer(text(&own.signup, "access_token"));
    let agent = own.agent().await;
    assert_eq!(person.get("/api/v1/agents").await.is(200), json!([agent]));
    let refresher = Client::stranger(&echo).with_bearer(text(&own.signup, "refresh_token"));
    refresher.get("/api/v1/agents").await.is(401);
}
