//! HTTP for services: ports that are bound early and listened on late, and the operations endpoint.

pub mod ops;
pub mod server;
