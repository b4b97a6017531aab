//! The tables; the tenant is the first argument of every query.

pub(crate) mod answers;
pub(crate) mod apps;
pub(crate) mod chunks;
pub(crate) mod conversations;
pub(crate) mod embeddings;
pub(crate) mod leavings;
pub(crate) mod passages;
mod schema;
pub(crate) mod sources;
pub(crate) mod ticket_parts;
pub(crate) mod tickets;
