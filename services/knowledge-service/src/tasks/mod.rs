//! Periodic jobs, one file each: idempotent, without retries inside.

pub(crate) mod embed;
pub(crate) mod purge;
pub(crate) mod weigh;
