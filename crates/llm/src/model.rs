//! The handle that services hold: one model, whichever it is, under the name that it reports.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use common::config::{ConfigError, Settings};
use futures_util::StreamExt as _;

use crate::offline::Offline;
use crate::openai::{OpenAi, OpenAiConfig};
use crate::{Chat, ChatEvent, ChatRequest, ChatStream, Extract, ExtractRequest, Extracted, ModelError};

trait Both: Chat + Extract {}
impl<T: Chat + Extract> Both for T {}

/// A model that chats and extracts. Cheap to clone; clones share connections.
#[derive(Clone)]
pub struct Model {
    inner: Arc<dyn Both>,
    name: Arc<str>,
}

impl Model {
    /// The one that the settings name: `ECHO_MODEL` on a server, and the offline one until a key (`OPENAI_API_KEY`) or the address of a
    /// server (`OPENAI_BASE_URL`) is given.
    ///
    /// # Errors
    /// Which setting is wrong.
    pub fn load(settings: &Settings) -> Result<Self, ConfigError> {
        let name = settings.get("ECHO_MODEL", "gpt-4o-mini".to_owned())?;
        let address: Option<String> = settings.optional("OPENAI_BASE_URL")?;
        if address.is_none() && settings.secret("OPENAI_API_KEY").is_none() {
            return Ok(Self::offline());
        }
        let config = OpenAiConfig::load(settings, name)?;
        Self::openai(config).map_err(|e| ConfigError::new("OPENAI_BASE_URL", e.to_string()))
    }

    /// The rule-based model: no network, no key, answers at once, always the same. Its name is `offline`.
    pub fn offline() -> Self {
        Self::of("offline", Offline)
    }

    /// A model behind an OpenAI-compatible server. Fails with [`ModelError::Unavailable`] only when no
    /// TLS client can be made on this machine; nothing is sent yet.
    pub fn openai(config: OpenAiConfig) -> Result<Self, ModelError> {
        let name = config.model.clone();
        Ok(Self::of(&name, OpenAi::new(config)?))
    }

    /// Any other implementation under a name, for instance a scripted one in a test.
    pub fn of(name: &str, model: impl Chat + Extract + 'static) -> Self {
        Self { inner: Arc::new(model), name: name.into() }
    }

    /// The name to show wherever a model is named: `offline`, or the server's model name.
    pub fn name(&self) -> &str {
        &self.name
    }
}

impl fmt::Debug for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model").field("name", &self.name).finish_non_exhaustive()
    }
}

#[async_trait]
impl Chat for Model {
    async fn stream(&self, req: ChatRequest) -> Result<ChatStream, ModelError> {
        let stream = self.inner.stream(req).await?;
        let clean = stream.map(|event| match event {
            Ok(ChatEvent::Text(text)) => Ok(ChatEvent::Text(printable(&text))),
            other => other,
        });
        Ok(Box::pin(clean.fuse()))
    }
}

#[async_trait]
impl Extract for Model {
    async fn extract(&self, req: ExtractRequest) -> Result<Extracted, ModelError> {
        let mut extracted = self.inner.extract(req).await?;
        clean(&mut extracted.value);
        for evidence in extracted.evidence.values_mut() {
            evidence.quote = evidence.quote.as_deref().map(printable);
        }
        extracted.summary = printable(&extracted.summary).chars().take(SUMMARY_CHARS).collect();
        Ok(extracted)
    }
}

/// One sentence needs no more.
const SUMMARY_CHARS: usize = 1_000;

/// Without control characters: a model may write any, a phone speaks none, and not every database stores them.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

fn clean(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::String(text) => *text = printable(text),
        serde_json::Value::Array(items) => items.iter_mut().for_each(clean),
        serde_json::Value::Object(fields) => fields.values_mut().for_each(clean),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_of_a_model_go_no_further() {
        let mut value = serde_json::json!({"a": ["x\u{0}y"], "b": {"c": "line\nline\u{7}"}});
        clean(&mut value);
        assert_eq!(value, serde_json::json!({"a": ["xy"], "b": {"c": "line\nline"}}));
    }
}
