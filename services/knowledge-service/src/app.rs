//! What every handler is given.

use common::config::{ConfigError, Settings};
use common::db::Database;
use common::platform::Platform;

use crate::indexes::Indexes;

/// The service's own tables and what is kept in memory of them. Cloning shares both.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) database: Database,
    pub(crate) indexes: Indexes,
}

impl App {
    /// From settings and platform.
    ///
    /// # Errors
    /// Which setting is wrong.
    pub(crate) fn new(settings: &Settings, platform: &Platform) -> Result<Self, ConfigError> {
        let megabytes: usize = settings.get("ECHO_KNOWLEDGE_INDEX_MB", 512)?;
        Ok(Self {
            database: platform.database.clone(),
            indexes: Indexes::new(megabytes.saturating_mul(1 << 20)),
        })
    }
}
