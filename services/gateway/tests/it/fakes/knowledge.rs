//! A knowledge-service that remembers what it is told, and finds every document that it was brought.

use async_trait::async_trait;
use common::bus::{Outcome, Subscription};
use common::config::{ConfigError, Settings};
use common::db::Durability;
use common::platform::Platform;
use common::service::{Service, ServiceDef, Tables};
use contracts::ServiceName;
use contracts::accounts::{AppChanged, AppDeleted};
use contracts::knowledge::{
    AnswersServer, DeleteSourceRequest, DeleteSourceResponse, IngestRequest, IngestResponse,
    IngestUrlRequest, KnowledgeRpc, KnowledgeServer, ListSourcesRequest, ListSourcesResponse, Passage,
    SearchRequest, SearchResponse, Source, TicketsServer,
};
use contracts::rpc::{Context, RpcError};
use std::sync::Arc;

use super::{AT_MS, Fakes, lock};

pub(crate) const KNOWLEDGE: ServiceDef = ServiceDef {
    name: ServiceName::KnowledgeService,
    tables: Some(Tables { migrations: &[], durability: Durability::Normal }),
    listens: &[],
    build: knowledge,
};

#[derive(Clone)]
pub(super) struct Knowledge(pub(super) Arc<Fakes>);

fn knowledge(settings: &Settings, _: &Platform) -> Result<Service, ConfigError> {
    let fake = Knowledge(Fakes::find(settings));
    let changed = Subscription::to(&fake, |fake, _, message: AppChanged| async move {
        lock(&fake.0.apps_changed).push(message);
        Outcome::Done
    });
    let deleted = Subscription::to(&fake, |fake, _, message: AppDeleted| async move {
        lock(&fake.0.apps_deleted).push(message);
        Outcome::Done
    });
    Ok(Service {
        subscriptions: vec![changed, deleted],
        servers: vec![
            Arc::new(KnowledgeServer(fake.clone())),
            Arc::new(AnswersServer(fake.clone())),
            Arc::new(TicketsServer(fake)),
        ],
        ..Service::default()
    })
}

#[async_trait]
impl KnowledgeRpc for Knowledge {
    async fn search(&self, context: Context, request: SearchRequest) -> Result<SearchResponse, RpcError> {
        lock(&self.0.contexts).push(context);
        let brought = lock(&self.0.brought);
        let own = brought.iter().rev().filter(|source| source.app_id == request.app_id);
        let passages = own.map(|source| Passage {
            source_id: source.source_id.clone(),
            title: source.title.clone(),
            url: source.url.clone(),
            score: 0.5,
            text: source.text.clone(),
        });
        let most = usize::try_from(request.limit).unwrap();
        Ok(SearchResponse { passages: passages.take(most).collect(), ..SearchResponse::default() })
    }

    async fn ingest(&self, _: Context, request: IngestRequest) -> Result<IngestResponse, RpcError> {
        let source_id = request.source_id.clone();
        lock(&self.0.brought).push(request);
        Ok(IngestResponse { source_id, chunks_processed: 1, chunks_failed: 0 })
    }

    async fn ingest_url(&self, _: Context, request: IngestUrlRequest) -> Result<IngestResponse, RpcError> {
        let IngestUrlRequest { app_id, source_id, url } = request;
        if url.contains("127.0.0.1") {
            let problem = "leads to an address that may not be fetched".to_owned();
            return Err(RpcError::Invalid { field: "url".to_owned(), problem });
        }
        let text = format!("What stands at {url}");
        lock(&self.0.brought).push(IngestRequest {
            app_id,
            source_id: source_id.clone(),
            url,
            title: "A page".into(),
            text,
        });
        Ok(IngestResponse { source_id, chunks_processed: 1, chunks_failed: 0 })
    }

    async fn list_sources(
        &self,
        _: Context,
        request: ListSourcesRequest,
    ) -> Result<ListSourcesResponse, RpcError> {
        let brought = lock(&self.0.brought);
        let own = brought.iter().rev().filter(|source| source.app_id == request.app_id);
        let mut rest = own.skip_while(|s| !request.after_id.is_empty() && s.source_id >= request.after_id);
        let most = usize::try_from(request.limit).unwrap();
        let page: Vec<&IngestRequest> = rest.by_ref().take(most).collect();
        let last = page.last().map(|source| source.source_id.clone()).unwrap_or_default();
        let next_after_id = if rest.next().is_some() { last } else { String::new() };
        let sources = page.into_iter().map(|source| Source {
            id: source.source_id.clone(),
            title: source.title.clone(),
            url: source.url.clone(),
            chunks: 1,
            created_at_ms: AT_MS,
            updated_at_ms: AT_MS,
        });
        Ok(ListSourcesResponse { sources: sources.collect(), next_after_id })
    }

    async fn delete_source(
        &self,
        _: Context,
        request: DeleteSourceRequest,
    ) -> Result<DeleteSourceResponse, RpcError> {
        let mut brought = lock(&self.0.brought);
        let before = brought.len();
        brought.retain(|s| (&s.app_id, &s.source_id) != (&request.app_id, &request.source_id));
        if brought.len() < before {
            Ok(DeleteSourceResponse {})
        } else {
            Err(RpcError::NotFound("source".into()))
        }
    }
}
