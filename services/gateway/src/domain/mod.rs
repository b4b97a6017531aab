//! Pure rules: what is accepted from outside and what is decided about it. No I/O, no clock, no async.

pub(crate) mod agent;
pub(crate) mod agent_warnings;
pub(crate) mod api_key;
pub(crate) mod audit;
pub(crate) mod carrier;
pub(crate) mod customer;
pub(crate) mod days;
pub(crate) mod idempotency;
pub(crate) mod import;
pub(crate) mod json;
pub(crate) mod moment;
pub(crate) mod notification;
pub(crate) mod person;
pub(crate) mod phone;
pub(crate) mod phone_book;
pub(crate) mod previewed;
pub(crate) mod problem;
pub(crate) mod refresh;
pub(crate) mod reschedule;
pub(crate) mod retry;
pub(crate) mod role;
pub(crate) mod schema;
pub(crate) mod text;
pub(crate) mod tool;
pub(crate) mod webhook;
pub(crate) mod window;
