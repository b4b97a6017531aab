//! Messages and requests heard, one file each.

pub(crate) mod carriers;
pub(crate) mod customer_erased;
pub(crate) mod delete_recording_requested;
pub(crate) mod dial_requested;
pub(crate) mod leave_message_requested;
pub(crate) mod project_deleted;
pub(crate) mod stop_call_requested;
