//! What a customer's words mean, one kind of meaning per file. Pure functions over words; none of them
//! knows the conversation.

pub(crate) mod choice;
pub(crate) mod date;
pub(crate) mod name;
pub(crate) mod number;
pub(crate) mod offer;
pub(crate) mod phrase;
pub(crate) mod repeat;
pub(crate) mod stop;
pub(crate) mod wish;
pub(crate) mod yes_no;
