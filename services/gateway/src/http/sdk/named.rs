//! The app of a request whose path does not name it.

use serde_json::Value;

use crate::error::ApiError;
use crate::http::fields::{Fields, decode};
use crate::http::query::Query;

/// The `appId` of a query.
///
/// # Errors
/// 400 when there is none.
pub(super) fn app_in_query(query: &Query) -> Result<String, ApiError> {
    let named = query.get("appId", |text| Ok(text.to_owned()))?;
    named.ok_or_else(|| ApiError::invalid_field("appId", "is required"))
}

/// The `appId` of a body whose path may name the app, too: the path's counts, and what is no text is refused.
pub(super) fn app_beside_path(fields: &mut Fields<'_>) -> Option<Option<String>> {
    fields.optional_text("appId", |text| Ok(text.to_owned()))
}

/// The `appId` of a body.
///
/// # Errors
/// 400 when there is none.
pub(super) fn app_in_body(body: &Value) -> Result<String, ApiError> {
    decode(body, |fields| {
        let named = app_beside_path(fields)?;
        if named.is_none() {
            fields.refuse("appId", "is required");
        }
        named
    })
}
