//! The tables; the tenant is the first argument of every query.

pub(crate) mod answers;
pub(crate) mod apps;
pub(crate) mod chunks;
pub(crate) mod conversations;
pub(crate) mod embeddings;
pub(crate) mod passages;
mod schema;
pub(crate) mod sources;
