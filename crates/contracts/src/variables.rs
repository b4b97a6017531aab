//! The variables of a prompt that the platform fills in by itself. Whoever checks a prompt when it is written down and whoever
//! renders it before a call mean the same names.

/// The names that always have a value.
pub const BUILT_INS: [&str; 10] = [
    "business_name",
    "business_summary",
    "industry",
    "recipient_name",
    "recipient_first_name",
    "recipient_last_name",
    "message",
    "context",
    "current_date",
    "current_time",
];
/// What the names of the customer's own metadata begin with; the key follows.
pub const METADATA_PREFIX: &str = "customer.metadata.";
