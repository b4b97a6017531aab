//! A model behind any server that speaks OpenAI's chat completions. One deadline covers everything that
//! happens for a request: attempts, waits between them, and every chunk of the answer.

mod chunks;
mod embedding;
mod extraction;
mod messages;
mod reply;
mod retry;
mod schema;
mod transport;

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use common::config::{ConfigError, Settings};
use futures_util::stream;
use serde_json::Value;
use tokio::time::Instant;

use crate::{
    Chat, ChatEvent, ChatRequest, ChatStream, Extract, ExtractRequest, Extracted, Heard, ModelError,
};
use chunks::Chunk;
pub use embedding::Embeddings;
use transport::{Chunks, Transport};

/// How to reach an OpenAI-compatible server.
#[derive(Clone)]
pub struct OpenAiConfig {
    /// Address in front of `/chat/completions`, for example `https://api.openai.com/v1`.
    pub base_url: String,
    /// Sent as bearer token; empty for servers that want none.
    pub api_key: String,
    /// The server's name of the model.
    pub model: String,
    /// Upper bound for one request, whatever its own deadline says.
    pub timeout: Duration,
    /// Longest accepted gap between two chunks of a stream.
    pub idle: Duration,
}

impl OpenAiConfig {
    /// A model on the server that `OPENAI_BASE_URL` (else OpenAI's own) and `OPENAI_API_KEY` name.
    ///
    /// # Errors
    /// Which setting is wrong.
    pub fn load(settings: &Settings, model: impl Into<String>) -> Result<Self, ConfigError> {
        let base_url = settings.get("OPENAI_BASE_URL", "https://api.openai.com/v1".to_owned())?;
        let key = settings.secret("OPENAI_API_KEY");
        Ok(Self::new(base_url, key.as_ref().map_or("", |key| key.reveal()), model))
    }

    /// A model on a server, with the default limits: 30 s for a request, 8 s between two chunks.
    pub fn new(base_url: impl Into<String>, api_key: impl Into<String>, model: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            api_key: api_key.into(),
            model: model.into(),
            timeout: Duration::from_secs(30),
            idle: Duration::from_secs(8),
        }
    }
}

impl fmt::Debug for OpenAiConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OpenAiConfig")
            .field("base_url", &self.base_url)
            .field("api_key", &if self.api_key.is_empty() { "(none)" } else { "(set)" })
            .field("model", &self.model)
            .field("timeout", &self.timeout)
            .field("idle", &self.idle)
            .finish()
    }
}

/// The client of one server and model.
pub(crate) struct OpenAi {
    config: OpenAiConfig,
    transport: Transport,
    /// The server has not refused to count tokens.
    counts: AtomicBool,
}

impl OpenAi {
    pub(crate) fn new(config: OpenAiConfig) -> Result<Self, ModelError> {
        let transport = Transport::new(&config.base_url, &config.api_key)?;
        Ok(Self { config, transport, counts: AtomicBool::new(true) })
    }

    fn until(&self, wanted: Duration) -> Instant {
        Instant::now() + wanted.min(self.config.timeout)
    }

    /// Opens a stream that ends with what it has cost, or, where a server refuses to count, one that does not.
    async fn open(&self, body: Value, until: Instant) -> Result<(Chunk, Chunks), ModelError> {
        if !self.counts.load(Ordering::Relaxed) {
            return retry::open_stream(&self.transport, body, until).await;
        }
        match retry::open_stream(&self.transport, messages::counted(&body), until).await {
            // Servers that know no `stream_options` say so with one of these two.
            Err(ModelError::Refused { status: 400 | 422, .. }) => {
                let opened = retry::open_stream(&self.transport, body, until).await?;
                // Asked for once more in every turn, it would cost every caller a moment.
                self.counts.store(false, Ordering::Relaxed);
                Ok(opened)
            }
            other => other,
        }
    }
}

#[async_trait]
impl Chat for OpenAi {
    async fn stream(&self, req: ChatRequest) -> Result<ChatStream, ModelError> {
        if let (Heard::CallAnswered, Some(opening)) = (&req.heard, fixed_opening(&req)) {
            // A fixed sentence needs no model, and the first words of a call must come at once.
            return Ok(Box::pin(stream::iter([Ok(ChatEvent::Text(opening))])));
        }
        let until = self.until(req.deadline);
        let body = messages::chat_body(&self.config.model, &req);
        let (first, rest) = self.open(body, until).await?;
        Ok(reply::events(first, rest, until, self.config.idle))
    }
}

#[async_trait]
impl Extract for OpenAi {
    async fn extract(&self, req: ExtractRequest) -> Result<Extracted, ModelError> {
        let until = self.until(req.deadline);
        let body = extraction::body(&self.config.model, &req, true);
        let answer = match retry::ask(&self.transport, body, until).await {
            // Servers that know no schema-bound answers say so with one of these two.
            Err(ModelError::Refused { status: 400 | 422, .. }) => {
                let plain = extraction::body(&self.config.model, &req, false);
                retry::ask(&self.transport, plain, until).await?
            }
            other => other?,
        };
        extraction::read(&req.schema, &answer)
    }
}

fn fixed_opening(req: &ChatRequest) -> Option<String> {
    req.opening.as_ref().filter(|text| !text.trim().is_empty() && req.history.is_empty()).cloned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_key_does_not_show_in_debug_output() {
        let shown = format!("{:?}", OpenAiConfig::new("http://localhost/v1", "sk-secret", "m"));
        assert!(!shown.contains("sk-secret"), "{shown}");
        assert!(shown.contains("(set)"), "{shown}");
    }
}
