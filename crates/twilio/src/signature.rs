//! `X-Twilio-Signature`: the proof that a webhook comes from Twilio (Twilio's docs, usage/security).
//!
//! A signature is the base64 of an HMAC-SHA1, keyed with the account's primary auth token, over the URL that was
//! requested followed by the form's parameters. Check it over the **public** URL that was registered, with the raw
//! query as it arrived: a proxy in between changes scheme, host and port.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::{Choice, ConstantTimeEq};

/// The header that carries the signature.
pub const HEADER: &str = "X-Twilio-Signature";

/// The header that is the same for all attempts of one webhook.
pub const IDEMPOTENCY_HEADER: &str = "I-Twilio-Idempotency-Token";

/// Signs a request: `token` is the auth token, `url` the URL exactly as requested (without fragment), `form` the
/// decoded body parameters of a POST, empty for a GET. Empty values count; a repeated value counts once.
#[must_use]
pub fn sign(token: &str, url: &str, form: &[(String, String)]) -> String {
    mac(token, url, &parameters(form)).unwrap_or_default()
}

/// Whether `header` is the signature of this request. `public_url` is the registered base with the raw path and
/// query of the request.
///
/// Twilio drops the port of an https URL and keeps that of an http URL, and its own libraries accept the URL as it
/// is, without port and with the standard port. So does this, and it takes the URL with and without `user:password@`.
/// A fragment is never signed and is dropped. The comparison takes the same time wherever the difference is.
#[must_use]
pub fn verify(token: &str, public_url: &str, form: &[(String, String)], header: &str) -> bool {
    let tail = parameters(form);
    let given = header.trim().as_bytes();
    let matched = candidates(public_url)
        .iter()
        .filter_map(|url| mac(token, url, &tail))
        .fold(Choice::from(0), |found, expected| found | expected.as_bytes().ct_eq(given));
    matched.into()
}

/// The value of the query parameter `bodySHA256` that Twilio adds when it posts a body that is not a form.
#[must_use]
pub fn body_sha256(body: &[u8]) -> String {
    hex::encode(Sha256::digest(body))
}

/// As [`verify`] for a body that is not a form (JSON): the URL must carry the body's hash as `bodySHA256`, and the
/// URL alone is signed.
#[must_use]
pub fn verify_body(token: &str, public_url: &str, body: &[u8], header: &str) -> bool {
    let url = without_fragment(public_url);
    let query = url.split_once('?').map_or("", |(_, query)| query);
    let claimed = url::form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "bodySHA256")
        .map(|(_, value)| value.to_ascii_lowercase())
        .unwrap_or_default();
    let body_matches = claimed.as_bytes().ct_eq(body_sha256(body).as_bytes());
    let url_matches = Choice::from(u8::from(verify(token, public_url, &[], header)));
    (body_matches & url_matches).into()
}

fn parameters(form: &[(String, String)]) -> String {
    let mut by_name: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (name, value) in form {
        by_name.entry(name).or_default().insert(value);
    }
    by_name.iter().flat_map(|(name, values)| values.iter().flat_map(move |value| [*name, *value])).collect()
}

/// Always `Some`: an HMAC key may have any length.
fn mac(token: &str, url: &str, tail: &str) -> Option<String> {
    let mut mac = <Hmac<Sha1> as KeyInit>::new_from_slice(token.as_bytes()).ok()?;
    mac.update(url.as_bytes());
    mac.update(tail.as_bytes());
    Some(STANDARD.encode(mac.finalize().into_bytes()))
}

fn without_fragment(url: &str) -> &str {
    url.split_once('#').map_or(url, |(before, _)| before)
}

/// Cut as text, not parsed and printed: a URL parser would rewrite characters that were signed as they are.
fn candidates(public_url: &str) -> Vec<String> {
    let url = without_fragment(public_url);
    let Some((scheme, rest)) = url.split_once("://") else {
        return vec![url.to_owned()];
    };
    let path_at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(path_at);
    let (user, host_port) = match authority.rsplit_once('@') {
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    let host = match host_port.rsplit_once(':') {
        Some((host, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => host,
        _ => host_port,
    };
    let standard = if scheme.eq_ignore_ascii_case("https") { 443 } else { 80 };
    let mut found = Vec::with_capacity(6);
    for host in [host_port.to_owned(), host.to_owned(), format!("{host}:{standard}")] {
        found.push(format!("{scheme}://{host}{path}"));
        if let Some(user) = user {
            found.push(format!("{scheme}://{user}@{host}{path}"));
        }
    }
    found
}

#[cfg(test)]
#[path = "signature_tests.rs"]
mod tests;
