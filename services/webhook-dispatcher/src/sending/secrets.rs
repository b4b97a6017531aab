//! What is kept secret at rest: sealed, each value bound to its row.

use common::crypto::{self, KeyRing, SealError};
use contracts::ids::{AppId, EndpointId};
use uuid::Uuid;

use crate::domain::owner::Owner;
use crate::domain::signature::{BadSecret, SigningSecret};

/// Why a stored secret cannot be used, or a new one not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SecretError {
    /// It does not open.
    #[error(transparent)]
    Sealed(#[from] SealError),
    /// What was sealed is no secret.
    #[error(transparent)]
    Bad(#[from] BadSecret),
    /// The operating system has no random bytes.
    #[error("no random bytes: {0}")]
    Random(String),
}

/// The row that a sealed value belongs to: in another one it does not open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Row(String);

impl Row {
    /// The row of an endpoint.
    pub(crate) fn endpoint(id: EndpointId) -> Self {
        Self(format!("endpoint:{id}"))
    }

    /// The row of a mail.
    pub(crate) fn mail(id: Uuid) -> Self {
        Self(format!("mail:{id}"))
    }

    /// Slack's address of an app.
    pub(crate) fn slack(app: AppId) -> Self {
        Self(format!("slack:{app}"))
    }

    /// The row of a ticket.
    pub(crate) fn ticket(id: Uuid) -> Self {
        Self(format!("ticket:{id}"))
    }

    /// The row of an owner's target.
    pub(crate) fn target(owner: &Owner) -> Self {
        Self(format!("target:{}:{}", owner.business, owner.id()))
    }
}

/// A new signing secret, and the same sealed for its row.
pub(crate) fn make(ring: &KeyRing, row: &Row) -> Result<(SigningSecret, String), SecretError> {
    let random = crypto::random::<32>().map_err(|e| SecretError::Random(e.to_string()))?;
    let secret = SigningSecret::from_random(random)?;
    let sealed = crypto::seal(ring, &row.0, secret.reveal().as_bytes())?;
    Ok((secret, sealed))
}

/// Opens a signing secret.
pub(crate) fn open(ring: &KeyRing, row: &Row, sealed: &str) -> Result<SigningSecret, SecretError> {
    let plain = crypto::open(ring, &row.0, sealed)?;
    Ok(SigningSecret::parse(String::from_utf8(plain).map_err(|_| BadSecret)?)?)
}

/// Seals any other text for its row.
pub(crate) fn seal_text(ring: &KeyRing, row: &Row, text: &str) -> Result<String, SecretError> {
    Ok(crypto::seal(ring, &row.0, text.as_bytes())?)
}

/// Opens such a text.
pub(crate) fn open_text(ring: &KeyRing, row: &Row, sealed: &str) -> Result<String, SecretError> {
    Ok(String::from_utf8(crypto::open(ring, &row.0, sealed)?).map_err(|_| BadSecret)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use contracts::ids::BusinessId;

    #[test]
    fn a_secret_opens_for_its_own_row_only() {
        let ring = KeyRing::parse("k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=").unwrap();
        let mine = Row::endpoint(EndpointId::new());
        let (secret, sealed) = make(&ring, &mine).unwrap();
        assert!(!sealed.contains(secret.reveal()));
        assert_eq!(open(&ring, &mine, &sealed), Ok(secret));
        let target = Row::target(&Owner::parse(BusinessId::new(), "bot_1").unwrap());
        for other in [Row::endpoint(EndpointId::new()), target] {
            assert_eq!(open(&ring, &other, &sealed), Err(SecretError::Sealed(SealError::Broken)));
        }
    }

    #[test]
    fn no_two_secrets_are_alike() {
        let ring = KeyRing::parse("k1:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=").unwrap();
        let row = Row::endpoint(EndpointId::new());
        assert_ne!(make(&ring, &row).unwrap().0, make(&ring, &row).unwrap().0);
    }
}
