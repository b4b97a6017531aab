//! This service's settings: which model speaks.

use common::config::{ConfigError, Settings};
use llm::{Model, OpenAiConfig};

/// Settings of the orchestrator.
pub(crate) struct Config {
    /// Who speaks and reads results out of what was said.
    pub(crate) model: Model,
}

impl Config {
    pub(crate) fn load(settings: &Settings) -> Result<Self, ConfigError> {
        Ok(Self { model: model(settings)? })
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
