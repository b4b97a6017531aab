//! What can go wrong here, and what it means for a message and for a request.

use common::bus::Outcome;
use common::db::DbError;
use common::json_schema::SchemaProblem;
use contracts::ids::BadId;
use contracts::rpc::RpcError;

use crate::domain::notification::NotificationStatus;

/// A failure of this service.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OrchestratorError {
    /// The tables.
    #[error(transparent)]
    Db(#[from] DbError),
    /// Something names an id that is none.
    #[error(transparent)]
    BadId(#[from] BadId),
    /// A request is wrong.
    #[error("{field}: {problem}")]
    Invalid {
        /// The field, as the public API names it.
        field: &'static str,
        /// What is wrong and what would be right.
        problem: String,
    },
    /// An agent's `output_schema` cannot be used.
    #[error("output_schema{0}")]
    Schema(#[from] SchemaProblem),
    /// Work on another thread broke off.
    #[error(transparent)]
    BrokeOff(#[from] tokio::task::JoinError),
    /// The model gave no useful answer, and somebody waits for it.
    #[error("the model gave no answer: {0}")]
    Model(String),
    /// Not there, or another tenant's.
    #[error("{0} not found")]
    NotFound(&'static str),
    /// What is over cannot be stopped any more.
    #[error("The notification is {0}: what is over cannot be canceled any more")]
    Finished(NotificationStatus),
    /// A caller has as many calls to bots as they may.
    #[error("This caller has as many calls as one caller may: {0}")]
    CallerLimit(String),
    /// A bot has as many calls as it may.
    #[error("This bot is on {0} calls, and may be on no more")]
    BotLimit(u32),
    /// Nothing could be placed.
    #[error(
        "There is no carrier to place calls with: set ECHO_TWILIO_ACCOUNT_SID and ECHO_TWILIO_AUTH_TOKEN, or ECHO_CARRIER=sandbox"
    )]
    NoCarrier,
}

impl From<OrchestratorError> for Outcome {
    fn from(error: OrchestratorError) -> Self {
        match error {
            OrchestratorError::Db(e) => e.into(),
            other => Self::Dead(other.to_string()),
        }
    }
}

impl From<OrchestratorError> for RpcError {
    fn from(error: OrchestratorError) -> Self {
        match error {
            OrchestratorError::Db(e) if e.is_away() => Self::Unavailable(e.to_string()),
            // Others were faster three times: whoever asks again finds them done.
            OrchestratorError::Db(e @ (DbError::Conflict | DbError::Duplicate { .. })) => {
                Self::Unavailable(e.to_string())
            }
            OrchestratorError::Db(e) => Self::Internal(e.to_string()),
            OrchestratorError::BadId(e) => Self::Invalid { field: "id".to_owned(), problem: e.to_string() },
            OrchestratorError::Invalid { field, problem } => {
                Self::Invalid { field: field.to_owned(), problem }
            }
            OrchestratorError::Schema(SchemaProblem { place, problem }) => {
                Self::Invalid { field: format!("output_schema{place}"), problem }
            }
            e @ OrchestratorError::Model(_) => Self::Unavailable(e.to_string()),
            OrchestratorError::BrokeOff(e) => Self::Internal(e.to_string()),
            e @ OrchestratorError::NoCarrier => {
                Self::Conflict { code: "no_carrier".to_owned(), message: e.to_string() }
            }
            e @ OrchestratorError::CallerLimit(_) => {
                Self::Conflict { code: "caller_limit".to_owned(), message: e.to_string() }
            }
            e @ OrchestratorError::BotLimit(_) => {
                Self::Conflict { code: "bot_limit".to_owned(), message: e.to_string() }
            }
            e @ OrchestratorError::Finished(_) => {
                Self::Conflict { code: "notification_finished".to_owned(), message: e.to_string() }
            }
            OrchestratorError::NotFound(what) => Self::NotFound(what.to_owned()),
        }
    }
}
