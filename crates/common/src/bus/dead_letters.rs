//! Dead letters, for operators: what a service could not handle, with the reason. They can be looked at, given back to the
//! queue they died in, or thrown away; by themselves they go after [`super::topology::DEAD_KEPT`].

use async_trait::async_trait;
use contracts::ServiceName;
use serde::Serialize;
use uuid::Uuid;

use super::Cause;

/// A message that died. Its body is not shown: it may hold what people said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeadLetter {
    /// Absent for a message that Echo has not sent.
    pub message_id: Option<Uuid>,
    /// The queue it died in, and to which a replay gives it back.
    pub queue: String,
    /// What it is: `<service>.<message>.v<n>`.
    pub routing_key: String,
    /// How often a handler had asked for it again.
    pub attempts: u32,
    /// Why it died.
    pub reason: String,
    /// What had caused it.
    #[serde(flatten)]
    pub cause: Cause,
}

/// Which of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    /// All.
    All,
    /// Those with these message ids.
    Only(Vec<Uuid>),
}

impl Which {
    /// Whether a letter is among them.
    #[must_use]
    pub fn holds(&self, id: Option<Uuid>) -> bool {
        match self {
            Self::All => true,
            Self::Only(ids) => id.is_some_and(|id| ids.contains(&id)),
        }
    }
}

/// What becomes of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Back into the queue, as if never tried.
    Replay,
    /// Gone.
    Drop,
}

/// Where dead letters lie. It may be asked while the services run, and while they do not.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// The oldest of a service, at most `limit`. They stay where they are.
    ///
    /// # Errors
    /// Why nobody can tell.
    async fn list(&self, service: ServiceName, limit: usize) -> Result<Vec<DeadLetter>, String>;

    /// Replays or drops some of a service, and says how many.
    ///
    /// # Errors
    /// Why not; those before the one that failed are done.
    async fn settle(&self, service: ServiceName, which: &Which, fate: Fate) -> Result<u64, String>;
}
