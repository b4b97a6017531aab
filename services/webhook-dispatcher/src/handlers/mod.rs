//! What this service hears and answers: one file per message, one per rpc service.

pub(crate) mod call_ended;
pub(crate) mod call_started;
pub(crate) mod call_summarised;
mod endpoints;
mod fan_out;
mod refusals;
mod targets;
