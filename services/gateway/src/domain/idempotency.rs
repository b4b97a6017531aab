//! What becomes of a request that carries an `Idempotency-Key`, decided from what is stored under the key.

use chrono::{DateTime, TimeDelta, Utc};
use common::crypto::sha256_hex;
use serde_json::Value;
use uuid::Uuid;

/// How long one who works on a request has it for himself. Longer than an answer from another service may take.
pub(crate) const LEASE: TimeDelta = TimeDelta::seconds(10);
/// How long a key is kept.
pub(crate) const KEPT: TimeDelta = TimeDelta::hours(24);

/// A caller's key: 1 to 255 printable characters.
pub(crate) fn parse_key(text: &str) -> Result<String, String> {
    let printable = text.bytes().all(|b| (0x20..=0x7e).contains(&b));
    if printable && (1..=255).contains(&text.len()) && !text.trim().is_empty() {
        return Ok(text.to_owned());
    }
    Err("must be 1 to 255 printable ASCII characters".to_owned())
}

/// The same for the same route and the same JSON, however it is written.
pub(crate) fn fingerprint(route: &str, body: &Value) -> String {
    sha256_hex(format!("{route}\n{body}").as_bytes())
}

/// What is stored under a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    /// The row.
    pub(crate) id: Uuid,
    /// Of the first request.
    pub(crate) fingerprint: String,
    /// The id that the thing has or will have.
    pub(crate) resource_id: Uuid,
    /// Counts those who worked on it.
    pub(crate) generation: i64,
    /// Somebody works on it until then.
    pub(crate) lease_until: Option<DateTime<Utc>>,
    /// The answer's status, once there is one.
    pub(crate) status: Option<i32>,
    /// The answer, sealed; absent when it held a one-time secret.
    pub(crate) answer: Option<String>,
    /// From then on the key is a new one.
    pub(crate) expires_at: DateTime<Utc>,
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    /// Nobody has used the key: do it. `stale` is an expired row that has to go first.
    Begin {
        /// The expired row.
        stale: Option<Uuid>,
    },
    /// Somebody began and did not finish: take over from this generation, under the same resource id.
    Resume,
    /// It was done: the same answer again.
    Replay {
        /// Its status.
        status: i32,
        /// The sealed answer.
        answer: String,
    },
    /// It was done, and the answer held a secret that is shown once.
    SecretShown,
    /// The key was used for something else.
    Mismatch,
    /// Somebody works on it; ask again after so many seconds.
    Running {
        /// At least one.
        retry_after: u64,
    },
}

/// Decides what a request with this `fingerprint` means at `now`.
pub(crate) fn decide(stored: Option<&Stored>, fingerprint: &str, now: DateTime<Utc>) -> Decision {
    let Some(stored) = stored else { return Decision::Begin { stale: None } };
    if stored.expires_at <= now {
        return Decision::Begin { stale: Some(stored.id) };
    }
    if stored.fingerprint != fingerprint {
        return Decision::Mismatch;
    }
    match (stored.status, &stored.answer, stored.lease_until) {
        (Some(status), Some(answer), _) => Decision::Replay { status, answer: answer.clone() },
        (Some(_), None, _) => Decision::SecretShown,
        (None, _, Some(until)) if until > now => {
            let left = (until - now).num_milliseconds().max(1);
            Decision::Running { retry_after: u64::try_from(left).unwrap_or(1).div_ceil(1000) }
        }
        (None, _, _) => Decision::Resume,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn stored() -> Stored {
        Stored {
            id: Uuid::nil(),
            fingerprint: "f".to_owned(),
            resource_id: Uuid::nil(),
            generation: 1,
            lease_until: None,
            status: None,
            answer: None,
            expires_at: DateTime::UNIX_EPOCH + KEPT,
        }
    }

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::seconds(seconds)
    }

    #[test]
    fn an_unused_key_begins_and_an_expired_one_begins_anew() {
        assert_eq!(decide(None, "f", at(0)), Decision::Begin { stale: None });
        assert_eq!(decide(Some(&stored()), "g", at(24 * 3600)), Decision::Begin { stale: Some(Uuid::nil()) });
    }

    #[test]
    fn another_body_is_a_mismatch_whatever_became_of_the_first() {
        assert_eq!(decide(Some(&stored()), "g", at(1)), Decision::Mismatch);
    }

    #[test]
    fn a_running_request_is_waited_for_and_resumed_after_its_lease() {
        let running = Stored { lease_until: Some(at(10)), ..stored() };
        assert_eq!(decide(Some(&running), "f", at(0)), Decision::Running { retry_after: 10 });
        assert_eq!(decide(Some(&running), "f", at(9)), Decision::Running { retry_after: 1 });
        assert_eq!(decide(Some(&running), "f", at(10)), Decision::Resume);
        assert_eq!(decide(Some(&stored()), "f", at(0)), Decision::Resume);
    }

    #[test]
    fn a_finished_request_is_answered_again_unless_its_answer_was_a_secret() {
        let done = Stored { status: Some(201), answer: Some("sealed".to_owned()), ..stored() };
        assert_eq!(
            decide(Some(&done), "f", at(5)),
            Decision::Replay { status: 201, answer: "sealed".to_owned() }
        );
        assert_eq!(decide(Some(&Stored { answer: None, ..done }), "f", at(5)), Decision::SecretShown);
    }

    #[test]
    fn a_fingerprint_sees_the_json_and_not_how_it_is_written() {
        let written = |text: &str| fingerprint("POST /v1/agents", &serde_json::from_str(text).unwrap());
        assert_eq!(written(r#"{"a": 1, "b": 2}"#), written(r#"{ "b":2,"a":1}"#));
        assert_ne!(written(r#"{"a": 1}"#), written(r#"{"a": 2}"#));
        assert_ne!(fingerprint("POST /v1/agents", &json!({})), fingerprint("POST /v1/customers", &json!({})));
    }

    #[test]
    fn a_key_is_printable() {
        assert!(parse_key("a").is_ok());
        assert!(parse_key(&"k".repeat(255)).is_ok());
        for bad in ["", " ", &"k".repeat(256), "a\u{7f}", "ä"] {
            assert!(parse_key(bad).is_err(), "{bad}");
        }
    }
}
