//! Public keys that somebody else publishes: how a set of them is read, how long it is good, and when it is asked for again.

use chrono::{DateTime, TimeDelta, Utc};
use serde::Deserialize;

/// A set is believed at least so long, whatever comes with it.
const SHORTEST: i64 = 5 * 60;
/// And at most so long without being asked for again.
const LONGEST: i64 = 24 * 60 * 60;
/// So long it does beyond that, while no other one can be had.
const STALE: TimeDelta = TimeDelta::hours(24);
/// Between two times of asking lies at least so much, whatever is wanted.
const PAUSE: TimeDelta = TimeDelta::minutes(1);

/// An RSA key for RS256: modulus and exponent in base64url, as they stand in the set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PublicKey {
    /// What tokens call it by.
    pub(crate) id: String,
    /// The modulus.
    pub(crate) n: String,
    /// The exponent.
    pub(crate) e: String,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Jwk>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    kid: Option<String>,
    alg: Option<String>,
    #[serde(rename = "use")]
    purpose: Option<String>,
    n: Option<String>,
    e: Option<String>,
}

impl Jwk {
    /// The key, if it is one that can check RS256.
    fn into_key(self) -> Option<PublicKey> {
        let fits = self.kty == "RSA"
            && self.alg.as_deref().is_none_or(|alg| alg == "RS256")
            && self.purpose.as_deref().is_none_or(|purpose| purpose == "sig");
        let id = self.kid.filter(|id| !id.is_empty())?;
        fits.then_some(PublicKey { id, n: self.n?, e: self.e? })
    }
}

/// Reads a JWK set (RFC 7517). What is in it for other purposes is passed over.
///
/// # Errors
/// When it is none, or has no key to check RS256 with.
pub(crate) fn read(text: &[u8]) -> Result<Vec<PublicKey>, String> {
    let set: Set = serde_json::from_slice(text).map_err(|e| format!("it is no JWK set: {e}"))?;
    let keys: Vec<PublicKey> = set.keys.into_iter().filter_map(Jwk::into_key).collect();
    if keys.is_empty() { Err("it has no RSA key with a kid".to_owned()) } else { Ok(keys) }
}

/// How long a set is believed that came with this `Cache-Control`.
pub(crate) fn life(cache_control: Option<&str>) -> TimeDelta {
    let named = |part: &str| part.trim().to_ascii_lowercase().strip_prefix("max-age=")?.parse::<i64>().ok();
    let seconds = cache_control.and_then(|text| text.split(',').find_map(named));
    TimeDelta::seconds(seconds.unwrap_or_default().clamp(SHORTEST, LONGEST))
}

/// When a set was asked for, and until when what came is believed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Times {
    /// When it was last asked for, in vain or not.
    pub(crate) asked: Option<DateTime<Utc>>,
    /// Until when what is there needs not be asked for again.
    pub(crate) fresh_until: Option<DateTime<Utc>>,
}

impl Times {
    /// Whether the set is as good as new.
    pub(crate) fn fresh(self, now: DateTime<Utc>) -> bool {
        self.fresh_until.is_some_and(|until| now < until)
    }

    /// Whether the set still counts.
    pub(crate) fn counts(self, now: DateTime<Utc>) -> bool {
        self.fresh_until.is_some_and(|until| now < until + STALE)
    }

    /// Whether to ask for it again for the sake of a key that is in it, or is not.
    pub(crate) fn must_ask(self, is_in_it: bool, now: DateTime<Utc>) -> bool {
        let wanted = !is_in_it || !self.fresh(now);
        wanted && self.asked.is_none_or(|asked| now - asked >= PAUSE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_keys_for_rs256_and_is_no_page() {
        let set = br#"{"keys": [
            {"kty": "RSA", "kid": "a", "alg": "RS256", "use": "sig", "n": "AQ", "e": "AQAB"},
            {"kty": "RSA", "kid": "b", "n": "AQ", "e": "AQAB", "more": 1},
            {"kty": "RSA", "kid": "c", "alg": "RS512", "n": "AQ", "e": "AQAB"},
            {"kty": "RSA", "kid": "d", "use": "enc", "n": "AQ", "e": "AQAB"},
            {"kty": "RSA", "n": "AQ", "e": "AQAB"},
            {"kty": "RSA", "kid": "e", "e": "AQAB"},
            {"kty": "EC", "kid": "f", "crv": "P-256", "x": "AQ", "y": "AQ"}
        ]}"#;
        let ids: Vec<String> = read(set).unwrap().into_iter().map(|key| key.id).collect();
        assert_eq!(ids, ["a", "b"]);
        for rubbish in ["", "<!doctype html>", "{}", r#"{"keys": []}"#, r#"{"a": "-----BEGIN"}"#, "[]"] {
            read(rubbish.as_bytes()).unwrap_err();
        }
    }

    #[test]
    fn a_set_is_believed_as_long_as_it_says_within_bounds() {
        let seconds = |text| life(text).num_seconds();
        assert_eq!(seconds(Some("public, max-age=19845, must-revalidate, no-transform")), 19_845);
        assert_eq!(seconds(Some("Max-Age=600")), 600);
        for short in [None, Some("no-store"), Some("max-age=1"), Some("max-age=-5"), Some("max-age=soon")] {
            assert_eq!(seconds(short), 300, "{short:?}");
        }
        assert_eq!(seconds(Some("max-age=31536000")), 86_400);
    }

    #[test]
    fn a_set_is_asked_for_once_a_minute_at_most_and_counts_for_a_day_longer() {
        let at = |seconds| DateTime::from_timestamp(1_800_000_000_i64 + i64::from(seconds), 0).unwrap();
        assert!(Times::default().must_ask(false, at(0)) && !Times::default().counts(at(0)));
        let times = Times { asked: Some(at(0)), fresh_until: Some(at(300)) };
        assert!(!times.must_ask(true, at(299)) && times.must_ask(true, at(300)));
        assert!(!times.must_ask(false, at(59)) && times.must_ask(false, at(60)));
        let in_vain = Times { asked: Some(at(300)), ..times };
        assert!(!in_vain.must_ask(true, at(359)) && in_vain.must_ask(true, at(360)));
        let day = 86_400;
        assert!(times.counts(at(300 + day - 1)) && !times.counts(at(300 + day)));
    }
}
