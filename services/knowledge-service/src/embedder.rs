//! Who says what texts mean, in numbers: a model on this machine, one behind a server, or nobody. Whoever it is, a question waits for
//! it only for a moment: without it, documents are found by their words.

mod minilm;

use std::fmt::Display;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use common::config::{ConfigError, Settings};
use llm::{Embeddings, ModelError, OpenAiConfig};
use tokio::time::timeout;

use crate::domain::vectors::unit;
use minilm::MiniLm;

/// A question waits no longer to be understood.
const QUESTION: Duration = Duration::from_millis(800);
/// Texts that go to a server at a time, and how long it may take.
const TEXTS: Duration = Duration::from_secs(30);
const BATCH: usize = 32;

/// A model that embeds. Cheap to clone.
#[derive(Clone)]
pub(crate) enum Embedder {
    /// `all-MiniLM-L6-v2` from a folder.
    MiniLm(Arc<MiniLm>),
    /// Any model behind OpenAI's embeddings.
    Server(Embeddings),
}

impl Embedder {
    /// The one that `ECHO_EMBEDDER` names: `off` (none), `minilm` or `openai`.
    ///
    /// # Errors
    /// Which setting is wrong, or what is missing in the folder of the model.
    pub(crate) fn load(settings: &Settings) -> Result<Option<Self>, ConfigError> {
        let name = "ECHO_EMBEDDER";
        match settings.get(name, "off".to_owned())?.as_str() {
            "off" => Ok(None),
            "minilm" => local(settings).map(Some),
            "openai" => server(settings).map(Some),
            other => Err(ConfigError::new(name, format!("`{other}` is none of off, minilm, openai"))),
        }
    }

    /// The name under which its vectors are kept: those of another name are never compared with them.
    pub(crate) fn model(&self) -> &str {
        match self {
            Self::MiniLm(_) => minilm::NAME,
            Self::Server(server) => server.model(),
        }
    }

    /// How much its meanings count against words (0–1), where it knows what the documents speak of. Half, as measured for `MiniLM`; a
    /// model of which nothing was measured counts less.
    pub(crate) fn weight(&self) -> f32 {
        match self {
            Self::MiniLm(_) => 0.5,
            Self::Server(_) => 0.4,
        }
    }

    /// What a question means, with length 1; none when that cannot be said in time.
    pub(crate) async fn question(&self, text: &str) -> Option<Vec<f32>> {
        let texts = vec![text.to_owned()];
        let answer = match self {
            Self::MiniLm(model) => timeout(QUESTION, question(Arc::clone(model), texts)).await,
            Self::Server(server) => Ok(server.embed(&texts, QUESTION).await),
        };
        let answer = answer.unwrap_or(Err(ModelError::Timeout));
        match answer {
            Ok(vectors) => vectors.into_iter().next().map(unit),
            Err(error) => {
                tracing::warn!(%error, model = self.model(), "a question was not embedded: it is looked up by its words");
                None
            }
        }
    }

    /// What texts mean, with length 1; none for one that the model refuses.
    ///
    /// # Errors
    /// When the model does not answer: another time it may.
    pub(crate) async fn texts(&self, texts: &[String]) -> Result<Vec<Option<Vec<f32>>>, ModelError> {
        let mut all = Vec::with_capacity(texts.len());
        for some in texts.chunks(BATCH) {
            match self {
                Self::MiniLm(model) => {
                    all.extend(read(Arc::clone(model), some.to_vec()).await?.into_iter().map(Some))
                }
                Self::Server(server) => all.extend(refusing(server, some).await?),
            }
        }
        Ok(all.into_iter().map(|vector| vector.map(unit)).collect())
    }
}

fn local(settings: &Settings) -> Result<Embedder, ConfigError> {
    let folder: PathBuf = settings.get("ECHO_MODELS_DIR", "models".to_owned())?.into();
    let folder = folder.join(minilm::NAME);
    let model = MiniLm::load(&folder).map_err(|problem| {
        let problem = format!("{}: {problem}; `make models` fills the folder", folder.display());
        ConfigError::new("ECHO_MODELS_DIR", problem)
    })?;
    Ok(Embedder::MiniLm(Arc::new(model)))
}

fn server(settings: &Settings) -> Result<Embedder, ConfigError> {
    let key = settings.secret("OPENAI_API_KEY").map(|key| key.reveal().to_owned()).unwrap_or_default();
    let base_url = settings.get("OPENAI_BASE_URL", "https://api.openai.com/v1".to_owned())?;
    let model = settings.get("ECHO_EMBEDDING_MODEL", "text-embedding-3-small".to_owned())?;
    let dimensions = settings.get("ECHO_EMBEDDING_DIMENSIONS", 512)?;
    if dimensions > 2_048 {
        return Err(ConfigError::new(
            "ECHO_EMBEDDING_DIMENSIONS",
            "must be at most 2048; 0: the model's own".to_owned(),
        ));
    }
    let config = OpenAiConfig::new(base_url, key, model);
    let embeddings = Embeddings::openai(config, dimensions);
    embeddings.map(Embedder::Server).map_err(|e| ConfigError::new("OPENAI_BASE_URL", e.to_string()))
}

/// One by one where the server refuses them together: one that it cannot take must not keep the others from being found.
async fn refusing(server: &Embeddings, texts: &[String]) -> Result<Vec<Option<Vec<f32>>>, ModelError> {
    match server.embed(texts, TEXTS).await {
        Ok(vectors) => Ok(vectors.into_iter().map(Some).collect()),
        Err(error @ ModelError::Refused { status: 401 | 403 | 404, .. }) => Err(error),
        Err(ModelError::Refused { .. }) if texts.len() > 1 => {
            let mut all = Vec::with_capacity(texts.len());
            for text in texts.chunks(1) {
                all.extend(Box::pin(refusing(server, text)).await?);
            }
            Ok(all)
        }
        Err(ModelError::Refused { .. }) => Ok(vec![None]),
        Err(error) => Err(error),
    }
}

async fn question(model: Arc<MiniLm>, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
    in_background(move || texts.iter().map(|text| model.question(text)).collect()).await
}

async fn read(model: Arc<MiniLm>, texts: Vec<String>) -> Result<Vec<Vec<f32>>, ModelError> {
    in_background(move || texts.iter().map(|text| model.text(text)).collect()).await
}

async fn in_background<E: Display + Send + 'static>(
    work: impl FnOnce() -> Result<Vec<Vec<f32>>, E> + Send + 'static,
) -> Result<Vec<Vec<f32>>, ModelError> {
    let done =
        tokio::task::spawn_blocking(move || work().map_err(|error| ModelError::Garbled(error.to_string())));
    done.await.unwrap_or_else(|error| Err(ModelError::Unavailable(error.to_string())))
}
