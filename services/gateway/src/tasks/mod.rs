//! Periodic jobs, one file each: idempotent, without retries inside.

pub(crate) mod empty_deleted;
pub(crate) mod forget_expired;
pub(crate) mod pass_on_mails;
pub(crate) mod undo_connections;
pub(crate) mod withdraw_unknown;
