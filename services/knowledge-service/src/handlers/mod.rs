//! What the service answers on the bus, one file per rpc; `Knowledge` and `Answers` in one place.

mod ask;
mod feedback;
mod ingest;
mod ingest_url;
mod insights;
mod search;
mod sources;

use async_trait::async_trait;
use common::db::DbError;
use contracts::knowledge::{
    AnswerPart, AnswersRpc, AskRequest, DeleteSourceRequest, DeleteSourceResponse, GetInsightsRequest,
    GetInsightsResponse, GiveFeedbackRequest, GiveFeedbackResponse, IngestRequest, IngestResponse,
    IngestUrlRequest, KnowledgeRpc, ListSourcesRequest, ListSourcesResponse, SearchRequest, SearchResponse,
};
use contracts::rpc::{Context, RpcError, Streamed};

use crate::app::App;

#[async_trait]
impl KnowledgeRpc for App {
    async fn search(&self, _: Context, request: SearchRequest) -> Result<SearchResponse, RpcError> {
        search::search(self, request).await
    }

    async fn ingest(&self, _: Context, request: IngestRequest) -> Result<IngestResponse, RpcError> {
        ingest::ingest(self, request).await
    }

    async fn ingest_url(&self, _: Context, request: IngestUrlRequest) -> Result<IngestResponse, RpcError> {
        ingest_url::ingest_url(self, request).await
    }

    async fn list_sources(
        &self,
        _: Context,
        request: ListSourcesRequest,
    ) -> Result<ListSourcesResponse, RpcError> {
        sources::list(self, &request).await
    }

    async fn delete_source(
        &self,
        _: Context,
        request: DeleteSourceRequest,
    ) -> Result<DeleteSourceResponse, RpcError> {
        sources::delete(self, &request).await
    }
}

#[async_trait]
impl AnswersRpc for App {
    async fn ask(&self, _: Context, request: AskRequest) -> Result<Streamed<AnswerPart>, RpcError> {
        ask::ask(self, request).await
    }

    async fn give_feedback(
        &self,
        _: Context,
        request: GiveFeedbackRequest,
    ) -> Result<GiveFeedbackResponse, RpcError> {
        feedback::give(self, &request).await
    }

    async fn get_insights(
        &self,
        _: Context,
        request: GetInsightsRequest,
    ) -> Result<GetInsightsResponse, RpcError> {
        insights::get(self, &request).await
    }
}

pub(crate) fn away_or_broken(error: DbError) -> RpcError {
    if error.is_away() {
        RpcError::Unavailable(error.to_string())
    } else {
        RpcError::Internal(error.to_string())
    }
}
