//! What can go wrong when a model is asked, in the four ways that a caller can act on.

/// Why a model gave no (complete) answer. None of the texts holds a key or what the customer said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// The server could not be reached, was overloaded to the last attempt, or cut the answer off.
    #[error("the model server is unavailable: {0}")]
    Unavailable(String),
    /// The deadline passed, or the stream was silent for longer than the idle limit.
    #[error("the model did not answer within its deadline")]
    Timeout,
    /// The server understood and said no (a 4xx other than 429): asking again will not help.
    #[error("the model server refused the request with status {status}: {message}")]
    Refused {
        /// HTTP status of the answer.
        status: u16,
        /// The server's own words, shortened.
        message: String,
    },
    /// An answer came that is not in the promised form.
    #[error("the model's answer could not be read: {0}")]
    Garbled(String),
}
