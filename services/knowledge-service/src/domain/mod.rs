//! Rules without effects.

pub(crate) mod chunks;
pub(crate) mod contents;
pub(crate) mod document;
pub(crate) mod extract;
pub(crate) mod filter;
pub(crate) mod fusion;
pub(crate) mod groups;
pub(crate) mod index;
pub(crate) mod language;
pub(crate) mod passages;
pub(crate) mod person;
pub(crate) mod prompt;
pub(crate) mod query;
pub(crate) mod question;
pub(crate) mod robots;
pub(crate) mod terms;
pub(crate) mod ticket;
pub(crate) mod transcript;
pub(crate) mod vectors;
pub(crate) mod verdict;
