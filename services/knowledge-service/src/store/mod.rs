//! The tables; the tenant is the first argument of every query.

mod schema;
pub(crate) mod sources;
