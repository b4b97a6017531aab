//! What every handler is given.

use std::sync::Arc;

use chrono::TimeDelta;
use common::config::{ConfigError, Settings};
use common::db::Database;
use common::platform::Platform;
use llm::Model;
use prometheus::IntCounterVec;
use tokio::sync::{Notify, OnceCell};

use crate::config::Config;
use crate::embedder::Embedder;
use crate::fetch::Fetching;
use crate::indexes::Indexes;

/// The service's own tables, what is kept in memory of them, and the way to other people's pages. Cloning shares
/// all of it.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) database: Database,
    pub(crate) indexes: Indexes,
    /// Who says what texts mean; nobody where ranking is by words alone.
    pub(crate) embedder: Option<Embedder>,
    /// Wakes whoever embeds.
    pub(crate) embed_due: Arc<Notify>,
    /// What another model has read is marked.
    pub(crate) outdated: Arc<OnceCell<()>>,
    pub(crate) fetching: Arc<Fetching>,
    /// Who words the answers.
    pub(crate) model: Model,
    /// How long answers are kept.
    pub(crate) answers_kept: TimeDelta,
    /// Wakes the task that removes older ones.
    pub(crate) purge_due: Arc<Notify>,
    /// Answers, by verdict and how they ended.
    pub(crate) answers: Option<IntCounterVec>,
}

impl App {
    /// From settings and platform.
    ///
    /// # Errors
    /// Which setting is wrong.
    pub(crate) fn new(settings: &Settings, platform: &Platform) -> Result<Self, ConfigError> {
        let config = Config::load(settings)?;
        tracing::info!(model = config.model.name(), "the model that answers");
        let embedder = Embedder::load(settings)?;
        Ok(Self {
            database: platform.database.clone(),
            indexes: Indexes::new(config.index_bytes, embedder.clone()),
            embedder,
            embed_due: Arc::default(),
            outdated: Arc::default(),
            fetching: Arc::new(Fetching::new(settings, platform.clock.clone())?),
            model: config.model,
            answers_kept: config.answers_kept,
            purge_due: Arc::default(),
            answers: platform.metrics.counter(
                "echo_knowledge_service_answers_total",
                "Answers by verdict (answerable, partial, not_covered, needs_human) and how they ended: finished, broken.",
                &["verdict", "end"],
            ),
        })
    }
}
