//! How an endpoint knows that an event comes from Echo.

use std::sync::Arc;

use crate::client::Account;
use crate::echo::Echo;
use crate::inbox::{Arrival, signature};
use crate::promises;
use crate::shape::{is_secret, text};

promises! {
    the_signature_is_sha256_and_lower_case_hexadecimal_digits_in_x_echo_signature;
    the_signature_is_the_hmac_sha256_of_the_raw_body_under_the_whole_secret;
    the_whsec_prefix_is_part_of_the_key;
}

/// A signed request, and the secret.
async fn signed(echo: &Echo) -> (Arrival, String) {
    let own = Account::new(echo).await;
    let (inbox, endpoint) = own.listen(&["call.summary"]).await;
    own.ring().await;
    (inbox.arrival("call.summary").await, text(&endpoint, "signing_secret").to_owned())
}

async fn the_signature_is_sha256_and_lower_case_hexadecimal_digits_in_x_echo_signature(echo: Arc<Echo>) {
    let (arrival, _) = signed(&echo).await;
    let header = &arrival.headers["x-echo-signature"];
    assert!(is_secret(header, "sha256="), "{header}");
}

async fn the_signature_is_the_hmac_sha256_of_the_raw_body_under_the_whole_secret(echo: Arc<Echo>) {
    let (arrival, secret) = signed(&echo).await;
    assert_eq!(arrival.headers["content-type"], "application/json");
    assert_eq!(arrival.headers["x-echo-signature"], signature(&secret, &arrival.raw));
    let mut other = arrival.raw.clone();
    other.push(b' ');
    assert_ne!(arrival.headers["x-echo-signature"], signature(&secret, &other));
}

async fn the_whsec_prefix_is_part_of_the_key(echo: Arc<Echo>) {
    let (arrival, secret) = signed(&echo).await;
    let bare = secret.strip_prefix("whsec_").expect("the prefix");
    assert_ne!(arrival.headers["x-echo-signature"], signature(bare, &arrival.raw));
}
