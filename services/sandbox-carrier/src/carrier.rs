//! The handle by which a runtime holds a carrier: mounts its routes, runs its calls, watches it.

use std::sync::{Arc, Mutex, PoisonError};

use actix_web::web::ServiceConfig;
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::CarrierConfig;
use crate::domain::event::CarrierEvent;
use crate::state::{Job, Shared};
use crate::{http, player};

/// A carrier. Clones share one set of books.
#[derive(Clone)]
pub struct Carrier {
    shared: Arc<Shared>,
    jobs: Arc<Mutex<Option<mpsc::UnboundedReceiver<Job>>>>,
}

impl Carrier {
    /// A carrier with empty books. Calls are accepted at once and played as soon as [`Carrier::run`] runs.
    pub fn new(config: CarrierConfig) -> Carrier {
        let (shared, jobs) = Shared::new(config);
        Carrier { shared, jobs: Arc::new(Mutex::new(Some(jobs))) }
    }

    /// What it was told at its start.
    pub fn config(&self) -> &CarrierConfig {
        &self.shared.config
    }

    /// Adds the REST slice under `/2010-04-01` and the controls under `/sandbox/v1`.
    pub fn mount(&self, cfg: &mut ServiceConfig) {
        http::mount(&self.shared, cfg);
    }

    /// Plays all calls until `shutdown`; what still runs then is dropped. A second run of the same carrier
    /// has nothing to do and returns at once.
    pub async fn run(&self, shutdown: CancellationToken) {
        let taken = self.jobs.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut jobs) = taken else {
            tracing::warn!("this sandbox carrier is running already");
            return;
        };
        let mut calls = JoinSet::new();
        loop {
            tokio::select! {
                () = shutdown.cancelled() => break,
                Some(job) = jobs.recv() => {
                    calls.spawn(player::play(Arc::clone(&self.shared), job));
                }
                Some(ended) = calls.join_next(), if !calls.is_empty() => {
                    if let Err(error) = ended {
                        tracing::error!(%error, "a call was broken off");
                    }
                }
            }
        }
        self.shared.stopped.cancel();
        calls.shutdown().await;
    }

    /// Everything that happens from now on.
    pub fn events(&self) -> broadcast::Receiver<CarrierEvent> {
        self.shared.watch()
    }
}
