//! Periodic jobs, one file each.

pub(crate) mod ask_prices;
pub(crate) mod forget_carriers;
pub(crate) mod forget_numbers;
pub(crate) mod reconcile;
