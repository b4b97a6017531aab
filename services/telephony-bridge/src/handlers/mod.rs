//! Messages heard, one file each.

pub(crate) mod dial_requested;
pub(crate) mod stop_call_requested;
