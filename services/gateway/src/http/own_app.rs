//! Where something names the app whose documents it knows: only one of the same business is one.

use contracts::ids::BusinessId;
use serde_json::Value;

use crate::app::App;
use crate::error::ApiError;
use crate::store::apps;

/// Refuses the id of another business's app, or of none, where a body says one. Its form was looked at before. An app that is deleted
/// later stays named, and nothing is known from it any more.
///
/// # Errors
/// 400 for this field.
pub(super) async fn require(
    app: &App,
    business: BusinessId,
    field: &str,
    said: Option<&Value>,
) -> Result<(), ApiError> {
    let named = said.and_then(Value::as_str).filter(|named| !named.is_empty());
    let Some(named) = named.map(str::to_owned) else { return Ok(()) };
    let is_own = app.platform.database.read(move |db| apps::is_of(db, business, &named)).await;
    match is_own.map_err(ApiError::from)? {
        true => Ok(()),
        false => Err(ApiError::invalid_field(field, "names no app of this business")),
    }
}
