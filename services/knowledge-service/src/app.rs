//! What every handler is given.

use common::db::Database;
use common::platform::Platform;

/// The service's own tables. Cloning shares them.
#[derive(Clone)]
pub(crate) struct App {
    pub(crate) database: Database,
}

impl App {
    pub(crate) fn new(platform: &Platform) -> Self {
        Self { database: platform.database.clone() }
    }
}
