//! Periodic jobs, one file each.

pub(crate) mod dial_due;
pub(crate) mod erase;
pub(crate) mod purge;
pub(crate) mod read_calls;
pub(crate) mod reap;
pub(crate) mod summarise;
