//! The clock on the carrier's wall: the one place that reads the time for dates. The time inside a call is
//! `domain::clock`'s.

use chrono::{DateTime, Utc};

/// Now, UTC.
#[expect(
    clippy::disallowed_methods,
    reason = "a carrier is another company's machine, with a clock of its own"
)]
pub(crate) fn now() -> DateTime<Utc> {
    Utc::now()
}
