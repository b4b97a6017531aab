//! Tables: one file per table, the tenant first in every query.

pub(crate) mod agents;
pub(crate) mod api_keys;
pub(crate) mod app_keys;
pub(crate) mod app_requests;
pub(crate) mod apps;
pub(crate) mod audit;
pub(crate) mod businesses;
pub(crate) mod connections;
pub(crate) mod customers;
pub(crate) mod idempotency;
pub(crate) mod invitations;
pub(crate) mod leavings;
pub(crate) mod mails;
pub(crate) mod memberships;
pub(crate) mod password_resets;
pub(crate) mod phones;
pub(crate) mod placings;
pub(crate) mod projects;
pub(crate) mod refresh_tokens;
mod schema;
pub(crate) mod sessions;
pub(crate) mod users;

/// Which page of a list: newest first, so ids below `after`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Page {
    /// At most this many.
    pub(crate) limit: i64,
    /// Continue behind this one.
    pub(crate) after: Option<uuid::Uuid>,
}
