//! How a question is answered, step by step: what was said before and what the documents say (`prepare`), the words (`speak`), and
//! what stays of it (`keep`).

mod kept;
mod prepared;
mod words;

pub(crate) use kept::keep;
pub(crate) use prepared::{Asked, prepare};
pub(crate) use words::{Said, speak};
