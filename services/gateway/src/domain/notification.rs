//! What a notification may say about when and how it is dialled.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::problem::Problem;
use common::crypto::sha256_hex;

/// How far ahead a call may be scheduled, and how long after that it may wait.
const AHEAD: TimeDelta = TimeDelta::days(365);
/// The statuses of a notification.
pub(crate) const STATUSES: [&str; 5] = ["queued", "in_progress", "completed", "failed", "canceled"];
/// What may happen when a machine picks up.
pub(crate) const VOICEMAIL: [&str; 3] = ["hang_up", "leave_message", "retry"];

/// What happens when a machine picks up.
pub(crate) fn voicemail(text: &str) -> Result<String, String> {
    one_of(text, &VOICEMAIL)
}

/// A status to look for.
pub(crate) fn status(text: &str) -> Result<String, String> {
    one_of(text, &STATUSES)
}

fn one_of(text: &str, known: &[&str]) -> Result<String, String> {
    let found = known.iter().find(|word| **word == text);
    found.map(|word| (*word).to_owned()).ok_or_else(|| format!("must be one of {}", known.join(", ")))
}

/// When a call may be made. Held against the clock when the notification is placed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Schedule {
    /// Not before.
    pub(crate) scheduled_at: Option<DateTime<Utc>>,
    /// Not after.
    pub(crate) expires_at: Option<DateTime<Utc>>,
}

impl Schedule {
    /// Whether this can be kept at `now`. A time to begin that has passed means at once.
    pub(crate) fn check(self, now: DateTime<Utc>) -> Result<(), Problem> {
        let begins = self.scheduled_at.map_or(now, |at| at.max(now));
        if begins > now + AHEAD {
            return Err(Problem::new("scheduled_at", "must lie at most one year ahead"));
        }
        match self.expires_at {
            Some(ends) if ends <= now => {
                Err(Problem::new("expires_at", "has passed; it must lie in the future"))
            }
            Some(ends) if ends <= begins => Err(Problem::new("expires_at", "must come after scheduled_at")),
            Some(ends) if ends > begins + AHEAD => {
                Err(Problem::new("expires_at", "must lie at most one year after the call is due"))
            }
            _ => Ok(()),
        }
    }
}

/// The id of row `index` of a batch whose own id is `batch`: the same on every attempt, of the same moment as the batch, and in
/// the order of the rows (a `UUIDv7` with the row in place of its first random bits).
pub(crate) fn row_id(batch: Uuid, index: usize) -> Uuid {
    let digest = sha256_hex(format!("{batch}/{index}").as_bytes());
    let random = u128::from_str_radix(digest.get(..16).unwrap_or_default(), 16).unwrap_or_default();
    let time = batch.as_u128() >> 80 << 80;
    let row = (index as u128 & 0xfff) << 64;
    Uuid::from_u128(time | 0x7 << 76 | row | 0b10 << 62 | random >> 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(days: i64) -> DateTime<Utc> {
        DateTime::UNIX_EPOCH + TimeDelta::days(days)
    }

    fn wrong(scheduled: Option<i64>, expires: Option<i64>) -> Option<String> {
        let schedule = Schedule { scheduled_at: scheduled.map(at), expires_at: expires.map(at) };
        schedule.check(at(1000)).err().map(|problem| problem.field)
    }

    #[test]
    fn a_call_is_scheduled_for_a_year_at_most_and_expires_after_it_is_due() {
        assert_eq!(wrong(None, None), None);
        assert_eq!(wrong(Some(10), None), None, "the past is now");
        assert_eq!(wrong(Some(1365), Some(1366)), None);
        assert_eq!(wrong(Some(1366), None).as_deref(), Some("scheduled_at"));
        for (scheduled, expires) in
            [(None, 1000), (None, 999), (Some(1010), 1010), (Some(1010), 1005), (None, 1366)]
        {
            assert_eq!(wrong(scheduled, Some(expires)).as_deref(), Some("expires_at"), "{expires}");
        }
    }

    #[test]
    fn the_rows_of_a_batch_have_ids_of_their_own_in_order_and_always_the_same() {
        let batch = Uuid::now_v7();
        let ids: Vec<Uuid> = (0..1000).map(|index| row_id(batch, index)).collect();
        assert!(ids.is_sorted_by(|a, b| a < b));
        assert_eq!(ids, (0..1000).map(|index| row_id(batch, index)).collect::<Vec<_>>());
        for id in &ids {
            assert_eq!((id.get_version_num(), id.get_variant()), (7, uuid::Variant::RFC4122));
            assert_eq!(id.get_timestamp(), batch.get_timestamp());
        }
        assert_ne!(row_id(Uuid::now_v7(), 0), ids[0]);
    }

    #[test]
    fn words_are_those_that_are_documented() {
        assert!(voicemail("leave_message").is_ok() && status("in_progress").is_ok());
        assert!(voicemail("sing").unwrap_err().contains("hang_up"));
        assert!(status("").is_err());
    }
}
