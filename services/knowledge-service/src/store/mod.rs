//! The tables; the tenant is the first argument of every query.

pub(crate) mod apps;
pub(crate) mod chunks;
pub(crate) mod embeddings;
mod schema;
pub(crate) mod sources;
