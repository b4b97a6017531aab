//! How a ticket is opened: what was said and found before (`before`), and then the ticket itself (`open`).

mod before;
mod open;

pub(crate) use open::{Opened, limits, open};
