//! Messages and requests heard, one file each.

pub(crate) mod dial_requested;
pub(crate) mod find_carrier;
pub(crate) mod leave_message_requested;
pub(crate) mod stop_call_requested;
