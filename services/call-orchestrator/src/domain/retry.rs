//! The retry policy of a notification: which endings are worth another attempt, how many attempts, how far
//! apart.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use super::ended_reason::EndedReason;
use super::limits::{DEFAULT_DELAY_SECONDS, MAX_ATTEMPTS, MAX_DELAY_SECONDS};

/// The endings that are retried when a policy names none.
pub const DEFAULT_ON: [EndedReason; 2] = [EndedReason::Busy, EndedReason::NoAnswer];

/// A checked retry policy. The default is one attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "RawPolicy")]
pub struct RetryPolicy {
    max_attempts: u32,
    delay_seconds: Vec<u32>,
    on: Vec<EndedReason>,
}

/// Why a retry policy is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RetryProblem {
    /// Outside 1–5.
    #[error("max_attempts is {0}; it must be 1 to {MAX_ATTEMPTS}")]
    Attempts(u32),
    /// A pause longer than a day.
    #[error("delay_seconds holds {0}; a pause must be 0 to {MAX_DELAY_SECONDS} seconds")]
    Delay(u32),
    /// More pauses than there can be retries.
    #[error("delay_seconds holds {0} pauses; it must be fewer than {MAX_ATTEMPTS}")]
    Delays(usize),
    /// An ending after which nothing is dialled again.
    #[error(
        "on holds `{0}`, which is never retried; voicemail, screened, busy, no-answer, rejected, \
         carrier-error and error are"
    )]
    On(EndedReason),
}

#[derive(Deserialize)]
struct RawPolicy {
    #[serde(default = "one")]
    max_attempts: u32,
    #[serde(default)]
    delay_seconds: Vec<u32>,
    #[serde(default)]
    on: Vec<EndedReason>,
}

fn one() -> u32 {
    1
}

impl TryFrom<RawPolicy> for RetryPolicy {
    type Error = RetryProblem;

    fn try_from(raw: RawPolicy) -> Result<Self, RetryProblem> {
        Self::new(raw.max_attempts, raw.delay_seconds, raw.on)
    }
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { max_attempts: 1, delay_seconds: Vec::new(), on: DEFAULT_ON.to_vec() }
    }
}

impl RetryPolicy {
    /// A policy of `max_attempts` (1–5) with the pause `delay_seconds[n - 1]` after attempt `n`: the last
    /// pause repeats where the list is short, and an empty list means five minutes. `on` names the endings
    /// that are retried; empty means `busy` and `no-answer`.
    ///
    /// # Errors
    /// A number out of its range, or an ending that must not be retried.
    pub fn new(
        max_attempts: u32,
        delay_seconds: Vec<u32>,
        on: Vec<EndedReason>,
    ) -> Result<Self, RetryProblem> {
        if !(1..=MAX_ATTEMPTS).contains(&max_attempts) {
            return Err(RetryProblem::Attempts(max_attempts));
        }
        if delay_seconds.len() >= MAX_ATTEMPTS as usize {
            return Err(RetryProblem::Delays(delay_seconds.len()));
        }
        if let Some(&delay) = delay_seconds.iter().find(|&&delay| delay > MAX_DELAY_SECONDS) {
            return Err(RetryProblem::Delay(delay));
        }
        if let Some(&reason) = on.iter().find(|reason| !reason.may_be_retried()) {
            return Err(RetryProblem::On(reason));
        }
        let on = if on.is_empty() { DEFAULT_ON.to_vec() } else { on };
        Ok(Self { max_attempts, delay_seconds, on })
    }

    /// Most attempts, 1–5.
    #[must_use]
    pub fn max_attempts(&self) -> u32 {
        self.max_attempts
    }

    /// The pauses, in seconds.
    #[must_use]
    pub fn delay_seconds(&self) -> &[u32] {
        &self.delay_seconds
    }

    /// The endings that are retried.
    #[must_use]
    pub fn on(&self) -> &[EndedReason] {
        &self.on
    }

    /// The same, and a machine is rung again, too. Where there was to be one attempt, there are two, the second only after a
    /// machine.
    #[must_use]
    pub fn also_after_a_machine(mut self) -> Self {
        if self.max_attempts == 1 {
            self.max_attempts = 2;
            self.on.clear();
        }
        if !self.on.contains(&EndedReason::Voicemail) {
            self.on.push(EndedReason::Voicemail);
        }
        self
    }

    /// When to ring again after attempt number `attempt` (from 1) ended at `now` for `reason`; `None` when it
    /// was the last.
    #[must_use]
    pub fn next(&self, attempt: u32, reason: EndedReason, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if attempt >= self.max_attempts || !self.on.contains(&reason) {
            return None;
        }
        let nth = usize::try_from(attempt.saturating_sub(1)).unwrap_or(usize::MAX);
        let delay = self.delay_seconds.get(nth).or(self.delay_seconds.last()).copied();
        Some(now + TimeDelta::seconds(i64::from(delay.unwrap_or(DEFAULT_DELAY_SECONDS))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn now() -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap()
    }

    fn delay(policy: &RetryPolicy, attempt: u32) -> Option<i64> {
        policy.next(attempt, EndedReason::Busy, now()).map(|next| (next - now()).num_seconds())
    }

    #[test]
    fn without_a_policy_there_is_one_attempt() {
        assert_eq!(delay(&RetryPolicy::default(), 1), None);
    }

    #[test]
    fn pauses_are_taken_in_order_and_the_last_one_repeats() {
        let policy = RetryPolicy::new(4, vec![10, 60], Vec::new()).unwrap();
        assert_eq!([1, 2, 3, 4].map(|attempt| delay(&policy, attempt)), [Some(10), Some(60), Some(60), None]);
    }

    #[test]
    fn a_policy_without_pauses_waits_five_minutes() {
        assert_eq!(delay(&RetryPolicy::new(2, Vec::new(), Vec::new()).unwrap(), 1), Some(300));
    }

    #[test]
    fn only_the_named_endings_are_retried() {
        let policy = RetryPolicy::new(3, Vec::new(), vec![EndedReason::Voicemail]).unwrap();
        assert!(policy.next(1, EndedReason::Voicemail, now()).is_some());
        assert!(policy.next(1, EndedReason::Busy, now()).is_none());
    }

    #[test]
    fn a_policy_that_would_ring_after_an_unknown_dial_is_refused() {
        let problem = RetryPolicy::new(2, Vec::new(), vec![EndedReason::DialUnknown]).unwrap_err();
        assert_eq!(problem, RetryProblem::On(EndedReason::DialUnknown));
    }

    #[test]
    fn numbers_out_of_range_are_refused_also_when_they_come_as_json() {
        assert_eq!(RetryPolicy::new(0, Vec::new(), Vec::new()), Err(RetryProblem::Attempts(0)));
        assert_eq!(RetryPolicy::new(6, Vec::new(), Vec::new()), Err(RetryProblem::Attempts(6)));
        assert_eq!(RetryPolicy::new(2, vec![1; 5], Vec::new()), Err(RetryProblem::Delays(5)));
        assert_eq!(RetryPolicy::new(2, vec![86_401], Vec::new()), Err(RetryProblem::Delay(86_401)));
        assert!(serde_json::from_value::<RetryPolicy>(json!({"max_attempts": 9})).is_err());
    }

    #[test]
    fn a_policy_survives_its_json_form() {
        let policy = RetryPolicy::new(3, vec![5], vec![EndedReason::NoAnswer]).unwrap();
        let text = serde_json::to_string(&policy).unwrap();
        assert_eq!(serde_json::from_str::<RetryPolicy>(&text).unwrap(), policy);
    }
}
