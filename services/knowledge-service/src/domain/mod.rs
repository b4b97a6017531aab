//! Rules without effects.

pub(crate) mod query;
