//! The settings of this service, read once when it is built.

use std::time::Duration;

use common::config::{ConfigError, Settings};

/// What writing down an attempt may take, before and after it is sent.
const LEASE_MARGIN: Duration = Duration::from_secs(5);

/// The settings.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    /// Longest attempt, until the last byte of the answer.
    pub(crate) deadline: Duration,
    /// How long a claimed delivery belongs to whoever claimed it.
    pub(crate) lease: Duration,
    /// Attempts in flight.
    pub(crate) concurrency: usize,
    /// Attempts in flight to one endpoint.
    pub(crate) per_endpoint: usize,
    /// Active endpoints that a project may have.
    pub(crate) endpoints: usize,
    /// Attempts in flight to all endpoints that keep failing, one to each.
    pub(crate) slow_concurrency: usize,
    /// Requests in flight while phone calls run.
    pub(crate) now_concurrency: usize,
    /// Such requests in flight for one owner.
    pub(crate) now_per_owner: usize,
}

impl Config {
    /// Reads them.
    pub(crate) fn read(settings: &Settings) -> Result<Self, ConfigError> {
        let config = Self {
            deadline: Duration::from_millis(settings.get("ECHO_WEBHOOK_DEADLINE_MS", 10_000)?),
            lease: Duration::from_millis(settings.get("ECHO_WEBHOOK_LEASE_MS", 25_000)?),
            concurrency: settings.get("ECHO_WEBHOOK_CONCURRENCY", 64)?,
            per_endpoint: settings.get("ECHO_WEBHOOK_ENDPOINT_CONCURRENCY", 8)?,
            endpoints: settings.get("ECHO_WEBHOOK_ENDPOINT_LIMIT", 50)?,
            slow_concurrency: settings.get("ECHO_WEBHOOK_SLOW_CONCURRENCY", 16)?,
            now_concurrency: settings.get("ECHO_CALL_NOW_CONCURRENCY", 256)?,
            now_per_owner: settings.get("ECHO_CALL_NOW_OWNER_CONCURRENCY", 32)?,
        };
        config.checked()
    }

    fn checked(self) -> Result<Self, ConfigError> {
        if self.lease < self.deadline + LEASE_MARGIN {
            // Otherwise a second replica would send what the first one is still sending.
            let needed = (self.deadline + LEASE_MARGIN).as_millis();
            let problem = format!("must be at least ECHO_WEBHOOK_DEADLINE_MS and 5 s: {needed}");
            return Err(ConfigError::new("ECHO_WEBHOOK_LEASE_MS", problem));
        }
        let bounds = [
            ("ECHO_WEBHOOK_DEADLINE_MS", usize::from(!self.deadline.is_zero())),
            ("ECHO_WEBHOOK_CONCURRENCY", self.concurrency),
            ("ECHO_WEBHOOK_ENDPOINT_CONCURRENCY", self.per_endpoint),
            ("ECHO_WEBHOOK_ENDPOINT_LIMIT", self.endpoints),
            ("ECHO_WEBHOOK_SLOW_CONCURRENCY", self.slow_concurrency),
            ("ECHO_CALL_NOW_CONCURRENCY", self.now_concurrency),
            ("ECHO_CALL_NOW_OWNER_CONCURRENCY", self.now_per_owner),
        ];
        match bounds.iter().find(|(_, value)| *value == 0) {
            Some((name, _)) => Err(ConfigError::new(*name, "must be at least 1")),
            None => Ok(self),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::read(&Settings::from_pairs(pairs.iter().copied()))
    }

    #[test]
    fn the_defaults_are_the_documented_ones() {
        let config = read(&[]).unwrap();
        assert_eq!(config.deadline, Duration::from_secs(10));
        assert_eq!((config.concurrency, config.per_endpoint, config.slow_concurrency), (64, 8, 16));
    }

    #[test]
    fn a_lease_that_could_end_before_the_attempt_stops_the_start() {
        let error = read(&[("ECHO_WEBHOOK_LEASE_MS", "14999")]).unwrap_err();
        assert_eq!(error.name, "ECHO_WEBHOOK_LEASE_MS");
        assert!(error.problem.ends_with("15000"), "{error}");
        assert!(read(&[("ECHO_WEBHOOK_LEASE_MS", "15000")]).is_ok());
    }

    #[test]
    fn no_bound_may_be_nought() {
        let error = read(&[("ECHO_WEBHOOK_SLOW_CONCURRENCY", "0")]).unwrap_err();
        assert_eq!(error.name, "ECHO_WEBHOOK_SLOW_CONCURRENCY");
    }
}
