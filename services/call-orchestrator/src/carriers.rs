//! Whether there is a carrier to call with, asked of the bridge before a notification is accepted: what could never ring is
//! refused at once and not accepted to fail.
//!
//! The answer is remembered for a short while, because it hardly ever changes. That there is none is not: whoever sets one up
//! is served at once. A bridge that does not answer refuses nothing; when it comes back, it decides.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use contracts::ids::ProjectId;
use contracts::rpc::{Caller, Context};
use contracts::telephony::{CarriersClient, FindCarrierRequest};

/// Whoever places a notification waits at most this long for the bridge.
const ASK_WITHIN: Duration = Duration::from_millis(500);
/// An answer is good for this long.
const GOOD_FOR: Duration = Duration::from_secs(10);
/// Projects that are remembered.
const REMEMBERED: usize = 10_000;

/// The projects that have a carrier, as far as this replica has asked. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Carriers {
    client: CarriersClient,
    known: Arc<Mutex<HashMap<ProjectId, Instant>>>,
}

impl Carriers {
    pub(crate) fn new(caller: Arc<dyn Caller>) -> Self {
        Self { client: CarriersClient::new(caller), known: Arc::default() }
    }

    /// False when there certainly is none for this project.
    pub(crate) async fn may_place(&self, project: ProjectId) -> bool {
        if self.knows(project) {
            return true;
        }
        let context = Context::within(ASK_WITHIN).for_tenant(project);
        let request = FindCarrierRequest { project_id: project.to_string() };
        match self.client.find_carrier(context, request).await {
            Ok(answer) if !answer.found => false,
            Ok(_) => {
                self.remember(project);
                true
            }
            Err(error) => {
                tracing::warn!(%project, %error, "the bridge does not say whether there is a carrier");
                self.remember(project); // not to wait for it again with every notification
                true
            }
        }
    }

    fn knows(&self, project: ProjectId) -> bool {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.get(&project).is_some_and(|asked| asked.elapsed() < GOOD_FOR)
    }

    fn remember(&self, project: ProjectId) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if known.len() >= REMEMBERED {
            known.clear();
        }
        known.insert(project, Instant::now());
    }
}
