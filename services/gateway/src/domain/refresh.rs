//! What it means that a refresh token is presented.

use chrono::{DateTime, TimeDelta, Utc};

/// Two tabs of one browser refresh at the same time with the same token, and an answer may get lost on its way.
const GRACE: TimeDelta = TimeDelta::seconds(10);

/// A refresh token that is presented.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Presented {
    /// For the first time.
    First,
    /// Again, a moment after its use: by the same person.
    Again,
    /// Again, much later: one of two who have it stole it.
    Reused,
}

/// Judges a token by when it was first used.
pub(crate) fn presented(used_at: Option<DateTime<Utc>>, now: DateTime<Utc>) -> Presented {
    match used_at {
        None => Presented::First,
        Some(used) if now - used <= GRACE => Presented::Again,
        Some(_) => Presented::Reused,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_used_token_is_good_again_for_ten_seconds_and_not_longer() {
        let used = DateTime::UNIX_EPOCH;
        assert_eq!(presented(None, used), Presented::First);
        assert_eq!(presented(Some(used), used), Presented::Again);
        assert_eq!(presented(Some(used), used + TimeDelta::seconds(10)), Presented::Again);
        assert_eq!(presented(Some(used), used + TimeDelta::milliseconds(10_001)), Presented::Reused);
    }
}
