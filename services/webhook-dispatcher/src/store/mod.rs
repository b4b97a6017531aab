//! The tables: one file each. Times and ids come from the caller's transaction.

pub(crate) mod apps;
pub(crate) mod attempts;
pub(crate) mod backlog;
pub(crate) mod bots;
pub(crate) mod claim;
pub(crate) mod deliveries;
pub(crate) mod endpoints;
pub(crate) mod log;
pub(crate) mod mails;
pub(crate) mod notices;
pub(crate) mod retentions;
mod schema;
pub(crate) mod slow_lane;
pub(crate) mod targets;
pub(crate) mod tickets;
