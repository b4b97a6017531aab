//! What can go wrong here, and what it means for a message.

use common::bus::Outcome;
use common::db::DbError;

/// A failure of this service.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BridgeError {
    /// The tables.
    #[error(transparent)]
    Db(#[from] DbError),
    /// A message names an id that is none.
    #[error(transparent)]
    BadId(#[from] contracts::ids::BadId),
    /// The carrier does not answer or refuses.
    #[error("carrier: {0}")]
    Carrier(#[from] twilio::rest::Error),
    /// No account to dial with.
    #[error(
        "no carrier account: set ECHO_TWILIO_ACCOUNT_SID and ECHO_TWILIO_AUTH_TOKEN, or ECHO_CARRIER=sandbox"
    )]
    NoAccount,
    /// The wanted number is another account's.
    #[error("the number to call from is none of the account's")]
    NotOurNumber,
    /// The tables did not answer in time.
    #[error("the tables are too slow")]
    Slow,
    /// What is stored of an account does not make one.
    #[error("an account cannot be used: {0}")]
    Unusable(String),
}

impl From<BridgeError> for Outcome {
    fn from(error: BridgeError) -> Self {
        match error {
            BridgeError::Db(e) => e.into(),
            BridgeError::Carrier(e) => Self::RetryAfter({
                tracing::warn!(error = %e, "the carrier gave no useful answer");
                std::time::Duration::from_secs(5)
            }),
            BridgeError::Slow => Self::Unavailable(error.to_string()),
            e @ (BridgeError::BadId(_)
            | BridgeError::NoAccount
            | BridgeError::NotOurNumber
            | BridgeError::Unusable(_)) => Self::Dead(e.to_string()),
        }
    }
}
