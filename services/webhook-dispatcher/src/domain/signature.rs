//! Two signatures on every attempt: Echo's own (`X-Echo-Signature`, over the body, keyed with the whole secret as text) and
//! that of Standard Webhooks (`webhook-signature`, over id, time and body, keyed with the decoded part behind `whsec_`), so
//! that a receiver may use either the documented three lines or a public verifier.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// Introduces every signing secret.
const PREFIX: &str = "whsec_";

/// An endpoint's signing secret: `whsec_` and 64 lower-case hex digits. Prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct SigningSecret {
    text: String,
    /// The 64 digits, decoded as base64: 48 bytes.
    key: Vec<u8>,
}

/// A text that is no signing secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a signing secret: whsec_ and 64 hex digits were expected")]
pub(crate) struct BadSecret;

impl SigningSecret {
    /// A secret of 32 random bytes.
    pub(crate) fn from_random(bytes: [u8; 32]) -> Result<Self, BadSecret> {
        Self::parse(format!("{PREFIX}{}", hex::encode(bytes)))
    }

    /// Reads a stored secret.
    pub(crate) fn parse(text: String) -> Result<Self, BadSecret> {
        let digits = text.strip_prefix(PREFIX).ok_or(BadSecret)?;
        let hex = digits.len() == 64 && digits.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        let key = BASE64.decode(digits).map_err(|_| BadSecret)?;
        if hex { Ok(Self { text, key }) } else { Err(BadSecret) }
    }

    /// The text, for its owner.
    pub(crate) fn reveal(&self) -> &str {
        &self.text
    }

    fn echo(&self, body: &[u8]) -> String {
        format!("sha256={}", hex::encode(mac(self.text.as_bytes(), &[body])))
    }

    /// At `timestamp` seconds since the epoch.
    fn standard(&self, id: &str, timestamp: &str, body: &[u8]) -> String {
        let parts: [&[u8]; 5] = [id.as_bytes(), b".", timestamp.as_bytes(), b".", body];
        format!("v1,{}", BASE64.encode(mac(&self.key, &parts)))
    }
}

impl std::fmt::Debug for SigningSecret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

/// The secrets with which something is signed now: one, and after a rotation for a while the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SigningSecrets {
    /// Made last.
    pub(crate) current: SigningSecret,
    /// The one before it, as long as it is still good.
    pub(crate) previous: Option<SigningSecret>,
}

impl SigningSecrets {
    /// The value of `X-Echo-Signature`: always exactly one signature, made with the newest secret.
    pub(crate) fn echo(&self, body: &[u8]) -> String {
        self.current.echo(body)
    }

    /// The value of `webhook-signature`: one signature for each secret, newest first.
    pub(crate) fn standard(&self, id: &str, timestamp: &str, body: &[u8]) -> String {
        let newest = self.current.standard(id, timestamp, body);
        match &self.previous {
            Some(previous) => format!("{newest} {}", previous.standard(id, timestamp, body)),
            None => newest,
        }
    }
}

fn mac(key: &[u8], parts: &[&[u8]]) -> Vec<u8> {
    // HMAC takes a key of any length; the error type says otherwise.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    for part in parts {
        mac.update(part);
    }
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    const BODY: &[u8] = br#"{"event_id":"018f"}"#;

    fn secret() -> SigningSecret {
        SigningSecret::parse(format!("whsec_{}", "0123456789abcdef".repeat(4))).unwrap()
    }

    // openssl dgst -sha256 -hmac whsec_0123…
    #[test]
    fn echos_signature_is_the_one_that_openssl_computes() {
        assert_eq!(
            secret().echo(BODY),
            "sha256=e1b30417513fab05cbb5bc8f45e63fa86476cc2767bd245080d58bc812ee422c"
        );
    }

    // Python: base64(hmac(b64decode(secret[6:]), b"<id>.<timestamp>." + body, sha256))
    #[test]
    fn the_standard_signature_is_the_one_that_python_computes() {
        let id = "0190b1a0-0000-7000-8000-000000000001";
        assert_eq!(
            secret().standard(id, "1700000000", BODY),
            "v1,xiWvW/SDUHxfzhJinBzqHwXTJ7ON/Hv32GMbuvFQTt4="
        );
    }

    #[test]
    fn after_a_rotation_the_standard_header_carries_both_and_echos_own_the_newest() {
        let (new, old) = (SigningSecret::from_random([1; 32]).unwrap(), secret());
        let both = SigningSecrets { current: new.clone(), previous: Some(old.clone()) };
        let expected = format!("{} {}", new.standard("id", "1", BODY), old.standard("id", "1", BODY));
        assert_eq!(both.standard("id", "1", BODY), expected);
        assert_eq!(both.echo(BODY), new.echo(BODY));
        let one = SigningSecrets { current: old.clone(), previous: None };
        assert_eq!(one.standard("id", "1", BODY), old.standard("id", "1", BODY));
    }

    #[test]
    fn a_new_secret_has_the_documented_form_and_is_not_printed() {
        let made = SigningSecret::from_random([0xab; 32]).unwrap();
        assert_eq!(made.reveal(), format!("whsec_{}", "ab".repeat(32)));
        assert_eq!(format!("{made:?}"), "***");
        assert_eq!(SigningSecret::parse("whsec_abc".to_owned()), Err(BadSecret));
        assert_eq!(SigningSecret::parse("ab".repeat(32)), Err(BadSecret));
    }
}
