//! What this service hears and answers: one file per message, one per rpc service.

pub(crate) mod app_changed;
pub(crate) mod app_deleted;
mod bot_acted;
pub(crate) mod bot_completed;
pub(crate) mod bot_webhooks;
pub(crate) mod call_ended;
pub(crate) mod call_started;
pub(crate) mod call_summarised;
pub(crate) mod customer_erased;
mod deliveries;
mod endpoints;
mod fan_out;
mod mails;
pub(crate) mod project_deleted;
pub(crate) mod project_policy_changed;
mod refusals;
mod targets;
mod ticket_notices;
pub(crate) mod ticket_opened;
