//! What every handler and task of this service is given.

use std::sync::Arc;
use std::time::Duration;

use common::db::{DbError, Tx};
use common::platform::Platform;
use contracts::knowledge::KnowledgeClient;
use contracts::webhooks::TargetsClient;
use llm::Model;
use tokio::sync::Notify;

use crate::carriers::Carriers;
use crate::config::Config;
use crate::conversation::frozen::FrozenSpecs;
use crate::conversation::wakeups::Wakeups;
use crate::domain::bot_load::Limits;
use crate::domain::countries::Countries;
use crate::error::OrchestratorError;

/// Shared by everything in this service. Cheap to clone.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) platform: Platform,
    pub(crate) model: Model,
    /// Who can be called with what.
    pub(crate) carriers: Carriers,
    /// The way into users' systems while a phone call runs.
    pub(crate) targets: TargetsClient,
    /// What apps' documents say.
    pub(crate) knowledge: KnowledgeClient,
    /// How long a tool may take.
    pub(crate) tool_deadline: Duration,
    /// How long documents may take.
    pub(crate) search_deadline: Duration,
    /// How many calls bots take.
    pub(crate) bot_limits: Limits,
    /// Where the operator lets phones be rung.
    pub(crate) countries: Arc<Countries>,
    /// A notification may be due.
    pub(crate) dial_due: Arc<Notify>,
    /// Somebody is to be forgotten.
    pub(crate) erase_due: Arc<Notify>,
    /// A call by which a customer rang back is to be read.
    pub(crate) reading_due: Arc<Notify>,
    /// A summary is to be written.
    pub(crate) summary_due: Arc<Notify>,
    /// Requests that wait for a sentence in this replica.
    pub(crate) wakeups: Wakeups,
    /// What conversations are made of, as far as this replica has read it.
    pub(crate) frozen: FrozenSpecs,
    /// Failures of the model, by what was asked of it.
    pub(crate) model_failures: Option<prometheus::IntCounterVec>,
    /// What was looked up in documents, by what came of it.
    pub(crate) searches: Option<prometheus::IntCounterVec>,
}

/// How often a write is tried that somebody else's write got in the way of.
const TRIES: u32 = 3;

impl App {
    pub(crate) fn new(config: Config, platform: &Platform) -> Self {
        tracing::info!(model = config.model.name(), "the model that speaks");
        Self {
            model_failures: platform.metrics.counter(
                "echo_orchestrator_model_failures_total",
                "Times the model gave no useful answer",
                &["asked"],
            ),
            searches: platform.metrics.counter(
                "echo_orchestrator_knowledge_searches_total",
                "Times documents were asked in a conversation",
                &["outcome"],
            ),
            carriers: Carriers::new(Arc::clone(&platform.caller)),
            targets: TargetsClient::new(Arc::clone(&platform.caller)),
            knowledge: KnowledgeClient::new(Arc::clone(&platform.caller)),
            tool_deadline: config.tool_deadline,
            search_deadline: config.search_deadline,
            bot_limits: config.bot_limits,
            platform: platform.clone(),
            model: config.model,
            countries: Arc::new(config.countries),
            dial_due: Arc::new(Notify::new()),
            erase_due: Arc::new(Notify::new()),
            reading_due: Arc::new(Notify::new()),
            summary_due: Arc::new(Notify::new()),
            wakeups: Wakeups::default(),
            frozen: FrozenSpecs::default(),
        }
    }

    /// Loads, decides and saves; again when somebody else saved in between, at most three times.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, OrchestratorError>
    where
        T: Send + 'static,
        F: Fn(&mut Tx<'_>) -> Result<T, OrchestratorError> + Clone + Send + 'static,
    {
        for _ in 1..TRIES {
            match self.platform.database.write(work.clone()).await {
                Err(OrchestratorError::Db(DbError::Conflict | DbError::Duplicate { .. })) => {}
                result => return result,
            }
        }
        self.platform.database.write(work).await
    }

    /// Counts what came of asking documents.
    pub(crate) fn searched(&self, outcome: &str) {
        if let Some(metric) = &self.searches {
            metric.with_label_values(&[outcome]).inc();
        }
    }

    /// Counts a failure of the model.
    pub(crate) fn model_failed(&self, asked: &str) {
        if let Some(metric) = &self.model_failures {
            metric.with_label_values(&[asked]).inc();
        }
    }
}
