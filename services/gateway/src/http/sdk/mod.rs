//! EchoSDK: what is asked of one app. Below `/api`, where other clients find it.
//!
//! Every handler begins at the door ([`door`]), which counts, finds the app and says who is asking.

mod answer;
pub(super) mod cors;
pub(super) mod door;
pub(super) mod feedback;
pub(super) mod handover;
pub(super) mod ingest;
pub(super) mod insights;
mod named;
pub(super) mod query;
pub(super) mod search;
pub(super) mod sources;
pub(super) mod tickets;
