//! Rules without effects.

pub(crate) mod chunks;
pub(crate) mod contents;
pub(crate) mod document;
pub(crate) mod extract;
pub(crate) mod fusion;
pub(crate) mod index;
pub(crate) mod query;
pub(crate) mod robots;
pub(crate) mod terms;
pub(crate) mod vectors;
pub(crate) mod verdict;
