//! Everything that is decided without a network, a clock or a lock: how long things last, what a
//! person does, what a `<Gather>` brings in, what a call is and which states it may enter.

pub(crate) mod amd;
pub(crate) mod answer;
pub(crate) mod asked;
pub(crate) mod bounded;
pub(crate) mod call;
pub(crate) mod clock;
pub(crate) mod control;
pub(crate) mod ending;
pub(crate) mod event;
pub(crate) mod fault;
pub(crate) mod gather;
pub(crate) mod manners;
pub(crate) mod nasty;
pub(crate) mod number;
pub(crate) mod people;
pub(crate) mod person;
pub(crate) mod plan;
pub(crate) mod scenario;
pub(crate) mod span;
pub(crate) mod transcript;
