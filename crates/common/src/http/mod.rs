//! HTTP for services: listeners that are bound before anything else starts, and the operations endpoint.

pub mod ops;
pub mod server;
