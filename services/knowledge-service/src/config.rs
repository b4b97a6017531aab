//! This service's settings.

use chrono::TimeDelta;
use common::config::{ConfigError, Settings};
use llm::{Model, OpenAiConfig};

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
        Ok(Self { index_bytes, model: model(settings)?, answers_kept: answers_kept(settings)? })
    }
}

fn answers_kept(settings: &Settings) -> Result<TimeDelta, ConfigError> {
    let name = "ECHO_KNOWLEDGE_ANSWERS_DAYS";
    match settings.get(name, 90_i64)? {
        days @ 1..=3_650 => Ok(TimeDelta::days(days)),
        _ => Err(ConfigError::new(name, "must be between 1 and 3650 days".to_owned())),
    }
}

/// The offline model, until a key or the address of a model server is given.
fn model(settings: &Settings) -> Result<Model, ConfigError> {
    let key = settings.secret("OPENAI_API_KEY");
    let base_url: Option<String> = settings.optional("OPENAI_BASE_URL")?;
    let name = settings.get("ECHO_MODEL", "gpt-4o-mini".to_owned())?;
    if key.is_none() && base_url.is_none() {
        return Ok(Model::offline());
    }
    let base_url = base_url.unwrap_or_else(|| "https://api.openai.com/v1".to_owned());
    let key = key.map(|k| k.reveal().to_owned()).unwrap_or_default();
    let config = OpenAiConfig::new(base_url, key, name);
    Model::openai(config).map_err(|e| ConfigError::new("OPENAI_BASE_URL", e.to_string()))
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
