//! Messages heard, one file each, under its name.

pub(crate) mod phone_reachability_changed;
