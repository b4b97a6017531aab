//! Sealing: XChaCha20-Poly1305 with a random nonce. A sealed value names its key, so that rings can be rotated, and is
//! bound to the row it belongs to, so that it cannot be copied to another.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};

use super::KeyRing;

/// Why a value could not be sealed or opened. Says nothing about the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// No key of the ring has the id that the value names.
    #[error("sealed with key `{0}`, which is not in ECHO_MASTER_KEYS any more")]
    UnknownKey(String),
    /// Not something that was sealed here, or not for this row.
    #[error("not a sealed value of this row")]
    Broken,
    /// The operating system has no random numbers.
    #[error("no random numbers")]
    NoRandom,
}

/// Seals `plain` for the row that `row` names (for example `endpoint:<id>`).
///
/// # Errors
/// [`SealError::NoRandom`].
pub fn seal(ring: &KeyRing, row: &str, plain: &[u8]) -> Result<String, SealError> {
    let key = ring.active();
    let nonce = super::random::<24>().map_err(|_| SealError::NoRandom)?;
    let payload = Payload { msg: plain, aad: row.as_bytes() };
    let cipher = XChaCha20Poly1305::new(&key.bytes.into());
    let sealed = cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| SealError::Broken)?;
    Ok(format!("{}.{}.{}", key.id, BASE64.encode(nonce), BASE64.encode(sealed)))
}

/// Opens what [`seal`] made for the same row.
///
/// # Errors
/// [`SealError::UnknownKey`] or [`SealError::Broken`].
pub fn open(ring: &KeyRing, row: &str, sealed: &str) -> Result<Vec<u8>, SealError> {
    let mut parts = sealed.splitn(3, '.');
    let (Some(id), Some(nonce), Some(body)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(SealError::Broken);
    };
    let key = ring.find(id).ok_or_else(|| SealError::UnknownKey(id.to_owned()))?;
    let nonce: [u8; 24] =
        BASE64.decode(nonce).ok().and_then(|n| n.try_into().ok()).ok_or(SealError::Broken)?;
    let body = BASE64.decode(body).map_err(|_| SealError::Broken)?;
    let payload = Payload { msg: &body, aad: row.as_bytes() };
    let cipher = XChaCha20Poly1305::new(&key.bytes.into());
    cipher.decrypt(&XNonce::from(nonce), payload).map_err(|_| SealError::Broken)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: &str = "k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=";
    const NEW: &str = "k2:MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=";

    #[test]
    fn what_was_sealed_opens_after_the_ring_was_rotated_and_not_without_its_key() {
        let sealed = seal(&KeyRing::parse(OLD).unwrap(), "row:1", b"secret").unwrap();
        assert!(!sealed.contains("secret"));
        let rotated = KeyRing::parse(&format!("{NEW},{OLD}")).unwrap();
        assert_eq!(open(&rotated, "row:1", &sealed).unwrap(), b"secret");
        let forgotten = KeyRing::parse(NEW).unwrap();
        assert_eq!(open(&forgotten, "row:1", &sealed), Err(SealError::UnknownKey("k1".to_owned())));
    }

    #[test]
    fn a_sealed_value_opens_for_its_own_row_only() {
        let ring = KeyRing::parse(OLD).unwrap();
        let sealed = seal(&ring, "row:1", b"secret").unwrap();
        assert_eq!(open(&ring, "row:2", &sealed), Err(SealError::Broken));
    }
}
