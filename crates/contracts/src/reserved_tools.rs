//! The names of what an agent can do of itself in a conversation. No tool of a user has one of them.

/// Settles another time.
pub const BOOK_TIME: &str = "book_time";
/// Says goodbye and hangs up.
pub const END_CALL: &str = "end_call";
/// Puts through to a person.
pub const TRANSFER: &str = "transfer_to_person";
/// All of them.
pub const ALL: [&str; 3] = [BOOK_TIME, END_CALL, TRANSFER];
