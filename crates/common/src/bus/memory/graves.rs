//! Dead letters of the in-process bus: rows with a reason, counted, and gone when they are old.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use contracts::ServiceName;
use prometheus::IntGaugeVec;
use tokio_util::sync::CancellationToken;

use crate::bus::dead_letters::{DeadLetter, DeadLetters, Fate, Which};
use crate::db::{Database, DbError, queue};

/// How often they are counted, and old ones go.
const EVERY: Duration = Duration::from_secs(30);

/// The tables of services, for an operator.
pub(super) struct Graves(pub(super) BTreeMap<ServiceName, Database>);

impl Graves {
    fn tables(&self, service: ServiceName) -> Result<&Database, String> {
        self.0.get(&service).ok_or_else(|| format!("{service} has no tables here"))
    }
}

#[async_trait]
impl DeadLetters for Graves {
    async fn list(&self, service: ServiceName, limit: usize) -> Result<Vec<DeadLetter>, String> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let listed = self.tables(service)?.read(move |db| queue::dead(db, limit)).await;
        listed.map_err(|e: DbError| e.to_string())
    }

    async fn settle(&self, service: ServiceName, which: &Which, fate: Fate) -> Result<u64, String> {
        let which = which.clone();
        let settled = self.tables(service)?.write(move |tx| queue::settle_dead(tx, &which, fate)).await;
        settled.map_err(|e: DbError| e.to_string())
    }
}

/// Counts a service's dead letters and lets old ones go, until `stop`.
pub(super) async fn keep(
    service: ServiceName,
    database: Database,
    gauge: Option<IntGaugeVec>,
    stop: CancellationToken,
) {
    loop {
        match database.write(queue::forget_old_dead).await {
            Ok(dead) => {
                if let Some(gauge) = &gauge {
                    gauge.with_label_values(&[service.as_str()]).set(dead);
                }
            }
            Err(error) => {
                let error: DbError = error;
                tracing::warn!(%service, %error, "dead letters cannot be counted now");
            }
        }
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = stop.cancelled() => return,
        }
    }
}
