//! Periodic jobs, one file each.

pub(crate) mod reconcile;
