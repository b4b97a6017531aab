//! How many imports run at the same time: each holds its file in memory, and one project's slow uploads must not keep the others
//! from theirs.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use contracts::ids::ProjectId;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::ApiError;

/// Most imports at the same time in one process.
const MOST: usize = 4;
/// When whoever was refused may ask again, in seconds: an import of ten thousand rows takes some.
const AGAIN: u64 = 5;

/// The imports of this process. Cloning shares them.
#[derive(Clone)]
pub(crate) struct Imports {
    free: Arc<Semaphore>,
    projects: Arc<Mutex<HashSet<ProjectId>>>,
}

impl Default for Imports {
    fn default() -> Self {
        Self { free: Arc::new(Semaphore::new(MOST)), projects: Arc::default() }
    }
}

impl Imports {
    /// The right to import into a project, until it is dropped.
    ///
    /// # Errors
    /// 409 when one runs in this project, 503 when as many run as there may be.
    pub(crate) fn begin(&self, project: ProjectId) -> Result<Import, ApiError> {
        let full = |_| ApiError::unavailable("as many imports run as there may be");
        let permit = Arc::clone(&self.free).try_acquire_owned().map_err(full)?;
        if !self.projects.lock().unwrap_or_else(PoisonError::into_inner).insert(project) {
            let message = "An import of this project is running; send the next one when it has ended";
            return Err(ApiError::conflict("import_in_progress", message).retry_after(AGAIN));
        }
        Ok(Import { project, projects: Arc::clone(&self.projects), _permit: permit })
    }
}

/// An import that runs.
pub(crate) struct Import {
    project: ProjectId,
    projects: Arc<Mutex<HashSet<ProjectId>>>,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Import {
    fn drop(&mut self) {
        self.projects.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.project);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code(refused: Result<Import, ApiError>) -> u16 {
        refused.err().map_or(0, |error| actix_web::ResponseError::status_code(&error).as_u16())
    }

    #[test]
    fn a_project_has_one_import_at_a_time_and_a_process_four() {
        let imports = Imports::default();
        let first = ProjectId::new();
        let running = imports.begin(first).unwrap();
        assert_eq!(code(imports.begin(first)), 409);
        let others: Vec<Import> = (1..MOST).map(|_| imports.begin(ProjectId::new()).unwrap()).collect();
        assert_eq!(code(imports.begin(ProjectId::new())), 503);
        drop(running);
        assert_eq!(code(imports.begin(first)), 0);
        drop(others);
    }
}
