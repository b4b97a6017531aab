//! The names of what an agent can do of itself in a conversation. No tool of a user has one of them.

/// Settles another time.
pub const BOOK_TIME: &str = "book_time";
/// Says goodbye and hangs up.
pub const END_CALL: &str = "end_call";
/// Puts through to a person.
pub const TRANSFER: &str = "transfer_to_person";
/// Has a bot's own system do something, or look something up, while its caller waits.
pub const ACT: &str = "act_now";
/// All of them.
pub const ALL: [&str; 4] = [BOOK_TIME, END_CALL, TRANSFER, ACT];
