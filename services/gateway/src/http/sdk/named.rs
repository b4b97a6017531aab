//! The app of a request whose path does not name it.

use serde_json::Value;

use crate::error::ApiError;
use crate::http::fields::decode;
use crate::http::query::Query;

/// The `appId` of a query.
///
/// # Errors
/// 400 when there is none.
pub(super) fn app_in_query(query: &Query) -> Result<String, ApiError> {
    let named = query.get("appId", |text| Ok(text.to_owned()))?;
    named.ok_or_else(|| ApiError::invalid_field("appId", "is required"))
}

/// The `appId` of a body.
///
/// # Errors
/// 400 when there is none.
pub(super) fn app_in_body(body: &Value) -> Result<String, ApiError> {
    decode(body, |fields| fields.text("appId", |text| Ok(text.to_owned())))
}
