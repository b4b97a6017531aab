//! Where a question for a person stands.

/// New, waiting for somebody, and done.
pub(crate) const STATUSES: &[&str] = &["open", "pending", "resolved"];
