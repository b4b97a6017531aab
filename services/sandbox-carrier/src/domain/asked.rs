//! What was asked of the REST API: kept for whoever must prove what was, and was not, sent.

use chrono::{DateTime, Utc};
use serde::Serialize;

/// One request, without its credentials.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Asked {
    pub(crate) at: DateTime<Utc>,
    pub(crate) method: String,
    pub(crate) path: String,
    /// The parameters of the query and of the body, in order.
    pub(crate) parameters: Vec<(String, String)>,
    pub(crate) status: u16,
}
