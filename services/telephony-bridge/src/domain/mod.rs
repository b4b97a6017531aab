//! Rules without I/O: what becomes of an attempt to dial, what the carrier's reports and lists mean, what the
//! caller hears when nobody behind this service answers, and the addresses the carrier is given.

pub(crate) mod attempt;
pub(crate) mod caller;
pub(crate) mod carriers_books;
pub(crate) mod deadlines;
pub(crate) mod document;
pub(crate) mod patience;
pub(crate) mod phrases;
pub(crate) mod price;
pub(crate) mod report;
pub(crate) mod urls;
pub(crate) mod voice;
