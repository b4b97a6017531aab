//! For operators: `/healthz` (the process lives), `/readyz` (it can do its work), `/metrics`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use actix_web::{HttpResponse, web};
use serde_json::json;

use crate::bus::Bus;
use crate::db::Database;
use crate::metrics::Metrics;

/// What must answer for the process to be ready.
#[derive(Clone)]
pub struct Readiness {
    open: Arc<AtomicBool>,
    databases: Arc<Vec<(&'static str, Database)>>,
    bus: Arc<dyn Bus>,
}

/// A part that takes longer to say how it is counts as not well.
const ANSWER_WITHIN: Duration = Duration::from_secs(2);

impl Readiness {
    /// Not ready until [`Readiness::open`].
    #[must_use]
    pub fn new(databases: Vec<(&'static str, Database)>, bus: Arc<dyn Bus>) -> Self {
        Self { open: Arc::default(), databases: Arc::new(databases), bus }
    }

    /// From now on the parts decide.
    pub fn open(&self) {
        self.open.store(true, Ordering::Relaxed);
    }

    /// From now on: not ready, whatever the parts say.
    pub fn close(&self) {
        self.open.store(false, Ordering::Relaxed);
    }

    /// Each part that is not well, with its reason; empty when ready.
    pub async fn problems(&self) -> Vec<(String, String)> {
        if !self.open.load(Ordering::Relaxed) {
            return vec![("process".to_owned(), "starting or stopping".to_owned())];
        }
        let mut problems = Vec::new();
        for (name, database) in self.databases.iter() {
            let answer = tokio::time::timeout(ANSWER_WITHIN, database.ping()).await;
            match answer {
                Ok(Ok(())) => {}
                Ok(Err(e)) => problems.push((format!("database of {name}"), e.to_string())),
                Err(_) => problems.push((format!("database of {name}"), "no answer".to_owned())),
            }
        }
        if let Err(why) = self.bus.ready().await {
            problems.push(("bus".to_owned(), why));
        }
        problems
    }
}

/// Mounts the operations endpoint.
pub fn routes(
    readiness: Readiness,
    metrics: Metrics,
) -> impl Fn(&mut web::ServiceConfig) + Send + Sync + 'static {
    move |config| {
        config
            .app_data(web::Data::new(readiness.clone()))
            .app_data(web::Data::new(metrics.clone()))
            .route("/healthz", web::get().to(|| async { HttpResponse::Ok().body("ok\n") }))
            .route("/readyz", web::get().to(ready))
            .route("/metrics", web::get().to(scrape));
    }
}

async fn ready(readiness: web::Data<Readiness>) -> HttpResponse {
    let problems = readiness.problems().await;
    if problems.is_empty() {
        return HttpResponse::Ok().json(json!({"ready": true}));
    }
    let problems: serde_json::Map<_, _> =
        problems.into_iter().map(|(part, why)| (part, why.into())).collect();
    HttpResponse::ServiceUnavailable().json(json!({"ready": false, "problems": problems}))
}

async fn scrape(metrics: web::Data<Metrics>) -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(metrics.rendered())
}
