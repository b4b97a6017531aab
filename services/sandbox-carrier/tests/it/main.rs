//! The carrier from the outside: REST and controls in, signed webhooks out.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

mod callbacks;
mod clients;
mod conversation;
mod endings;
mod harness;
mod inbound;
mod page;
mod receiver;
mod rest;
mod unkindness;
mod verbs;
