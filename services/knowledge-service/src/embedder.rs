//! Who says what texts mean, in numbers: a model on this machine, one behind a server, or nobody. Whoever it is, a question waits for
//! it only for a moment: without it, documents are found by their words.

#[cfg(feature = "minilm")]
mod minilm;

use std::time::Duration;

use common::config::{ConfigError, Settings};
use llm::{Embeddings, ModelError, OpenAiConfig};

use crate::domain::vectors::unit;
#[cfg(feature = "minilm")]
use minilm::OnThisMachine;

/// A question waits no longer to be understood.
const QUESTION: Duration = Duration::from_millis(800);
/// Texts that go to a server at a time, and how long it may take.
const TEXTS: Duration = Duration::from_secs(30);
const BATCH: usize = 32;

/// A model that embeds. Cheap to clone.
#[derive(Clone)]
pub(crate) enum Embedder {
    /// `all-MiniLM-L6-v2` from a folder.
    #[cfg(feature = "minilm")]
    MiniLm(OnThisMachine),
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
            #[cfg(feature = "minilm")]
            "minilm" => OnThisMachine::load(settings).map(|model| Some(Self::MiniLm(model))),
            #[cfg(not(feature = "minilm"))]
            "minilm" => {
                let problem = "`minilm` is not in this program: build it with `--features minilm`";
                Err(ConfigError::new(name, problem.to_owned()))
            }
            "openai" => server(settings).map(Some),
            other => Err(ConfigError::new(name, format!("`{other}` is none of off, minilm, openai"))),
        }
    }

    /// The name under which its vectors are kept: those of another name are never compared with them.
    pub(crate) fn model(&self) -> &str {
        match self {
            #[cfg(feature = "minilm")]
            Self::MiniLm(_) => minilm::NAME,
            Self::Server(server) => server.model(),
        }
    }

    /// How much its meanings count against words (0–1), where it knows what the documents speak of. Half, as measured for `MiniLM`; a
    /// model of which nothing was measured counts less.
    pub(crate) fn weight(&self) -> f32 {
        match self {
            #[cfg(feature = "minilm")]
            Self::MiniLm(_) => 0.5,
            Self::Server(_) => 0.4,
        }
    }

    /// What a question means, with length 1; none when that cannot be said in time.
    pub(crate) async fn question(&self, text: &str) -> Option<Vec<f32>> {
        let answer = match self {
            #[cfg(feature = "minilm")]
            Self::MiniLm(model) => model.question(text, QUESTION).await,
            Self::Server(server) => server.embed(&[text.to_owned()], QUESTION).await,
        };
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
                #[cfg(feature = "minilm")]
                Self::MiniLm(model) => all.extend(model.texts(some).await?.into_iter().map(Some)),
                Self::Server(server) => all.extend(refusing(server, some).await?),
            }
        }
        Ok(all.into_iter().map(|vector| vector.map(unit)).collect())
    }
}

fn server(settings: &Settings) -> Result<Embedder, ConfigError> {
    let model = settings.get("ECHO_EMBEDDING_MODEL", "text-embedding-3-small".to_owned())?;
    let dimensions = settings.get("ECHO_EMBEDDING_DIMENSIONS", 512)?;
    if dimensions > 2_048 {
        return Err(ConfigError::new(
            "ECHO_EMBEDDING_DIMENSIONS",
            "must be at most 2048; 0: the model's own".to_owned(),
        ));
    }
    let config = OpenAiConfig::load(settings, model)?;
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
