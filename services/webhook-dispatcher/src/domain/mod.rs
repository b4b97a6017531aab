//! Rules without effects: no tables, no network, no clock.

pub(crate) mod admission;
pub(crate) mod call_now;
pub(crate) mod delivery;
pub(crate) mod envelope;
pub(crate) mod event;
pub(crate) mod health;
pub(crate) mod mail;
pub(crate) mod owner;
pub(crate) mod page;
pub(crate) mod retry_after;
pub(crate) mod schedule;
pub(crate) mod signature;
pub(crate) mod slack;
pub(crate) mod target;
pub(crate) mod ticket;
pub(crate) mod trying;
pub(crate) mod verdict;
pub(crate) mod writing_down;
