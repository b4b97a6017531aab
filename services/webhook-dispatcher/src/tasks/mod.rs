//! What the service does from time to time: idempotent rounds, woken by a nudge or their interval.

pub(crate) mod clear;
pub(crate) mod finish;
pub(crate) mod mail;
pub(crate) mod notices;
pub(crate) mod observe;
pub(crate) mod purge;
pub(crate) mod send;
pub(crate) mod sweep;
mod trying;
