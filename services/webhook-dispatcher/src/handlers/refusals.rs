//! How the rpcs say that something cannot be done.

use std::str::FromStr;

use common::db::DbError;
use contracts::ids::BadId;
use contracts::rpc::RpcError;

/// Reads an id.
pub(super) fn id<T: FromStr<Err = BadId>>(field: &str, text: &str) -> Result<T, RpcError> {
    text.parse().map_err(|e: BadId| invalid(field, &e))
}

/// A field is wrong.
pub(super) fn invalid(field: &str, problem: &dyn std::error::Error) -> RpcError {
    RpcError::Invalid { field: field.to_owned(), problem: problem.to_string() }
}

/// There is no such thing, or it is another tenant's.
pub(super) fn not_found<T: std::fmt::Display>(what: T) -> RpcError {
    RpcError::NotFound(what.to_string())
}

/// Something of ours does not work.
pub(super) fn broken<E: std::error::Error>(error: E) -> RpcError {
    RpcError::Internal(error.to_string())
}

/// The tables did not do it.
pub(super) fn away(error: DbError) -> RpcError {
    match error {
        DbError::Unavailable(why) => RpcError::Unavailable(why),
        // Two of the same at the same moment: asked again, the second one finds what the first one made.
        DbError::Duplicate { .. } | DbError::Conflict => RpcError::Busy,
        other => RpcError::Internal(other.to_string()),
    }
}
