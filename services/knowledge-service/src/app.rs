//! What every handler is given.

use std::sync::Arc;

use common::config::{ConfigError, Settings};
use common::db::Database;
use common::platform::Platform;
use tokio::sync::{Notify, OnceCell};

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
}

impl App {
    /// From settings and platform.
    ///
    /// # Errors
    /// Which setting is wrong.
    pub(crate) fn new(settings: &Settings, platform: &Platform) -> Result<Self, ConfigError> {
        let megabytes: usize = settings.get("ECHO_KNOWLEDGE_INDEX_MB", 512)?;
        let embedder = Embedder::load(settings)?;
        Ok(Self {
            database: platform.database.clone(),
            indexes: Indexes::new(megabytes.saturating_mul(1 << 20), embedder.clone()),
            embedder,
            embed_due: Arc::default(),
            outdated: Arc::default(),
            fetching: Arc::new(Fetching::new(settings, platform.clock.clone())?),
        })
    }
}
