//! EchoSDK: what is asked of one app. Below `/api`, where other clients find it.
//!
//! Every handler begins at the door ([`door`]), which counts, finds the app and says who is asking.

pub(super) mod cors;
pub(super) mod door;
pub(super) mod ingest;
pub(super) mod search;
pub(super) mod sources;
