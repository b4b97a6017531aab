//! Signing secrets at rest: sealed, each bound to its endpoint's row.

use common::crypto::{self, KeyRing, SealError};
use contracts::ids::EndpointId;

use crate::domain::signature::{BadSecret, SigningSecret};

/// Why a stored secret cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SecretError {
    /// It does not open.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// What was sealed is no secret.
    #[error(transparent)]
    Bad(#[from] BadSecret),
}

fn row(endpoint: EndpointId) -> String {
    format!("endpoint:{endpoint}")
}

/// Seals the secret of an endpoint.
pub(crate) fn seal(
    ring: &KeyRing,
    endpoint: EndpointId,
    secret: &SigningSecret,
) -> Result<String, SecretError> {
    Ok(crypto::seal(ring, &row(endpoint), secret.reveal().as_bytes())?)
}

/// Opens the secret of an endpoint.
pub(crate) fn open(ring: &KeyRing, endpoint: EndpointId, sealed: &str) -> Result<SigningSecret, SecretError> {
    let plain = crypto::open(ring, &row(endpoint), sealed)?;
    Ok(SigningSecret::parse(String::from_utf8(plain).map_err(|_| BadSecret)?)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_for_its_own_endpoint_only() {
        let ring = KeyRing::parse("k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=").unwrap();
        let (mine, other) = (EndpointId::new(), EndpointId::new());
        let secret = SigningSecret::from_random([7; 32]).unwrap();
        let sealed = seal(&ring, mine, &secret).unwrap();
        assert!(!sealed.contains(secret.reveal()));
        assert_eq!(open(&ring, mine, &sealed), Ok(secret));
        assert_eq!(open(&ring, other, &sealed), Err(SecretError::Sealed(SealError::Broken)));
    }
}
