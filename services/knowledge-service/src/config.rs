//! This service's settings.

use chrono::TimeDelta;
use common::config::{ConfigError, Settings};
use llm::Model;

/// Settings of the knowledge service.
pub(crate) struct Config {
    /// Bytes that the indexes may take together.
    pub(crate) index_bytes: usize,
    /// Who words the answers.
    pub(crate) model: Model,
    /// How long answers are kept.
    pub(crate) answers_kept: TimeDelta,
}

impl Config {
    pub(crate) fn load(settings: &Settings) -> Result<Self, ConfigError> {
        let megabytes: usize = settings.get("ECHO_KNOWLEDGE_INDEX_MB", 512)?;
        let index_bytes = megabytes.saturating_mul(1 << 20);
        Ok(Self { index_bytes, model: Model::load(settings)?, answers_kept: answers_kept(settings)? })
    }
}

fn answers_kept(settings: &Settings) -> Result<TimeDelta, ConfigError> {
    let name = "ECHO_KNOWLEDGE_ANSWERS_DAYS";
    match settings.get(name, 90_i64)? {
        days @ 1..=3_650 => Ok(TimeDelta::days(days)),
        _ => Err(ConfigError::new(name, "must be between 1 and 3650 days".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_kept_for_some_days_at_least() {
        let load = |days| Config::load(&Settings::from_pairs([("ECHO_KNOWLEDGE_ANSWERS_DAYS", days)]));
        assert_eq!(load("0").err().unwrap().name, "ECHO_KNOWLEDGE_ANSWERS_DAYS");
        assert_eq!(load("1").unwrap().answers_kept, TimeDelta::days(1));
    }
}
