//! Periodic jobs, one file each.

pub(crate) mod forget_carriers;
pub(crate) mod reconcile;
