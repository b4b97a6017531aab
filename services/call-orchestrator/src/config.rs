//! This service's settings: which model speaks.

use std::time::Duration;

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

/// How long a turn may go without a sign of life from the replica that answers it, before another takes over.
pub(crate) const TURN_LEASE: Duration = Duration::from_secs(3);
/// How often the replica that answers a turn gives a sign of life.
pub(crate) const TURN_HEARTBEAT: Duration = Duration::from_secs(1);
/// Time for the model's whole answer to one turn.
pub(crate) const TURN_DEADLINE: Duration = Duration::from_secs(20);
/// Time for reading the result out of a conversation, each of two tries.
pub(crate) const EXTRACT_DEADLINE: Duration = Duration::from_secs(20);
/// An accepted wish to dial is of no use after this long.
pub(crate) const DIAL_BEFORE: Duration = Duration::from_secs(30);
/// How long a phone may ring.
pub(crate) const RING_TIMEOUT_SECONDS: u32 = 40;
